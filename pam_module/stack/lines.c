/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/stack/lines.h"

#include <ctype.h>
#include <security/_pam_types.h>
#include <string.h>
#include <strings.h>

static const char blanks[] = " \n\t";

/* In libpam's order, which is also that of looking them up. */
static const char *const code_words[STACK_CODES + 1] = {[PAM_SUCCESS] = "success",
                                                        [PAM_OPEN_ERR] = "open_err",
                                                        [PAM_SYMBOL_ERR] = "symbol_err",
                                                        [PAM_SERVICE_ERR] = "service_err",
                                                        [PAM_SYSTEM_ERR] = "system_err",
                                                        [PAM_BUF_ERR] = "buf_err",
                                                        [PAM_PERM_DENIED] = "perm_denied",
                                                        [PAM_AUTH_ERR] = "auth_err",
                                                        [PAM_CRED_INSUFFICIENT] = "cred_insufficient",
                                                        [PAM_AUTHINFO_UNAVAIL] = "authinfo_unavail",
                                                        [PAM_USER_UNKNOWN] = "user_unknown",
                                                        [PAM_MAXTRIES] = "maxtries",
                                                        [PAM_NEW_AUTHTOK_REQD] = "new_authtok_reqd",
                                                        [PAM_ACCT_EXPIRED] = "acct_expired",
                                                        [PAM_SESSION_ERR] = "session_err",
                                                        [PAM_CRED_UNAVAIL] = "cred_unavail",
                                                        [PAM_CRED_EXPIRED] = "cred_expired",
                                                        [PAM_CRED_ERR] = "cred_err",
                                                        [PAM_NO_MODULE_DATA] = "no_module_data",
                                                        [PAM_CONV_ERR] = "conv_err",
                                                        [PAM_AUTHTOK_ERR] = "authtok_err",
                                                        [PAM_AUTHTOK_RECOVERY_ERR] = "authtok_recover_err",
                                                        [PAM_AUTHTOK_LOCK_BUSY] = "authtok_lock_busy",
                                                        [PAM_AUTHTOK_DISABLE_AGING] =
                                                                "authtok_disable_aging",
                                                        [PAM_TRY_AGAIN] = "try_again",
                                                        [PAM_IGNORE] = "ignore",
                                                        [PAM_ABORT] = "abort",
                                                        [PAM_AUTHTOK_EXPIRED] = "authtok_expired",
                                                        [PAM_MODULE_UNKNOWN] = "module_unknown",
                                                        [PAM_BAD_ITEM] = "bad_item",
                                                        [PAM_CONV_AGAIN] = "conv_again",
                                                        [PAM_INCOMPLETE] = "incomplete",
                                                        [STACK_CODES] = "default"};

static const char *const action_words[] = {"ignore", "ok", "done", "bad", "die", "reset"}; /* 0, -1, ... */

const char *stack_code_to_string(int code) {
        return code >= 0 && code < STACK_CODES ? code_words[code] : NULL;
}

/* As fgets(3) of glibc: at most ROOM - 1 bytes, up to and with the end of the line. False: there are none,
 * unless there is no room for any. */
static bool get_piece(StackLines *lines, char *to, size_t room) {
        const char *from = lines->text + lines->at, *end;
        size_t n = lines->size - lines->at;

        if (room > 1 && n == 0)
                return false;
        if (n > room - 1)
                n = room - 1;
        end = n > 0 ? memchr(from, '\n', n) : NULL;
        if (end)
                n = (size_t)(end - from) + 1;
        else if (lines->at + n < lines->size)
                lines->split = true;
        if (n > 0)
                memcpy(to, from, n);
        to[n] = '\0';
        lines->at += n;
        lines->number += end != NULL;
        return true;
}

/* What libpam keeps of the piece at TEXT. The end of it, behind a blank in the backslash's place, if the
 * next piece belongs to it; else NULL. */
static char *continuation(char *text) {
        char *last = text + strlen(text) - 1;

        while (last > text && strchr(blanks, *last))
                last--;
        if (*last != '\\')
                return NULL;
        last[0] = ' ';
        last[1] = '\0';
        return last + 1;
}

StackLineEnd stack_line_next(StackLines *lines, char buffer[STACK_LINE]) {
        char *to = buffer, *end = buffer + STACK_LINE;
        bool begun = false;

        lines->split = false;
        for (;;) {
                unsigned number = lines->number;
                char *text, *comment;

                if (to == end - 1)
                        return LINE_HANGS; /* fgets() for one byte gives an empty line, and always will */
                if (!get_piece(lines, to, (size_t)(end - to)))
                        return begun ? LINE_REFUSED : LINE_NONE;
                text = to + strspn(to, blanks);
                if (*text == '\0' || *text == '#')
                        continue;
                if (!begun)
                        lines->first = number;
                begun = true;
                comment = strchr(text, '#');
                if (comment) {
                        *comment = '\0';
                        return LINE_READ;
                }
                to = continuation(text);
                if (!to)
                        return LINE_READ;
        }
}

/* A word in brackets, from behind the opening one. "\]" is a "]" that does not close. */
static char *bracketed(char *from) {
        char *to = from, *end = from;

        for (; *end && *end != ']'; end++) {
                if (end[0] == '\\' && end[1] == ']')
                        end++;
                *to++ = *end;
        }
        if (to != end)
                *to = '\0';
        return end;
}

char *stack_word(char *from, char **next) {
        char *end;

        if (!from)
                from = *next;
        if (!from)
                return NULL;
        from += strspn(from, blanks);
        if (*from == '\0') {
                *next = NULL;
                return NULL;
        }
        end = *from == '[' ? bracketed(++from) : from + strcspn(from, blanks);
        if (*end)
                *end++ = '\0';
        *next = *end ? end : NULL;
        return from;
}

void stack_control_default(int32_t actions[STACK_CODES], int32_t action) {
        for (int i = 0; i < STACK_CODES; i++)
                if (actions[i] == ACTION_UNDEFINED)
                        actions[i] = action;
}

static const char *skip_spaces(const char *text) {
        while (isspace((unsigned char)*text))
                text++;
        return text;
}

/* The first of N words that TEXT begins with; N if none. */
static size_t find_word(const char *text, const char *const *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strncmp(words[i], text, strlen(words[i])) == 0)
                        return i;
        return n;
}

/* A number as libpam computes it, in an int that overflows. NULL if there is none, or zero. */
static const char *jump_of(const char *text, int32_t *ret) {
        uint32_t n = 0;

        if (!isdigit((unsigned char)*text))
                return NULL;
        for (; isdigit((unsigned char)*text); text++)
                n = n * 10 + (uint32_t)(*text - '0');
        *ret = (int32_t)n;
        return n == 0 ? NULL : text;
}

static const char *action_of(const char *text, int32_t *ret) {
        size_t word = find_word(text, action_words, ELEMENTS(action_words));

        if (word == ELEMENTS(action_words))
                return jump_of(text, ret);
        *ret = -(int32_t)word;
        return text + strlen(action_words[word]);
}

/* "code=action" with blanks around each, and none needed behind. What "default" is for is what was not set
 * before it. */
static bool parse_control(const char *text, int32_t actions[STACK_CODES]) {
        for (text = skip_spaces(text); *text; text = skip_spaces(text)) {
                size_t code = find_word(text, code_words, ELEMENTS(code_words));
                int32_t action = ACTION_BAD;

                if (code == ELEMENTS(code_words))
                        return false;
                text = skip_spaces(text + strlen(code_words[code]));
                if (*text != '=')
                        return false;
                text = action_of(skip_spaces(text + 1), &action);
                if (!text)
                        return false;
                if (code < STACK_CODES)
                        actions[code] = action;
                else
                        stack_control_default(actions, action);
        }
        return true;
}

static void set_all(int32_t actions[STACK_CODES], int32_t action) {
        for (int i = 0; i < STACK_CODES; i++)
                actions[i] = action;
}

bool stack_control(const char *control, int32_t actions[STACK_CODES]) {
        static const struct {
                const char *word;
                int32_t success, otherwise;
                bool ignores;
        } words[] = {{"required", ACTION_OK, ACTION_BAD, true},
                     {"requisite", ACTION_OK, ACTION_DIE, true},
                     {"optional", ACTION_OK, ACTION_IGNORE, false},
                     {"sufficient", ACTION_DONE, ACTION_IGNORE, false}};

        for (size_t i = 0; i < ELEMENTS(words); i++) {
                if (strcasecmp(words[i].word, control) != 0)
                        continue;
                set_all(actions, words[i].otherwise);
                actions[PAM_SUCCESS] = actions[PAM_NEW_AUTHTOK_REQD] = words[i].success;
                if (words[i].ignores)
                        actions[PAM_IGNORE] = ACTION_IGNORE;
                return true;
        }
        set_all(actions, ACTION_UNDEFINED);
        if (!parse_control(control, actions)) {
                set_all(actions, ACTION_BAD);
                return false;
        }
        stack_control_default(actions, ACTION_BAD);
        return true;
}

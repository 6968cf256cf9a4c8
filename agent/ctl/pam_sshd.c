/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sshd takes keys without asking PAM's auth stack: what its settings leave of it. */
#include <errno.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/pam.h"
#include "agent/ctl/program_ask.h"
#include "agent/ctl/text.h"

#define SSHD "/usr/sbin/sshd"

enum {
        ANSWER_MAX = 64 * 1024
};

/* Methods that do not ask PAM who it is. */
static const char *const passing[][2] = {{"publickey", "pubkeyauthentication"},
                                         {"hostbased", "hostbasedauthentication"},
                                         {"gssapi-with-mic", "gssapiauthentication"}};

/* The value of KEYWORD, of LENGTH, or NULL. sshd -T has them in lower case, one a line. */
static const char *setting(const char *text, const char *keyword, size_t *ret_length) {
        size_t n = strlen(keyword);

        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (strncmp(line, keyword, n) == 0 && line[n] == ' ') {
                        *ret_length = strcspn(line + n + 1, "\n");
                        return line + n + 1;
                }
        return NULL;
}

static bool is_set(const char *text, const char *keyword, const char *value) {
        size_t n;
        const char *found = setting(text, keyword, &n);

        return found && n == strlen(value) && strncmp(found, value, n) == 0;
}

/* Whether a list of methods ("publickey,keyboard-interactive:pam") has one that asks PAM. */
static bool asks_pam(const char *list, size_t length) {
        static const char *const methods[] = {"keyboard-interactive", "password"};

        for (const char *at = list; at < list + length; at += strcspn(at, ",") + 1)
                for (size_t i = 0; i < ELEMENTS(methods); i++) {
                        size_t n = strlen(methods[i]);

                        if (strncmp(at, methods[i], n) == 0 && strcspn(at, ",: \n") == n)
                                return true;
                }
        return false;
}

static void find_passing(PamCheck *check, const char *methods) {
        pam_find(check, false, NULL, 0,
                 _("sshd lets in by %s without the auth stack; only the account line of pam_sekisho stands "
                   "against it. AuthenticationMethods publickey,keyboard-interactive closes it"),
                 methods);
}

static void judge_methods(PamCheck *check, const char *text) {
        size_t length = 0;
        const char *methods = setting(text, "authenticationmethods", &length);

        if (!methods || (length == 3 && strncmp(methods, "any", 3) == 0)) {
                for (size_t i = 0; i < ELEMENTS(passing); i++)
                        if (is_set(text, passing[i][1], "yes"))
                                find_passing(check, passing[i][0]);
                return;
        }
        for (const char *end = methods + length, *at = methods; at < end;) {
                size_t n = strcspn(at, " \n");
                CLEANUP_FREE char *list = strndup(at, n);

                if (list && n > 0 && !asks_pam(list, n))
                        find_passing(check, list);
                at += n + 1;
        }
}

void pam_judge_sshd(PamCheck *check, const char *text) {
        if (!is_set(text, "usepam", "yes")) {
                pam_find(check, false, NULL, 0, _("sshd does not ask PAM at all: UsePAM is not yes"));
                return;
        }
        judge_methods(check, text);
        if (!is_set(text, "kbdinteractiveauthentication", "yes"))
                pam_find(check, true, NULL, 0,
                         _("sshd cannot ask for codes: KbdInteractiveAuthentication is not yes"));
}

/* sshd -T: its settings as it understands them. 0 or -errno. */
static int ask_sshd(char *answer, size_t size) {
        char *const arguments[] = {(char *)SSHD, (char *)"-T", NULL};

        return program_ask(arguments, answer, size);
}

void pam_check_sshd(PamCheck *check) {
        CLEANUP_FREE char *answer = calloc(1, ANSWER_MAX);
        int r = answer ? ask_sshd(answer, ANSWER_MAX) : -ENOMEM;

        if (r == -ENOENT)
                pam_find(check, true, NULL, 0, _("there is no sshd here whose settings could be looked at"));
        else if (r < 0)
                pam_find(check, false, NULL, 0, _("sshd does not tell its settings: see sshd -T"));
        else
                pam_judge_sshd(check, answer);
}

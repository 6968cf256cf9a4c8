/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * login_program: logs somebody in as login(1) and its like do, by a PAM configuration of the caller's, and
 * says how each call went.
 *
 *   login_program CONFDIR SERVICE USER [CALL|OPTION]... [-- ANSWER...]
 *
 * CALLs: auth, acct, cred, renew (the credentials), open, close (a session); user=NAME (sets PAM_USER); wait
 * (says "waiting", goes on after a line of its input); child, split (the calls between them are made by a
 * child, of which only PAM's environment is taken over, as by sshd), env (says PAM's environment, "env
 * NAME=VALUE"), putenv=TEXT. OPTIONs, before the calls: rhost=, tty=, seteuid (as su: the caller is uid
 * 65534, root by set-user-id), no-conv, break-conv, silent, typed (answers are lines of its input, of which
 * it keeps nothing), rest (at the end, says "at rest" and stays until another line comes), timed (in the
 * end, says "took NANOSECONDS", from pam_start on). ANSWERs are given to prompts in order, "@FILE" the first
 * line of a file; past the last one the conversation fails. Prints "prompt TEXT", "told TEXT", "CALL
 * CODE-NUMBER". Speaks the language of the environment, by the catalogs in SEKISHO_LOCALE_DIR.
 */
#include <inttypes.h>
#include <libintl.h>
#include <locale.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct Script {
        char **answers;
        bool broken, typed;
} Script;

static char *text_of(const char *answer) {
        char line[512] = "";
        FILE *file;

        if (*answer != '@')
                return strdup(answer);
        fflush(stdout);
        file = fopen(answer + 1, "re");
        if (!file)
                return NULL;
        if (fgets(line, sizeof(line), file))
                line[strcspn(line, "\n")] = '\0';
        (void)fclose(file);
        return strdup(line);
}

enum {
        LINE_SIZE = 128
};

/* A line, not by stdio, which would keep it. False at the end. */
static bool read_line(char line[static LINE_SIZE]) {
        for (size_t n = 0; n < LINE_SIZE - 1; n++) {
                if (read(STDIN_FILENO, line + n, 1) != 1)
                        return false;
                if (line[n] == '\n') {
                        line[n] = '\0';
                        return true;
                }
        }
        return false;
}

static int answer_typed(struct pam_response *ret) {
        char line[LINE_SIZE];

        fflush(stdout);
        ret->resp = read_line(line) ? strdup(line) : NULL;
        explicit_bzero(line, sizeof(line));
        return ret->resp ? PAM_SUCCESS : PAM_CONV_ERR;
}

static int answer(int style, const char *text, Script *script, struct pam_response *ret) {
        bool asks = style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON;

        printf("%s %s\n", asks ? "prompt" : "told", text);
        if (!asks)
                return PAM_SUCCESS;
        if (script->typed)
                return answer_typed(ret);
        if (script->broken || !*script->answers)
                return PAM_CONV_ERR;
        ret->resp = text_of(*script->answers++);
        return ret->resp ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *userdata) {
        struct pam_response *responses = calloc((size_t)n, sizeof(*responses));

        if (!responses)
                return PAM_BUF_ERR;
        for (int i = 0; i < n; i++) {
                int r = answer(messages[i]->msg_style, messages[i]->msg, userdata, &responses[i]);

                if (r != PAM_SUCCESS) {
                        for (int j = 0; j < i; j++)
                                free(responses[j].resp);
                        free(responses);
                        return r;
                }
        }
        *ret = responses;
        return PAM_SUCCESS;
}

static int64_t now(void) {
        struct timespec at = {0};

        (void)clock_gettime(CLOCK_MONOTONIC, &at);
        return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static void no_delay(int status, unsigned delay, void *userdata) {
        (void)status;
        (void)userdata;
        if (delay > 0)
                printf("delay %u\n", delay);
}

static int say_environment(pam_handle_t *pamh) {
        char **list = pam_getenvlist(pamh);

        for (char **p = list; p && *p; p++) {
                printf("env %s\n", *p);
                free(*p);
        }
        free(list);
        return list ? PAM_SUCCESS : PAM_BUF_ERR;
}

/* Sends PAM's environment to the parent, as the process that sshd authenticates in does at its end. */
static void end_child(pam_handle_t *pamh, int to) {
        char **list = pam_getenvlist(pamh);

        for (char **p = list; p && *p; p++)
                if (dprintf(to, "%s\n", *p) < 0)
                        _exit(2);
        fflush(stdout);
        _exit(list ? 0 : 2);
}

static int take_environment(pam_handle_t *pamh, int from, pid_t child) {
        FILE *file = fdopen(from, "r");
        char text[1024];
        int status, r = file ? PAM_SUCCESS : PAM_SYSTEM_ERR;

        while (r == PAM_SUCCESS && fgets(text, sizeof(text), file)) {
                text[strcspn(text, "\n")] = '\0';
                r = pam_putenv(pamh, text);
        }
        if (file)
                fclose(file);
        return waitpid(child, &status, 0) == child && status == 0 ? r : PAM_SYSTEM_ERR;
}

/* 0 in the child, with the descriptor for its end; in the parent the child's number, once it has ended. */
static pid_t begin_child(pam_handle_t *pamh, int *ret_to) {
        int fds[2];
        pid_t child;

        fflush(stdout);
        if (pipe(fds) < 0 || (child = fork()) < 0)
                return -1;
        close(fds[child == 0 ? 0 : 1]);
        if (child == 0) {
                *ret_to = fds[1];
                return 0;
        }
        return take_environment(pamh, fds[0], child) == PAM_SUCCESS ? child : -1;
}

static int call(pam_handle_t *pamh, const char *word, int flags) {
        char line[LINE_SIZE];

        if (strcmp(word, "auth") == 0)
                printf("auth %d\n", pam_authenticate(pamh, flags));
        else if (strcmp(word, "acct") == 0)
                printf("acct %d\n", pam_acct_mgmt(pamh, flags));
        else if (strcmp(word, "cred") == 0)
                printf("cred %d\n", pam_setcred(pamh, PAM_ESTABLISH_CRED | flags));
        else if (strcmp(word, "renew") == 0) /* as lockers do */
                printf("renew %d\n", pam_setcred(pamh, PAM_REINITIALIZE_CRED | flags));
        else if (strcmp(word, "open") == 0)
                printf("open %d\n", pam_open_session(pamh, flags));
        else if (strcmp(word, "close") == 0)
                printf("close %d\n", pam_close_session(pamh, flags));
        else if (strncmp(word, "user=", 5) == 0)
                return pam_set_item(pamh, PAM_USER, word + 5);
        else if (strncmp(word, "rhost=", 6) == 0)
                return pam_set_item(pamh, PAM_RHOST, word + 6);
        else if (strncmp(word, "tty=", 4) == 0)
                return pam_set_item(pamh, PAM_TTY, word + 4);
        else if (strncmp(word, "putenv=", 7) == 0)
                return pam_putenv(pamh, word + 7);
        else if (strcmp(word, "env") == 0)
                return say_environment(pamh);
        else if (strcmp(word, "no-conv") == 0)
                return pam_set_item(pamh, PAM_CONV, &(struct pam_conv){NULL, NULL});
        else if (strcmp(word, "wait") == 0) {
                puts("waiting");
                fflush(stdout);
                return read_line(line) ? PAM_SUCCESS : PAM_ABORT;
        } else
                return PAM_SYMBOL_ERR;
        fflush(stdout);
        return PAM_SUCCESS;
}

int main(int argc, char **argv) {
        Script script = {.answers = argv + argc};
        struct pam_conv conversation = {converse, &script};
        pam_handle_t *pamh = NULL;
        const char *locale_dir = getenv("SEKISHO_LOCALE_DIR");
        char line[LINE_SIZE];
        int flags = 0, end = argc, to_parent = -1;
        pid_t child;
        bool rests = false, timed = false;
        int64_t begin = now();

        setlocale(LC_ALL, "");
        if (locale_dir)
                bindtextdomain("sekisho", locale_dir);
        for (int i = argc - 1; i > 3; i--)
                if (strcmp(argv[i], "--") == 0) {
                        script.answers = argv + i + 1;
                        end = i;
                }
        if (argc < 4 || pam_start_confdir(argv[2], *argv[3] ? argv[3] : NULL, &conversation, argv[1],
                                          &pamh) != PAM_SUCCESS)
                return 2;
        if (pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay) != PAM_SUCCESS)
                return 2;
        for (int i = 4; i < end; i++) {
                if (strcmp(argv[i], "break-conv") == 0)
                        script.broken = true;
                else if (strcmp(argv[i], "typed") == 0)
                        script.typed = true;
                else if (strcmp(argv[i], "rest") == 0)
                        rests = true;
                else if (strcmp(argv[i], "timed") == 0)
                        timed = true;
                else if (strcmp(argv[i], "child") == 0) {
                        child = begin_child(pamh, &to_parent);
                        if (child < 0)
                                return 2;
                        while (child > 0 && i < end && strcmp(argv[i], "split") != 0)
                                i++;
                } else if (strcmp(argv[i], "split") == 0)
                        end_child(pamh, to_parent);
                else if (strcmp(argv[i], "silent") == 0)
                        flags = PAM_SILENT;
                else if (strcmp(argv[i], "seteuid") == 0) {
                        if (setresuid(65534, 0, 0) < 0)
                                return 2;
                } else if (call(pamh, argv[i], flags) != PAM_SUCCESS)
                        return 2;
        }
        if (timed)
                printf("took %" PRId64 "\n", now() - begin);
        if (pam_end(pamh, PAM_SUCCESS) != PAM_SUCCESS)
                return 2;
        if (rests) {
                puts("at rest");
                fflush(stdout);
                (void)read_line(line);
        }
        return 0;
}

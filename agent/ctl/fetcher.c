/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/libexec.h"
#include "policy/file.h"
#include "policy/scope.h"

#define SCHEME "https://"

enum {
        NOBODY = 65534,
        ANSWER_MAX = POLICY_FILE_MAX + 4 * FETCHER_LINE_MAX,
        URL_MAX = 2000,
        EXIT_NOT_RUN = 127
};

void fetched_clear(Fetched *fetched) {
        free(fetched->text);
        *fetched = (Fetched){0};
}

int fetcher_check_url(const char *url) {
        size_t n = strlen(url);

        if (n > URL_MAX || strncmp(url, SCHEME, strlen(SCHEME)) != 0 || n == strlen(SCHEME))
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                if (url[i] <= ' ' || url[i] > '~')
                        return -EINVAL;
        return 0;
}

/* A line of visible ASCII off the front. */
static int take_line(const char **text, size_t *length, char ret[static FETCHER_LINE_MAX]) {
        const char *end = memchr(*text, '\n', *length);
        size_t n;

        if (!end || end - *text >= FETCHER_LINE_MAX)
                return -EBADMSG;
        n = (size_t)(end - *text);
        for (size_t i = 0; i < n; i++)
                if ((*text)[i] < ' ' || (*text)[i] > '~')
                        return -EBADMSG;
        memcpy(ret, *text, n);
        ret[n] = '\0';
        *text += n + 1;
        *length -= n + 1;
        return 0;
}

int fetcher_parse(const char *text, size_t length, Fetched *ret) {
        static const char failed[] = "failed ";
        char word[FETCHER_LINE_MAX];
        Fetched fetched = {0};
        bool is_new;

        if (take_line(&text, &length, word) < 0)
                return -EBADMSG;
        if (strncmp(word, failed, strlen(failed)) == 0) {
                (void)snprintf(ret->why, sizeof(ret->why), "%s", word + strlen(failed));
                return -ECONNABORTED;
        }
        is_new = strcmp(word, "ok") == 0;
        if ((!is_new && strcmp(word, "same") != 0) ||
            take_line(&text, &length, fetched.validators.tag) < 0 ||
            take_line(&text, &length, fetched.validators.modified) < 0 || (!is_new && length > 0) ||
            length > POLICY_FILE_MAX)
                return -EBADMSG;
        fetched.text = malloc(length + 1);
        if (!fetched.text)
                return -ENOMEM;
        memcpy(fetched.text, text, length);
        fetched.text[length] = '\0';
        fetched.length = length;
        *ret = fetched;
        return is_new;
}

/* Only what says how to get out, in both ways of writing. */
static void keep_proxies(char *environment[static 8], size_t max) {
        static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY",   "no_proxy",    "NO_PROXY"};
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTS(names) && n + 1 < max; i++) {
                const char *value = getenv(names[i]);

                if (value && asprintf(&environment[n], "%s=%s", names[i], value) >= 0)
                        n++;
        }
        environment[n] = NULL;
}

/* In the child, which has one thread: becomes sekisho-fetch, or ends. */
static void become(const char *path, char *const *arguments, int input, int output) {
        char *environment[8];

        keep_proxies(environment, ELEMENTS(environment));
        if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || chdir("/") < 0 ||
            close_range(STDERR_FILENO + 1, UINT_MAX, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                _exit(EXIT_NOT_RUN);
        if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                               setresuid(NOBODY, NOBODY, NOBODY) < 0))
                _exit(EXIT_NOT_RUN);
        execve(path, arguments, environment);
        _exit(EXIT_NOT_RUN);
}

static int start(char *const *arguments, int input, int *ret_output, pid_t *ret_pid) {
        char path[PATH_MAX];
        int ends[2] = {-1, -1}, r = libexec_path("sekisho-fetch", path);

        if (r < 0)
                return r;
        if (access(path, X_OK) < 0)
                return -errno;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        *ret_pid = fork();
        if (*ret_pid == 0)
                become(path, arguments, input, ends[1]);
        r = *ret_pid < 0 ? -errno : 0;
        close(ends[1]);
        if (r < 0)
                close(ends[0]);
        else
                *ret_output = ends[0];
        return r;
}

int fetcher_run(const char *url, const char *ca, const Validators *known, Fetched *ret) {
        char *arguments[] = {(char *)"sekisho-fetch",  (char *)url,
                             (char *)known->tag,       (char *)known->modified,
                             ca ? (char *)"ca" : NULL, NULL};
        CLEANUP_CLOSE int input = open(ca ? ca : "/dev/null", O_RDONLY | O_CLOEXEC | O_NOCTTY);
        CLEANUP_CLOSE int output = -1;
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        pid_t pid = 0;
        int r;

        if (input < 0)
                return -errno;
        r = start(arguments, input, &output, &pid);
        if (r < 0)
                return r;
        r = file_read_whole(output, ANSWER_MAX, &text, &length);
        close(STEAL_FD(output)); /* so that it ends, if it has more to say than there can be */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r < 0 ? r : fetcher_parse(text, length, ret);
}

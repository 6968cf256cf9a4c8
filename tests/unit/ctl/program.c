/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ctl/program.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        NOBODY = 65534
};

static char directory[] = "/tmp/sekisho-unit-ctl-XXXXXX";

static FILE *new_file(void) {
        FILE *file = tmpfile();

        cr_assert_not_null(file);
        return file;
}

static void take(FILE *file, char *to, size_t size) {
        size_t n;

        rewind(file);
        n = fread(to, 1, size, file);
        cr_assert_lt(n, size, "more than the test expects");
        to[n] = '\0';
}

static void run(const char *const *arguments, bool privileged, Outcome *ret) {
        CLEANUP_FILE FILE *out = new_file();
        CLEANUP_FILE FILE *err = new_file();
        const char *argv[32] = {"sekishoctl"};
        pid_t pid;
        int status;

        for (size_t i = 0; arguments[i]; i++) {
                cr_assert_lt(i + 2, ELEMENTS(argv));
                argv[i + 1] = arguments[i];
        }
        pid = fork();
        cr_assert_geq(pid, 0);
        if (pid == 0) {
                dup2(fileno(out), STDOUT_FILENO);
                dup2(fileno(err), STDERR_FILENO);
                setenv("LC_ALL", "C.UTF-8", 1);
                unsetenv("LANGUAGE");
                setenv("TZ", "Asia/Tokyo", 1);
                if (!privileged && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                                    setresuid(NOBODY, NOBODY, NOBODY) < 0))
                        _exit(127);
                execv(SEKISHOCTL, (char *const *)argv);
                _exit(127);
        }
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
        ret->status = WEXITSTATUS(status);
        take(out, ret->out, sizeof(ret->out));
        take(err, ret->err, sizeof(ret->err));
}

void program_run(const char *const *arguments, Outcome *ret) {
        run(arguments, true, ret);
        cr_assert_neq(ret->status, 127, "the program cannot be run");
}

bool program_run_unprivileged(const char *const *arguments, Outcome *ret) {
        run(arguments, geteuid() != 0, ret);
        return ret->status != 127;
}

int count_of(const char *text, char c) {
        int n = 0;

        for (; *text; text++)
                n += *text == c;
        return n;
}

const char *directory_make(void) {
        cr_assert_not_null(mkdtemp(directory));
        return directory;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
        (void)st;
        (void)type;
        (void)at;
        return remove(path);
}

void directory_remove(void) {
        nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *directory_write(const char *name, const char *text) {
        static char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        return path;
}

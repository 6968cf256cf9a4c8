/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lsm/child.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lsm/pins.h"
#include "policy/scope.h"

enum {
        LOAD_DEADLINE_MSEC = 30000
};

void lsm_version_of(const void *object, size_t length, char *name, size_t size) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

        for (size_t i = 0; i < length; i++)
                hash = (hash ^ ((const unsigned char *)object)[i]) * UINT64_C(0x100000001b3);
        snprintf(name, size, "%016" PRIx64, hash);
}

static int pin(const char *directory, const char *name, int fd) {
        char path[PATH_MAX];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path))
                return -ENAMETOOLONG;
        return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

static int pin_all(const struct bpf_object *object, const char *directory) {
        struct bpf_program *program;
        struct bpf_map *map;
        int r = 0;

        bpf_object__for_each_map(map, object) {
                if (strchr(bpf_map__name(map), '.') == NULL) /* not the sections of constants */
                        r = pin(directory, bpf_map__name(map), bpf_map__fd(map));
                if (r < 0)
                        return r;
        }
        bpf_object__for_each_program(program, object) {
                if (bpf_program__fd(program) >= 0)
                        r = pin(directory, bpf_program__name(program), bpf_program__fd(program));
                if (r < 0)
                        return r;
        }
        return 0;
}

int lsm_pin_object(const struct bpf_object *object, const char *root, const char *version) {
        char new[PATH_MAX], final[PATH_MAX];
        int r;

        if ((size_t)snprintf(new, sizeof(new), "%s/new", root) >= sizeof(new) ||
            (size_t)snprintf(final, sizeof(final), "%s/%s", root, version) >= sizeof(final))
                return -ENAMETOOLONG;
        if (mkdir(root, 0700) < 0 && errno != EEXIST)
                return -errno;
        r = pins_remove(new); /* of a child that was killed */
        if (r < 0)
                return r;
        if (mkdir(new, 0700) < 0)
                return -errno;
        r = pin_all(object, new);
        if (r == 0 && rename(new, final) < 0)
                r = -errno;
        if (r < 0)
                (void)pins_remove(new);
        return r;
}

/* The first complaint is the one that says what is wrong. */
static int complaint = -1;

__attribute__((format(printf, 2, 0))) static int complain(enum libbpf_print_level level, const char *format,
                                                          va_list arguments) {
        char line[LSM_WHY];
        int n;

        if (level != LIBBPF_WARN || complaint < 0)
                return 0;
        n = vsnprintf(line, sizeof(line), format, arguments);
        if (n > 0)
                (void)!write(complaint, line, strcspn(line, "\n"));
        close(complaint);
        complaint = -1;
        return n;
}

static void in_child(int to, int (*load)(void *), void *userdata) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        complaint = to;
        libbpf_set_print(complain);
        _exit(-load(userdata) & 0x7f);
}

/* What the child complained of; ended with it, or with the deadline. */
static void hear(int from, char why[LSM_WHY]) {
        struct pollfd fd = {.fd = from, .events = POLLIN};
        ssize_t n = poll(&fd, 1, LOAD_DEADLINE_MSEC) > 0 ? read(from, why, LSM_WHY - 1) : 0;

        why[n > 0 ? n : 0] = '\0';
}

int lsm_in_child(int (*load)(void *), void *userdata, char why[LSM_WHY]) {
        CLEANUP_CLOSE int from = -1;
        int ends[2], status;
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        from = ends[0];
        child = fork();
        if (child == 0)
                in_child(ends[1], load, userdata);
        close(ends[1]);
        if (child < 0)
                return -errno;
        hear(from, why);
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        if (!why[0])
                snprintf(why, LSM_WHY, "%s",
                         WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : strsignal(WTERMSIG(status)));
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lsm/load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/lsm/pins.h"
#include "agent/lsm/programs.skel.h"
#include "policy/scope.h"
#include "policy/translate.h"

enum {
        LIST_SIZE = 512,
        LOAD_DEADLINE_MSEC = 30000
};

static const char modules[] = "/sys/kernel/security/lsm";

DEFINE_CLEANUP(struct btf, btf__free);
DEFINE_CLEANUP(struct programs_bpf, programs_bpf__destroy);

void lsm_version(char *name, size_t size) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
        const void *object;
        size_t length;

        object = programs_bpf__elf_bytes(&length);
        for (size_t i = 0; i < length; i++)
                hash = (hash ^ ((const unsigned char *)object)[i]) * UINT64_C(0x100000001b3);
        snprintf(name, size, "%016" PRIx64, hash);
}

/* Whether the word is in the comma-separated list of security modules that are in force. */
static bool has_bpf(char *list) {
        char *rest;

        for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
                if (strcmp(word, "bpf") == 0)
                        return true;
        return false;
}

/* The kernel's function that PROGRAM is to run at, and how many arguments it has; -1 if it has no such. */
static int count_arguments(const struct btf *kernel, const struct bpf_program *program) {
        const char *section = bpf_program__section_name(program), *hook = strchr(section, '/');
        char name[128];
        int id;

        if (!hook)
                return -1;
        snprintf(name, sizeof(name), "%s%s", strncmp(section, "lsm", 3) == 0 ? "bpf_lsm_" : "", hook + 1);
        id = btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC);
        return id < 0 ? -1 : btf_vlen(btf__type_by_id(kernel, btf__type_by_id(kernel, (__u32)id)->type));
}

static bool asks_control_group(const struct bpf_program *program) {
        return strncmp(bpf_program__name(program), PINS_DEVICE, strlen(PINS_DEVICE)) == 0;
}

/* What fits: a hook that this kernel has, and of two programs for one the one with its arguments. */
static bool fits(const struct btf *kernel, const struct bpf_program *program) {
        enum {
                SETATTR_UNMAPPED = 2
        };
        int n = count_arguments(kernel, program);
        const char *name = bpf_program__name(program);

        if (asks_control_group(program))
                return true;
        if (strcmp(name, "guard_inode_setattr") == 0)
                return n == SETATTR_UNMAPPED;
        if (strcmp(name, "guard_inode_setattr_mapped") == 0)
                return n > SETATTR_UNMAPPED;
        return n >= 0;
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

static int load_and_pin(const char *root, const char *version, bool hooks) {
        CLEANUP(scope_btf__free) struct btf *kernel = btf__load_vmlinux_btf();
        CLEANUP(scope_programs_bpf__destroy) struct programs_bpf *programs = NULL;
        struct bpf_program *program;
        char new[PATH_MAX], final[PATH_MAX];
        int r;

        if (!kernel)
                return -errno;
        if ((size_t)snprintf(new, sizeof(new), "%s/new", root) >= sizeof(new) ||
            (size_t)snprintf(final, sizeof(final), "%s/%s", root, version) >= sizeof(final))
                return -ENAMETOOLONG;
        programs = programs_bpf__open();
        if (!programs)
                return -errno;
        bpf_object__for_each_program(program, programs->obj) bpf_program__set_autoload(
                program, hooks ? fits(kernel, program) : asks_control_group(program));
        r = programs_bpf__load(programs);
        if (r < 0)
                return r;
        if (mkdir(root, 0700) < 0 && errno != EEXIST)
                return -errno;
        r = pins_remove(new); /* of a child that was killed */
        if (r < 0)
                return r;
        if (mkdir(new, 0700) < 0)
                return -errno;
        r = pin_all(programs->obj, new);
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

static void in_child(int to, const char *root, const char *version, bool hooks) {
        int r;

        complaint = to;
        libbpf_set_print(complain);
        r = load_and_pin(root, version, hooks);
        _exit(-r & 0x7f);
}

/* What the child complained of; ended with it, or with the deadline. */
static void hear(int from, char why[LSM_WHY]) {
        struct pollfd fd = {.fd = from, .events = POLLIN};
        ssize_t n = poll(&fd, 1, LOAD_DEADLINE_MSEC) > 0 ? read(from, why, LSM_WHY - 1) : 0;

        why[n > 0 ? n : 0] = '\0';
}

static int load(const char *root, const char *version, bool hooks, char why[LSM_WHY]) {
        CLEANUP_CLOSE int from = -1;
        int ends[2], status;
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        from = ends[0];
        child = fork();
        if (child == 0)
                in_child(ends[1], root, version, hooks);
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

int lsm_load(const char *root, const char *version, char why[LSM_WHY]) {
        char list[LIST_SIZE], ignored[LSM_WHY];

        if (file_read_small(AT_FDCWD, modules, list, sizeof(list)) < 0 || !has_bpf(list))
                snprintf(why, LSM_WHY, "%s", N_("bpf is not among the kernel's security modules"));
        else if (load(root, version, true, why) == 0)
                return 0;
        return load(root, version, false, ignored);
}

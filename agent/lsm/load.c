/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lsm/load.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/file.h"
#include "agent/lsm/child.h"
#include "agent/lsm/pins.h"
#include "agent/lsm/programs.skel.h"
#include "policy/scope.h"
#include "policy/translate.h"

enum {
        LIST_SIZE = 512
};

static const char modules[] = "/sys/kernel/security/lsm";

DEFINE_CLEANUP(struct btf, btf__free);
DEFINE_CLEANUP(struct programs_bpf, programs_bpf__destroy);

void lsm_version(char *name, size_t size) {
        const void *object;
        size_t length;

        object = programs_bpf__elf_bytes(&length);
        lsm_version_of(object, length, name, size);
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

static int load_and_pin(const char *root, const char *version, bool hooks) {
        CLEANUP(scope_btf__free) struct btf *kernel = btf__load_vmlinux_btf();
        CLEANUP(scope_programs_bpf__destroy) struct programs_bpf *programs = NULL;
        struct bpf_program *program;
        int r;

        if (!kernel)
                return -errno;
        programs = programs_bpf__open();
        if (!programs)
                return -errno;
        bpf_object__for_each_program(program, programs->obj) bpf_program__set_autoload(
                program, hooks ? fits(kernel, program) : asks_control_group(program));
        r = programs_bpf__load(programs);
        if (r < 0)
                return r;
        return lsm_pin_object(programs->obj, root, version);
}

typedef struct Loading {
        const char *root, *version;
        bool hooks;
} Loading;

static int load_here(void *userdata) {
        const Loading *loading = userdata;

        return load_and_pin(loading->root, loading->version, loading->hooks);
}

static int load(const char *root, const char *version, bool hooks, char why[LSM_WHY]) {
        Loading loading = {.root = root, .version = version, .hooks = hooks};

        return lsm_in_child(load_here, &loading, why);
}

int lsm_load(const char *root, const char *version, char why[LSM_WHY]) {
        char list[LIST_SIZE], ignored[LSM_WHY];

        if (file_read_small(AT_FDCWD, modules, list, sizeof(list)) < 0 || !has_bpf(list))
                snprintf(why, LSM_WHY, "%s", N_("bpf is not among the kernel's security modules"));
        else if (load(root, version, true, why) == 0)
                return 0;
        return load(root, version, false, ignored);
}

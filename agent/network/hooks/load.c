/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "agent/network/hooks/private.h"
#include "agent/network/hooks/programs.skel.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct network_bpf, network_bpf__destroy);

typedef struct Loading {
        const char *root, *version;
        bool families; /* at the security hook, which not every kernel lets programs have */
} Loading;

void hooks_version(char *name, size_t size) {
        const void *object;
        size_t length;

        object = network_bpf__elf_bytes(&length);
        lsm_version_of(object, length, name, size);
}

static int load_and_pin(void *userdata) {
        const Loading *loading = userdata;
        CLEANUP(scope_network_bpf__destroy) struct network_bpf *programs = network_bpf__open();
        int r;

        if (!programs)
                return -errno;
        bpf_program__set_autoload(programs->progs.network_family, loading->families);
        r = network_bpf__load(programs);
        return r < 0 ? r : lsm_pin_object(programs->obj, loading->root, loading->version);
}

int hooks_load(const char *root, const char *version, char why[LSM_WHY]) {
        Loading loading = {.root = root, .version = version, .families = true};

        if (lsm_in_child(load_and_pin, &loading, why) == 0)
                return 0;
        loading.families = false;
        why[0] = '\0';
        return lsm_in_child(load_and_pin, &loading, why);
}

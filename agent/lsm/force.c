/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the programs are in force still, by what the kernel says of their attachments. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/lsm/pins.h"
#include "agent/lsm/private.h"
#include "policy/scope.h"

static int program_id(int fd, uint32_t *ret) {
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof(info);

        if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
                return -errno;
        *ret = info.id;
        return 0;
}

/* Somebody may detach a link that stays pinned: it has no control group any more then. */
static bool is_attached(const struct bpf_link_info *info, uint32_t program) {
        return info->prog_id == program &&
               (info->type != BPF_LINK_TYPE_CGROUP || info->cgroup.cgroup_id != 0);
}

static int look_at(const Lsm *lsm, const char *name) {
        char link_name[LSM_NAME + 8];
        struct bpf_link_info info = {0};
        uint32_t size = sizeof(info), id = 0;
        int r;

        if ((size_t)snprintf(link_name, sizeof(link_name), "link_%s", name) >= sizeof(link_name))
                return -ENAMETOOLONG;
        CLEANUP_CLOSE int program = pins_open(lsm->directory, name);
        CLEANUP_CLOSE int link = pins_open(lsm->directory, link_name);
        if (program < 0)
                return program;
        if (link < 0)
                return link;
        r = program_id(program, &id);
        if (r == 0 && bpf_obj_get_info_by_fd(link, &info, &size) < 0)
                r = -errno;
        return r < 0 ? r : is_attached(&info, id) ? 0 : -ENOLINK;
}

typedef struct Look {
        const Lsm *lsm;
        unsigned found;
} Look;

static int look_at_hook(void *userdata, const char *name) {
        Look *look = userdata;
        int r;

        if (!lsm_is_hook(name))
                return 0;
        r = look_at(look->lsm, name);
        if (r == -ENOENT && look->lsm->has_hooks && strncmp(name, PINS_DEVICE, strlen(PINS_DEVICE)) == 0)
                return 0; /* a machine without control groups: see attach_hook() */
        look->found++;
        return r;
}

int lsm_in_force(const Lsm *lsm) {
        Look look = {.lsm = lsm};
        int r = pins_foreach(lsm->directory, look_at_hook, &look);

        return r < 0 ? r : look.found == 0 ? -ENOENT : 0;
}

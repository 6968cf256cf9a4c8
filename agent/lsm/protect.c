/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the guard itself the programs protect. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/lsm/private.h"
#include "policy/scope.h"

/* The last part of this process's control group: the unit's name, where the service manager started it. */
static void read_unit(char name[LSM_UNIT]) {
        char text[PATH_MAX];
        const char *slash;

        memset(name, 0, LSM_UNIT);
        if (getppid() != 1 || file_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0 ||
            !(slash = strrchr(text, '/')) || strlen(slash + 1) >= LSM_UNIT)
                return;
        memcpy(name, slash + 1, strlen(slash + 1));
}

bool lsm_is_unit(void) {
        char name[LSM_UNIT];

        read_unit(name);
        return name[0] != '\0';
}

/* One that is not there needs no protection. */
static int list_directory(Lsm *lsm, const char *path, struct lsm_inode *ret) {
        struct stat st;
        uint8_t yes = 1;

        *ret = (struct lsm_inode){0};
        if (stat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        ret->ino = st.st_ino;
        ret->dev = lsm_devnum(st.st_dev);
        return lsm_update(lsm->maps[MAP_directories], ret, &yes);
}

/* Replaces the list; what is on both is at no moment off it. */
static int list_directories(Lsm *lsm, const LsmProtection *protection) {
        CLEANUP_FREE struct lsm_inode *listed = calloc(protection->n_directories + 1, sizeof(*listed));
        struct lsm_inode key, next;
        bool first = true;

        if (!listed)
                return -ENOMEM;
        for (size_t i = 0; i < protection->n_directories; i++) {
                int r = list_directory(lsm, protection->directories[i], &listed[i]);

                if (r < 0)
                        return r;
        }
        while (bpf_map_get_next_key(lsm->maps[MAP_directories], first ? NULL : &key, &next) == 0) {
                bool keep = false;

                for (size_t i = 0; i < protection->n_directories; i++)
                        keep = keep || (listed[i].ino == next.ino && listed[i].dev == next.dev);
                first = !keep;
                if (keep)
                        key = next;
                else if (bpf_map_delete_elem(lsm->maps[MAP_directories], &next) < 0)
                        return -errno;
        }
        return 0;
}

static int list_own_maps(Lsm *lsm) {
        uint8_t yes = 1;

        for (int i = 0; i < MAPS; i++) {
                struct bpf_map_info info = {0};
                uint32_t size = sizeof(info);
                int r = bpf_obj_get_info_by_fd(lsm->maps[i], &info, &size) < 0
                                ? -errno
                                : lsm_update(lsm->maps[MAP_own_maps], &info.id, &yes);

                if (r < 0)
                        return r;
        }
        return 0;
}

int lsm_protect(Lsm *lsm, const LsmProtection *protection) {
        struct lsm_protection value = {.lifted_until = protection->lifted_until,
                                       .process = protection->process,
                                       .pins = protection->pins,
                                       .directories = protection->n_directories > 0};
        uint32_t zero = 0;
        struct stat st;
        int r;

        if (stat(lsm->directory, &st) < 0)
                return -errno;
        value.pins_dev = lsm_devnum(st.st_dev);
        read_unit(value.unit);
        if (!value.unit[0])
                value.process = value.pins = value.directories = 0;
        r = list_own_maps(lsm);
        if (r == 0)
                r = list_directories(lsm, protection);
        return r < 0 ? r : lsm_update(lsm->maps[MAP_protection], &zero, &value);
}

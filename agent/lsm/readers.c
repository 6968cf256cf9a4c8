/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that may read the nodes of what nobody may write, in the map. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lsm/private.h"
#include "policy/scope.h"

int lsm_program_key(dev_t devnum, const char *path, struct lsm_program *ret) {
        struct lsm_program key = {.dev = lsm_devnum(devnum)};
        size_t end = strlen(path), at = 0;
        int depth = 0;

        while (end > 0) {
                const char *slash = memrchr(path, '/', end);
                size_t length;

                if (!slash)
                        return -EINVAL;
                length = end - (size_t)(slash - path) - 1;
                if (length == 0)
                        return -EINVAL;
                if (length >= LSM_PROGRAM_NAME - 1 ||
                    /* the kernel side cuts longer ones */ at > sizeof(key.path) - LSM_PROGRAM_NAME ||
                    ++depth >= LSM_PROGRAM_DEPTH)
                        return -ENAMETOOLONG;
                memcpy(key.path + at, slash + 1, length);
                at += length + 1;
                end = (size_t)(slash - path);
        }
        if (at == 0)
                return -EINVAL;
        *ret = key;
        return 0;
}

static bool is_listed(const struct lsm_program *keys, size_t n, const struct lsm_program *key) {
        for (size_t i = 0; i < n; i++)
                if (memcmp(&keys[i], key, sizeof(*key)) == 0)
                        return true;
        return false;
}

static int remove_others(Lsm *lsm, const struct lsm_program *keys, size_t n) {
        struct lsm_program key, next;
        bool first = true;

        while (bpf_map_get_next_key(lsm->maps[MAP_programs], first ? NULL : &key, &next) == 0) {
                bool keep = is_listed(keys, n, &next);

                first = !keep; /* the walk goes on from what is there still */
                if (keep)
                        key = next;
                else if (bpf_map_delete_elem(lsm->maps[MAP_programs], &next) < 0)
                        return -errno;
        }
        return 0;
}

int lsm_readers(Lsm *lsm, const LsmReader *readers, size_t n) {
        CLEANUP_FREE struct lsm_program *keys = calloc(n + 1, sizeof(*keys));
        int first_error = 0, r;

        if (!keys)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                uint8_t kind = readers[i].family ? LSM_READER_FAMILY : LSM_READER_ITSELF;

                r = lsm_program_key(readers[i].devnum, readers[i].path, &keys[i]);
                if (r == 0)
                        r = lsm_update(lsm->maps[MAP_programs], &keys[i], &kind);
                if (r < 0 && first_error == 0)
                        first_error = r;
        }
        r = remove_others(lsm, keys, n);
        return first_error < 0 ? first_error : r;
}

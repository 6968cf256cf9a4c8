/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan into the kernel: tables of its own, filled before anybody looks at them, then one number that names
 * them. Those before last are replaced; the kernel waits until no program looks at them any more.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/network/hooks/private.h"
#include "policy/scope.h"

static int update(int map, const void *key, const void *value) {
        return bpf_map_update_elem(map, key, value, BPF_ANY) < 0 ? -errno : 0;
}

/* A table with room for N. */
static int make(enum bpf_map_type type, uint32_t key_size, uint32_t value_size, size_t n) {
        LIBBPF_OPTS(bpf_map_create_opts, options,
                    .map_flags = type == BPF_MAP_TYPE_ARRAY ? BPF_F_INNER_MAP : BPF_F_NO_PREALLOC);
        int fd = bpf_map_create(type, "sekisho_network", key_size, value_size, n > 0 ? (uint32_t)n : 1,
                                &options);

        return fd < 0 ? -errno : fd;
}

static int put(const NetworkHooks *hooks, int outer, uint32_t which, int inner) {
        return update(hooks->maps[outer], &which, &inner);
}

static int put_places(const NetworkHooks *hooks, const HooksTables *tables, uint32_t which) {
        CLEANUP_CLOSE int fd = make(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct hooks_place),
                                    sizeof(struct hooks_list), HOOKS_ROWS_MAX);
        int r = fd < 0 ? fd : 0;

        for (size_t i = 0; i < tables->n_places && r == 0; i++)
                r = update(fd, &tables->places[i].place, &tables->places[i].list);
        return r < 0 ? r : put(hooks, MAP_places, which, fd);
}

static int put_array(const NetworkHooks *hooks, int outer, uint32_t which, const void *items, size_t size,
                     size_t n) {
        CLEANUP_CLOSE int fd = make(BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), (uint32_t)size, n);
        int r = fd < 0 ? fd : 0;

        for (uint32_t i = 0; i < n && r == 0; i++)
                r = update(fd, &i, (const char *)items + i * size);
        return r < 0 ? r : put(hooks, outer, which, fd);
}

static int put_people(const NetworkHooks *hooks, const HooksTables *tables, uint32_t which) {
        CLEANUP_CLOSE int fd = make(BPF_MAP_TYPE_HASH, sizeof(struct hooks_person), 1, tables->n_people);
        uint8_t yes = 1;
        int r = fd < 0 ? fd : 0;

        for (size_t i = 0; i < tables->n_people && r == 0; i++)
                r = update(fd, &tables->people[i], &yes);
        return r < 0 ? r : put(hooks, MAP_people, which, fd);
}

static struct hooks_exe exe_of(const struct stat *st) {
        return (struct hooks_exe){.ino = st->st_ino, .dev = lsm_devnum(st->st_dev)};
}

struct hooks_exe hooks_exe_of(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 ? exe_of(&st) : (struct hooks_exe){0};
}

void hooks_close_files(HooksFile *files, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (files[i].fd >= 0)
                        close(files[i].fd);
        free(files);
}

/* Without a file nobody is that program. */
static HooksFile open_file(const char *path, uint32_t mark) {
        HooksFile file = {.fd = open(path, O_PATH | O_CLOEXEC), .mark = mark};
        struct stat st;

        if (file.fd >= 0 && fstat(file.fd, &st) == 0)
                file.exe = exe_of(&st);
        return file;
}

static int put_marks(NetworkHooks *hooks, const HooksTables *tables, uint32_t which) {
        CLEANUP_CLOSE int fd =
                make(BPF_MAP_TYPE_HASH, sizeof(struct hooks_exe), sizeof(uint32_t), tables->n_programs);
        HooksFile *files = calloc(tables->n_programs + 1, sizeof(*files));
        int r = !files ? -ENOMEM : fd < 0 ? fd : 0;
        size_t n = 0;

        for (; n < tables->n_programs && r == 0; n++) {
                files[n] = open_file(tables->programs[n].path, tables->programs[n].mark);
                if (files[n].exe.ino != 0)
                        r = update(fd, &files[n].exe, &files[n].mark);
        }
        if (r == 0)
                r = put(hooks, MAP_marks, which, fd);
        if (r < 0) {
                hooks_close_files(files, n);
                return r;
        }
        hooks_close_files(hooks->former, hooks->n_former);
        hooks->former = hooks->files;
        hooks->n_former = hooks->n_files;
        hooks->files = files;
        hooks->n_files = n;
        return 0;
}

int hooks_swap(NetworkHooks *hooks, const HooksTables *tables) {
        uint32_t next = hooks->generation + 1, which = next % HOOKS_GENERATIONS, zero = 0;
        struct hooks_head head = tables->head;
        int r;

        head.network = hooks->network;
        r = put_places(hooks, tables, which);
        if (r == 0)
                r = put_array(hooks, MAP_lists, which, tables->lists, sizeof(*tables->lists),
                              tables->n_lists);
        if (r == 0)
                r = put_array(hooks, MAP_rows, which, tables->rows, sizeof(*tables->rows), tables->n_rows);
        if (r == 0)
                r = put_people(hooks, tables, which);
        if (r == 0)
                r = put_marks(hooks, tables, which);
        if (r == 0)
                r = update(hooks->maps[MAP_heads], &which, &head);
        if (r == 0)
                r = update(hooks->maps[MAP_current], &zero, &next);
        if (r == 0)
                hooks->generation = next;
        return r;
}

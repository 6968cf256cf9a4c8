/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal's own addresses: a tree of prefixes with the network namespace in which they are its own. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "agent/network/hooks/private.h"
#include "policy/scope.h"

static bool is_among(const struct hooks_place *key, const struct hooks_place *keys, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (memcmp(key, &keys[i], sizeof(*key)) == 0)
                        return true;
        return false;
}

/* What the map has and KEYS have not. */
static int forget_others(int map, const struct hooks_place *keys, size_t n) {
        struct hooks_place gone[HOOKS_OWN], key, *before = NULL;
        size_t n_gone = 0;

        while (n_gone < ELEMENTS(gone) && bpf_map_get_next_key(map, before, &key) == 0) {
                if (!is_among(&key, keys, n))
                        gone[n_gone++] = key;
                before = &key;
        }
        for (size_t i = 0; i < n_gone; i++)
                if (bpf_map_delete_elem(map, &gone[i]) < 0 && errno != ENOENT)
                        return -errno;
        return 0;
}

int network_hooks_set_own(NetworkHooks *hooks, const OwnPlace *places, size_t n) {
        struct hooks_place keys[HOOKS_OWN] = {0};
        size_t known = 0;
        uint64_t network;
        int r = hooks_read_network(&network), first;

        for (; r == 0 && known < n && known < ELEMENTS(keys); known++)
                keys[known] = hooks_place_of(&places[known].address, places[known].prefix);
        first = forget_others(hooks->maps[MAP_own], keys, known);
        for (size_t i = 0; i < known && first == 0; i++)
                if (bpf_map_update_elem(hooks->maps[MAP_own], &keys[i], &network, BPF_ANY) < 0)
                        first = -errno;
        return first < 0 ? first : r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was refused, out of the kernel: the count that programs write to is exchanged for an empty one (the
 * kernel returns from that when no program writes to the old one any more, so none is missed), and told
 * piece by piece. It stays where the next agent finds it until all of it is told: an end in between has some
 * told twice, too many rather than too few.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "agent/network/hooks/private.h"
#include "policy/scope.h"

enum {
        WRITTEN_TO,
        BEING_TOLD,
        PIECE = 64 /* refusals in one turn of the loop */
};
#define LOOK_USEC UINT64_C(250000)

static int make_tally(void) {
        LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
        static const struct hooks_key rest;
        static const struct hooks_tally none;
        int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "sekisho_refused", sizeof(struct hooks_key),
                                sizeof(struct hooks_tally), HOOKS_TALLY + HOOKS_TALLY_PEOPLE, &options);

        if (fd < 0)
                return -errno;
        if (bpf_map_update_elem(fd, &rest, &none, BPF_ANY) < 0) {
                int r = -errno;

                close(fd);
                return r;
        }
        return fd;
}

static int put(const NetworkHooks *hooks, uint32_t which, int fd) {
        return bpf_map_update_elem(hooks->maps[MAP_tallies], &which, &fd, BPF_ANY) < 0 ? -errno : 0;
}

/* A descriptor of the count at WHICH; -ENOENT if there is none. */
static int get(const NetworkHooks *hooks, uint32_t which) {
        uint32_t id;
        int fd;

        if (bpf_map_lookup_elem(hooks->maps[MAP_tallies], &which, &id) < 0)
                return -errno;
        fd = bpf_map_get_fd_by_id(id);
        return fd < 0 ? -errno : fd;
}

int hooks_prepare_tally(NetworkHooks *hooks) {
        CLEANUP_CLOSE int there = get(hooks, WRITTEN_TO);

        if (there >= 0)
                return 0;
        CLEANUP_CLOSE int fd = make_tally();
        return fd < 0 ? fd : put(hooks, WRITTEN_TO, fd);
}

static int exchange(NetworkHooks *hooks) {
        CLEANUP_CLOSE int empty = make_tally(), full = empty < 0 ? empty : get(hooks, WRITTEN_TO);
        int r;

        if (full < 0)
                return full;
        r = put(hooks, BEING_TOLD, full);
        if (r == 0)
                r = put(hooks, WRITTEN_TO, empty);
        if (r == 0)
                hooks->draining = STEAL_FD(full);
        return r;
}

static void finish(NetworkHooks *hooks) {
        uint32_t which = BEING_TOLD;

        close(hooks->draining);
        hooks->draining = -1;
        (void)bpf_map_delete_elem(hooks->maps[MAP_tallies], &which);
}

/* Tells of up to N and takes them out. Whether there is more. */
static bool tell_piece(NetworkHooks *hooks, size_t n) {
        for (size_t i = 0; i < n; i++) {
                struct hooks_key key;
                struct hooks_tally tally;
                NetworkRefusal refusal;

                if (bpf_map_get_next_key(hooks->draining, NULL, &key) < 0)
                        return false;
                if (bpf_map_lookup_elem(hooks->draining, &key, &tally) == 0 && tally.count > 0) {
                        network_refusal_make(&key, &tally, &refusal);
                        hooks->handler(hooks->userdata, &refusal);
                }
                if (bpf_map_delete_elem(hooks->draining, &key) < 0)
                        return false;
        }
        return true;
}

static uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void look_at(NetworkHooks *hooks, uint64_t usec) {
        (void)sd_event_source_set_time(hooks->look, usec);
        (void)sd_event_source_set_enabled(hooks->look, SD_EVENT_ONESHOT);
}

/* Not more often than it is worth. */
static void look_soon(NetworkHooks *hooks) {
        uint64_t next = hooks->looked + LOOK_USEC, now = now_usec();

        look_at(hooks, next > now ? next : now);
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata) {
        NetworkHooks *hooks = userdata;

        (void)source;
        (void)usec;
        if (hooks->draining < 0) {
                hooks->looked = now_usec();
                hooks->again = false;
                if (exchange(hooks) < 0) { /* memory is short: they go on counting in the one there is */
                        look_soon(hooks);
                        return 0;
                }
        }
        if (tell_piece(hooks, PIECE)) {
                look_at(hooks, now_usec()); /* others have their turn as well */
                return 0;
        }
        finish(hooks);
        if (hooks->again)
                look_soon(hooks);
        return 0;
}

static int on_wake(void *userdata, void *data, size_t size) {
        NetworkHooks *hooks = userdata;

        (void)data;
        (void)size;
        hooks->again = true;
        return 0;
}

static int on_ring(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        NetworkHooks *hooks = userdata;
        int enabled = SD_EVENT_OFF;

        (void)source;
        (void)fd;
        (void)revents;
        (void)ring_buffer__consume(hooks->ring);
        (void)sd_event_source_get_enabled(hooks->look, &enabled);
        if (hooks->again && enabled == SD_EVENT_OFF)
                look_soon(hooks);
        return 0;
}

void network_hooks_drain(NetworkHooks *hooks) {
        for (int i = 0; i < 2; i++) {
                if (hooks->draining < 0 && exchange(hooks) < 0)
                        return;
                while (tell_piece(hooks, PIECE))
                        ;
                finish(hooks);
        }
}

int hooks_watch(NetworkHooks *hooks) {
        int r;

        hooks->draining = get(hooks, BEING_TOLD); /* what an earlier agent was about to tell */
        hooks->ring = ring_buffer__new(hooks->maps[MAP_wakes], on_wake, hooks, NULL);
        if (!hooks->ring)
                return -errno;
        r = sd_event_add_time(hooks->event, &hooks->look, CLOCK_MONOTONIC, 0, 1000, on_look, hooks);
        if (r >= 0) /* after what is enforced */
                r = sd_event_source_set_priority(hooks->look, SD_EVENT_PRIORITY_NORMAL + 10);
        if (r >= 0) /* an earlier agent may have been woken and gone */
                r = sd_event_source_set_enabled(hooks->look, SD_EVENT_ONESHOT);
        if (r >= 0)
                r = sd_event_add_io(hooks->event, &hooks->woken, ring_buffer__epoll_fd(hooks->ring), EPOLLIN,
                                    on_ring, hooks);
        if (r >= 0)
                r = sd_event_source_set_priority(hooks->woken, SD_EVENT_PRIORITY_NORMAL + 10);
        return r < 0 ? r : 0;
}

void hooks_unwatch(NetworkHooks *hooks) {
        sd_event_source_disable_unref(hooks->woken);
        sd_event_source_disable_unref(hooks->look);
        ring_buffer__free(hooks->ring);
        if (hooks->draining >= 0)
                close(hooks->draining);
}

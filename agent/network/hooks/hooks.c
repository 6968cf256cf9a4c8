/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/hooks/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/lsm/pins.h"
#include "agent/network/hooks/private.h"
#include "policy/scope.h"

static const char *const map_names[HOOKS_MAPS] = {HOOKS_MAP_LIST(HOOKS_MAP_NAME_)};
static const char *const programs[] = {"network_socket", "network_connect4", "network_connect6",
                                       "network_sendmsg4", "network_sendmsg6"};
static const char families[] = "network_family"; /* at a security hook */

static int at(const char *step, int r, char why[LSM_WHY]) {
        if (r < 0)
                snprintf(why, LSM_WHY, "%s: %s", step, strerror(-r));
        return r;
}

static int open_maps(NetworkHooks *hooks) {
        uint32_t zero = 0;

        for (int i = 0; i < HOOKS_MAPS; i++) {
                hooks->maps[i] = pins_open(hooks->directory, map_names[i]);
                if (hooks->maps[i] < 0)
                        return hooks->maps[i];
        }
        return bpf_map_lookup_elem(hooks->maps[MAP_current], &zero, &hooks->generation) < 0 ? -errno : 0;
}

int hooks_read_network(uint64_t *ret) {
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof(*ret);

        /* understood since 5.14 */
        return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &size) < 0 ? -errno : 0;
}

static int put_names(NetworkHooks *hooks, const NetworkHooksSettings *settings) {
        const char *root = settings->root ? settings->root : NETWORK_HOOKS_ROOT;

        hooks_version(hooks->version, sizeof(hooks->version));
        if ((size_t)snprintf(hooks->root, sizeof(hooks->root), "%s", root) >= sizeof(hooks->root) ||
            (size_t)snprintf(hooks->directory, sizeof(hooks->directory), "%s/%s", root, hooks->version) >=
                    sizeof(hooks->directory))
                return -ENAMETOOLONG;
        hooks->group = settings->group ? strdup(settings->group) : NULL;
        if (settings->group && !hooks->group)
                return -ENOMEM;
        return settings->own_network ? hooks_read_network(&hooks->network) : 0;
}

static void close_maps(NetworkHooks *hooks) {
        for (int i = 0; i < HOOKS_MAPS; i++) {
                if (hooks->maps[i] >= 0)
                        close(hooks->maps[i]);
                hooks->maps[i] = -1;
        }
}

/* Those that an agent of this version left. What of them cannot be used is of no use at all. */
static int adopt(NetworkHooks *hooks, char why[LSM_WHY]) {
        int r;

        if (access(hooks->directory, F_OK) < 0)
                return -ENOENT;
        if (open_maps(hooks) == 0)
                return 0;
        close_maps(hooks);
        r = at("pins", pins_remove(hooks->directory), why);
        return r < 0 ? r : -ENOENT;
}

/* The agent gives up what holds, and the programs in the kernel do not. */
static int bring(NetworkHooks *hooks, char why[LSM_WHY]) {
        int r = adopt(hooks, why);

        if (r == -ENOENT) {
                r = hooks_load(hooks->root, hooks->version, why);
                if (r == 0)
                        r = at("maps", open_maps(hooks), why);
        }
        if (r == 0)
                r = at("counts", hooks_prepare_tally(hooks), why);
        return r == 0 ? at("events", hooks_watch(hooks), why) : r;
}

int network_hooks_new(sd_event *event, const NetworkHooksSettings *settings, NetworkHooksHandler handler,
                      void *userdata, NetworkHooks **ret, char why[LSM_WHY]) {
        NetworkHooks *hooks = calloc(1, sizeof(*hooks));
        int r;

        why[0] = '\0';
        if (!hooks)
                return -ENOMEM;
        for (int i = 0; i < HOOKS_MAPS; i++)
                hooks->maps[i] = -1;
        hooks->draining = -1;
        hooks->event = sd_event_ref(event);
        hooks->handler = handler;
        hooks->userdata = userdata;
        r = at("settings", put_names(hooks, settings), why);
        if (r == 0)
                r = bring(hooks, why);
        if (r < 0) {
                network_hooks_free(hooks);
                return r;
        }
        *ret = hooks;
        return 0;
}

static int attach(const NetworkHooks *hooks) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTS(programs) && r == 0; i++)
                r = pins_attach_in(hooks->directory, programs[i], hooks->group);
        /* where the kernel has it, and not for one control group alone */
        if (r == 0 && !hooks->group && (r = pins_attach(hooks->directory, families)) == -ENOENT)
                r = 0;
        return r;
}

static int detach(const NetworkHooks *hooks) {
        int first = pins_detach(hooks->directory, families);

        for (size_t i = 0; i < ELEMENTS(programs); i++) {
                int r = pins_detach(hooks->directory, programs[i]);

                first = first < 0 ? first : r;
        }
        return first;
}

int network_hooks_apply(NetworkHooks *hooks, const NetworkPlan *plan, const LsmMoment *now) {
        HooksTables *tables = NULL;
        int r;

        if (plan->off && !plan->locked)
                r = detach(hooks);
        else {
                r = hooks_tables_make(plan, now, &tables);
                if (r == 0)
                        r = hooks_swap(hooks, tables);
                hooks_tables_free(tables);
                if (r == 0)
                        r = attach(hooks);
        }
        return r < 0 ? r : pins_remove_others(hooks->root, hooks->version);
}

uint32_t network_hooks_generation(const NetworkHooks *hooks) {
        return hooks->generation;
}

bool network_hooks_outdated(const NetworkHooks *hooks, const NetworkPlan *plan) {
        for (size_t i = 0; i < plan->n_destinations; i++) {
                const NetworkDestination *destination = &plan->destinations[i];
                struct hooks_exe exe;

                if (destination->mark == 0 || !destination->program)
                        continue;
                exe = hooks_exe_of(destination->program);
                for (size_t j = 0; j < hooks->n_files; j++)
                        if (hooks->files[j].mark == destination->mark &&
                            memcmp(&hooks->files[j].exe, &exe, sizeof(exe)) != 0)
                                return true;
        }
        return false;
}

int network_hooks_remove(const char *root) {
        const char *directory = root ? root : NETWORK_HOOKS_ROOT;
        int r = pins_remove_others(directory, "");

        if (r == -ENOENT)
                return 0;
        if (r == 0 && rmdir(directory) < 0 && errno != EBUSY) /* the unit has it mounted */
                r = -errno;
        return r;
}

NetworkHooks *network_hooks_free(NetworkHooks *hooks) {
        if (!hooks)
                return NULL;
        if (hooks->look)
                network_hooks_drain(hooks);
        hooks_unwatch(hooks);
        close_maps(hooks);
        sd_event_unref(hooks->event);
        hooks_close_files(hooks->files, hooks->n_files);
        hooks_close_files(hooks->former, hooks->n_former);
        free(hooks->group);
        free(hooks);
        return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/tell_guard.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <time.h>

#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/status_file.h"
#include "agent/ctl/text.h"

enum {
        ANSWER_WITHIN_MS = 10000
};

DEFINE_ENUM_STRINGS(ReloadOutcome, reload_outcome, RELOAD_OUTCOME_LIST)

static int64_t now_ms(void) {
        struct timespec now;

        clock_gettime(CLOCK_BOOTTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_same_place(const char *a, const char *b) {
        CLEANUP_FREE char *x = a ? realpath(a, NULL) : NULL;
        CLEANUP_FREE char *y = b ? realpath(b, NULL) : NULL;

        return x && y && strcmp(x, y) == 0;
}

static int64_t refused_at(const StatusFile *status) {
        int64_t at = 0;

        (void)json_number(json_map(json_map(status->root, "policy"), "refused"), "time", &at);
        return at;
}

/* What STATUS says of it; RELOAD_NO_ANSWER while it says nothing new. */
static ReloadOutcome outcome_of(const StatusFile *status, uint64_t serial, int64_t refused_before,
                                char **ret_fault) {
        const struct json_object *policy = json_map(status->root, "policy");
        struct json_object *faults = json_list(json_map(policy, "refused"), "faults");
        int64_t in_force = 0;

        if (!status->alive)
                return RELOAD_NOT_RUNNING;
        if (refused_at(status) > refused_before) {
                if (faults && json_object_array_length(faults) > 0)
                        *ret_fault = strdup(json_object_get_string(json_object_array_get_idx(faults, 0)));
                return RELOAD_REFUSED;
        }
        (void)json_number(policy, "serial", &in_force);
        if (serial == 0 ? json_is_true(policy, "builtin") : (uint64_t)in_force >= serial)
                return RELOAD_TAKEN;
        return RELOAD_NO_ANSWER;
}

/* Until the status changes, or DEADLINE. */
static void wait_for_change(int watch, int64_t deadline) {
        struct pollfd fd = {.fd = watch, .events = POLLIN};
        int64_t left = deadline - now_ms();
        char events[4096];

        if (left > 0 && poll(&fd, 1, (int)left) > 0)
                (void)!read(watch, events, sizeof(events)); /* which file it was does not matter */
}

/* A signal to the agent may be refused by its protection of itself. */
static int tell_by_bus(void) {
        CLEANUP_FREE char *faults = NULL;
        bool loaded;

        return guard_reload(&loaded, &faults);
}

static int tell(const StatusFile *status) {
        CLEANUP_CLOSE int process = -1;
        int64_t pid = 0;

        if (!json_number(status->root, "pid", &pid) || pid <= 1 || pid > INT_MAX)
                return -EBADMSG;
        process = pidfd_open((pid_t)pid, 0);
        if (process < 0)
                return -errno;
        return pidfd_send_signal(process, SIGHUP, NULL, 0) < 0 ? -errno : 0;
}

int reload_agent(const char *runtime_dir, const char *directory, uint64_t serial, ReloadOutcome *ret,
                 char **ret_fault) {
        const char *runtime = runtime_dir ? runtime_dir : DEFAULT_RUNTIME_DIR;
        CLEANUP_CLOSE int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        CLEANUP_STATUS_FILE StatusFile status = {0};
        int64_t refused_before, deadline;
        int r;

        if (status_file_open(runtime, "Status", &status) != 0)
                return 2;
        *ret = RELOAD_NOT_RUNNING;
        if (!status.alive || !status.root)
                return 0;
        *ret = RELOAD_ELSEWHERE;
        if (!is_same_place(directory, json_text(json_map(status.root, "policy"), "path")))
                return 0;
        if (watch < 0 || inotify_add_watch(watch, runtime, IN_MOVED_TO) < 0)
                return fail(_("cannot watch %s: %s"), runtime, strerror(errno));
        refused_before = refused_at(&status);
        if (refused_before < time(NULL) - 1)
                refused_before = time(NULL) - 1;
        deadline = now_ms() + ANSWER_WITHIN_MS;
        r = runtime_dir || tell_by_bus() < 0 ? tell(&status) : 0;
        if (r < 0)
                return fail(_("the guard could not be told to read its policy: %s"), strerror(-r));
        *ret = RELOAD_NO_ANSWER;
        while (*ret == RELOAD_NO_ANSWER && now_ms() < deadline) {
                wait_for_change(watch, deadline);
                status_file_clear(&status);
                if (status_file_open(runtime, "Status", &status) != 0)
                        return 2;
                *ret = outcome_of(&status, serial, refused_before, ret_fault);
        }
        return 0;
}

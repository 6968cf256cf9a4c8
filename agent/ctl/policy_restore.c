/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy restore: every policy put aside, for who is locked out and sits at the machine. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/ctl/command.h"
#include "agent/ctl/console.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/maintenance.h"
#include "agent/ctl/status_file.h"
#include "agent/ctl/tell_guard.h"
#include "agent/ctl/text.h"
#include "agent/file.h"
#include "agent/restored.h"
#include "policy/build.h"
#include "policy/bundle.h"
#include "policy/floor.h"
#include "policy/load.h"

#define DEFAULT_STATE_DIR "/var/lib/sekisho"

static int refuse_unless_root_is_here(char tty[static TTY_TEXT_MAX]) {
        if (geteuid() != 0)
                return fail(_("only root may put policies aside"));
        if (!console_is_here(tty))
                return fail(
                        _("this is for the console of the terminal itself, and this is %s: from afar, give "
                          "the terminal another policy with a higher serial"),
                        tty);
        return 0;
}

static uint64_t serial_of(const char *path, const char *keys) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        CLEANUP_POLICY Policy *policy = NULL;

        return policy_load_with_keys(path, keys, &policy, &faults) == 0 ? policy->serial : 0;
}

/* The highest that is in force or may come to be: of the policy that is there, and of the last good one. */
static uint64_t highest_serial(const char *directory, const char *state_dir) {
        char last_good[PATH_MAX];
        Restored before;
        CLEANUP_FREE char *keys = policy_keys_of(directory);
        uint64_t highest = keys ? serial_of(directory, keys) : 0, other;
        Floor learned;

        if ((size_t)snprintf(last_good, sizeof(last_good), "%s/last-good", state_dir) < sizeof(last_good)) {
                other = keys ? serial_of(last_good, keys) : 0;
                highest = other > highest ? other : highest;
        }
        if (floor_read(state_dir, &learned) == 0 && learned.serial > highest)
                highest = learned.serial;
        if (restored_read(state_dir, &before) == 1 && before.serial > highest)
                highest = before.serial;
        return highest;
}

static uid_t login_uid(void) {
        char text[32];

        return file_read_small(AT_FDCWD, "/proc/self/loginuid", text, sizeof(text)) > 0
                       ? (uid_t)strtoul(text, NULL, 10)
                       : (uid_t)-1;
}

/* DIRECTORY.20261121-083000 beside it, made anew for root alone. */
static int make_aside(const char *directory, time_t now, char aside[static RESTORED_TEXT_MAX]) {
        size_t length = strlen(directory);
        char when[32];
        struct tm tm;

        while (length > 1 && directory[length - 1] == '/')
                length--;
        if (!localtime_r(&now, &tm) || strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm) == 0)
                return -EINVAL;
        if ((size_t)snprintf(aside, RESTORED_TEXT_MAX, "%.*s.%s", (int)length, directory, when) >=
            RESTORED_TEXT_MAX)
                return -ENAMETOOLONG;
        return mkdir(aside, 0700) < 0 ? -errno : 0;
}

/* Every policy file of FROM. How many, or -errno; what was moved stays moved. */
static int move_policies(const char *from, const char *to) {
        CLEANUP_DIR DIR *source = opendir(from);
        CLEANUP_DIR DIR *target = opendir(to);
        const struct dirent *entry;
        int n = 0;

        if (!source || !target)
                return -errno;
        while ((entry = readdir(source))) {
                size_t length = strlen(entry->d_name);

                if (strcmp(entry->d_name, BUNDLE_NAME) != 0 &&
                    (entry->d_name[0] == '.' || length < 6 ||
                     strcmp(entry->d_name + length - 5, ".yaml") != 0))
                        continue;
                if (renameat(dirfd(source), entry->d_name, dirfd(target), entry->d_name) < 0)
                        return -errno;
                n++;
        }
        return fsync(dirfd(target)) < 0 || fsync(dirfd(source)) < 0 ? -errno : n;
}

/* Where the guard keeps root's hands off what is moved and written here: a maintenance of a minute. 0, with
 * RET_LIFTED if it was needed, or 2 after one line on stderr. */
static int lift_protection(const Options *options, bool *ret_lifted) {
        CLEANUP_STATUS_FILE StatusFile status = {0};
        const struct json_object *protection;

        if (status_file_open(options->value[OPTION_RUNTIME_DIR], "Status", &status) != 0)
                return EXIT_TROUBLE;
        protection = json_map(status.root, "self_protection");
        *ret_lifted = status.alive && json_is_true(protection, "holds") &&
                      (json_is_true(protection, "state") || json_is_true(protection, "policy"));
        return *ret_lifted ? maintenance_begin("sekishoctl policy restore", 1) : 0;
}

static int fail_at(const char *path, int r) {
        if (r == -EPERM)
                return fail(_("%s: %s; if the guard protects it and does not run: start the terminal in "
                              "emergency "
                              "mode, where nothing of it is in force"),
                            path, strerror(-r));
        return fail("%s: %s", path, strerror(-r));
}

static const char *sentence_of(ReloadOutcome outcome) {
        switch (outcome) {
        case RELOAD_TAKEN:
                return _("The built-in default is in force now.");
        case RELOAD_NOT_RUNNING:
                return _("The guard is not running; when it starts, the built-in default is in force.");
        case RELOAD_ELSEWHERE:
                return _("The guard has its policy from another place, and goes on by that.");
        case RELOAD_REFUSED:
        case RELOAD_NO_ANSWER:
                break;
        }
        return _("The guard was told, and has not said what came of it; see sekishoctl status.");
}

static int tell(const Options *options, const char *directory, const Restored *restored, int moved) {
        CLEANUP_JSON struct json_object *object = NULL;
        CLEANUP_FREE char *fault = NULL;
        ReloadOutcome outcome;
        bool good;

        if (reload_agent(options->value[OPTION_RUNTIME_DIR], directory, 0, &outcome, &fault) != 0)
                return EXIT_TROUBLE;
        good = outcome == RELOAD_TAKEN || outcome == RELOAD_NOT_RUNNING;
        if (options->value[OPTION_JSON]) {
                object = json_object_new_object();
                json_put_number(object, "files", moved);
                json_put_text(object, "directory", restored->directory);
                json_object_object_add(object, "serial", json_object_new_uint64(restored->serial));
                json_put_text(object, "guard", reload_outcome_to_string(outcome));
                return json_print(object, "\n") < 0 ? fail(_("out of memory")) : good ? EXIT_YES : EXIT_NO;
        }
        printf(_("%d policy files are in %s now."), moved, restored->directory);
        printf("\n%s\n", sentence_of(outcome));
        printf(_("The next policy needs a serial above %" PRIu64 "."), restored->serial);
        putchar('\n');
        return good ? EXIT_YES : EXIT_NO;
}

static int restore(const Options *options, const char *directory, const char *state_dir,
                   Restored *restored) {
        int r = make_aside(directory, restored->time, restored->directory);

        if (r < 0)
                return fail_at(directory, r);
        /* first the note: whatever happens from here on, none of these policies comes into force again */
        r = directory_ensure(state_dir, 0700);
        if (r >= 0)
                r = restored_write(state_dir, restored);
        if (r < 0)
                return fail_at(state_dir, r);
        r = move_policies(directory, restored->directory);
        if (r < 0)
                return fail_at(directory, r);
        return tell(options, directory, restored, r);
}

int command_policy_restore(const Options *options) {
        const char *directory = options->value[OPTION_POLICY], *state_dir = options->value[OPTION_STATE_DIR];
        Restored restored = {.time = time(NULL), .uid = getuid(), .loginuid = login_uid()};
        bool lifted = false;
        int status;

        if (refuse_unless_root_is_here(restored.tty) != 0)
                return EXIT_TROUBLE;
        directory = directory ? directory : DEFAULT_POLICY_PATH;
        state_dir = state_dir ? state_dir : DEFAULT_STATE_DIR;
        restored.serial = highest_serial(directory, state_dir);
        if (lift_protection(options, &lifted) != 0)
                return EXIT_TROUBLE;
        status = restore(options, directory, state_dir, &restored);
        if (lifted)
                (void)guard_end_maintenance(); /* else it ends by itself */
        return status;
}

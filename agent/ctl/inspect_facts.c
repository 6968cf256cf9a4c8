/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the machine for inspect, and judges nothing. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "agent/ctl/audit_journal.h"
#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/inspect.h"
#include "agent/ctl/pam.h"
#include "agent/ctl/program_ask.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"
#include "policy/load.h"

#define DEFAULT_STATE_DIR "/var/lib/sekisho"
#define JOURNALS          "/var/log/journal"

enum {
        ANSWER_MAX = 256 * 1024,
        DEPTH_MAX = 4,
        EXPOSED_MAX = 64
};

/* files */

/* Whether a directory on the way to PATH, or PATH itself, lets nobody but root through. */
static bool is_closed(const char *path) {
        char part[PATH_MAX];
        struct stat st;

        if (!realpath(path, part))
                return false;
        for (;;) {
                char *slash;

                if (stat(part, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
                    (st.st_mode & (S_IXGRP | S_IXOTH | S_IWGRP | S_IWOTH)) == 0)
                        return true;
                slash = strrchr(part, '/');
                if (!slash || slash == part)
                        return false;
                *slash = '\0';
        }
}

static void add_exposed(struct json_object *exposed, const char *path) {
        if (json_object_array_length(exposed) < EXPOSED_MAX)
                json_append_text(exposed, path);
}

/* Adds PATH and what is in it, as far as others can read or change it. */
static void look(const char *path, int depth, struct json_object *exposed) {
        CLEANUP_DIR DIR *directory = NULL;
        struct dirent *entry;
        struct stat st;

        if (lstat(path, &st) < 0 || is_closed(path))
                return;
        if (!S_ISDIR(st.st_mode)) {
                if (st.st_uid != 0 || (st.st_mode & (S_IRWXG | S_IRWXO)))
                        add_exposed(exposed, path);
                return;
        }
        if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
                add_exposed(exposed, path);
        directory = depth < DEPTH_MAX ? opendir(path) : NULL;
        while (directory && (entry = readdir(directory))) {
                char below[PATH_MAX];

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if ((size_t)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) < sizeof(below))
                        look(below, depth + 1, exposed);
        }
}

static void take_newer(const char *path, uint64_t *newest) {
        struct stat st;

        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtim.tv_sec > 0 &&
            (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC > *newest)
                *newest = (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC;
}

static uint64_t newest_file(const char *path) {
        CLEANUP_DIR DIR *directory = opendir(path);
        struct dirent *entry;
        uint64_t newest = 0;

        take_newer(path, &newest);
        while (directory && (entry = readdir(directory))) {
                char below[PATH_MAX];

                if (entry->d_name[0] != '.' &&
                    (size_t)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) < sizeof(below))
                        take_newer(below, &newest);
        }
        return newest;
}

static void gather_policy(const Options *options, InspectGathered *ret) {
        const char *given = options->value[OPTION_POLICY], *path = given ? given : DEFAULT_POLICY_PATH;
        CLEANUP(policy_faults_clear) PolicyFaults faults = {.translate = word_text};
        int r = given && access(path, R_OK) < 0 ? -errno : policy_load(path, &ret->policy, &faults);

        ret->facts.builtin = r == 1;
        ret->facts.policy_changed = newest_file(path);
        if (r >= 0)
                ret->facts.policy = ret->policy;
        else
                ret->policy_error = r == -EBADMSG && faults.n > 0
                                            ? text_format("%s:%zu: %s", faults.items[0].file,
                                                          faults.items[0].line, faults.items[0].message)
                                            : text_format("%s: %s", path, strerror(-r));
        ret->facts.policy_error = ret->policy_error;
}

static void gather_files(const Options *options, InspectFacts *facts) {
        const char *policy = options->value[OPTION_POLICY], *state = options->value[OPTION_STATE_DIR];

        if (geteuid() != 0)
                return;
        policy = policy ? policy : DEFAULT_POLICY_PATH;
        state = state ? state : DEFAULT_STATE_DIR;
        if (access(policy, F_OK) < 0 && access(state, F_OK) < 0)
                return;
        facts->exposed = json_object_new_array();
        look(policy, 0, facts->exposed);
        look(state, 0, facts->exposed);
}

/* the machine */

static void gather_unit(InspectFacts *facts) {
        char *const arguments[] = {
                (char *)"/usr/bin/systemctl", (char *)"show", (char *)"sekishod.service",
                (char *)"--property=LoadState,UnitFileState,Restart,NoNewPrivileges,ProtectSystem,"
                        "ProtectHome,ProtectKernelModules,ProtectClock,MemoryDenyWriteExecute,"
                        "RestrictSUIDSGID,LockPersonality,DevicePolicy,KeyringMode,UMask",
                NULL};
        CLEANUP_FREE char *answer = calloc(1, ANSWER_MAX);

        if (answer && program_ask(arguments, answer, ANSWER_MAX) == 0)
                facts->unit = inspect_unit_settings(answer);
}

static void gather_clock(InspectFacts *facts) {
        struct timex timex = {0};
        int state = adjtimex(&timex);

        facts->clock_error = state < 0 ? -errno : 0;
        facts->clock_synchronised = state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
        facts->clock_max_error = timex.maxerror;
}

static uint64_t oldest_entry(void) {
        sd_journal *journal = NULL;
        uint64_t from = 0, to = 0;

        if (sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
                return 0;
        if (sd_journal_get_cutoff_realtime_usec(journal, &from, &to) <= 0)
                from = 0;
        sd_journal_close(journal);
        return from;
}

static void gather_journal(JournalFacts *journal) {
        char *const arguments[] = {(char *)"/usr/bin/systemd-analyze", (char *)"cat-config",
                                   (char *)"systemd/journald.conf", NULL};
        CLEANUP_FREE char *answer = calloc(1, ANSWER_MAX);
        char path[128], id[SD_ID128_STRING_MAX];
        JournalSeals counted;
        sd_id128_t machine;
        struct stat st;

        if (answer && program_ask(arguments, answer, ANSWER_MAX) == 0)
                inspect_journal_settings(answer, journal);
        journal->oldest = oldest_entry();
        if (sd_id128_get_machine(&machine) < 0)
                return;
        snprintf(path, sizeof(path), JOURNALS "/%s", sd_id128_to_string(machine, id));
        journal->directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
        snprintf(path, sizeof(path), JOURNALS "/%s/fss", id);
        journal->keys = stat(path, &st) == 0 && S_ISREG(st.st_mode);
        counted = audit_journal_seals(&(Options){0});
        journal->files = counted.files;
        journal->sealed = counted.sealed;
}

/* logins */

static int take_pam(void *userdata, const PamCheck *check) {
        InspectFacts *facts = userdata;

        bool proven = false;

        for (size_t i = 0; i < json_object_array_length(check->services); i++) {
                const char *verdict = json_text(json_object_array_get_idx(check->services, i), "verdict");

                proven = proven || (verdict && strcmp(verdict, "off") != 0);
        }
        facts->pam = check->open ? 0 : proven ? 1 : -1; /* nothing guarded is nothing proven */
        facts->pam_findings = json_object_get(check->findings);
        return 0;
}

static void gather_pam(const Options *options, InspectFacts *facts) {
        Options of_pam = {0};

        facts->pam = -1;
        of_pam.value[OPTION_POLICY] = options->value[OPTION_POLICY];
        of_pam.value[OPTION_DIRECTORY] = options->value[OPTION_DIRECTORY];
        (void)pam_check_all(&of_pam, take_pam, facts); /* why not stands on stderr */
}

int inspect_gather(const Options *options, InspectGathered *ret) {
        InspectFacts *facts = &ret->facts;

        facts->now = timespec_now();
        facts->status = &ret->status;
        if (status_file_open(options->value[OPTION_RUNTIME_DIR], "Status", &ret->status) != 0)
                return EXIT_TROUBLE;
        gather_policy(options, ret);
        gather_files(options, facts);
        gather_unit(facts);
        gather_clock(facts);
        gather_journal(&facts->journal);
        gather_pam(options, facts);
        return 0;
}

void inspect_gathered_clear(InspectGathered *gathered) {
        json_object_put(gathered->facts.exposed);
        json_object_put(gathered->facts.unit);
        json_object_put(gathered->facts.pam_findings);
        status_file_clear(&gathered->status);
        policy_unref(gathered->policy);
        free(gathered->policy_error);
        *gathered = (InspectGathered){0};
}

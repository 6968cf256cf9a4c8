/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/timed.h"
#include "policy/scope.h"

enum {
        STACK_SIZE = 256 * 1024
};

/* looking */

typedef struct Process {
        pid_t parent, group, session;
} Process;

/* Source: proc(5), /proc/PID/stat; the name in parentheses may hold anything. */
static int process_read(pid_t pid, Process *ret) {
        char path[64], text[1024];
        const char *p;
        ssize_t n;
        int parent, group, session;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        n = file_read_small(AT_FDCWD, path, text, sizeof(text));
        if (n < 0)
                return (int)n;
        p = strrchr(text, ')');
        if (!p || sscanf(p + 1, " %*c %d %d %d", &parent, &group, &session) != 3)
                return -EBADMSG;
        *ret = (Process){.parent = parent, .group = group, .session = session};
        return 0;
}

typedef struct Search {
        const Policy *policy;
        const Asset *found;
} Search;

static bool is_settled(const Search *search) {
        return search->found && search->found->export == EXPORT_NEVER;
}

static void consider(Search *search, const char *path) {
        const Asset *asset = path[0] == '/' ? policy_asset_of(search->policy, path) : NULL;

        if (asset && !is_settled(search))
                search->found = asset;
}

/* -ENOENT, -ESRCH: the process is gone. */
static int look_at_files(Search *search, pid_t pid) {
        const struct dirent *entry;
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
        CLEANUP_DIR DIR *dir = opendir(path);
        if (!dir)
                return -errno;
        errno = 0;
        while (!is_settled(search) && (entry = readdir(dir))) {
                ssize_t n = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path) - 1);

                if (n > 0) {
                        path[n] = '\0';
                        consider(search, path);
                }
                errno = 0;
        }
        return -errno;
}

/* The path is the sixth word of a line and goes to its end. */
static int look_at_mappings(Search *search, pid_t pid) {
        CLEANUP_FREE char *line = NULL;
        char path[64];
        size_t size = 0;
        FILE *maps;

        snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
        maps = fopen(path, "re");
        if (!maps)
                return -errno;
        while (!is_settled(search) && getline(&line, &size, maps) > 0) {
                char *at = strchr(line, '/');

                line[strcspn(line, "\n")] = '\0';
                if (at)
                        consider(search, at);
        }
        fclose(maps);
        return 0;
}

static int look_at(Search *search, pid_t pid) {
        int r = look_at_files(search, pid);

        return r < 0 || is_settled(search) ? r : look_at_mappings(search, pid);
}

static bool is_gone(int r) {
        return r == -ENOENT || r == -ESRCH;
}

static int look_at_ancestors(Search *search, const Process *process) {
        pid_t at = process->parent;
        Process ancestor;

        for (int i = 0; i < SOURCES_ANCESTORS_MAX && at > 1 && !is_settled(search); i++) {
                int r = process_read(at, &ancestor);

                if (r < 0 || ancestor.session != process->session)
                        return is_gone(r) ? 0 : r < 0 ? r : 0;
                r = look_at(search, at);
                if (r < 0 && !is_gone(r))
                        return r;
                at = ancestor.parent;
        }
        return 0;
}

static int look_at_group(Search *search, pid_t pid, const Process *process) {
        CLEANUP_DIR DIR *proc = opendir("/proc");
        const struct dirent *entry;

        if (!proc)
                return -errno;
        while (!is_settled(search) && (entry = readdir(proc))) {
                pid_t other = (pid_t)strtol(entry->d_name, NULL, 10);
                Process member;
                int r;

                if (other <= 0 || other == pid || process_read(other, &member) < 0 ||
                    member.group != process->group)
                        continue;
                r = look_at(search, other);
                if (r < 0 && !is_gone(r))
                        return r;
        }
        return 0;
}

int sources_scan(const Policy *policy, pid_t pid, const Asset **ret) {
        Search search = {.policy = policy};
        Process process;
        int r = process_read(pid, &process);

        if (r == 0)
                r = look_at(&search, pid);
        if (r == 0 && !is_settled(&search))
                r = look_at_ancestors(&search, &process);
        if (r == 0 && !is_settled(&search))
                r = look_at_group(&search, pid, &process);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        *ret = search.found;
        return 0;
}

/* the thread */

typedef struct Job {
        Policy *policy; /* a reference */
        pid_t pid;
        const Asset *found; /* of the policy */
} Job;

static int scan(void *userdata) {
        Job *job = userdata;

        return sources_scan(job->policy, job->pid, &job->found);
}

static void let_go(void *userdata) {
        policy_unref(((Job *)userdata)->policy);
}

static const TimedWork scanning = {
        .size = sizeof(Job), .stack_size = STACK_SIZE, .run = scan, .clear = let_go};

struct SourcesReader {
        Timed *timed;
};

int sources_reader_new(SourcesReader **ret) {
        SourcesReader *reader = calloc(1, sizeof(*reader));
        int r = reader ? timed_new(&scanning, &reader->timed) : -ENOMEM;

        if (r < 0)
                return sources_reader_free(reader), r;
        *ret = reader;
        return 0;
}

SourcesReader *sources_reader_free(SourcesReader *reader) {
        if (reader)
                timed_free(reader->timed);
        free(reader);
        return NULL;
}

int sources_find(SourcesReader *reader, Policy *policy, pid_t pid, const Asset **ret) {
        Job job = {.policy = policy_ref(policy), .pid = pid};
        int r = timed_run(reader->timed, &job, SOURCES_DEADLINE_MSEC);

        if (r == 0)
                *ret = job.found; /* the caller has a reference of the policy too */
        return r;
}

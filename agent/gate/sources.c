/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/thread.h"
#include "policy/scope.h"

enum {
        STUCK_MAX = 4,
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

/* Where it is asked and answers. Freed by whoever lets go last. */
typedef struct Reader {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        unsigned holders;
        Policy *policy; /* a reference, while something is asked */
        pid_t asked;    /* 0: nothing; -1: end */
        bool answered;
        int result;
        const Asset *found;
} Reader;

struct SourcesReader {
        Reader *reader;          /* NULL: none running */
        Reader *left[STUCK_MAX]; /* behind, each until its read ends */
};

static void reader_release(Reader *reader) {
        bool last;

        pthread_mutex_lock(&reader->lock);
        last = --reader->holders == 0;
        pthread_mutex_unlock(&reader->lock);
        if (!last)
                return;
        policy_unref(reader->policy);
        pthread_cond_destroy(&reader->changed);
        pthread_mutex_destroy(&reader->lock);
        free(reader);
}

static void *reader_thread(void *userdata) {
        Reader *reader = userdata;

        for (;;) {
                const Asset *found = NULL;
                Policy *policy;
                pid_t pid;
                int r;

                pthread_mutex_lock(&reader->lock);
                while (reader->asked == 0)
                        pthread_cond_wait(&reader->changed, &reader->lock);
                pid = reader->asked;
                policy = STEAL_PTR(reader->policy);
                reader->asked = 0;
                pthread_mutex_unlock(&reader->lock);
                if (pid < 0) {
                        policy_unref(policy);
                        break;
                }
                r = sources_scan(policy, pid, &found);
                pthread_mutex_lock(&reader->lock);
                reader->found = found; /* of a policy that who asked has a reference of, if still there */
                reader->result = r;
                reader->answered = true;
                pthread_cond_broadcast(&reader->changed);
                pthread_mutex_unlock(&reader->lock);
                policy_unref(policy);
        }
        reader_release(reader);
        return NULL;
}

static int reader_start(Reader **ret) {
        Reader *reader = calloc(1, sizeof(*reader));
        pthread_condattr_t condition;
        int r;

        if (!reader)
                return -ENOMEM;
        reader->holders = 2;
        pthread_mutex_init(&reader->lock, NULL);
        pthread_condattr_init(&condition);
        pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
        pthread_cond_init(&reader->changed, &condition);
        pthread_condattr_destroy(&condition);
        r = thread_start(STACK_SIZE, reader_thread, reader);
        if (r < 0) {
                reader->holders = 1;
                reader_release(reader);
                return r;
        }
        *ret = reader;
        return 0;
}

static void reader_end(Reader *reader) {
        pthread_mutex_lock(&reader->lock);
        reader->asked = -1;
        pthread_cond_broadcast(&reader->changed);
        pthread_mutex_unlock(&reader->lock);
}

static bool thread_has_ended(Reader *reader) {
        bool ended;

        pthread_mutex_lock(&reader->lock);
        ended = reader->holders == 1;
        pthread_mutex_unlock(&reader->lock);
        return ended;
}

/* A place for one that has to be left behind; NULL while as many as may be are. */
static Reader **find_place(SourcesReader *reader) {
        Reader **place = NULL;

        for (size_t i = 0; i < STUCK_MAX; i++) {
                if (reader->left[i] && thread_has_ended(reader->left[i]))
                        reader_release(STEAL_PTR(reader->left[i]));
                if (!reader->left[i])
                        place = &reader->left[i];
        }
        return place;
}

int sources_reader_new(SourcesReader **ret) {
        SourcesReader *reader = calloc(1, sizeof(*reader));

        if (!reader)
                return -ENOMEM;
        *ret = reader;
        return 0;
}

SourcesReader *sources_reader_free(SourcesReader *reader) {
        if (!reader)
                return NULL;
        if (reader->reader) {
                reader_end(reader->reader);
                reader_release(reader->reader);
        }
        for (size_t i = 0; i < STUCK_MAX; i++)
                if (reader->left[i])
                        reader_release(reader->left[i]);
        free(reader);
        return NULL;
}

static struct timespec deadline(void) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += SOURCES_DEADLINE_MSEC * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000L;
        }
        return until;
}

int sources_find(SourcesReader *reader, Policy *policy, pid_t pid, const Asset **ret) {
        Reader **place = find_place(reader), *r;
        struct timespec until = deadline();
        int result = 0;

        if (!place)
                return -EHOSTDOWN;
        if (!reader->reader && (result = reader_start(&reader->reader)) < 0)
                return result;
        r = reader->reader;
        if (!r)
                return -ENOMEM;
        pthread_mutex_lock(&r->lock);
        r->answered = false;
        policy_unref(r->policy);
        r->policy = policy_ref(policy);
        r->asked = pid;
        pthread_cond_broadcast(&r->changed);
        while (!r->answered && result == 0)
                result = -pthread_cond_timedwait(&r->changed, &r->lock, &until);
        if (r->answered) {
                result = r->result;
                if (result == 0)
                        *ret = r->found;
        }
        pthread_mutex_unlock(&r->lock);
        if (result == -ETIMEDOUT) { /* left behind: it ends when its read does */
                *place = STEAL_PTR(reader->reader);
                reader_end(r);
        }
        return result;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/grants/contents.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/scope.h"

#define USEC_MAX (UINT64_C(1000000) * CONTENTS_SECONDS_MAX)

enum {
        LINK_TEXT = 64
};

/* A file that waits. */
typedef struct Job {
        int fd;
        Record *record;
        uint64_t since;        /* when it was added, microseconds */
        uint64_t added, begun; /* the how manieth it was, and which was the last when its reading began */
        struct stat before;    /* as it was then */
        off_t left, at;
        crypto_hash_sha256_state state;
} Job;

struct Contents {
        ContentsDone done;
        void *userdata;
        uint8_t *piece;
        uint64_t added;
        Job jobs[CONTENTS_MAX];
        size_t n;
};

int contents_new(ContentsDone done, void *userdata, Contents **ret) {
        Contents *contents = calloc(1, sizeof(*contents));

        if (!contents || !(contents->piece = malloc(CONTENTS_PIECE))) {
                free(contents);
                return -ENOMEM;
        }
        contents->done = done;
        contents->userdata = userdata;
        *ret = contents;
        return 0;
}

Contents *contents_free(Contents *contents) {
        if (!contents)
                return NULL;
        contents_give_up(contents, "the agent ended");
        free(contents->piece);
        free(contents);
        return NULL;
}

bool contents_is_busy(const Contents *contents) {
        return contents->n > 0;
}

/* Its record goes out. */
static void let_go(Contents *contents, size_t i) {
        Job job = contents->jobs[i];

        contents->jobs[i] = contents->jobs[--contents->n];
        close(job.fd);
        contents->done(contents->userdata, job.record);
}

static void set_size(Record *record, off_t size) {
        record_setf(record, TEXT_SIZE, "%" PRId64, (int64_t)size);
}

/* Its record goes out without a hash. */
static void give_up(Contents *contents, size_t i, const char *why) {
        const Job *job = &contents->jobs[i];
        struct stat st;

        if (fstat(job->fd, &st) == 0)
                set_size(job->record, st.st_size);
        record_setf(job->record, TEXT_ERROR, "not hashed: %s", why);
        let_go(contents, i);
}

void contents_give_up(Contents *contents, const char *why) {
        while (contents->n > 0)
                give_up(contents, contents->n - 1, why);
}

static size_t find_longest(const Contents *contents) {
        size_t found = 0;

        for (size_t i = 1; i < contents->n; i++)
                if (contents->jobs[i].left > contents->jobs[found].left)
                        found = i;
        return found;
}

static size_t find_shortest(const Contents *contents) {
        size_t found = 0;

        for (size_t i = 1; i < contents->n; i++)
                if (contents->jobs[i].left < contents->jobs[found].left)
                        found = i;
        return found;
}

static void set_path(Record *record, int fd) {
        char link[LINK_TEXT], path[PATH_MAX];
        ssize_t n;

        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n <= 0)
                return;
        path[n] = '\0';
        record_set(record, TEXT_PATH, path);
}

void contents_add(Contents *contents, int fd, Record *record, uint64_t now) {
        struct stat st = {0};
        Job *job;

        set_path(record, fd);
        if (contents->n == CONTENTS_MAX)
                give_up(contents, find_longest(contents), "too many files were written at once");
        (void)fstat(fd, &st); /* if that fails so does reading, which is told */
        job = &contents->jobs[contents->n++];
        *job = (Job){
                .fd = fd, .record = record, .since = now, .added = ++contents->added, .left = st.st_size};
        if (st.st_size > CONTENTS_SIZE_MAX)
                give_up(contents, contents->n - 1, "it is too big");
}

static bool is_unchanged(const struct stat *a, const struct stat *b) {
        return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
               a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
               a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool is_covered(const Job *job, const Job *by, const struct stat *by_stat) {
        struct stat st;

        return job->added <= by->begun && fstat(job->fd, &st) == 0 && st.st_dev == by_stat->st_dev &&
               st.st_ino == by_stat->st_ino;
}

/* All of it is read: it goes out, and with it all that was closed before the reading began. */
static void complete(Contents *contents, size_t i) {
        char text[2 * crypto_hash_sha256_BYTES + 1];
        uint8_t hash[crypto_hash_sha256_BYTES];
        const Job read = contents->jobs[i];
        crypto_hash_sha256_state state = read.state;
        struct stat after;
        const char *error = NULL;

        if (fstat(read.fd, &after) < 0) {
                give_up(contents, i, strerror(errno));
                return;
        }
        crypto_hash_sha256_final(&state, hash);
        (void)sodium_bin2hex(text, sizeof(text), hash, sizeof(hash));
        if (!is_unchanged(&read.before, &after))
                error = "it was changed while it was read";
        else if (after.st_nlink == 0)
                error = "it is deleted already";
        for (size_t k = contents->n; k-- > 0;) {
                Record *record = contents->jobs[k].record;

                if (!is_covered(&contents->jobs[k], &read, &after))
                        continue;
                set_size(record, after.st_size);
                record_set(record, TEXT_SHA256, text);
                record_set(record, TEXT_ERROR, error);
                let_go(contents, k);
        }
}

/* The next piece of it. */
static void read_on(Contents *contents, size_t i) {
        Job *job = &contents->jobs[i];
        ssize_t n;

        if (job->begun == 0) {
                if (fstat(job->fd, &job->before) < 0) {
                        give_up(contents, i, strerror(errno));
                        return;
                }
                crypto_hash_sha256_init(&job->state);
                job->begun = contents->added;
        }
        n = pread(job->fd, contents->piece, CONTENTS_PIECE, job->at);
        if (n < 0 && errno == EINTR)
                return;
        if (n < 0) {
                give_up(contents, i, strerror(errno));
                return;
        }
        if (n == 0) {
                complete(contents, i);
                return;
        }
        crypto_hash_sha256_update(&job->state, contents->piece, (unsigned long long)n);
        job->at += n;
        job->left = job->left > n ? job->left - n : 0;
}

bool contents_step(Contents *contents, uint64_t now) {
        for (size_t i = contents->n; i-- > 0;)
                if (now > contents->jobs[i].since + USEC_MAX)
                        give_up(contents, i, "it took too long to read");
        if (contents->n > 0)
                read_on(contents, find_shortest(contents));
        return contents->n > 0;
}

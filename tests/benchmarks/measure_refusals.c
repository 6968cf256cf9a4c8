/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a refusal takes, and until its record can be read. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "policy/scope.h"

enum {
        BETWEEN_NS = 1000000, /* refusals of one file: somebody who tries again, no flood */
};

static int compare(const void *a, const void *b) {
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

/* Opens PATH for writing, which must be refused. 0 or -errno. */
static int be_refused(const char *path) {
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd >= 0)
                return -EISCONN;
        return errno == EPERM || errno == EROFS ? 0 : -errno;
}

int measure_refused(const char *path, long count) {
        CLEANUP_FREE int64_t *turns = calloc((size_t)count, sizeof(*turns));

        if (!turns)
                return failed("no memory", ENOMEM);
        for (long i = 0; i < count; i++) {
                int64_t start = now_ns();
                int r = be_refused(path);

                turns[i] = now_ns() - start;
                if (r < 0)
                        return failed(path, r);
                pause_ns(BETWEEN_NS);
        }
        qsort(turns, (size_t)count, sizeof(*turns), compare);
        printf("%" PRId64 "\n", turns[count / 2]);
        return EXIT_SUCCESS;
}

int open_journal(sd_journal **ret) {
        int r = sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY);

        if (r >= 0)
                r = sd_journal_get_fd(*ret); /* from now on it is told of new files */
        if (r >= 0)
                r = sd_journal_seek_tail(*ret);
        return r < 0 ? r : sd_journal_previous(*ret);
}

int await_record(sd_journal *journal, const char *field, const char *value, int64_t until) {
        size_t n = strlen(field);

        while (now_ns() < until) {
                const void *data;
                size_t length;
                int r = sd_journal_next(journal);

                if (r < 0)
                        return r;
                if (r == 0) {
                        /* New entries show in files that are open; this is for a file that has come since.
                         */
                        r = sd_journal_process(journal);
                        if (r < 0)
                                return r;
                        pause_ns(POLL_NS);
                        continue;
                }
                r = sd_journal_get_data(journal, field, &data, &length);
                if (r < 0)
                        continue;
                if (length == n + 1 + strlen(value) &&
                    memcmp((const char *)data + n + 1, value, strlen(value)) == 0)
                        return 0;
        }
        return -ETIME;
}

int measure_denied(long count, const char *directory) {
        CLEANUP_JOURNAL sd_journal *journal = NULL;
        int r = open_journal(&journal);

        if (r < 0)
                return failed("journal", r);
        for (long i = 0; i < count; i++) {
                CLEANUP_FREE char *path = NULL;
                int64_t start;

                if (asprintf(&path, "%s/%ld", directory, i) < 0) {
                        path = NULL;
                        return failed("no memory", ENOMEM);
                }
                start = now_ns();
                r = be_refused(path);
                if (r == 0)
                        r = await_record(journal, "SEKISHO_PATH", path, deadline_ns());
                if (r < 0)
                        return failed(path, r);
                printf("%" PRId64 "\n", now_ns() - start);
        }
        return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of logins on a chain (policy/chain.h): one for all who write them on this terminal, whose end is
 * kept beside the enrolments. Who cannot have it, since nobody is enrolled, it is another user's program, or
 * it is held for too long, begins one of its own: a login does not wait for its record.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "pam_module/record.h"
#include "policy/chain_file.h"
#include "policy/scope.h"

enum {
        TRIES = 50
};

static const struct timespec between_tries = {.tv_nsec = 5000000};

/* The descriptor with its lock, or -errno. STORE may be NULL: there was no memory for its name. */
static int take_file(const char *store) {
        CLEANUP_CLOSE int directory = store ? open(store, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        CLEANUP_CLOSE int fd = directory < 0 ? -ENOENT : chain_file_open(directory, CHAIN_FILE_LOGINS);

        if (fd < 0)
                return fd;
        for (int i = 0; i < TRIES; i++) {
                if (flock(fd, LOCK_EX | LOCK_NB) == 0)
                        return STEAL_FD(fd);
                if (errno != EWOULDBLOCK)
                        return -errno;
                (void)nanosleep(&between_tries, NULL);
        }
        return -ETIMEDOUT;
}

static ChainBegin find_head(int fd, ChainHead *ret) {
        bool writing = false;

        if (fd >= 0 && chain_file_read(fd, ret, &writing) > 0)
                return writing ? CHAIN_UNCERTAIN : CHAIN_GOES_ON;
        chain_new(ret);
        return CHAIN_NEW;
}

static int add_place(LoginRecord *record, bool shared, const ChainHead *head, ChainBegin begin,
                     ChainHead *ret) {
        ChainDigest digest = {.n = 0};
        char link[CHAIN_LINK_TEXT];
        ChainHead next = *head;
        struct timespec now;
        size_t length;
        int r;

        if (clock_gettime(CLOCK_REALTIME, &now) < 0)
                return -errno;
        next.sequence++;
        record_add(record, FIELD_CHAIN_ID, "%s", next.id);
        record_add(record, FIELD_CHAIN_WRITER, "%s", shared ? "logins" : "login");
        record_add(record, FIELD_SEQUENCE, "%" PRIu64, next.sequence);
        record_add(record, FIELD_WRITTEN, "%" PRIu64,
                   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
        record_add_text(record, FIELD_CHAIN_BEGIN, chain_begin_to_string(begin));
        record_digest(record, &digest);
        r = chain_digest_end(&digest, next.link);
        if (r < 0)
                return r;
        chain_link(head->link, next.link, next.link);
        chain_link_text(next.link, link);
        length = record->length;
        record_add(record, FIELD_CHAIN, "%s", link);
        *ret = next;
        return record->length == length ? -E2BIG
                                        : 0; /* the longest of them: it is the first to be left out */
}

int record_send(LoginRecord *record, const char *store) {
        CLEANUP_CLOSE int fd = take_file(store);
        ChainHead head, next;
        ChainBegin begin = find_head(fd, &head);
        size_t length = record->length;
        int r = add_place(record, fd >= 0, &head, begin, &next);

        if (r < 0)
                record->length = length; /* better without a place than not at all */
        else if (fd >= 0)
                (void)chain_file_write(fd, &next, true);
        r = record_post(record);
        if (fd < 0)
                return r;
        if (r == 0 && record->length > length)
                (void)chain_file_write(fd, &next, false);
        else if (head.sequence > 0)
                (void)chain_file_write(fd, &head, false);
        else
                (void)!ftruncate(fd, 0);
        return r;
}

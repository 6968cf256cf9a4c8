/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress on disk: `progress/NAME` has two places of a page each, made once and then written in place.
 * Edition N goes to place N mod 2, so that what is being written never takes the place of the last one that
 * is known to be on the disk. Only that is waited for. The number follows it and is not waited for, but for
 * every eighth time: after a power failure it may lag behind, and never be ahead.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pam_module/progress.h"
#include "pam_module/store_private.h"

enum {
        PLACES = 2,
        LAG_MAX = 8 /* editions by which the number may lag behind */
};

void store_number_text(uint64_t generation, char ret[static NUMBER_SIZE + 1]) {
        (void)snprintf(ret, NUMBER_SIZE + 1, "%020" PRIu64 "\n", generation);
}

static int open_file(int directory_fd, const char *name, int flags, int *ret) {
        CLEANUP_CLOSE int fd = openat(directory_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        int r;

        if (fd < 0)
                return errno == ELOOP || errno == EISDIR ? -EPERM : -errno;
        r = store_check_owner(fd, S_IFREG, S_IRWXG | S_IRWXO);
        if (r < 0)
                return r;
        *ret = STEAL_FD(fd);
        return 0;
}

static int read_place(int fd, unsigned place, char text[static PROGRESS_SIZE]) {
        ssize_t n = pread(fd, text, PROGRESS_SIZE, (off_t)place * PROGRESS_SIZE);

        return n < 0 ? -errno : n == PROGRESS_SIZE ? 0 : -EBADMSG;
}

/* The furthest that goes on from edition BASE. A place that is cut off counts for none if the other one does
 * not: it was being written when the power failed. 1 with RET, 0 or -errno. */
static int find_furthest(int fd, uint64_t base, Progress *ret) {
        char text[PROGRESS_SIZE];
        unsigned damaged = 0;
        bool found = false;

        for (unsigned place = 0; place < PLACES; place++) {
                Progress progress = {.base = 0};
                int r = read_place(fd, place, text);

                if (r == 0)
                        r = progress_parse(text, &progress);
                if (r < 0 && r != -EBADMSG)
                        return r;
                damaged += r < 0;
                if (r > 0 && progress.base == base && (!found || progress.generation > ret->generation)) {
                        *ret = progress;
                        found = true;
                }
        }
        return damaged == PLACES ? -EBADMSG : found;
}

int store_load_progress(const Store *store, const char *name, uint64_t last, Enrolment *enrolment) {
        CLEANUP_CLOSE int fd = -1;
        Progress progress;
        int r = open_file(store->progress_fd, name, O_RDONLY, &fd);

        enrolment->base = enrolment->generation;
        if (r == 0)
                r = find_furthest(fd, enrolment->base, &progress);
        if (r <= 0)
                return r == -ENOENT ? 0 : r;
        r = progress_apply(&progress, enrolment);
        return r < 0 ? r : enrolment->generation > last + LAG_MAX ? -ESTALE : 0;
}

/* Open for writing; made where there is none, once for a person. */
static int open_progress(const Store *store, const char *name, int *ret) {
        static const char nothing[PLACES * PROGRESS_SIZE];
        int r = open_file(store->progress_fd, name, O_WRONLY, ret);

        if (r != -ENOENT)
                return r;
        r = store_replace_file(store->progress_fd, name, nothing, sizeof(nothing));
        return r < 0 ? r : open_file(store->progress_fd, name, O_WRONLY, ret);
}

static int write_at(int fd, const char *text, size_t length, off_t at) {
        ssize_t n = pwrite(fd, text, length, at);

        return n < 0 ? -errno : (size_t)n == length ? 0 : -EIO;
}

static int write_progress(const Store *store, const char *name, const Enrolment *enrolment, bool noted) {
        uint64_t generation = enrolment->generation + 1;
        CLEANUP_CLOSE int fd = -1;
        char text[PROGRESS_SIZE];
        Progress progress;
        int r;

        progress_of(enrolment, generation, noted, &progress);
        if ((r = progress_format(&progress, text)) < 0 || (r = open_progress(store, name, &fd)) < 0 ||
            (r = write_at(fd, text, PROGRESS_SIZE, (off_t)(generation % PLACES) * PROGRESS_SIZE)) < 0)
                return r;
        return !noted && fdatasync(fd) < 0 ? -errno : 0;
}

int store_note(const Store *store, const char *user, const Enrolment *enrolment) {
        char name[FILE_NAME_SIZE];
        int r = store_file_name(user, name);

        return r < 0 ? r : write_progress(store, name, enrolment, true);
}

/* In place, where it is of the length that it has since it is. */
static int follow(const Store *store, const char *name, uint64_t generation) {
        CLEANUP_CLOSE int fd = -1;
        char text[NUMBER_SIZE + 1];
        struct stat st;
        int r = open_file(store->generations_fd, name, O_WRONLY, &fd);

        if (r == -ENOENT)
                return store_write_number(store, name, generation);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size != NUMBER_SIZE)
                return store_write_number(store, name, generation);
        store_number_text(generation, text);
        r = write_at(fd, text, NUMBER_SIZE, 0);
        return r == 0 && generation % LAG_MAX == 0 && fdatasync(fd) < 0 ? -errno : r;
}

int store_advance(const Store *store, const char *user, Enrolment *enrolment) {
        char name[FILE_NAME_SIZE];
        uint64_t last;
        int r = store_file_name(user, name);

        if (r < 0 || (r = store_load_number(store, name, &last)) < 0)
                return r;
        /* after a power failure, or a number that could not be written */
        if (last < enrolment->generation && (r = store_write_number(store, name, enrolment->generation)) < 0)
                return r;
        r = write_progress(store, name, enrolment, false);
        if (r < 0)
                return r;
        enrolment->generation++;
        return follow(store, name, enrolment->generation);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/grants/writes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/clock.h"
#include "agent/gate/opener.h"
#include "agent/grants/contents.h"
#include "agent/grants/volumes.h"
#include "agent/mount/reach.h"
#include "agent/thread.h"
#include "policy/scope.h"

#define CATCH_UP_NSEC UINT64_C(500000000)
#define PATIENCE_USEC UINT64_C(1000000)
#define NSEC_PER_SEC  UINT64_C(1000000000)
#define FAREWELL_USEC UINT64_C(1000000)

enum {
        STACK_SIZE = 512 * 1024,
        EVENTS = 256, /* that are taken in before a piece of a file is read */
        LINK_TEXT = 64,
        ROOM_MSEC = 100
};

struct Writes {
        unsigned references; /* the agent's, and the thread's */
        Report *report;
        Contents *contents; /* the thread's */
        int group, stop;
        pthread_mutex_t lock; /* of what follows */
        pthread_cond_t caught_up;
        bool taking, ended; /* the thread */
        uint64_t behind;    /* boot time when it was waited for in vain, in microseconds; 0: it was not */
        WrittenVolumes volumes;
};

static void unref(Writes *writes) {
        if (__atomic_sub_fetch(&writes->references, 1, __ATOMIC_ACQ_REL) > 0)
                return;
        written_volumes_clear(&writes->volumes);
        contents_free(writes->contents);
        scope_close(&writes->group);
        scope_close(&writes->stop);
        report_unref(writes->report);
        pthread_cond_destroy(&writes->caught_up);
        pthread_mutex_destroy(&writes->lock);
        free(writes);
}

/* the thread */

static void tell(void *userdata, Record *record) {
        const Writes *writes = userdata;

        report_wait_for_room(writes->report, ROOM_MSEC); /* the kernel keeps the rest meanwhile */
        report_submit(writes->report, record);
}

/* What is not known of a file, or of many. */
static void tell_lost(Writes *writes, const char *what, int error) {
        Record *record = record_new(EVENT_GRANT_WRITE);

        if (record && error != 0)
                record_setf(record, TEXT_ERROR, "%s: %s", what, strerror(error));
        else if (record)
                record_set(record, TEXT_ERROR, what);
        report_submit(writes->report, record);
}

static void take_file(Writes *writes, int fd, pid_t pid) {
        Record *record = record_new(EVENT_GRANT_WRITE);
        Opener opener;
        struct stat st;

        if (!record) {
                close(fd);
                report_submit(writes->report, NULL);
                return;
        }
        if (pid > 0 && opener_read(pid, &opener) == 0)
                opener_describe(&opener, record);
        record->pid = pid;
        if (fstat(fd, &st) == 0) {
                (void)pthread_mutex_lock(&writes->lock);
                written_volumes_count_file(&writes->volumes, st.st_dev, record);
                (void)pthread_mutex_unlock(&writes->lock);
        }
        contents_add(writes->contents, fd, record, clock_boottime_usec());
}

/* One at a time: of several, the kernel would say nothing of one that it cannot open. Whether there was any.
 */
static bool take_event(Writes *writes) {
        struct fanotify_event_metadata event;
        ssize_t n = read(writes->group, &event, sizeof(event));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return errno == EINTR;
        if (n < 0)
                tell_lost(writes, "a file that was written cannot be looked at", errno);
        else if (event.fd >= 0)
                take_file(writes, event.fd, event.pid);
        else if (event.mask & FAN_Q_OVERFLOW)
                tell_lost(writes, "too much was written at once: some files are not on record", 0);
        return true;
}

static void set_taking(Writes *writes, bool taking) {
        (void)pthread_mutex_lock(&writes->lock);
        writes->taking = taking;
        (void)pthread_cond_broadcast(&writes->caught_up);
        (void)pthread_mutex_unlock(&writes->lock);
}

/* Whether there may be more. */
static bool take_events(Writes *writes) {
        bool any = true;

        set_taking(writes, true);
        for (size_t i = 0; any && i < EVENTS; i++)
                any = take_event(writes);
        set_taking(writes, false);
        return any;
}

/* What was closed by now, without hashes. */
static void take_leave(Writes *writes) {
        uint64_t until = clock_boottime_usec() + FAREWELL_USEC;

        while (take_events(writes) && clock_boottime_usec() < until)
                ;
        contents_give_up(writes->contents, "the agent ended");
        (void)pthread_mutex_lock(&writes->lock);
        writes->ended = true;
        (void)pthread_cond_broadcast(&writes->caught_up);
        (void)pthread_mutex_unlock(&writes->lock);
}

static void *run(void *userdata) {
        Writes *writes = userdata;
        struct pollfd waiting[] = {{.fd = writes->group, .events = POLLIN},
                                   {.fd = writes->stop, .events = POLLIN}};

        for (;;) {
                int n = poll(waiting, ELEMENTS(waiting), contents_is_busy(writes->contents) ? 0 : -1);

                if (n < 0 && errno != EINTR)
                        break;
                if (n > 0 && waiting[1].revents)
                        break;
                if (n > 0 && waiting[0].revents)
                        (void)take_events(writes);
                (void)contents_step(writes->contents, clock_boottime_usec());
        }
        take_leave(writes);
        unref(writes);
        return NULL;
}

/* the agent */

static struct timespec in_nsec(uint64_t nsec) {
        struct timespec until;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        nsec += (uint64_t)until.tv_nsec;
        until.tv_sec += (time_t)(nsec / NSEC_PER_SEC);
        until.tv_nsec = (long)(nsec % NSEC_PER_SEC);
        return until;
}

/* With the lock: until all that is closed by now is taken in, for a moment at most, and not again at once
 * where that was not enough. */
static void catch_up(Writes *writes) {
        struct timespec until = in_nsec(CATCH_UP_NSEC);
        uint64_t now = clock_boottime_usec();
        int bytes;

        if (writes->behind > 0 && now - writes->behind < PATIENCE_USEC)
                return;
        writes->behind = 0;
        while (!writes->ended &&
               (writes->taking || (ioctl(writes->group, FIONREAD, &bytes) == 0 && bytes > 0)))
                if (pthread_cond_timedwait(&writes->caught_up, &writes->lock, &until) == ETIMEDOUT) {
                        writes->behind = clock_boottime_usec();
                        break;
                }
}

static void init_locks(Writes *writes) {
        pthread_condattr_t attributes;

        (void)pthread_mutex_init(&writes->lock, NULL);
        (void)pthread_condattr_init(&attributes);
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&writes->caught_up, &attributes);
        (void)pthread_condattr_destroy(&attributes);
}

int writes_new(Report *report, Writes **ret) {
        Writes *writes = calloc(1, sizeof(*writes));
        int r = 0;

        if (!writes)
                return -ENOMEM;
        writes->references = 1;
        writes->report = report_ref(report);
        init_locks(writes);
        writes->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        /* without O_NONBLOCK a pipe on the medium would hold up whoever opens it */
        writes->group = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
                                      O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
        if (writes->stop < 0 || writes->group < 0)
                r = -errno;
        if (r == 0)
                r = contents_new(tell, writes, &writes->contents);
        if (r == 0) {
                writes->references = 2;
                r = thread_start(STACK_SIZE, run, writes);
                if (r < 0)
                        writes->references = 1;
        }
        if (r < 0) {
                unref(writes);
                return r;
        }
        *ret = writes;
        return 0;
}

Writes *writes_free(Writes *writes) {
        const struct timespec until = in_nsec((uint64_t)2 * FAREWELL_USEC * 1000);
        const uint64_t one = 1;

        if (!writes)
                return NULL;
        (void)!write(writes->stop, &one, sizeof(one));
        (void)pthread_mutex_lock(&writes->lock);
        while (!writes->ended) /* one that hangs on a medium is left behind */
                if (pthread_cond_timedwait(&writes->caught_up, &writes->lock, &until) == ETIMEDOUT)
                        break;
        (void)pthread_mutex_unlock(&writes->lock);
        unref(writes);
        return NULL;
}

static int mark(const Writes *writes, unsigned how, int mount_fd) {
        char link[LINK_TEXT];

        /* it takes no O_PATH descriptor, but a path through /proc leads to the same place */
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", mount_fd);
        return fanotify_mark(writes->group, how | FAN_MARK_FILESYSTEM, FAN_CLOSE_WRITE, AT_FDCWD, link) < 0
                       ? -errno
                       : 0;
}

int writes_watch(Writes *writes, const char *mount, dev_t devnum, uint32_t id, uint64_t policy_serial,
                 const DeviceIdentity *device) {
        CLEANUP(mount_table_clear) MountTable table = {0};
        /* not kept: it would keep the file system from being unmounted */
        CLEANUP_CLOSE int fd = -1;
        WrittenVolume as = {.devnum = devnum, .id = id, .policy_serial = policy_serial};
        const WrittenVolume *before;
        struct stat st;
        int r = mountinfo_read(NULL, &table);

        if (r < 0)
                return r;
        fd = mount_reach(&table, devnum);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        as.seen = st.st_dev;
        (void)pthread_mutex_lock(&writes->lock);
        before = written_volumes_find(&writes->volumes, devnum);
        if (!before || before->id != id) /* what was closed by now is still on the account of another */
                catch_up(writes);
        r = written_volumes_take(&writes->volumes, &table, &as, mount, device);
        (void)pthread_mutex_unlock(&writes->lock);
        return r < 0 ? r : mark(writes, FAN_MARK_ADD, fd);
}

void writes_leave(Writes *writes, dev_t devnum) {
        CLEANUP(mount_table_clear) MountTable table = {0};
        CLEANUP_CLOSE int fd = -1;
        WrittenVolume *volume;
        bool on;

        (void)pthread_mutex_lock(&writes->lock);
        volume = written_volumes_find(&writes->volumes, devnum);
        on = volume && volume->on;
        if (on)
                volume->on = false; /* what was closed before is told yet */
        (void)pthread_mutex_unlock(&writes->lock);
        if (!on || mountinfo_read(NULL, &table) < 0)
                return;
        fd = mount_reach(&table, devnum);
        if (fd >= 0) /* an unmounted one has no mark any more */
                (void)mark(writes, FAN_MARK_REMOVE, fd);
}

uint64_t writes_count(Writes *writes, uint32_t id) {
        uint64_t count;

        (void)pthread_mutex_lock(&writes->lock);
        catch_up(writes);
        count = written_volumes_count(&writes->volumes, id);
        (void)pthread_mutex_unlock(&writes->lock);
        return count;
}

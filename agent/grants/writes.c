/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/grants/writes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/gate/opener.h"
#include "agent/thread.h"
#include "policy/scope.h"

enum {
        STACK_SIZE = 512 * 1024,
        CHUNK = 64 * 1024,
        EVENTS = 8192,
        LINK_TEXT = 64
};

/* A volume that is, or was, written to. */
typedef struct Watched {
        bool on; /* it is marked, as far as is known */
        dev_t devnum;
        uint32_t id;
        uint64_t policy_serial, count;
        char *mount; /* NULL: memory was short */
        DeviceIdentity device;
} Watched;

struct Writes {
        unsigned references; /* the agent's, and the thread's */
        Report *report;
        int group, stop;
        pthread_mutex_t lock; /* of what follows */
        Watched volumes[WRITES_VOLUMES_MAX];
        size_t n;
};

static void unref(Writes *writes) {
        if (__atomic_sub_fetch(&writes->references, 1, __ATOMIC_ACQ_REL) > 0)
                return;
        for (size_t i = 0; i < writes->n; i++) {
                device_identity_clear(&writes->volumes[i].device);
                free(writes->volumes[i].mount);
        }
        scope_close(&writes->group);
        scope_close(&writes->stop);
        report_unref(writes->report);
        pthread_mutex_destroy(&writes->lock);
        free(writes);
}

static bool is_stopped(const Writes *writes) {
        struct pollfd waiting = {.fd = writes->stop, .events = POLLIN};

        return poll(&waiting, 1, 0) > 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b) {
        return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
               a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
               a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* 0, -ECANCELED if the agent ends, -errno of reading. */
static int hash_file(const Writes *writes, int fd, uint8_t ret[static crypto_hash_sha256_BYTES]) {
        CLEANUP_FREE uint8_t *chunk = malloc(CHUNK);
        crypto_hash_sha256_state state;
        off_t at = 0;
        ssize_t n;

        if (!chunk)
                return -ENOMEM;
        crypto_hash_sha256_init(&state);
        while ((n = pread(fd, chunk, CHUNK, at)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                crypto_hash_sha256_update(&state, chunk, (unsigned long long)n);
                at += n;
                if (is_stopped(writes))
                        return -ECANCELED;
        }
        crypto_hash_sha256_final(&state, ret);
        return 0;
}

/* The path, the size and the hash of what FD holds; what is wrong with that, for people. */
static void describe_file(const Writes *writes, int fd, Record *record) {
        char link[LINK_TEXT], path[PATH_MAX], text[2 * crypto_hash_sha256_BYTES + 1];
        uint8_t hash[crypto_hash_sha256_BYTES] = {0};
        struct stat before, after = {0};
        ssize_t n;
        int r;

        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n > 0) {
                path[n] = '\0';
                record_set(record, TEXT_PATH, path);
        }
        r = fstat(fd, &before) < 0 ? -errno : hash_file(writes, fd, hash);
        if (r == 0 && fstat(fd, &after) < 0)
                r = -errno;
        if (r < 0) {
                record_setf(record, TEXT_ERROR, "what it holds could not be read: %s", strerror(-r));
                return;
        }
        record_setf(record, TEXT_SIZE, "%" PRId64, (int64_t)after.st_size);
        record_set(record, TEXT_SHA256, sodium_bin2hex(text, sizeof(text), hash, sizeof(hash)));
        if (!is_same_file(&before, &after))
                record_set(record, TEXT_ERROR, "it was changed while it was read");
        else if (after.st_nlink == 0)
                record_set(record, TEXT_ERROR, "it is deleted already");
}

/* What is known of the volume that DEVNUM is, in RECORD. Whether it is one of ours. */
static bool describe_volume(Writes *writes, dev_t devnum, bool counts, Record *record) {
        bool found = false;

        (void)pthread_mutex_lock(&writes->lock);
        for (size_t i = writes->n; !found && i-- > 0;) {
                Watched *volume = &writes->volumes[i];

                if (volume->devnum != devnum)
                        continue;
                found = true;
                volume->count += counts;
                record->policy_serial = volume->policy_serial;
                record_setf(record, TEXT_GRANT, "%" PRIu32, volume->id);
                record_set(record, TEXT_MOUNT, volume->mount);
                record_set_device(record, &volume->device);
        }
        (void)pthread_mutex_unlock(&writes->lock);
        return found;
}

static void tell(Writes *writes, const struct fanotify_event_metadata *event) {
        Record *record = record_new(EVENT_GRANT_WRITE);
        Opener opener;
        struct stat st;

        if (!record) {
                report_submit(writes->report, NULL);
                return;
        }
        if (event->fd < 0) {
                record_set(record, TEXT_ERROR, "too much was written at once: some files are not on record");
        } else {
                if (event->pid > 0 && opener_read(event->pid, &opener) == 0)
                        opener_describe(&opener, record);
                record->pid = event->pid;
                if (fstat(event->fd, &st) < 0 || !describe_volume(writes, st.st_dev, true, record)) {
                        record_free(record);
                        return;
                }
                describe_file(writes, event->fd, record);
        }
        report_submit(writes->report, record);
}

static void read_events(Writes *writes) {
        _Alignas(struct fanotify_event_metadata) char buffer[EVENTS];
        ssize_t n = read(writes->group, buffer, sizeof(buffer));
        const struct fanotify_event_metadata *event = (const void *)buffer;

        for (; n > 0 && FAN_EVENT_OK(event, n); event = FAN_EVENT_NEXT(event, n)) {
                if (event->fd >= 0 || (event->mask & FAN_Q_OVERFLOW))
                        tell(writes, event);
                if (event->fd >= 0)
                        close(event->fd);
        }
}

static void *run(void *userdata) {
        Writes *writes = userdata;
        struct pollfd waiting[] = {{.fd = writes->group, .events = POLLIN},
                                   {.fd = writes->stop, .events = POLLIN}};

        for (;;) {
                int n = poll(waiting, ELEMENTS(waiting), -1);

                if (n < 0 && errno != EINTR)
                        break;
                if (n > 0 && waiting[0].revents)
                        read_events(writes);
                else if (n > 0 && waiting[1].revents) /* nothing is left, or nobody wants it */
                        break;
        }
        unref(writes);
        return NULL;
}

int writes_new(Report *report, Writes **ret) {
        Writes *writes = calloc(1, sizeof(*writes));
        int r = 0;

        if (!writes)
                return -ENOMEM;
        writes->references = 1;
        writes->report = report_ref(report);
        writes->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        writes->group = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
                                      O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME);
        (void)pthread_mutex_init(&writes->lock, NULL);
        if (writes->stop < 0 || writes->group < 0)
                r = -errno;
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
        const uint64_t one = 1;

        if (!writes)
                return NULL;
        (void)!write(writes->stop, &one, sizeof(one));
        unref(writes);
        return NULL;
}

/* A place for DEVNUM: its own, a new one, or that of one which is over. */
static Watched *find_place(Writes *writes, dev_t devnum) {
        for (size_t i = 0; i < writes->n; i++)
                if (writes->volumes[i].devnum == devnum)
                        return &writes->volumes[i];
        if (writes->n < WRITES_VOLUMES_MAX)
                return &writes->volumes[writes->n++];
        for (size_t i = 0; i < writes->n; i++)
                if (!writes->volumes[i].on)
                        return &writes->volumes[i];
        return NULL;
}

/* AS, MOUNT and DEVICE from now on, or again. */
static int take(Writes *writes, const Watched *as, const char *mount, const DeviceIdentity *device) {
        Watched *volume = find_place(writes, as->devnum);

        if (!volume)
                return -ENOSPC;
        if (volume->id != as->id || volume->devnum != as->devnum) {
                device_identity_clear(&volume->device);
                free(volume->mount);
                *volume = *as;
                if (device && device_identity_copy(device, &volume->device) < 0)
                        volume->device = (DeviceIdentity){0};
        }
        if (!volume->mount || strcmp(volume->mount, mount) != 0) {
                free(volume->mount);
                volume->mount = strdup(mount);
        }
        volume->on = true;
        return 0;
}

static int mark(const Writes *writes, unsigned how, const char *mount, dev_t devnum) {
        /* not kept: it would keep the file system from being unmounted */
        CLEANUP_CLOSE int fd = open(mount, O_PATH | O_CLOEXEC | O_NOFOLLOW);
        char link[LINK_TEXT];
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_dev != devnum)
                return -ESTALE;
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        return fanotify_mark(writes->group, how | FAN_MARK_FILESYSTEM, FAN_CLOSE_WRITE, AT_FDCWD, link) < 0
                       ? -errno
                       : 0;
}

int writes_watch(Writes *writes, const char *mount, dev_t devnum, uint32_t id, uint64_t policy_serial,
                 const DeviceIdentity *device) {
        const Watched as = {.devnum = devnum, .id = id, .policy_serial = policy_serial};
        int r;

        (void)pthread_mutex_lock(&writes->lock);
        r = take(writes, &as, mount, device);
        (void)pthread_mutex_unlock(&writes->lock);
        return r < 0 ? r : mark(writes, FAN_MARK_ADD, mount, devnum);
}

void writes_leave(Writes *writes, const char *mount, dev_t devnum) {
        bool on = false;

        (void)pthread_mutex_lock(&writes->lock);
        for (size_t i = 0; i < writes->n; i++)
                if (writes->volumes[i].devnum == devnum && writes->volumes[i].on) {
                        on = true;
                        writes->volumes[i].on = false; /* what was closed before is told yet */
                }
        (void)pthread_mutex_unlock(&writes->lock);
        if (on)
                (void)mark(writes, FAN_MARK_REMOVE, mount, devnum); /* an unmounted one has none any more */
}

uint64_t writes_count(Writes *writes, uint32_t id) {
        uint64_t count = 0;

        (void)pthread_mutex_lock(&writes->lock);
        for (size_t i = 0; i < writes->n; i++)
                if (writes->volumes[i].id == id)
                        count += writes->volumes[i].count;
        (void)pthread_mutex_unlock(&writes->lock);
        return count;
}

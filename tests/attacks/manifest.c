/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manifest.c: everything that can be seen of a tree without its atime, sorted by path. Where a file cannot
 * be read (a guard may refuse that too), that is part of what is seen.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "tests/attacks/harness.h"

enum {
        N_EXTENTS = 32,
        XATTRS_MAX = 65536
};

typedef struct Entry {
        char *path;
        struct stat st;
        uint64_t content, flags, xattrs, extents;
        bool closed; /* could not be read: a guard that cuts a volume off, or lets nobody read, does that */
} Entry;

struct Manifest {
        Entry *entries;
        size_t n, room;
        dev_t device;
};

/* FNV-1a: this compares, and need not withstand anybody who looks for a collision. */
static uint64_t hash(uint64_t value, const void *data, size_t size) {
        const unsigned char *bytes = data;

        for (size_t i = 0; i < size; i++)
                value = (value ^ bytes[i]) * 0x100000001b3U;
        return value;
}

static const uint64_t HASH_START = 0xcbf29ce484222325U;

static int hash_content(int fd, uint64_t *ret) {
        uint64_t value = HASH_START;
        char buffer[16384];
        ssize_t n;

        while ((n = read(fd, buffer, sizeof buffer)) > 0)
                value = hash(value, buffer, (size_t)n);
        *ret = n < 0 ? (uint64_t)errno : value;
        return n < 0 ? -errno : 0;
}

static uint64_t hash_extents(int fd) {
        union {
                struct fiemap map;
                char room[sizeof(struct fiemap) + N_EXTENTS * sizeof(struct fiemap_extent)];
        } u = {.map = {.fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = N_EXTENTS}};
        uint64_t value = HASH_START;

        if (ioctl(fd, FS_IOC_FIEMAP, &u.map) < 0)
                return 0;
        for (unsigned i = 0; i < u.map.fm_mapped_extents; i++) {
                const struct fiemap_extent *e = &u.map.fm_extents[i];
                /* A snapshot makes every block of the volume a shared one. */
                uint64_t numbers[] = {e->fe_logical, e->fe_physical, e->fe_length,
                                      e->fe_flags & ~(unsigned)FIEMAP_EXTENT_SHARED};

                value = hash(value, numbers, sizeof numbers);
        }
        return value;
}

static uint64_t hash_flags(int fd) {
        struct fsxattr more = {0};
        uint64_t value = HASH_START;
        unsigned flags = 0, version = 0;

        if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0)
                value = hash(value, &flags, sizeof flags);
        if (ioctl(fd, FS_IOC_GETVERSION, &version) == 0)
                value = hash(value, &version, sizeof version);
        if (ioctl(fd, FS_IOC_FSGETXATTR, &more) == 0) {
                more.fsx_nextents = 0; /* counts what the extents tell already */
                value = hash(value, &more, sizeof more);
        }
        return value;
}

/* The sum of the hashes of all attributes: their order is nobody's promise. */
static uint64_t hash_xattrs(const char *path) {
        CLEANUP_FREE char *names = malloc(XATTRS_MAX), *value = malloc(XATTRS_MAX);
        ssize_t all = names && value ? llistxattr(path, names, XATTRS_MAX) : -1;
        uint64_t sum = 0;

        for (ssize_t i = 0; i < all; i += (ssize_t)strlen(names + i) + 1) {
                ssize_t n = lgetxattr(path, names + i, value, XATTRS_MAX);
                uint64_t one = hash(HASH_START, names + i, strlen(names + i) + 1);

                sum += n > 0 ? hash(one, value, (size_t)n) : one;
        }
        return sum;
}

static int add(Manifest *m, Entry entry) {
        if (m->n == m->room) {
                size_t room = m->room ? m->room * 2 : 256;
                Entry *more = reallocarray(m->entries, room, sizeof *more);

                if (!more)
                        return -ENOMEM;
                m->entries = more;
                m->room = room;
        }
        m->entries[m->n++] = entry;
        return 0;
}

static int read_tree(Manifest *m, const char *full, const char *relative);

static int read_directory(Manifest *m, int fd, const char *full, const char *relative) {
        CLEANUP_DIR DIR *directory = fdopendir(fd);
        struct dirent *entry;
        int r;

        if (!directory)
                return -errno;
        while ((entry = readdir(directory))) {
                CLEANUP_FREE char *below = NULL, *name = NULL;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (asprintf(&below, "%s/%s", full, entry->d_name) < 0 ||
                    asprintf(&name, "%s%s%s", relative, *relative ? "/" : "", entry->d_name) < 0)
                        return -ENOMEM;
                r = read_tree(m, below, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_tree(Manifest *m, const char *full, const char *relative) {
        Entry entry = {0};
        CLEANUP_CLOSE int fd = -1;
        int r;

        if (lstat(full, &entry.st) < 0)
                return -errno;
        if (!m->device)
                m->device = entry.st.st_dev;
        entry.xattrs = hash_xattrs(full);
        if (S_ISREG(entry.st.st_mode) || S_ISDIR(entry.st.st_mode)) {
                fd = open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                if (fd < 0 && S_ISDIR(entry.st.st_mode))
                        return -errno;
                entry.closed = fd < 0;
                entry.flags = fd < 0 ? 0 : hash_flags(fd);
        }
        if (S_ISREG(entry.st.st_mode)) {
                entry.closed = fd < 0 || hash_content(fd, &entry.content) < 0;
                entry.extents = fd < 0 ? 0 : hash_extents(fd);
        } else if (S_ISLNK(entry.st.st_mode)) {
                char target[PATH_MAX];
                ssize_t n = readlink(full, target, sizeof target);

                entry.content = n < 0 ? (uint64_t)errno : hash(HASH_START, target, (size_t)n);
        }
        entry.path = strdup(relative);
        r = entry.path ? add(m, entry) : -ENOMEM;
        if (r < 0)
                return r;
        if (S_ISDIR(entry.st.st_mode) && fd >= 0 && entry.st.st_dev == m->device)
                return read_directory(m, STEAL_FD(fd), full, relative);
        return 0;
}

static int by_path(const void *a, const void *b) {
        return strcmp(((const Entry *)a)->path, ((const Entry *)b)->path);
}

int manifest_read(const char *directory, Manifest **ret) {
        CLEANUP_MANIFEST Manifest *m = calloc(1, sizeof *m);
        int r;

        if (!m)
                return -ENOMEM;
        r = read_tree(m, directory, "");
        if (r < 0)
                return r;
        if (m->n > 0)
                qsort(m->entries, m->n, sizeof *m->entries, by_path);
        *ret = STEAL_PTR(m);
        return 0;
}

void manifest_free(Manifest *m) {
        for (size_t i = 0; i < m->n; i++)
                free(m->entries[i].path);
        free(m->entries);
        free(m);
}

static bool same_time(struct timespec a, struct timespec b) {
        return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* What differs, or NULL. */
static const char *difference(const Entry *a, const Entry *b) {
        if (a->closed || b->closed)
                return NULL; /* what is seen of it is the kernel's memory, and the medium need not have it */
        if (a->st.st_mode != b->st.st_mode)
                return "mode";
        if (a->st.st_ino != b->st.st_ino || a->st.st_rdev != b->st.st_rdev)
                return "inode";
        if (a->st.st_nlink != b->st.st_nlink)
                return "links";
        if (a->st.st_uid != b->st.st_uid || a->st.st_gid != b->st.st_gid)
                return "owner";
        if (a->st.st_size != b->st.st_size)
                return "size";
        if (a->content != b->content)
                return "content";
        if (a->xattrs != b->xattrs)
                return "attributes";
        if (a->flags != b->flags)
                return "flags";
        if (a->st.st_blocks != b->st.st_blocks || a->extents != b->extents)
                return "blocks";
        if (!same_time(a->st.st_mtim, b->st.st_mtim))
                return "mtime";
        if (!same_time(a->st.st_ctim, b->st.st_ctim))
                return "ctime";
        return NULL;
}

size_t manifest_compare(const Manifest *before, const Manifest *after,
                        void (*found)(const char *path, const char *what, void *arg), void *arg) {
        size_t i = 0, j = 0, differences = 0;

        while (i < before->n || j < after->n) {
                const Entry *a = i < before->n ? &before->entries[i] : NULL,
                            *b = j < after->n ? &after->entries[j] : NULL;
                int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
                const char *what = order < 0 ? "gone" : order > 0 ? "new" : difference(a, b);

                if (what) {
                        found(order > 0 && b ? b->path : a ? a->path : "", what, arg);
                        differences++;
                }
                i += order <= 0;
                j += order >= 0;
        }
        return differences;
}

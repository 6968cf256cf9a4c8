/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mount/writers.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/file.h"
#include "agent/mount/mountinfo.h"
#include "policy/scope.h"

enum {
        END_DEADLINE_MSEC = 1000
};

typedef struct Search {
        dev_t devnum;       /* the superblock's ... */
        const dev_t *nodes; /* ... or these device nodes */
        size_t n_nodes;
        pid_t pid;
        MountTable mounts; /* of that process; read when it is needed */
        int found;
        void (*f)(void *userdata, const Writer *writer);
        void *userdata;
} Search;

static void found(Search *search, bool mapped, const char *path) {
        Writer writer = {.pid = search->pid, .mapped = mapped, .path = path};

        search->found++;
        search->f(search->userdata, &writer);
}

/* Whether fdinfo says that the descriptor may write, and on which mount it was opened (-1: not told). */
static bool opened_for_writing(int proc_pid, const char *fd, int *ret_mount) {
        char name[NAME_MAX + 8], text[1024];
        const char *flags, *mount;

        snprintf(name, sizeof(name), "fdinfo/%s", fd);
        /* what does not fit (an eventpoll's list) comes after the flags: too long is no regular file */
        if (file_read_small(proc_pid, name, text, sizeof(text)) < 0)
                return false;
        flags = strstr(text, "flags:");
        mount = strstr(text, "mnt_id:");
        *ret_mount = mount ? (int)strtol(mount + strlen("mnt_id:"), NULL, 10) : -1;
        return flags && (strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE) != O_RDONLY;
}

static DIR *open_directory_at(int at, const char *name) {
        int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

        if (!dir && fd >= 0)
                close(fd);
        return dir;
}

static FILE *open_file_at(int at, const char *name) {
        int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
        FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;

        if (!f && fd >= 0)
                close(fd);
        return f;
}

/* A volume of several subvolumes (btrfs) gives their files other device numbers than the mount table has,
 * all without a major number; there the descriptor's mount tells which superblock it is. */
static bool may_be_on_superblock(const Search *search, const struct statx *st) {
        return makedev(st->stx_dev_major, st->stx_dev_minor) == search->devnum ||
               (st->stx_dev_major == 0 && major(search->devnum) == 0);
}

static bool is_on_superblock(Search *search, int proc_pid, const struct statx *st, int mount) {
        if (makedev(st->stx_dev_major, st->stx_dev_minor) == search->devnum)
                return true;
        if (mount < 0)
                return false;
        if (!search->mounts.entries) {
                char path[64];

                snprintf(path, sizeof(path), "/proc/self/fd/%d/mountinfo", proc_pid);
                if (mountinfo_read(path, &search->mounts) < 0)
                        return false;
        }
        for (size_t i = 0; i < search->mounts.n; i++)
                if (search->mounts.entries[i].id == mount)
                        return search->mounts.entries[i].devnum == search->devnum;
        return false;
}

static bool is_node(const Search *search, const struct statx *st) {
        for (size_t i = 0; i < search->n_nodes && S_ISBLK(st->stx_mode); i++)
                if (search->nodes[i] == makedev(st->stx_rdev_major, st->stx_rdev_minor))
                        return true;
        return false;
}

/* Whether the descriptor is one of what is looked for, and may write. */
static bool is_wanted(Search *search, int proc_pid, const char *fd, const struct statx *st) {
        int mount;

        if (search->nodes)
                return is_node(search, st) && opened_for_writing(proc_pid, fd, &mount);
        return S_ISREG(st->stx_mode) && may_be_on_superblock(search, st) &&
               opened_for_writing(proc_pid, fd, &mount) && is_on_superblock(search, proc_pid, st, mount);
}

static void search_descriptors(Search *search, int proc_pid) {
        CLEANUP_DIR DIR *dir = open_directory_at(proc_pid, "fd");
        const struct dirent *entry;

        if (!dir)
                return;
        while ((entry = readdir(dir))) {
                char path[PATH_MAX];
                struct statx st;
                ssize_t n;

                if (!isdigit((unsigned char)entry->d_name[0]))
                        continue;
                /* AT_STATX_DONT_SYNC: what the kernel remembers will do, a server need not be asked */
                if (statx(dirfd(dir), entry->d_name, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0 ||
                    !is_wanted(search, proc_pid, entry->d_name, &st))
                        continue;
                n = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path) - 1);
                path[n > 0 ? n : 0] = '\0';
                found(search, false, path);
        }
}

/* Lines of /proc/PID/maps: "from-to rw-s offset major:minor inode   path". */
static void search_mappings(Search *search, int proc_pid) {
        CLEANUP_FILE FILE *f = open_file_at(proc_pid, "maps");
        CLEANUP_FREE char *line = NULL;
        size_t size = 0;

        if (!f)
                return;
        while (getline(&line, &size, f) > 0) {
                unsigned maj, min;
                char permissions[5];
                const char *path = strchr(line, '/');

                if (sscanf(line, "%*x-%*x %4s %*x %x:%x", permissions, &maj, &min) != 3)
                        continue;
                if (permissions[3] != 's' || makedev(maj, min) != search->devnum)
                        continue;
                /* a shared mapping that is read-only now may have been made from a writable descriptor and
                 * be made writable later; where the file was opened read-only it counts for nothing */
                if (permissions[1] != 'w')
                        continue;
                line[strcspn(line, "\n")] = '\0';
                found(search, true, path ? path : "");
        }
}

static int search_all(Search *search) {
        CLEANUP_DIR DIR *proc = opendir("/proc");
        const struct dirent *entry;

        if (!proc)
                return -errno;
        while ((entry = readdir(proc))) {
                CLEANUP_CLOSE int proc_pid = -1;

                if (!isdigit((unsigned char)entry->d_name[0]))
                        continue;
                proc_pid = openat(dirfd(proc), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (proc_pid < 0)
                        continue;
                search->pid = (pid_t)strtol(entry->d_name, NULL, 10);
                search_descriptors(search, proc_pid);
                if (!search->nodes)
                        search_mappings(search, proc_pid);
                mount_table_clear(&search->mounts);
        }
        return search->found;
}

int writers_foreach(dev_t devnum, void (*f)(void *userdata, const Writer *writer), void *userdata) {
        Search search = {.devnum = devnum, .f = f, .userdata = userdata};

        return search_all(&search);
}

int writers_foreach_node(const dev_t *nodes, size_t n, void (*f)(void *userdata, const Writer *writer),
                         void *userdata) {
        Search search = {.nodes = nodes, .n_nodes = n, .f = f, .userdata = userdata};

        return n > 0 ? search_all(&search) : 0;
}

int writer_end(pid_t pid) {
        CLEANUP_CLOSE int process = pidfd_open(pid, 0);
        struct pollfd ended = {.fd = process, .events = POLLIN};

        if (process < 0 || pidfd_send_signal(process, SIGKILL, NULL, 0) < 0)
                return errno == ESRCH ? 0 : -errno;
        return poll(&ended, 1, END_DEADLINE_MSEC) == 1 ? 0 : -ETIMEDOUT;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_before.c: what was there before the guard: descriptors, mappings, handles, others who hold them.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/attacks/attacks.h"

static int keep(Attempt *a, int fd) {
        a->kept = fd;
        return fd < 0 ? fd : 0;
}

static int prepare_writer(Attempt *a) {
        return keep(a, sys(open(at(a, "file").s, O_RDWR | O_CLOEXEC)));
}

static int prepare_reader(Attempt *a) {
        return keep(a, open_read(a, "file"));
}

static int prepare_path(Attempt *a) {
        return keep(a, sys(open(at(a, "file").s, O_PATH | O_CLOEXEC)));
}

static int prepare_directory(Attempt *a) {
        return keep(a, open_read(a, "."));
}

static int prepare_direct(Attempt *a) {
        return keep(a, sys(open(at(a, "file").s, O_RDWR | O_DIRECT | O_CLOEXEC)));
}

static int prepare_temporary_file(Attempt *a) {
        return keep(a, sys(open(at(a, ".").s, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)));
}

static int attack_write(Attempt *a) {
        return smuggle(a, a->kept);
}

static int attack_direct(Attempt *a) {
        return smuggle_sector(a, a->kept, 0);
}

static int attack_truncate(Attempt *a) {
        return ftruncate(a->kept, 3) < 0 ? -errno : opened(a->kept);
}

static int attack_preallocate(Attempt *a) {
        return unless_unknown(a, sys(fallocate(a->kept, 0, 0, FILE_SIZE * 4L)),
                              "the file system cannot do that");
}

static int attack_punch_hole(Attempt *a) {
        return unless_unknown(
                a, sys(fallocate(a->kept, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096)),
                "the file system cannot do that");
}

static int attack_copy_range(Attempt *a) {
        CLEANUP_CLOSE int from = marker_file(a, FILE_SIZE);

        if (from < 0)
                return from;
        if (copy_file_range(from, NULL, a->kept, NULL, FILE_SIZE, 0) < 0)
                return errno == EXDEV ? impossible(a, "the kernel does not copy between these file systems")
                                      : -errno;
        return opened(a->kept);
}

static int attack_sendfile(Attempt *a) {
        CLEANUP_CLOSE int from = marker_file(a, FILE_SIZE);

        if (from < 0)
                return from;
        return sendfile(a->kept, from, NULL, FILE_SIZE) < 0 ? -errno : opened(a->kept);
}

/* A page of the file that is written through a mapping; the descriptor is closed long since. */
static int prepare_mapping(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_RDWR | O_CLOEXEC));

        if (fd < 0)
                return fd;
        a->map = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        return a->map == MAP_FAILED ? -errno : 0;
}

static int attack_mapping(Attempt *a) {
        CLEANUP_CLOSE int fd = -1;
        struct iovec from = {a->marker, MARKER_LENGTH}, to = {a->map, MARKER_LENGTH};

        /* A page that nobody may write to any more kills whoever tries; asked like this, the kernel says no.
         */
        if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != MARKER_LENGTH)
                return -errno;
        if (msync(a->map, FILE_SIZE, MS_SYNC) < 0)
                return -errno;
        /* msync() has nothing to say of a file system that was cut off; a reader of the file has. */
        fd = open_read(a, "file");
        return fd < 0 ? fd : sys(fsync(fd));
}

/* For reading before the guard, for writing after: the mapping was made of a descriptor that could write. */
static int prepare_closed_mapping(Attempt *a) {
        int r = prepare_mapping(a);

        return r < 0 ? r : sys(mprotect(a->map, FILE_SIZE, PROT_NONE));
}

static int attack_mapping_opened_up(Attempt *a) {
        if (mprotect(a->map, FILE_SIZE, PROT_READ | PROT_WRITE) < 0)
                return -errno;
        return attack_mapping(a);
}

static int attack_reopen(Attempt *a) {
        return smuggle(a, sys(open(proc_fd(a->kept).s, O_WRONLY | O_CLOEXEC)));
}

static int attack_create_in_directory(Attempt *a) {
        return smuggle(a, sys(openat(a->kept, a->marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

static int attack_name_in_directory(Attempt *a) {
        int r = sys(mkdirat(a->kept, a->marker, 0700));

        return r < 0 ? r : opened(a->kept);
}

static int attack_temporary_file(Attempt *a) {
        return smuggle_much(a, a->kept, MUCH);
}

static int attack_temporary_file_linked(Attempt *a) {
        int r = sys(linkat(AT_FDCWD, proc_fd(a->kept).s, AT_FDCWD, new_name(a).s, AT_SYMLINK_FOLLOW));

        return r < 0 ? r : smuggle(a, a->kept);
}

static int prepare_handle(Attempt *a) {
        struct file_handle *handle = (struct file_handle *)a->handle;
        int mount_id;

        handle->handle_bytes = MAX_HANDLE_SZ;
        if (name_to_handle_at(AT_FDCWD, at(a, "file").s, handle, &mount_id, 0) < 0)
                return unless_unknown(a, -errno, "the file system has no handles");
        return keep(a, open_read(a, "."));
}

static int attack_handle(Attempt *a) {
        return smuggle(
                a, sys(open_by_handle_at(a->kept, (struct file_handle *)a->handle, O_WRONLY | O_CLOEXEC)));
}

/* Somebody who has the file open for writing as descriptor 100, and does nothing else. */
enum {
        HELD = 100
};

static int prepare_holder(Attempt *a) {
        int ready[2];
        bool holds;
        char byte;

        if (pipe2(ready, O_CLOEXEC) < 0)
                return -errno;
        a->holder = fork();
        if (a->holder < 0)
                return -errno;
        if (a->holder == 0) {
                int fd = open(at(a, "file").s, O_RDWR | O_CLOEXEC);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (fd < 0 || dup2(fd, HELD) < 0 || write(ready[1], "", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        close(ready[1]);
        holds = read(ready[0], &byte, 1) == 1;
        close(ready[0]);
        return holds ? 0 : -EACCES;
}

static int attack_taken_descriptor(Attempt *a) {
        CLEANUP_CLOSE int pidfd = sys(syscall(SYS_pidfd_open, a->holder, 0));

        return pidfd < 0 ? pidfd : smuggle(a, sys(syscall(SYS_pidfd_getfd, pidfd, HELD, 0)));
}

static int attack_reopened_descriptor_of_another(Attempt *a) {
        Path path = {0};

        snprintf(path.s, sizeof path.s, "/proc/%d/fd/%d", (int)a->holder, HELD);
        return smuggle(a, sys(open(path.s, O_WRONLY | O_CLOEXEC)));
}

/* A descriptor that lies in a socket's queue while the guard comes: no process has it. */
static int prepare_queued(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_WRONLY | O_CLOEXEC)), in = -1, out = -1;
        union {
                char room[CMSG_SPACE(sizeof(int))];
                struct cmsghdr header;
        } u = {0};
        char byte = 0;
        struct iovec vector = {&byte, 1};
        struct msghdr message = {
                .msg_iov = &vector, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof u.room};
        int pair[2];

        if (fd < 0)
                return fd;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        in = pair[0];
        out = pair[1];
        u.header = (struct cmsghdr){
                .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&u.header), &fd, sizeof fd);
        if (sendmsg(in, &message, 0) < 0)
                return -errno;
        return keep(a, STEAL_FD(out));
}

static int attack_queued(Attempt *a) {
        union {
                char room[CMSG_SPACE(sizeof(int))];
                struct cmsghdr header;
        } u = {0};
        char byte;
        struct iovec vector = {&byte, 1};
        struct msghdr message = {
                .msg_iov = &vector, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof u.room};
        int fd;

        if (recvmsg(a->kept, &message, MSG_CMSG_CLOEXEC) < 0)
                return -errno;
        if (!CMSG_FIRSTHDR(&message))
                return -EBADF;
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
        return smuggle(a, fd);
}

static int prepare_node(Attempt *a) {
        return keep(a, sys(open(a->volume->node, O_RDWR | O_CLOEXEC)));
}

static int attack_node(Attempt *a) {
        return smuggle_sector(a, a->kept, a->block);
}

static const Attack list[] = {
        {"before-write", 0, prepare_writer, attack_write},
        {"before-write-direct", 0, prepare_direct, attack_direct},
        {"before-truncate", 0, prepare_writer, attack_truncate},
        {"before-preallocate", 0, prepare_writer, attack_preallocate},
        {"before-punch-hole", 0, prepare_writer, attack_punch_hole},
        {"before-copy-range", 0, prepare_writer, attack_copy_range},
        {"before-sendfile", 0, prepare_writer, attack_sendfile},
        {"before-mapping", 0, prepare_mapping, attack_mapping},
        {"before-mapping-opened-up", 0, prepare_closed_mapping, attack_mapping_opened_up},
        {"before-reader-reopened", 0, prepare_reader, attack_reopen},
        {"before-path-reopened", 0, prepare_path, attack_reopen},
        {"before-directory-create", 0, prepare_directory, attack_create_in_directory},
        {"before-directory-name", 0, prepare_directory, attack_name_in_directory},
        {"before-temporary-file", TRACES_FADE, prepare_temporary_file, attack_temporary_file},
        {"before-temporary-file-linked", 0, prepare_temporary_file, attack_temporary_file_linked},
        {"before-handle", NEEDS_ROOT, prepare_handle, attack_handle},
        {"before-taken-descriptor", 0, prepare_holder, attack_taken_descriptor},
        {"before-descriptor-of-another", 0, prepare_holder, attack_reopened_descriptor_of_another},
        {"before-queued-descriptor", 0, prepare_queued, attack_queued},
        {"before-node", NEEDS_NODE, prepare_node, attack_node},
};
ATTACK_TABLE(attacks_before, list);

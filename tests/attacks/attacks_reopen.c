/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_reopen.c: opens by something else than a path: handles, /proc, descriptors that others hand over.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/attacks/attacks.h"

static int reopen(const Attempt *a, int flags) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, flags | O_CLOEXEC));

        return fd < 0 ? fd : smuggle(a, sys(open(proc_fd(fd).s, O_RDWR | O_CLOEXEC)));
}

static int attack_reopen_reader(Attempt *a) {
        return reopen(a, O_RDONLY);
}

static int attack_reopen_path(Attempt *a) {
        return reopen(a, O_PATH);
}

static int attack_reopen_truncating(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");

        return fd < 0 ? fd : opened(sys(open(proc_fd(fd).s, O_WRONLY | O_TRUNC | O_CLOEXEC)));
}

static int attack_truncate_through_proc(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");

        return fd < 0 ? fd : sys(truncate(proc_fd(fd).s, 3));
}

static int attack_through_working_directory(Attempt *a) {
        if (chdir(at(a, ".").s) < 0)
                return -errno;
        return smuggle(a, sys(open("/proc/self/cwd/file", O_WRONLY | O_CLOEXEC)));
}

static int attack_through_root_of_process(Attempt *a) {
        Path path = {0};

        snprintf(path.s, sizeof path.s, "/proc/self/root/%.3000s", at(a, "file").s);
        return smuggle(a, sys(open(path.s, O_WRONLY | O_CLOEXEC)));
}

static int attack_create_through_proc(Attempt *a) {
        CLEANUP_CLOSE int directory = open_read(a, ".");
        Path path = {0};

        if (directory < 0)
                return directory;
        snprintf(path.s, sizeof path.s, "%.32s/%s", proc_fd(directory).s, a->marker);
        return smuggle(a, sys(open(path.s, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

static int attack_open_by_handle(Attempt *a) {
        struct file_handle *handle = (struct file_handle *)a->handle;
        CLEANUP_CLOSE int mount = sys(open(at(a, ".").s, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        int mount_id;

        if (mount < 0)
                return mount;
        handle->handle_bytes = MAX_HANDLE_SZ;
        if (name_to_handle_at(AT_FDCWD, at(a, "file").s, handle, &mount_id, 0) < 0)
                return unless_unknown(a, -errno, "the file system has no handles");
        return smuggle(a, sys(open_by_handle_at(mount, handle, O_WRONLY | O_CLOEXEC)));
}

/* Sends or takes one descriptor. */
static int pass(int socket, int fd) {
        union {
                char room[CMSG_SPACE(sizeof(int))];
                struct cmsghdr header;
        } u = {0};
        char byte = 0;
        struct iovec vector = {&byte, 1};
        struct msghdr message = {
                .msg_iov = &vector, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof u.room};

        u.header = (struct cmsghdr){
                .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&u.header), &fd, sizeof fd);
        return sendmsg(socket, &message, 0) < 0 ? -errno : 0;
}

static int take(int socket) {
        union {
                char room[CMSG_SPACE(sizeof(int))];
                struct cmsghdr header;
        } u = {0};
        char byte;
        struct iovec vector = {&byte, 1};
        struct msghdr message = {
                .msg_iov = &vector, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof u.room};
        int fd = -1;

        if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0)
                return -errno;
        if (!CMSG_FIRSTHDR(&message))
                return -EACCES; /* the other side got none to send */
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
        return fd;
}

/* Another process opens NAME with FLAGS and hands it over. */
static int from_another(const Attempt *a, int flags) {
        CLEANUP_CLOSE int ours = -1, theirs = -1;
        int pair[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                int fd = open(at(a, "file").s, flags | O_CLOEXEC);

                _exit(fd < 0 ? errno : -pass(theirs, fd));
        }
        close(STEAL_FD(theirs));
        int fd = take(ours), status;

        if (waitpid(pid, &status, 0) < 0)
                return -errno;
        if (fd < 0 && WIFEXITED(status) && WEXITSTATUS(status))
                return -WEXITSTATUS(status);
        return fd;
}

static int attack_passed_descriptor(Attempt *a) {
        return smuggle(a, from_another(a, O_WRONLY));
}

static int attack_passed_reader_reopened(Attempt *a) {
        CLEANUP_CLOSE int fd = from_another(a, O_RDONLY);

        return fd < 0 ? fd : smuggle(a, sys(open(proc_fd(fd).s, O_WRONLY | O_CLOEXEC)));
}

/* The opener shares its descriptors with its parent, and is gone before anything is written. */
static int attack_shared_descriptor_table(Attempt *a) {
        long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
        int status;

        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(open(at(a, "file").s, O_WRONLY) < 0 ? errno : 0);
        if (waitpid((pid_t)pid, &status, 0) < 0)
                return -errno;
        if (!WIFEXITED(status) || WEXITSTATUS(status))
                return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
        for (int fd = 3; fd < 64; fd++)
                if (write(fd, a->marker, 0) == 0 && lseek(fd, 0, SEEK_END) == FILE_SIZE)
                        return smuggle(a, fd);
        return -EBADF;
}

/* No process on its own: init, or who has that duty, is its parent. */
static int attack_orphan(Attempt *a) {
        pid_t pid;
        int results[2], r = -ECHILD;

        if (pipe2(results, O_CLOEXEC) < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                if (fork() == 0) {
                        setsid();
                        r = write_file(a, "file");
                        _exit(write(results[1], &r, sizeof r) < 0);
                }
                _exit(0);
        }
        close(results[1]);
        if (pid < 0 || read(results[0], &r, sizeof r) != sizeof r)
                r = -ECHILD;
        close(results[0]);
        if (pid > 0 && waitpid(pid, NULL, 0) < 0)
                return -errno;
        return r;
}

static const Attack list[] = {
        {"reopen-reader", 0, NULL, attack_reopen_reader},
        {"reopen-path", 0, NULL, attack_reopen_path},
        {"reopen-truncating", 0, NULL, attack_reopen_truncating},
        {"truncate-through-proc", 0, NULL, attack_truncate_through_proc},
        {"through-working-directory", 0, NULL, attack_through_working_directory},
        {"through-root-of-process", 0, NULL, attack_through_root_of_process},
        {"create-through-proc", 0, NULL, attack_create_through_proc},
        {"open-by-handle", NEEDS_ROOT, NULL, attack_open_by_handle},
        {"passed-descriptor", 0, NULL, attack_passed_descriptor},
        {"passed-reader-reopened", 0, NULL, attack_passed_reader_reopened},
        {"shared-descriptor-table", 0, NULL, attack_shared_descriptor_table},
        {"orphan", 0, NULL, attack_orphan},
};
ATTACK_TABLE(attacks_reopen, list);

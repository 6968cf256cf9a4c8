/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/selftest/attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/scope.h"
#include "policy/translate.h"

enum {
        WRITE_AT = 32 * 1024 /* where the file system has nothing */
};

static int outcome(int result) {
        return result < 0 ? errno : 0;
}

static void try_node(const char *node, Attempts *made) {
        static const char text[512] = "sekisho self-test: this must not be written";
        int fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        made->raw_open = outcome(fd);
        if (fd < 0)
                return;
        made->raw_write = outcome(pwrite(fd, text, sizeof(text), WRITE_AT) < 0 ? -1 : fsync(fd));
        close(fd);
}

static void try_names(int directory, Attempts *made) {
        int fd = openat(directory, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        made->create = outcome(fd);
        if (fd >= 0)
                close(fd);
        made->make_directory = outcome(mkdirat(directory, "directory", 0700));
}

static void try_files(const char *node, const char *directory, Attempts *made) {
        const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
        int fd;

        made->space = outcome(unshare(CLONE_NEWNS));
        if (made->space == 0)
                made->space = outcome(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        if (made->space != 0)
                return;
        made->mount_write = outcome(mount(node, directory, "ext4", flags, NULL));
        if (made->mount_write != 0) {
                made->mount_read = outcome(mount(node, directory, "ext4", flags | MS_RDONLY, NULL));
                if (made->mount_read != 0)
                        return;
                made->make_write = outcome(mount(NULL, directory, NULL, flags | MS_REMOUNT, NULL));
        }
        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return;
        try_names(fd, made);
        close(fd);
        (void)umount2(directory, MNT_DETACH);
}

void attempts_make(const char *node, const char *directory, Attempts *ret) {
        *ret = (Attempts){ATTEMPT_NONE, ATTEMPT_NONE, ATTEMPT_NONE, ATTEMPT_NONE,
                          ATTEMPT_NONE, ATTEMPT_NONE, ATTEMPT_NONE, ATTEMPT_NONE};
        try_node(node, ret);
        try_files(node, directory, ret);
}

bool attempt_was_refused(int error) {
        return error == EPERM || error == EACCES || error == EROFS;
}

static Probed judge(int error, const char *what, const char **ret_what, int *ret_why) {
        *ret_what = what;
        *ret_why = error > 0 ? error : 0;
        return error == 0 ? PROBED_FAILED : attempt_was_refused(error) ? PROBED_PASSED : PROBED_NOT;
}

Probed attempts_raw(const Attempts *made, const char **ret_what, int *ret_why) {
        if (made->raw_open == 0)
                return judge(made->raw_write, N_("raw write"), ret_what, ret_why);
        return judge(made->raw_open, N_("opening the disk for writing"), ret_what, ret_why);
}

/* A mount for reading that cannot be had proves nothing; whatever could be written disproves everything. */
Probed attempts_files(const Attempts *made, const char **ret_what, int *ret_why) {
        Probed created;

        if (made->space != 0) {
                (void)judge(made->space, N_("a mount namespace of its own"), ret_what, ret_why);
                return PROBED_NOT;
        }
        if (made->mount_write != 0 && made->mount_read != 0) {
                (void)judge(made->mount_read, N_("mounting the disk for reading"), ret_what, ret_why);
                return PROBED_NOT;
        }
        created = judge(made->create, N_("making a file"), ret_what, ret_why);
        if (created != PROBED_PASSED)
                return created;
        return judge(made->make_directory, N_("making a directory"), ret_what, ret_why);
}

Probed attempt_connection(const char *address, uint32_t mark, int *ret_why) {
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(ATTEMPT_PORT)};
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(ATTEMPT_PORT)};
        bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
        const struct sockaddr *to = is_six ? (const struct sockaddr *)&six : (const struct sockaddr *)&four;
        socklen_t size = is_six ? sizeof(six) : sizeof(four);
        const char *what;
        int error;

        if (!is_six && inet_pton(AF_INET, address, &four.sin_addr) != 1)
                error = EINVAL;
        else {
                CLEANUP_CLOSE int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

                error = fd < 0 ? errno : 0;
                if (error == 0 && mark != 0) /* without it the try is recorded, which is all */
                        (void)setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
                if (error == 0)
                        error = outcome(connect(fd, to, size));
                if (error == 0)
                        error = outcome((int)send(fd, "", 1, MSG_NOSIGNAL));
        }
        return judge(error, "", &what, ret_why);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long it takes from the kernel's message of a device until something holds. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/loop.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"
#include "policy/scope.h"

enum {
        PLUG_SECONDS = 60, /* until somebody has plugged something in */
        MESSAGE_MAX = 8192,
};

/* 0 once sysfs says that the device is read-only, or -errno. */
static int await_read_only(long number, int64_t until) {
        CLEANUP_CLOSE int fd = -1;
        char path[64];

        snprintf(path, sizeof(path), "/sys/block/loop%ld/ro", number);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        while (now_ns() < until) {
                char flag = '0';

                if (pread(fd, &flag, 1, 0) < 0)
                        return -errno;
                if (flag == '1')
                        return 0;
                pause_ns(POLL_NS);
        }
        return -ETIME;
}

static int open_loop(long number) {
        char path[64];

        snprintf(path, sizeof(path), "/dev/loop%ld", number);
        for (int64_t until = deadline_ns(); now_ns() < until;) {
                int fd = open(path, O_RDWR | O_CLOEXEC);

                if (fd >= 0)
                        return fd;
                if (errno != ENOENT && errno != ENXIO)
                        return -errno;
                pause_ns(POLL_NS);
        }
        return -ETIME;
}

/* Away with the number too, since the kernel keeps the read-only flag for its next user; others may look at
 * it for a moment yet. */
static int remove_loop(int control, long number) {
        for (int64_t until = deadline_ns(); now_ns() < until;) {
                if (ioctl(control, LOOP_CTL_REMOVE, number) >= 0 || errno == ENODEV)
                        return 0;
                if (errno != EBUSY)
                        return -errno;
                pause_ns(POLL_NS);
        }
        return -ETIME;
}

static int hold_once(long number, int image, int64_t *ret) {
        CLEANUP_CLOSE int device = -1;
        struct loop_config config = {.fd = (uint32_t)image};
        int64_t start;
        int r;

        device = open_loop(number);
        if (device < 0)
                return device;
        if (ioctl(device, LOOP_CONFIGURE, &config) < 0)
                return -errno;
        start = now_ns();
        r = await_read_only(number, deadline_ns());
        *ret = now_ns() - start;
        ioctl(device, LOOP_CLR_FD, 0);
        return r;
}

int measure_hold(long number, const char *path, long count) {
        CLEANUP_CLOSE int control = -1;
        CLEANUP_CLOSE int image = -1;

        control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        if (control < 0)
                return failed("/dev/loop-control", errno);
        image = open(path, O_RDWR | O_CLOEXEC);
        if (image < 0)
                return failed(path, errno);
        for (long i = 0; i < count; i++) {
                int64_t took = 0;
                int r, removed;

                if (ioctl(control, LOOP_CTL_ADD, number) < 0)
                        return failed("LOOP_CTL_ADD", errno);
                r = hold_once(number, image, &took);
                removed = remove_loop(control, number);
                if (r < 0)
                        return failed("the device is not held", r);
                if (removed < 0)
                        return failed("LOOP_CTL_REMOVE", removed);
                printf("%" PRId64 "\n", took);
        }
        return EXIT_SUCCESS;
}

/* Whether the kernel's message has this property; it is strings with a zero behind each. */
static bool has(const char *message, size_t length, const char *name, const char *value) {
        char wanted[128];

        snprintf(wanted, sizeof(wanted), "%s=%s", name, value);
        for (size_t at = 0; at < length; at += strlen(message + at) + 1)
                if (strcmp(message + at, wanted) == 0)
                        return true;
        return false;
}

/* The first part of a kernel's message is ACTION@PATH. Source: lib/kobject_uevent.c. */
static int await_added(int kernel, const char *subsystem, const char *type, char path[PATH_MAX],
                       int64_t *ret_when) {
        for (int64_t until = now_ns() + PLUG_SECONDS * (int64_t)1000000000; now_ns() < until;) {
                struct pollfd ready = {.fd = kernel, .events = POLLIN};
                char message[MESSAGE_MAX + 1];
                ssize_t n;

                if (poll(&ready, 1, 1000) <= 0)
                        continue;
                n = recv(kernel, message, MESSAGE_MAX, 0);
                if (n < 0 && errno == ENOBUFS)
                        continue;
                if (n < 0)
                        return -errno;
                *ret_when = now_ns();
                message[n] = '\0';
                if (strncmp(message, "add@", 4) == 0 && has(message, (size_t)n, "SUBSYSTEM", subsystem) &&
                    has(message, (size_t)n, "DEVTYPE", type))
                        return snprintf(path, PATH_MAX, "/sys%s", message + 4) < PATH_MAX ? 0
                                                                                          : -ENAMETOOLONG;
        }
        return -ETIME;
}

/* Until the attribute has VALUE. 0 or -errno. */
static int await_value(int attribute, const char *value) {
        size_t length = strlen(value);

        for (int64_t until = deadline_ns(); now_ns() < until; pause_ns(POLL_NS)) {
                char text[64] = "";

                if (pread(attribute, text, sizeof(text) - 1, 0) < 0)
                        return -errno;
                if (strncmp(text, value, length) == 0 && (text[length] == '\n' || text[length] == '\0'))
                        return 0;
        }
        return -ETIME;
}

int measure_uevent(const char *subsystem, const char *type, const char *name, const char *const *values) {
        struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
        CLEANUP_CLOSE int kernel = -1;
        CLEANUP_CLOSE int attribute = -1;
        char path[PATH_MAX], file[PATH_MAX + 64];
        int64_t start = 0;
        int r;

        kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        if (kernel < 0 || bind(kernel, (struct sockaddr *)&address, sizeof(address)) < 0)
                return failed("kernel's messages", errno);
        puts("listening");
        fflush(stdout);
        r = await_added(kernel, subsystem, type, path, &start);
        if (r < 0)
                return failed("nothing was plugged in", r);
        snprintf(file, sizeof(file), "%s/%s", path, name);
        attribute = open(file, O_RDONLY | O_CLOEXEC);
        if (attribute < 0)
                return failed(file, errno);
        for (; *values; values++) {
                r = await_value(attribute, *values);
                if (r < 0)
                        return failed(file, r);
        }
        printf("%" PRId64 "\n", now_ns() - start);
        return EXIT_SUCCESS;
}

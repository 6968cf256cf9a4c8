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
        /* goes with its last user: to a held disk the guard refuses the call that would end it */
        struct loop_config config = {.fd = (uint32_t)image, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
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

typedef struct Added {
        char path[PATH_MAX]; /* in sysfs */
        char node[PATH_MAX]; /* in /dev, if it has one */
        int64_t when;
} Added;

static void read_node(const char *message, size_t length, Added *ret) {
        const char name[] = "DEVNAME=";

        ret->node[0] = '\0';
        for (size_t at = 0; at < length; at += strlen(message + at) + 1)
                if (strncmp(message + at, name, strlen(name)) == 0)
                        snprintf(ret->node, sizeof(ret->node), "/dev/%s", message + at + strlen(name));
}

/* Says that it listens, and waits for a device of that kind. The first part of a kernel's message is
 * ACTION@PATH. Source: lib/kobject_uevent.c. */
static int await_added(const char *subsystem, const char *type, Added *ret) {
        struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
        CLEANUP_CLOSE int kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

        if (kernel < 0 || bind(kernel, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        puts("listening");
        fflush(stdout);
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
                ret->when = now_ns();
                message[n] = '\0';
                if (strncmp(message, "add@", 4) != 0 || !has(message, (size_t)n, "SUBSYSTEM", subsystem) ||
                    !has(message, (size_t)n, "DEVTYPE", type))
                        continue;
                read_node(message, (size_t)n, ret);
                return snprintf(ret->path, sizeof(ret->path), "/sys%s", message + 4) < PATH_MAX
                               ? 0
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
        CLEANUP_CLOSE int attribute = -1;
        char file[PATH_MAX + 64];
        Added added = {0};
        int r;

        r = await_added(subsystem, type, &added);
        if (r < 0)
                return failed("nothing was plugged in", r);
        snprintf(file, sizeof(file), "%s/%s", added.path, name);
        attribute = open(file, O_RDONLY | O_CLOEXEC);
        if (attribute < 0)
                return failed(file, errno);
        for (; *values; values++) {
                r = await_value(attribute, *values);
                if (r < 0)
                        return failed(file, r);
        }
        printf("%" PRId64 "\n", now_ns() - added.when);
        return EXIT_SUCCESS;
}

int measure_raw(void) {
        Added added = {0};
        int r = await_added("block", "disk", &added);

        if (r < 0)
                return failed("nothing was plugged in", r);
        for (int64_t until = deadline_ns(); now_ns() < until;) {
                int fd = open(added.node, O_WRONLY | O_CLOEXEC);

                if (fd < 0 && (errno == EPERM || errno == EACCES || errno == EROFS)) {
                        printf("%" PRId64 "\n", now_ns() - added.when);
                        return EXIT_SUCCESS;
                }
                if (fd >= 0)
                        close(fd);
        }
        return failed(added.node, ETIME);
}

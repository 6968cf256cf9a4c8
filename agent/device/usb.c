/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/usb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/scope.h"

static int write_attribute(const char *path, const char *value) {
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return errno == ENOENT ? -ENODEV : -errno;
        n = write(fd, value, strlen(value));
        return n < 0 ? -errno : 0;
}

int usb_authorize(struct udev_device *dev, bool authorized) {
        char path[PATH_MAX], now[8];
        int r;

        if ((size_t)snprintf(path, sizeof(path), "%s/authorized", udev_device_get_syspath(dev)) >=
            sizeof(path))
                return -ENAMETOOLONG;
        r = (int)file_read_small(AT_FDCWD, path, now, sizeof(now));
        if (r < 0)
                return r == -ENOENT ? -ENODEV : r;
        if ((strcmp(now, "0") != 0) == authorized)
                return 0;
        r = write_attribute(path, authorized ? "1" : "0");
        return r < 0 ? r : 1;
}

int usb_probe(struct udev_device *interface) {
        return write_attribute("/sys/bus/usb/drivers_probe", udev_device_get_sysname(interface));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/rebind.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "policy/scope.h"

static int write_word(int directory, const char *name, const char *word) {
        CLEANUP_CLOSE int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? -ENODEV : -errno;
        return write(fd, word, strlen(word)) < 0 ? -errno : 0;
}

int rebind_device(const char *device) {
        const char *name = strrchr(device, '/');
        CLEANUP_CLOSE int directory = open(device, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_CLOSE int driver = -1;
        int r;

        if (directory < 0 || !name)
                return -ENODEV;
        /* by a descriptor: the link goes when the driver does */
        driver = openat(directory, "driver", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (driver < 0)
                return errno == ENOENT ? -ENODEV : -errno;
        r = write_word(driver, "unbind", name + 1);
        return r < 0 ? r : write_word(driver, "bind", name + 1);
}

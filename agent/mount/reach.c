/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mount/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/host.h"

enum {
        FDINFO_SIZE = 4096
};

static int mount_id_of(int fd) {
        char path[64], text[FDINFO_SIZE];
        const char *id;

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        if (file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 || !(id = strstr(text, "mnt_id:")))
                return -1;
        return (int)strtol(id + strlen("mnt_id:"), NULL, 10);
}

int mount_reach(const MountTable *table, dev_t devnum) {
        int error = -ENOENT;

        for (size_t i = 0; i < table->n; i++) {
                const MountEntry *entry = &table->entries[i];
                int fd;

                if (entry->devnum != devnum)
                        continue;
                fd = host_open(entry->point, O_PATH | O_NOFOLLOW);
                if (fd < 0) {
                        error = fd;
                        continue;
                }
                if (mount_id_of(fd) == entry->id)
                        return fd;
                close(fd);
        }
        return error;
}

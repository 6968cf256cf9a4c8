/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/selftest/evidence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "policy/scope.h"

enum {
        KERNEL_MINOR_BITS = 20
};

/* "fanotify sdev:700001 mflags:0 mask:10000 ignored_mask:0": the number as the kernel keeps it. */
static int in_line(const char *line, dev_t devnum) {
        unsigned number;

        return sscanf(line, "fanotify sdev:%x ", &number) == 1 &&
               number == (major(devnum) << KERNEL_MINOR_BITS | minor(devnum));
}

int evidence_in_fdinfo(const char *text, dev_t devnum) {
        for (const char *line = text; line; line = strchr(line, '\n'))
                if (in_line(line += *line == '\n', devnum))
                        return 1;
        return 0;
}

int evidence_of_mark(int fd, dev_t devnum) {
        CLEANUP_FREE char *line = NULL;
        CLEANUP_FILE FILE *f = NULL;
        char path[64];
        size_t size = 0;

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (getline(&line, &size, f) > 0)
                if (evidence_in_fdinfo(line, devnum) == 1)
                        return 1;
        return ferror(f) ? -EIO : 0;
}

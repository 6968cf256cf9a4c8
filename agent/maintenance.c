/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/maintenance.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/utf8.h"

#define MINUTE_USEC UINT64_C(60000000)

enum {
        BOOT_ID_MAX = 64,
        TEXT_MAX = MAINTENANCE_REASON_MAX + TTY_TEXT_MAX + 256
};

bool maintenance_reason_is_good(const char *text) {
        size_t length = strlen(text);
        bool seen = false;

        if (length > MAINTENANCE_REASON_MAX)
                return false;
        for (size_t i = 0; i < length;) {
                uint32_t c;
                size_t n = utf8_next(text + i, length - i, &c);

                if (n == 0 || utf8_is_control(c))
                        return false;
                seen = seen || !utf8_is_blank(c);
                i += n;
        }
        return seen;
}

static int make_path(const char *runtime_dir, char path[static PATH_MAX]) {
        return (size_t)snprintf(path, PATH_MAX, "%s/maintenance", runtime_dir) >= PATH_MAX ? -ENAMETOOLONG
                                                                                           : 0;
}

static int read_boot_id(char id[static BOOT_ID_MAX]) {
        ssize_t n = file_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, BOOT_ID_MAX);

        return n < 0 ? (int)n : 0;
}

/* One line: boot, end, uid, loginuid, terminal, and to the end of the line the reason. */
static int parse(const char *text, char boot[static BOOT_ID_MAX], Maintenance *ret) {
        Maintenance found = {0};
        int end = 0;

        if (sscanf(text, "%63s %" SCNu64 " %u %u %63s %n", boot, &found.until, &found.by.uid,
                   &found.by.loginuid, found.by.tty, &end) != 5 ||
            end == 0 || !maintenance_reason_is_good(text + end))
                return -EBADMSG;
        memcpy(found.reason, text + end, strlen(text + end) + 1);
        *ret = found;
        return 0;
}

int maintenance_read(const char *runtime_dir, uint64_t now, Maintenance *ret) {
        char path[PATH_MAX], text[TEXT_MAX], boot[BOOT_ID_MAX], written[BOOT_ID_MAX];
        Maintenance found;
        struct stat st;
        int r = make_path(runtime_dir, path);
        ssize_t n;

        if (r < 0)
                return r;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        n = file_read_small(AT_FDCWD, path, text, sizeof(text));
        r = n < 0 ? (int)n : parse(text, written, &found);
        if (r == 0)
                r = read_boot_id(boot);
        if (r < 0)
                return r;
        if (strcmp(written, boot) != 0)
                return 0;
        if (found.until > now && found.until - now > MAINTENANCE_MINUTES_MAX * MINUTE_USEC)
                return -EBADMSG;
        *ret = found;
        return 1;
}

int maintenance_write(const char *runtime_dir, const Maintenance *maintenance) {
        char path[PATH_MAX], text[TEXT_MAX], boot[BOOT_ID_MAX];
        int length, r = make_path(runtime_dir, path);

        if (r == 0)
                r = read_boot_id(boot);
        if (r < 0)
                return r;
        length = snprintf(text, sizeof(text), "%s %" PRIu64 " %u %u %s %s\n", boot, maintenance->until,
                          maintenance->by.uid, maintenance->by.loginuid, maintenance->by.tty,
                          maintenance->reason);
        if (length < 0 || (size_t)length >= sizeof(text))
                return -E2BIG;
        return file_replace(path, text, (size_t)length, 0600);
}

int maintenance_drop(const char *runtime_dir) {
        char path[PATH_MAX];
        int r = make_path(runtime_dir, path);

        if (r < 0)
                return r;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

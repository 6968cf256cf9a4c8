/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/restored.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/file.h"

static int make_path(const char *state_dir, char path[static PATH_MAX]) {
        return (size_t)snprintf(path, PATH_MAX, "%s/restored", state_dir) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int restored_write(const char *state_dir, const Restored *restored) {
        char path[PATH_MAX], text[RESTORED_TEXT_MAX + 256];
        int length, r = make_path(state_dir, path);

        if (r < 0)
                return r;
        length = snprintf(text, sizeof(text), "%" PRIu64 " %u %u %" PRId64 " %d %s %s\n", restored->serial,
                          restored->uid, restored->loginuid, (int64_t)restored->time, restored->told,
                          restored->tty[0] ? restored->tty : "-", restored->directory);
        if (length < 0 || (size_t)length >= sizeof(text))
                return -E2BIG;
        return file_replace(path, text, (size_t)length, 0600);
}

int restored_drop(const char *state_dir) {
        char path[PATH_MAX];
        int r = make_path(state_dir, path);

        if (r < 0)
                return r;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

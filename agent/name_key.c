/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/name_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/scope.h"

static int path_of(const char *state_dir, char path[static PATH_MAX]) {
        return snprintf(path, PATH_MAX, "%s/names.key", state_dir) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int name_key_read(const char *state_dir, unsigned char ret[static FILE_NAMES_KEY]) {
        unsigned char key[FILE_NAMES_KEY + 1];
        char path[PATH_MAX];
        struct stat st;
        ssize_t n;
        int r = path_of(state_dir, path);

        if (r < 0)
                return r;
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
                return -EBADMSG; /* somebody else may know it */
        n = read(fd, key, sizeof(key));
        if (n < 0)
                return -errno;
        if (n == FILE_NAMES_KEY)
                memcpy(ret, key, FILE_NAMES_KEY);
        explicit_bzero(key, sizeof(key));
        return n == FILE_NAMES_KEY ? 0 : -EBADMSG;
}

int name_key_ensure(const char *state_dir, unsigned char ret[static FILE_NAMES_KEY]) {
        unsigned char key[FILE_NAMES_KEY];
        char path[PATH_MAX];
        int r = name_key_read(state_dir, ret);

        if (r != -ENOENT)
                return r;
        if (getrandom(key, sizeof(key), 0) != sizeof(key))
                return -EIO;
        r = path_of(state_dir, path);
        if (r == 0)
                r = file_replace(path, (const char *)key, sizeof(key), 0600);
        if (r == 0)
                memcpy(ret, key, sizeof(key));
        explicit_bzero(key, sizeof(key));
        return r;
}

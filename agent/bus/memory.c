/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "policy/scope.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

int bus_memory_new(const char *text, size_t length) {
        CLEANUP_CLOSE int fd = memfd_create("sekisho-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0)
                return -errno;
        while (length > 0) {
                ssize_t n = write(fd, text, length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text += n;
                length -= (size_t)n;
        }
        return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : STEAL_FD(fd);
}

int bus_memory_read(int fd, size_t max, char **ret, size_t *ret_length) {
        CLEANUP_FREE char *text = NULL;
        int seals = fcntl(fd, F_GET_SEALS);
        size_t size, length = 0;
        struct stat st;

        if (seals < 0 || (seals & SEALS) != SEALS)
                return -EINVAL;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < 0 || (size_t)st.st_size > max)
                return -E2BIG;
        size = (size_t)st.st_size;
        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        while (length < size) {
                ssize_t n = pread(fd, text + length, size - length, (off_t)length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                length += (size_t)n;
        }
        text[length] = '\0';
        *ret = STEAL_PTR(text);
        *ret_length = length;
        return 0;
}

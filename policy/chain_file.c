/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/chain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/scope.h"

enum {
        LINE_SIZE = 160
};

int chain_file_open(int dir_fd, const char *name) {
        CLEANUP_CLOSE int fd =
                openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
                return -EPERM;
        return STEAL_FD(fd);
}

int chain_file_read(int fd, ChainHead *ret, bool *ret_writing) {
        char line[LINE_SIZE], sequence[21], link[CHAIN_LINK_TEXT], state[8];
        ChainHead head = {.sequence = 0};
        ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
        const char *digits;

        if (n < 0)
                return -errno;
        if (n == 0)
                return 0;
        line[n] = '\0';
        if (sscanf(line, "1 %32s %20s %64s %7s", head.id, sequence, link, state) != 4)
                return -EBADMSG;
        digits = sequence + strspn(sequence, "0");
        if (!chain_id_is_valid(head.id) || !chain_link_parse(link, head.link) ||
            !chain_number_parse(digits, &head.sequence))
                return -EBADMSG;
        if (strcmp(state, "writing") != 0 && strcmp(state, "written") != 0)
                return -EBADMSG;
        *ret_writing = strcmp(state, "writing") == 0;
        *ret = head;
        return 1;
}

int chain_file_write(int fd, const ChainHead *head, bool writing) {
        char line[LINE_SIZE], link[CHAIN_LINK_TEXT];
        int length;
        ssize_t n;

        chain_link_text(head->link, link);
        length = snprintf(line, sizeof(line), "1 %s %020" PRIu64 " %s %s\n", head->id, head->sequence, link,
                          writing ? "writing" : "written");
        n = pwrite(fd, line, (size_t)length, 0);
        return n < 0 ? -errno : n == length ? 0 : -EIO;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "policy/scope.h"

enum {
        INTERRUPT = 3, /* Ctrl-C and ... */
        END = 4        /* ... Ctrl-D, as they come from a terminal that makes no signals of them */
};

/* One byte at a time: what is behind the line is for whoever reads next. */
static int read_line(int fd, char *ret, size_t size) {
        size_t n = 0;

        for (;;) {
                char c = '\0';
                ssize_t got = read(fd, &c, 1);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (c == INTERRUPT)
                        return -EINTR;
                if (got == 0 || c == '\n' || c == '\r' || c == END)
                        break;
                if (n + 1 >= size)
                        return -E2BIG;
                ret[n++] = c;
        }
        ret[n] = '\0';
        return n > 0 ? 0 : -ENODATA;
}

/* Signals would leave the terminal silent, so it makes none meanwhile. */
static int read_silently(int fd, const char *prompt, char *ret, size_t size) {
        struct termios before, silent;
        int r;

        if (tcgetattr(fd, &before) < 0)
                return -errno;
        silent = before;
        silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
        silent.c_cc[VEOF] = _POSIX_VDISABLE;
        silent.c_cc[VEOL] = INTERRUPT; /* ends the line at once */
        if (tcsetattr(fd, TCSAFLUSH, &silent) < 0)
                return -errno;
        dprintf(fd, "%s", prompt);
        r = read_line(fd, ret, size);
        (void)tcsetattr(fd, TCSAFLUSH, &before);
        dprintf(fd, "\n");
        return r;
}

int passphrase_read(const char *prompt, char *ret, size_t size) {
        CLEANUP_CLOSE int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        int r = terminal >= 0 ? read_silently(terminal, prompt, ret, size)
                              : read_line(STDIN_FILENO, ret, size);

        if (r < 0)
                explicit_bzero(ret, size);
        return r;
}

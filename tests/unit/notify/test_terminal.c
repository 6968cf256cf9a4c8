/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line on a terminal, and on nothing else. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

#include "agent/notify/terminal.h"

enum {
        DEADLINE_MSEC = 10000,
        FULL_MSEC = 200 /* without any room: it is full */
};

static int reader = -1, writer = -1;
static char name[64];

static void setup(void) {
        cr_assert_eq(openpty(&reader, &writer, name, NULL, NULL), 0);
        cr_assert_eq(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
}

static void teardown(void) {
        close(reader);
        close(writer);
}

TestSuite(terminal, .init = setup, .fini = teardown);

static uid_t owner(void) {
        return getuid();
}

Test(terminal, takes_a_line) {
        char text[256] = "";
        struct pollfd arrived = {.fd = reader, .events = POLLIN};

        cr_assert_eq(terminal_tell(name, owner(), "a line"), 0);
        cr_assert_eq(poll(&arrived, 1, DEADLINE_MSEC), 1, "a worker of the kernel carries it over");
        cr_assert_gt(read(reader, text, sizeof(text) - 1), 0);
        cr_expect_not_null(strstr(text, "\na line\r"));
        cr_expect_eq(terminal_tell(name + strlen("/dev/"), owner(), "again"), 0);
}

Test(terminal, of_somebody_else_is_left_alone) {
        char text[16];

        cr_expect_eq(terminal_tell(name, owner() + 1, "a line"), -EPERM);
        cr_expect_eq(read(reader, text, sizeof(text)), -1);
}

Test(terminal, is_nothing_else) {
        cr_expect_eq(terminal_tell("/dev/null", owner(), "a line"), -ENOTTY);
        cr_expect_eq(terminal_tell("/dev/nonexistent", owner(), "a line"), -ENOENT);
        cr_expect_eq(terminal_tell("/proc/self/fd/0", owner(), "a line"), -ELOOP);
}

Test(terminal, that_is_full_is_not_waited_for, .timeout = 30) {
        static const char much[4096];

        struct pollfd room = {.fd = writer, .events = POLLOUT};

        cr_assert_eq(fcntl(writer, F_SETFL, O_NONBLOCK), 0);
        do /* the kernel makes some room as it carries over, until the other side is full, too */
                while (write(writer, much, sizeof(much)) > 0)
                        continue;
        while (poll(&room, 1, FULL_MSEC) > 0);
        cr_assert_eq(errno, EAGAIN);
        cr_expect_eq(terminal_tell(name, owner(), "a line"), -EAGAIN);
}

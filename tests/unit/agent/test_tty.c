/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/tty.h"
#include "policy/scope.h"

Test(tty, is_a_terminal_of_the_machine_itself) {
        static const struct {
                const char *name;
                bool expected;
        } cases[] = {
                {"tty1", true},     {"tty63", true},  {"ttyS0", true},  {"ttyAMA0", true}, {"hvc0", true},
                {"console", true},  {"pts/0", false}, {"pts", false},   {"tty", false},    {"ttyS", false},
                {"ttyUSB0", false}, {"tty1x", false}, {"xtty1", false}, {"", false},       {"-", false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++)
                cr_expect_eq(tty_is_local(cases[i].name), cases[i].expected, "%s", cases[i].name);
}

Test(tty, of_a_process_that_has_none_is_none) {
        TtyUser user;
        pid_t child = fork();

        if (child == 0) {
                (void)setsid();
                (void)pause();
                _exit(1);
        }
        while (getsid(child) != child)
                (void)sched_yield();
        cr_assert_eq(tty_user_read(child, &user), 0);
        cr_expect_str_eq(user.tty, "-");
        cr_expect_eq(user.uid, geteuid());
        cr_assert_eq(kill(child, SIGKILL), 0);
        cr_assert_eq(waitpid(child, NULL, 0), child);
        cr_expect_eq(tty_user_read(child, &user), -ESRCH, "it is gone");
        cr_expect_eq(tty_user_read(0, &user), -ESRCH);
}

Test(tty, names_are_one_visible_word) {
        char name[TTY_TEXT_MAX];

        tty_set_name(name, "tty 1\n\x7f");
        cr_expect_str_eq(name, "tty?1??");
}

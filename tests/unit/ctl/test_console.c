/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "agent/ctl/console.h"
#include "policy/scope.h"

Test(console, is_a_terminal_of_the_machine_itself) {
        static const struct {
                const char *name;
                bool expected;
        } cases[] = {
                {"tty1", true},     {"tty63", true},  {"ttyS0", true},  {"ttyAMA0", true}, {"hvc0", true},
                {"console", true},  {"pts/0", false}, {"pts", false},   {"tty", false},    {"ttyS", false},
                {"ttyUSB0", false}, {"tty1x", false}, {"xtty1", false}, {"", false},       {"-", false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++)
                cr_expect_eq(console_is_local(cases[i].name), cases[i].expected, "%s", cases[i].name);
}

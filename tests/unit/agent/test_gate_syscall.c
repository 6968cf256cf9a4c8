/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "agent/gate/syscall.h"
#include "policy/scope.h"

#define ARGUMENTS_AFTER_FLAGS " 0x1b6 0x0 0x0 0x7ffc014ec550 0x7f1ad2ac0011"

typedef struct SyscallCase {
        const char *text;
        Operation expected;
        const char *label;
} SyscallCase;

static const SyscallCase cases[] = {
        {"257 0xffffff9c 0x7f1a 0x0" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_READ, "openat O_RDONLY"},
        {"257 0xffffff9c 0x7f1a 0x80000" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_READ, "openat O_CLOEXEC"},
        {"257 0xffffff9c 0x7f1a 0x90800" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_READ, "openat directory"},
        {"257 0xffffff9c 0x7f1a 0x8000" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_READ, "openat O_LARGEFILE"},
        {"257 0xffffff9c 0x7f1a 0x1" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_WRITE, "openat O_WRONLY"},
        {"257 0xffffff9c 0x7f1a 0x2" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_WRITE, "openat O_RDWR"},
        {"257 0xffffff9c 0x7f1a 0x3" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_WRITE,
         "access mode 3, for ioctl only"},
        {"257 0xffffff9c 0x7f1a 0x401" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_WRITE, "openat append"},
        {"257 0xffffff9c 0x7f1a 0x241" ARGUMENTS_AFTER_FLAGS, OPERATION_CREATE,
         "openat O_WRONLY|O_CREAT|O_TRUNC"},
        {"257 0xffffff9c 0x7f1a 0x40" ARGUMENTS_AFTER_FLAGS, OPERATION_CREATE,
         "O_RDONLY|O_CREAT leaves a file"},
        {"257 0xffffff9c 0x7f1a 0x200" ARGUMENTS_AFTER_FLAGS, OPERATION_TRUNCATE,
         "O_RDONLY|O_TRUNC empties a file"},
        {"257 0xffffff9c 0x7f1a 0x410002" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_WRITE, "O_TMPFILE|O_RDWR"},
        {"257 0xffffff9c 0x7f1a 0x400000" ARGUMENTS_AFTER_FLAGS, OPERATION_UNKNOWN, "__O_TMPFILE alone"},
        {"257 0xffffff9c 0x7f1a 0x40000000" ARGUMENTS_AFTER_FLAGS, OPERATION_UNKNOWN, "a flag of tomorrow"},
        {"257 0xffffff9c 0x7f1a 0x100000000" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_READ,
         "upper half is ignored"},
        {"257 0xffffff9c 0x7f1a 0xffffffff00000001" ARGUMENTS_AFTER_FLAGS, OPERATION_OPEN_WRITE,
         "also with upper half"},
        {"2 0x7f1a 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x7f1a", OPERATION_OPEN_READ, "open O_RDONLY"},
        {"2 0x7f1a 0x1 0x0 0x0 0x0 0x0 0x7ffc 0x7f1a", OPERATION_OPEN_WRITE, "open O_WRONLY"},
        {"85 0x7f1a 0x1b6 0x0 0x0 0x0 0x0 0x7ffc 0x7f1a", OPERATION_CREATE, "creat"},
        {"304 0x3 0x7f1a 0x0 0x0 0x0 0x0 0x7ffc 0x7f1a", OPERATION_OPEN_READ, "open_by_handle_at O_RDONLY"},
        {"304 0x3 0x7f1a 0x2 0x0 0x0 0x0 0x7ffc 0x7f1a", OPERATION_OPEN_WRITE, "open_by_handle_at O_RDWR"},
        {"437 0x3 0x7f1a 0x7f1b 0x18 0x0 0x0 0x7ffc 0x7f1a", OPERATION_UNKNOWN,
         "openat2 keeps its flags in memory"},
        {"426 0x3 0x1 0x1 0x1 0x0 0x8 0x7ffc 0x7f1a", OPERATION_UNKNOWN, "io_uring_enter"},
        {"59 0x7f1a 0x7f1b 0x7f1c 0x0 0x0 0x0 0x7ffc 0x7f1a", OPERATION_OPEN_READ, "execve"},
        {"163 0x7f1a 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x7f1a", OPERATION_UNKNOWN, "acct writes"},
        {"5 0x7f1a 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x7f1a", OPERATION_UNKNOWN, "open of the 32-bit ABI"},
        {"1073742081 0xffffff9c 0x7f1a 0x0" ARGUMENTS_AFTER_FLAGS, OPERATION_UNKNOWN,
         "openat of the x32 ABI"},
        {"running", OPERATION_UNKNOWN, "not blocked"},
        {"-1 0x7ffc 0x7f1a", OPERATION_UNKNOWN, "blocked, in no system call"},
        {"257", OPERATION_UNKNOWN, "arguments missing"},
        {"257 0xffffff9c 0x7f1a 0x0 0x0 0x0 0x0", OPERATION_UNKNOWN, "cut off behind the arguments"},
        {"257 0xffffff9c 0x7f1a zzz" ARGUMENTS_AFTER_FLAGS, OPERATION_UNKNOWN, "no number"},
        {"99999999999999999999 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0", OPERATION_UNKNOWN, "number too large"},
        {"", OPERATION_UNKNOWN, "nothing"},
};

Test(gate_syscall, only_a_plain_read_is_a_read) {
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                cr_expect_eq(operation_from_syscall(cases[i].text), cases[i].expected, "%s", cases[i].label);
}

#define TOP                                                                                                 \
        "[<0>] fanotify_handle_event+0xb93/0x1b70\n[<0>] fsnotify+0x392/0xfb0\n[<0>] "                      \
        "do_dentry_open+0x144/0x430\n"
#define BOTTOM "[<0>] do_syscall_64+0x71/0x280\n[<0>] entry_SYSCALL_64_after_hwframe+0x76/0x7e\n"

Test(gate_stack, open_from_its_own_call_is_plain) {
        cr_assert(stack_is_plain_open(
                TOP "[<0>] do_sys_openat2+0x6e/0xd0\n[<0>] __x64_sys_openat+0x5d/0xa0\n" BOTTOM));
        cr_assert(stack_is_plain_open(TOP "[<0>] do_handle_open+0x1c7/0x2d0\n" BOTTOM));
        cr_assert(stack_is_plain_open(
                TOP "[<0>] do_execveat_common+0x1/0x2\n[<0>] __x64_sys_execve+0x3/0x4\n" BOTTOM));
}

Test(gate_stack, open_on_the_way_back_to_user_space_is_not) {
        cr_assert_not(stack_is_plain_open(
                TOP "[<0>] io_openat2+0x8c/0x180\n[<0>] task_work_run+0x5c/0x90\n" BOTTOM));
        cr_assert_not(
                stack_is_plain_open(TOP "[<0>] do_coredump+0x1/0x2\n[<0>] get_signal+0x8/0x9\n" BOTTOM));
        cr_assert_not(stack_is_plain_open(
                TOP "[<0>] io_openat2+0x8c/0x180\n[<0>] __x64_sys_openat+0x5d/0xa0\n" BOTTOM));
        cr_assert_not(stack_is_plain_open(TOP BOTTOM));
        cr_assert_not(stack_is_plain_open(""));
}

Test(gate_syscall, knows_a_thread_that_is_not_at_rest) {
        cr_expect(syscall_is_running("running"));
        cr_expect(syscall_is_running("running\n"));
        cr_expect_not(syscall_is_running("-1 0x7ffc 0x7f3a"));
        cr_expect_not(syscall_is_running("257 0xffffff9c 0x1 0x0 0x0 0x0 0x0 0x7ffc 0x7f3a"));
        cr_expect_not(syscall_is_running(""));
}

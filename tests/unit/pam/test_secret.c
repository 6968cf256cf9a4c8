/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where secrets lie: not in the swap, and not in a core dump. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/secret.h"

/* AddressSanitizer makes mlock() do nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOCKS_NOTHING 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define LOCKS_NOTHING 1
#endif

enum {
        LINE_SIZE = 512
};

/* The line VmFlags (proc(5)) of the mapping that P is in. */
static void flags_of(const void *p, char ret[static LINE_SIZE]) {
        CLEANUP_FILE FILE *file = fopen("/proc/self/smaps", "re");
        bool inside = false;
        uintptr_t from, to;

        cr_assert_not_null(file);
        while (fgets(ret, LINE_SIZE, file))
                if (sscanf(ret, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
                        inside = (uintptr_t)p >= from && (uintptr_t)p < to;
                else if (inside && strncmp(ret, "VmFlags:", 8) == 0)
                        return;
        cr_assert_fail("there is no such mapping");
}

Test(secret, lies_in_memory_that_is_locked_and_not_dumped) {
        CLEANUP_SECRET Secret secret = {0};
        char flags[LINE_SIZE], *plain = malloc(1);

        cr_assert_eq(secret_init(), 0);
        cr_assert_eq(secret_from("123456", 6, &secret), 0);
        flags_of(secret.text, flags);
#ifndef LOCKS_NOTHING
        cr_expect_not_null(strstr(flags, " lo"), "not locked: %s", flags);
#endif
        cr_expect_not_null(strstr(flags, " dd"), "dumped: %s", flags);
        flags_of(plain, flags);
        cr_expect_null(strstr(flags, " dd"), "the flags say the same of any memory: %s", flags);
        free(plain);
}

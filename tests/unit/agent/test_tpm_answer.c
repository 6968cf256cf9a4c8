/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line in which the serial in the TPM is told: whole, or not believed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/tpm/answer.h"
#include "policy/scope.h"

Test(tpm_answer, what_is_told_is_what_is_heard) {
        const TpmAnswer answers[] = {
                {.state = TPM_ABSENT},
                {.state = TPM_EMPTY},
                {.state = TPM_RUBBISH},
                {.state = TPM_SERIAL, .serial = 0},
                {.state = TPM_SERIAL, .serial = UINT64_MAX},
                {.state = TPM_FAILED, .why = "reaching it: tcti:IO failure"},
        };
        char line[TPM_LINE_MAX];

        for (size_t i = 0; i < ELEMENTS(answers); i++) {
                TpmAnswer heard = {.serial = 77};

                cr_assert_eq(tpm_answer_format(&answers[i], line), strlen(line));
                cr_assert_eq(tpm_answer_parse(line, &heard), 0, "%s", line);
                cr_assert_eq(heard.state, answers[i].state, "%s", line);
                cr_assert_eq(heard.serial, answers[i].serial, "%s", line);
                cr_assert_str_eq(heard.why, answers[i].why);
        }
}

Test(tpm_answer, what_is_not_whole_is_not_believed) {
        static const char *const lines[] = {
                "serial 57",
                "emptyX",
                "",
                "\n",
                "serial 5",
                "serial \n",
                "serial -5\n",
                "serial +5\n",
                "serial 5 \n",
                "serial 0x5\n",
                "serial 18446744073709551616\n",
                "serial 5\nserial 6\n",
                "serial5\n",
                "empty",
                "emptyish\n",
                "absent \n",
                "failed: \n",
                "failed\n",
                "Serial 5\n",
        };

        for (size_t i = 0; i < ELEMENTS(lines); i++) {
                TpmAnswer heard = {.state = TPM_RUBBISH, .serial = 77};

                cr_assert_eq(tpm_answer_parse(lines[i], &heard), -EBADMSG, "%s", lines[i]);
                cr_assert(heard.state == TPM_RUBBISH && heard.serial == 77, "%s", lines[i]);
        }
}

Test(tpm_answer, a_long_or_strange_reason_stays_one_line) {
        TpmAnswer answer = {.state = TPM_FAILED}, heard;
        char line[TPM_LINE_MAX];

        memset(answer.why, 'x', sizeof(answer.why) - 1);
        memcpy(answer.why, "a\nb\x1b[31m\xff", 9);
        (void)tpm_answer_format(&answer, line);
        cr_assert_eq(tpm_answer_parse(line, &heard), 0);
        cr_assert_eq(strncmp(heard.why, "a?b?[31m?xxx", 12), 0, "%s", heard.why);
        cr_assert_eq(strlen(heard.why), sizeof(answer.why) - 1);
}

Test(tpm_answer, a_line_that_is_too_long_is_refused) {
        char line[TPM_LINE_MAX + 16];
        TpmAnswer heard;

        memset(line, 'x', sizeof(line));
        (void)snprintf(line, sizeof(line), "failed: ");
        line[strlen(line)] = 'x';
        line[sizeof(line) - 2] = '\n';
        line[sizeof(line) - 1] = '\0';
        cr_assert_eq(tpm_answer_parse(line, &heard), -EBADMSG);
}

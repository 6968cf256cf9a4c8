/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/tpm/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char serial_word[] = "serial ", failed_word[] = "failed: ";

/* Bytes that a terminal or a log would take for more than a letter become '?'. */
static void make_printable(char *text) {
        for (; *text; text++)
                if (*text < ' ' || *text > '~')
                        *text = '?';
}

size_t tpm_answer_format(const TpmAnswer *answer, char line[static TPM_LINE_MAX]) {
        char why[TPM_WHY_MAX];

        switch (answer->state) {
        case TPM_ABSENT:
                return (size_t)snprintf(line, TPM_LINE_MAX, "absent\n");
        case TPM_EMPTY:
                return (size_t)snprintf(line, TPM_LINE_MAX, "empty\n");
        case TPM_RUBBISH:
                return (size_t)snprintf(line, TPM_LINE_MAX, "rubbish\n");
        case TPM_SERIAL:
                return (size_t)snprintf(line, TPM_LINE_MAX, "%s%" PRIu64 "\n", serial_word, answer->serial);
        case TPM_FAILED:
                break;
        }
        (void)snprintf(why, sizeof(why), "%s", answer->why);
        make_printable(why);
        return (size_t)snprintf(line, TPM_LINE_MAX, "%s%s\n", failed_word, why);
}

static bool take_serial(const char *digits, TpmAnswer *ret) {
        char *end;

        if (*digits < '0' || *digits > '9')
                return false;
        errno = 0;
        ret->serial = strtoull(digits, &end, 10);
        ret->state = TPM_SERIAL;
        return errno == 0 && *end == '\0';
}

static bool take_why(const char *why, TpmAnswer *ret) {
        ret->state = TPM_FAILED;
        if (*why == '\0' || (size_t)snprintf(ret->why, sizeof(ret->why), "%s", why) >= sizeof(ret->why))
                return false;
        make_printable(ret->why);
        return true;
}

int tpm_answer_parse(const char *line, TpmAnswer *ret) {
        static const struct {
                const char *word;
                TpmState state;
        } words[] = {{"absent", TPM_ABSENT}, {"empty", TPM_EMPTY}, {"rubbish", TPM_RUBBISH}};
        TpmAnswer answer = {0};
        char text[TPM_LINE_MAX];
        size_t length = strnlen(line, sizeof(text));

        /* whole: a number that was cut off is a lower one */
        if (length == 0 || length >= sizeof(text) || strchr(line, '\n') != line + length - 1)
                return -EBADMSG;
        memcpy(text, line, length - 1);
        text[length - 1] = '\0';
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (strcmp(text, words[i].word) == 0) {
                        *ret = (TpmAnswer){.state = words[i].state};
                        return 0;
                }
        if (strncmp(text, serial_word, strlen(serial_word)) == 0) {
                if (!take_serial(text + strlen(serial_word), &answer))
                        return -EBADMSG;
        } else if (strncmp(text, failed_word, strlen(failed_word)) != 0 ||
                   !take_why(text + strlen(failed_word), &answer))
                return -EBADMSG;
        *ret = answer;
        return 0;
}

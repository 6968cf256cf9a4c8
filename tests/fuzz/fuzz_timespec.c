/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points in time as people type them. What is understood can be shown and, shown, is understood again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/timespec.h"
#include "policy/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP_FREE char *text = strndup((const char *)data, size);
        uint64_t now = UINT64_C(1795217415) * USEC_PER_SEC, start, end, again;
        char shown[TIMESPEC_TEXT_MAX];
        const char *why = NULL;

        if (!text)
                return 0;
        if (timespec_parse(text, now, TIMESPEC_START, &start, &why) < 0) {
                if (!why)
                        abort();
                return 0;
        }
        if (timespec_parse(text, now, TIMESPEC_END, &end, &why) < 0 || end < start)
                abort();
        if (timespec_parse(timespec_for_person(start, shown), now, TIMESPEC_START, &again, &why) < 0 ||
            again / USEC_PER_SEC != start / USEC_PER_SEC)
                abort();
        return 0;
}

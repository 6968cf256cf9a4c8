/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as /proc/TID/syscall, stack and status. An open is a read only if no flag that writes is in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/gate/opener.h"
#include "agent/gate/syscall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = strndup((const char *)data, size);
        Opener opener;

        if (!text)
                return 0;
        if (!operation_to_string(operation_from_syscall(text)))
                abort();
        (void)stack_is_plain_open(text);
        if (opener_from_status(text, &opener) < 0 && opener.subject.uid != (uid_t)-1)
                abort();
        free(text);
        return 0;
}

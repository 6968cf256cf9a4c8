/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any lines as audit messages; the first byte of a line chooses the message's type. */
#include <linux/audit.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/audit/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const unsigned types[] = {AUDIT_SYSCALL,   AUDIT_CWD, AUDIT_PATH,
                                         AUDIT_PROCTITLE, AUDIT_EOE, AUDIT_EXECVE};
        AuditParser *parser = calloc(1, sizeof(*parser));
        char *text = strndup((const char *)data, size), *rest = text, *line;

        while (parser && text && (line = strsep(&rest, "\n"))) {
                const AuditEvent *event;

                if (!*line)
                        continue;
                event = audit_parse(parser, types[(unsigned char)*line % (sizeof(types) / sizeof(types[0]))],
                                    line + 1);
                if (event && (event->n_paths > AUDIT_PATHS || strlen(event->exe) >= AUDIT_TEXT))
                        abort();
        }
        free(parser);
        free(text);
        return 0;
}

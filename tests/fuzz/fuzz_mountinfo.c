/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a mount table: it is understood whole or refused, and what is understood lies within the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/mount/classify.h"
#include "agent/mount/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        MountTable table = {0};
        char *text = strndup((const char *)data, size);

        if (!text)
                return 0;
        if (mountinfo_parse(text, &table) < 0) {
                free(text);
                return 0;
        }
        for (size_t i = 0; i < table.n; i++) {
                free(mount_option(table.entries[i].super_options, "upperdir"));
                if (!superblock_kind_to_string(
                            superblock_classify(table.entries[i].fstype, table.entries[i].devnum)))
                        abort();
        }
        mount_table_clear(&table);
        return 0;
}

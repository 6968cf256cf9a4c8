/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The canonical form of records, of lines as fields: their order is nothing, and every byte of one that
 * counts is something. And the file in which a chain's end is kept. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "policy/chain_file.h"
#include "policy/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Line {
        const uint8_t *data;
        size_t length;
} Line;

static int digest_of(const Line *lines, size_t n, int backwards, unsigned char ret[static CHAIN_LINK_SIZE],
                     size_t *counted) {
        ChainDigest digest = {.n = 0};

        for (size_t i = 0; i < n; i++) {
                const Line *line = &lines[backwards ? n - 1 - i : i];

                chain_digest_add_data(&digest, line->data, line->length);
        }
        *counted = digest.n;
        return chain_digest_end(&digest, ret);
}

static void try_file(const uint8_t *data, size_t size) {
        CLEANUP_CLOSE int fd = memfd_create("chain", MFD_CLOEXEC);
        ChainHead head, again;
        bool writing, writing_again;

        if (fd < 0 || write(fd, data, size) != (ssize_t)size)
                return;
        if (chain_file_read(fd, &head, &writing) <= 0)
                return;
        if (ftruncate(fd, 0) < 0 || chain_file_write(fd, &head, writing) < 0 ||
            chain_file_read(fd, &again, &writing_again) != 1 || again.sequence != head.sequence ||
            strcmp(again.id, head.id) != 0 || memcmp(again.link, head.link, sizeof(head.link)) != 0 ||
            writing != writing_again)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        unsigned char there[CHAIN_LINK_SIZE], back[CHAIN_LINK_SIZE], changed[CHAIN_LINK_SIZE];
        CLEANUP_FREE uint8_t *copy = malloc(size + 1);
        Line lines[CHAIN_FIELDS_MAX + 8];
        size_t n = 0, counted, counted_changed;

        if (!copy || size == 0)
                return 0;
        try_file(data, size);
        memcpy(copy, data, size);
        for (size_t at = 0; at < size && n < ELEMENTS(lines);) {
                const uint8_t *end = memchr(copy + at, '\n', size - at);
                size_t length = end ? (size_t)(end - (copy + at)) : size - at;

                lines[n++] = (Line){copy + at, length};
                at += length + 1;
        }
        if (digest_of(lines, n, 0, there, &counted) < 0)
                return 0;
        if (digest_of(lines, n, 1, back, &counted) < 0 || memcmp(there, back, sizeof(there)) != 0)
                abort();
        /* the last byte of a value */
        for (size_t i = 0; i < n; i++) {
                uint8_t *last = copy + (lines[i].data - copy) + lines[i].length - 1;
                Line alone = lines[i];

                if (lines[i].length < 2 || *last == '=' || digest_of(&alone, 1, 0, back, &counted) < 0 ||
                    counted == 0 || !memchr(alone.data, '=', alone.length - 1))
                        continue;
                *last ^= 0x80;
                if (digest_of(lines, n, 0, changed, &counted_changed) < 0 ||
                    memcmp(there, changed, sizeof(there)) == 0)
                        abort();
                *last ^= 0x80;
        }
        return 0;
}

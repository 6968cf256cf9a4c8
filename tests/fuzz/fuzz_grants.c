/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The book of permits, and challenges as they are read out: what is taken is the same once it is written
 * again. */
#include <stdlib.h>
#include <string.h>

#include "agent/grants/book.h"
#include "policy/challenge.h"
#include "policy/scope.h"

static void try_book(const char *text, size_t length) {
        CLEANUP(book_clear) Book book = {0}, again = {0};
        CLEANUP_FREE char *written = NULL;

        if (book_parse(text, length, &book) < 0)
                return;
        written = book_text(&book);
        if (!written || book_parse(written, strlen(written), &again) < 0 || again.n != book.n ||
            (book.n > 0 && memcmp(again.permits, book.permits, book.n * sizeof(*book.permits)) != 0))
                abort();
}

static void try_challenge(const char *text) {
        static const uint8_t key[CHALLENGE_KEY_BYTES] = {1};
        char written[CHALLENGE_TEXT_MAX];
        Challenge challenge, again;
        uint64_t terminal;

        (void)challenge_terminal_parse(text, &terminal);
        if (challenge_parse(text, &challenge) < 0)
                return;
        challenge_text(&challenge, written);
        if (challenge_parse(written, &again) < 0 || again.random != challenge.random ||
            again.terminal != challenge.terminal)
                abort();
        if (challenge_check(key, &challenge, text) == 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP_FREE char *text = strndup((const char *)data, size);

        if (!text)
                return 0;
        try_book(text, strlen(text));
        try_challenge(text);
        return 0;
}

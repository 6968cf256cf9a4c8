/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manual names everything that there is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/options.h"
#include "policy/event.h"
#include "policy/object.h"
#include "policy/scope.h"

static char manual[65536];

static void read_manual(void) {
        CLEANUP_FILE FILE *file = fopen("docs/sekishoctl.1.md", "re");

        cr_assert_not_null(file);
        manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
        cr_assert(feof(file));
}

TestSuite(manual, .init = read_manual);

#define OPTION_NAME_(constant, name, letter, value, commands)   "**--" name "**",
#define OPTION_LETTER_(constant, name, letter, value, commands) letter,

Test(manual, names_every_option) {
        static const char *const names[] = {OPTION_LIST(OPTION_NAME_)};
        static const char letters[] = {OPTION_LIST(OPTION_LETTER_)};

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                char letter[] = "**-x**";

                letter[3] = letters[i];
                cr_expect_not_null(strstr(manual, names[i]), "%s", names[i]);
                cr_expect(letters[i] == '\0' || strstr(manual, letter), "%s", letter);
        }
}

#define EVENT_WORD_(constant, word, id, priority) "`" word "`",

Test(manual, names_every_event) {
        static const char *const words[] = {EVENT_LIST(EVENT_WORD_)};

        for (size_t i = EVENT_NONE + 1; i < ELEMENTS(words); i++)
                cr_expect_not_null(strstr(manual, words[i]), "%s", words[i]);
}

#define BUS_WORD_(constant, word) word,

Test(manual, names_every_bus) {
        static const char *const words[] = {DEVICE_BUS_LIST(BUS_WORD_)};
        const char *at = strstr(manual, "**--bus** *BUS*");

        cr_assert_not_null(at);
        for (size_t i = 0; i < ELEMENTS(words); i++)
                cr_expect_not_null(strstr(at, words[i]), "%s", words[i]);
}

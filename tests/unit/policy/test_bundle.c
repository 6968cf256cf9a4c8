/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/bundle.h"
#include "policy/scope.h"

static const char good[] = BUNDLE_MAGIC "10-a.yaml 4\nend\n\n20-b.yaml 0\n\nend\n";

static BundleFile file_of(const char *name, const char *text) {
        return (BundleFile){.name = (char *)name, .text = text, .length = strlen(text)};
}

Test(bundle, files_in_any_order_make_the_same_bundle) {
        const BundleFile files[] = {file_of("20-b.yaml", ""), file_of("10-a.yaml", "end\n")};
        CLEANUP_FREE char *text = NULL;
        size_t length;

        cr_assert_eq(bundle_make(files, 2, &text, &length), 0);
        cr_assert_eq(length, strlen(good));
        cr_assert_arr_eq(text, good, length);
}

Test(bundle, what_was_put_in_comes_out) {
        CLEANUP_BUNDLE Bundle bundle = {0};
        const char *why;

        cr_assert_eq(bundle_parse(good, strlen(good), &bundle, &why), 0);
        cr_assert_eq(bundle.n, 2);
        cr_assert_str_eq(bundle.files[0].name, "10-a.yaml");
        cr_assert_eq(bundle.files[0].length, 4);
        cr_assert_arr_eq(bundle.files[0].text, "end\n", 4);
        cr_assert_str_eq(bundle.files[1].name, "20-b.yaml");
        cr_assert_eq(bundle.files[1].length, 0);
}

Test(bundle, of_many_files_comes_out_whole) {
        char names[BUNDLE_FILES_MAX + 1][16];
        BundleFile files[BUNDLE_FILES_MAX + 1];
        CLEANUP_BUNDLE Bundle bundle = {0};
        CLEANUP_FREE char *text = NULL;
        const char *why;
        size_t length;

        for (size_t i = 0; i <= BUNDLE_FILES_MAX; i++) {
                snprintf(names[i], sizeof(names[i]), "%04zu.yaml", i);
                files[i] = file_of(names[i], names[i]);
        }
        cr_assert_eq(bundle_make(files, BUNDLE_FILES_MAX + 1, &text, &length), -E2BIG);
        cr_assert_eq(bundle_make(files, BUNDLE_FILES_MAX, &text, &length), 0);
        cr_assert_eq(bundle_parse(text, length, &bundle, &why), 0);
        cr_assert_eq(bundle.n, BUNDLE_FILES_MAX);
        cr_assert_str_eq(bundle.files[777].name, "0777.yaml");
}

Test(bundle, names_are_good_or_refused) {
        static const char *const bad[] = {"a",        ".yaml", ".a.yaml",  "../a.yaml", "a/b.yaml",
                                          "a b.yaml", "a.yml", "a\n.yaml", "\xff.yaml", ""};

        cr_assert(bundle_name_is_good("a.yaml"));
        cr_assert(bundle_name_is_good("50-台帳.yaml"));
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                BundleFile file = file_of(bad[i], "x");
                char *text;
                size_t length;

                cr_assert_not(bundle_name_is_good(bad[i]), "%s", bad[i]);
                cr_assert_eq(bundle_make(&file, 1, &text, &length), -EINVAL, "%s", bad[i]);
        }
}

Test(bundle, name_that_stands_twice_is_refused) {
        const BundleFile files[] = {file_of("a.yaml", "1"), file_of("a.yaml", "2")};
        char *text;
        size_t length;

        cr_assert_eq(bundle_make(files, 2, &text, &length), -EINVAL);
}

typedef struct Broken {
        char text[160];
} Broken;

ParameterizedTestParameters(bundle, what_is_no_bundle_is_refused) {
        static Broken cases[] = {
                {""},
                {"version: 1\n"},
                {BUNDLE_MAGIC},
                {BUNDLE_MAGIC "end\n"},
                {BUNDLE_MAGIC "a.yaml 1\nx\n"},
                {BUNDLE_MAGIC "a.yaml 1\nx\nend"},
                {BUNDLE_MAGIC "a.yaml 1\nx\nend\n\n"},
                {BUNDLE_MAGIC "a.yaml 1\nxend\n"},
                {BUNDLE_MAGIC "a.yaml 2\nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml 01\nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml +1\nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml -1\nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml 1 \nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml  1\nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml 99999999\nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml 18446744073709551617\nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml\nx\nend\n"},
                {BUNDLE_MAGIC "/a.yaml 1\nx\nend\n"},
                {BUNDLE_MAGIC "b.yaml 1\nx\na.yaml 1\nx\nend\n"},
                {BUNDLE_MAGIC "a.yaml 1\nx\na.yaml 1\nx\nend\n"},
        };

        return cr_make_param_array(Broken, cases, ELEMENTS(cases));
}

ParameterizedTest(Broken *c, bundle, what_is_no_bundle_is_refused) {
        Bundle bundle = {0};
        const char *why = NULL;

        cr_assert_eq(bundle_parse(c->text, strlen(c->text), &bundle, &why), -EBADMSG, "%s", c->text);
        cr_assert_not_null(why);
        cr_assert_null(bundle.files);
}

Test(bundle, nul_in_a_name_is_refused) {
        static const char text[] = BUNDLE_MAGIC "a.yaml\0/b.yaml 1\nx\nend\n";
        Bundle bundle;
        const char *why;

        cr_assert_eq(bundle_parse(text, sizeof(text) - 1, &bundle, &why), -EBADMSG);
}

Test(bundle, signature_is_four_lines) {
        size_t at = 0;

        cr_assert_eq(bundle_unseal("1\n2\n3\n4\nrest", 12, &at), 0);
        cr_assert_eq(at, 8);
        cr_assert_eq(bundle_unseal("1\n2\n3\nrest", 10, &at), -EBADMSG);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a policy is taken from. */
#include <errno.h>

#include "tests/unit/policy/policy_directory.h"
#include "tests/unit/policy/policy_text.h"

static void expect_refused(const char *path, const char *why) {
        PolicyFaults faults = {0};
        Policy *policy = NULL;

        cr_expect_eq(policy_load(path, &policy, &faults), -EBADMSG, "%s is taken", path);
        cr_expect_null(policy);
        cr_assert_eq(faults.n, 1);
        cr_expect_eq(faults.items[0].line, 0);
        cr_expect_not_null(strstr(faults.items[0].message, why), "%s", faults.items[0].message);
        policy_faults_clear(&faults);
}

static void expect_taken(const char *path, int expected) {
        PolicyFaults faults = {0};
        Policy *policy = NULL;

        cr_expect_eq(policy_load(path, &policy, &faults), expected, "%s: %s", path,
                     faults.n ? faults.items[0].message : "no fault");
        cr_expect_not_null(policy);
        policy_faults_clear(&faults);
        policy_unref(policy);
}

Test(policy_files, that_do_not_exist_give_the_built_in_default) {
        Directory d = directory_new();

        expect_taken("/nonexistent/policy.d", 1);
        expect_taken(directory_path(&d, "none.yaml"), 1);
        expect_taken(d.path, 1);
        directory_write(&d, "README", "not a policy");
        expect_taken(d.path, 1);
        directory_remove(&d);
}

Test(policy_files, are_taken_by_name_or_by_directory) {
        Directory d = directory_new();
        char slash[80];

        directory_write(&d, "p.yaml", HEAD);
        expect_taken(directory_path(&d, "p.yaml"), 0);
        expect_taken(d.path, 0);
        (void)snprintf(slash, sizeof(slash), "%s/", d.path);
        expect_taken(slash, 0);
        directory_write(&d, "other-name", HEAD);
        expect_taken(directory_path(&d, "other-name"), 0);
        directory_remove(&d);
}

Test(policy_files, that_others_may_write_are_refused) {
        Directory d = directory_new();

        directory_write(&d, "p.yaml", HEAD);
        chmod(directory_path(&d, "p.yaml"), 0620);
        expect_refused(directory_path(&d, "p.yaml"), "writable by group or others (mode 0620)");
        expect_refused(d.path, "writable by group or others");
        chmod(directory_path(&d, "p.yaml"), 0602);
        expect_refused(directory_path(&d, "p.yaml"), "writable by group or others");
        chmod(directory_path(&d, "p.yaml"), 0644);
        expect_taken(directory_path(&d, "p.yaml"), 0);
        chmod(d.path, 0777);
        expect_refused(d.path, "writable by group or others (mode 0777)");
        directory_remove(&d);
}

Test(policy_files, of_other_owners_are_refused) {
        Directory d = directory_new();

        if (geteuid() != 0)
                cr_skip("only root can give a file away");
        directory_write(&d, "p.yaml", HEAD);
        cr_assert_eq(chown(directory_path(&d, "p.yaml"), 65534, 65534), 0);
        expect_refused(directory_path(&d, "p.yaml"), "belongs to uid 65534");
        directory_remove(&d);
}

Test(policy_files, that_are_no_regular_files_are_refused) {
        Directory d = directory_new();
        char link[80];

        directory_write(&d, "real", HEAD);
        (void)snprintf(link, sizeof(link), "%s/p.yaml", d.path);
        cr_assert_eq(symlink("real", link), 0);
        expect_refused(link, "symbolic link");
        expect_refused(d.path, "symbolic link");
        unlink(link);
        cr_assert_eq(mkfifo(link, 0600), 0);
        expect_refused(link, "neither a regular file nor a directory");
        expect_refused(d.path, "neither a regular file nor a directory");
        unlink(link);
        cr_assert_eq(mkdir(link, 0700), 0);
        expect_refused(d.path, "is a directory; expected a regular file");
        rmdir(link);
        expect_refused("/dev/null", "neither a regular file nor a directory");
        directory_remove(&d);
}

Test(policy_files, are_refused_beyond_four_mebibytes) {
        Directory d = directory_new();
        enum {
                LIMIT = 4 * 1024 * 1024
        };
        char *text = malloc(LIMIT + 2);
        size_t head = strlen(HEAD "# ");

        cr_assert_not_null(text);
        memset(text, 'x', LIMIT + 2);
        memcpy(text, HEAD "# ", head);
        text[LIMIT] = '\0';
        directory_write(&d, "p.yaml", text);
        expect_taken(directory_path(&d, "p.yaml"), 0);
        text[LIMIT] = 'x';
        text[LIMIT + 1] = '\0';
        directory_write(&d, "p.yaml", text);
        expect_refused(directory_path(&d, "p.yaml"), "too large; expected at most 4 MiB");
        free(text);
        directory_remove(&d);
}

Test(policy_files, are_refused_beyond_a_thousand) {
        Directory d = directory_new();
        char name[32];

        for (int i = 0; i < 1000; i++) {
                (void)snprintf(name, sizeof(name), "%04d.yaml", i);
                directory_write(&d, name, HEAD);
        }
        expect_taken(d.path, 0);
        directory_write(&d, "one-more.yaml", HEAD);
        expect_refused(d.path, "too many files; expected at most 1000");
        directory_remove(&d);
}

Test(policy_files, of_the_examples_are_good) {
        static const char *const zones[] = {"mynumber", "lgwan", "internet"};

        for (size_t i = 0; i < ELEMENTS(zones); i++) {
                PolicyFaults faults = {0};
                Policy *policy = NULL;
                Directory d = directory_new();
                char text[16384], path[128];
                FILE *f;
                size_t n;

                (void)snprintf(path, sizeof(path), "policy/examples/%s.yaml", zones[i]);
                cr_assert_not_null(f = fopen(path, "r"), "%s", path);
                n = fread(text, 1, sizeof(text) - 1, f);
                text[n] = '\0';
                fclose(f);
                directory_write(&d, "p.yaml", text);
                cr_assert_eq(policy_load(d.path, &policy, &faults), 0, "%s: %s", path,
                             faults.n ? faults.items[0].message : "");
                cr_expect_str_eq(policy_zone_to_string(policy->zone), zones[i]);
                cr_expect_eq(policy->removable_default, ACCESS_READ_ONLY);
                cr_expect_gt(policy->n_devices, 0);
                policy_unref(policy);
                directory_remove(&d);
        }
}

Test(policy_files, may_be_tried_out_in_memory_before_they_are_written) {
        static const char register_[] =
                "version: 1\nremovable: {devices: [{name: r, match: {bus: usb}, access: write}]}\n";
        Directory d = directory_new();
        PolicyFaults faults = {0};
        Policy *policy = NULL;

        cr_expect_eq(policy_load_replacing("/nonexistent/policy.d", "50.yaml", HEAD, strlen(HEAD), &policy,
                                           &faults),
                     -ENOENT);
        directory_write(&d, "10.yaml",
                        HEAD "removable: {devices: [{name: a, match: {bus: mmc}, access: "
                             "deny}]}\n");
        directory_write(&d, "90.yaml",
                        "version: 1\nremovable: {devices: [{name: z, match: {bus: mmc}, "
                        "access: deny}]}\n");
        cr_assert_eq(
                policy_load_replacing(d.path, "50.yaml", register_, strlen(register_), &policy, &faults), 0);
        cr_assert_eq(policy->n_devices, 3);
        cr_expect_str_eq(policy->devices[1].name, "r", "in the order of names");
        cr_expect_str_eq(policy->devices[1].origin, directory_origin(&d, "50.yaml", 2));
        policy = policy_unref(policy);

        cr_assert_eq(policy_load_replacing(d.path, "10.yaml", HEAD, strlen(HEAD), &policy, &faults), 0);
        cr_expect_eq(policy->n_devices, 1, "what is there is not read");
        policy = policy_unref(policy);

        cr_assert_eq(policy_load_replacing(d.path, "50.yaml", "version: 2\n", 11, &policy, &faults),
                     -EBADMSG);
        cr_expect_str_eq(faults.items[0].file, directory_path(&d, "50.yaml"));
        policy_faults_clear(&faults);
        directory_remove(&d);
}

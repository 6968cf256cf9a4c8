/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signed policies in the agent's store: what is taken, what is remembered, and that a machine which stops at
 * any moment of an installation has the old policy or the new one. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "agent/policy_copies.h"
#include "agent/policy_store.h"
#include "agent/restored.h"
#include "tests/unit/policy/signed_directory.h"

TestSuite(policy_install, .init = signed_setup, .fini = signed_teardown, .timeout = 110);

#define SERIAL(n)   "version: 1\nserial: " #n "\n"
#define REQUIRED(n) SERIAL(n) "signing:\n  required: true\n"

static void open_store(PolicyStore *store, int expected) {
        cr_assert_eq(policy_store_open(store, signed_path("policy.d"), signed_path("state"), NULL, NULL),
                     expected, "%s", store->faults.n > 0 ? store->faults.items[0].message : "");
}

/* What is in force after a start: its serial. */
static uint64_t start(int expected) {
        PolicyStore store;
        uint64_t serial;

        open_store(&store, expected);
        serial = store.policy->serial;
        policy_store_close(&store);
        return serial;
}

/* Installs TEXT signed with KEY. The result, with FAULT (static) the first. */
static int install(PolicyStore *store, const char *text, const char *key, const char **ret_fault) {
        static char fault[512];
        Policy *old = NULL;
        size_t length;
        char *sealed = signed_seal(text, key, "", &length);
        int r = policy_store_install(store, sealed, length, &old);

        free(sealed);
        policy_unref(old);
        snprintf(fault, sizeof(fault), "%s", store->faults.n > 0 ? store->faults.items[0].message : "");
        if (ret_fault)
                *ret_fault = fault;
        return r;
}

static void install_fresh(const char *text, const char *key) {
        const char *fault;
        PolicyStore store;

        open_store(&store, 0);
        cr_assert_eq(install(&store, text, key, &fault), 0, "%s", fault);
        policy_store_close(&store);
}

static void put_yaml(const char *name, const char *text) {
        char path[128];

        snprintf(path, sizeof(path), "policy.d/%s", name);
        signed_write(signed_path(path), text, strlen(text));
}

static void assert_refused(PolicyStore *store, const char *text, const char *key, const char *why) {
        uint64_t before = store->policy->serial;
        const char *fault;

        cr_assert_eq(install(store, text, key, &fault), 1, "%s", text);
        cr_assert_not_null(strstr(fault, why), "%s", fault);
        cr_assert_eq(store->policy->serial, before);
}

Test(policy_install, what_was_installed_is_in_force_now_and_after_a_start) {
        PolicyStore store;

        open_store(&store, 0);
        cr_assert(store.builtin);
        cr_assert_eq(install(&store, SERIAL(5), "office", NULL), 0);
        cr_assert_eq(store.policy->serial, 5);
        cr_assert_not(store.builtin);
        policy_store_close(&store);
        cr_assert_eq(start(0), 5);
}

Test(policy_install, it_takes_the_place_of_files_that_were_written_by_hand) {
        put_yaml("10.yaml", SERIAL(4));
        cr_assert_eq(start(0), 4);
        install_fresh(SERIAL(5), "office");
        cr_assert_eq(start(0), 5);
        put_yaml("10.yaml", SERIAL(6));
        cr_assert_eq(start(0), 5, "files beside the bundle are not read");
}

Test(policy_install, the_same_again_is_fine_and_others_need_a_higher_serial) {
        size_t length;
        char *sealed = signed_seal(SERIAL(5), "office", "", &length);
        Policy *old = NULL;
        PolicyStore store;

        open_store(&store, 0);
        cr_assert_eq(policy_store_install(&store, sealed, length, &old), 0);
        old = policy_unref(old);
        cr_assert_eq(policy_store_install(&store, sealed, length, &old), 0);
        policy_unref(old);
        free(sealed);
        assert_refused(&store, SERIAL(5) "mode: monitor\n", "office", "with other contents");
        assert_refused(&store, SERIAL(4), "office", "is lower than 5");
        cr_assert_eq(install(&store, SERIAL(6), "office", NULL), 0);
        policy_store_close(&store);
}

Test(policy_install, refused_one_leaves_what_was_there) {
        PolicyStore store;

        signed_make_key("other");
        open_store(&store, 0);
        cr_assert_eq(install(&store, SERIAL(5), "office", NULL), 0);
        assert_refused(&store, SERIAL(6), "other", "which is not known here");
        assert_refused(&store, SERIAL(6) "nonsense: 1\n", "office", "unknown key");
        assert_refused(&store, SERIAL(6) "expires: 2020-01-01\n", "office", "has expired");
        assert_refused(&store, SERIAL(6) "not-before: 2999-01-01\n", "office", "not-before");
        policy_store_close(&store);
        cr_assert_eq(start(0), 5);
}

static int no_keyboard(void *userdata, const Policy *present, const Policy *candidate, char **ret_why,
                       const char **ret_origin) {
        (void)userdata;
        (void)present;
        if (candidate->serial != 6)
                return 0;
        *ret_origin = candidate->usb_origin;
        *ret_why = strdup("takes the only keyboard");
        return 1;
}

Test(policy_install, trial_is_asked_before_anything_changes) {
        PolicyStore store;

        cr_assert_eq(
                policy_store_open(&store, signed_path("policy.d"), signed_path("state"), no_keyboard, NULL),
                0);
        cr_assert_eq(install(&store, SERIAL(5), "office", NULL), 0);
        assert_refused(&store, SERIAL(6), "office", "only keyboard");
        policy_store_close(&store);
        cr_assert_eq(start(0), 5);
}

Test(policy_install, configured_file_is_no_place_for_a_bundle) {
        PolicyStore store;

        signed_write(signed_path("one.yaml"), SERIAL(1), strlen(SERIAL(1)));
        cr_assert_eq(policy_store_open(&store, signed_path("one.yaml"), signed_path("state"), NULL, NULL),
                     0);
        cr_assert_eq(install(&store, SERIAL(5), "office", NULL), -ENOTDIR);
        cr_assert_eq(store.policy->serial, 1);
        policy_store_close(&store);
}

Test(policy_install, where_signing_is_required_files_by_hand_are_refused_and_the_last_good_one_stays) {
        PolicyStore store;

        install_fresh(REQUIRED(5), "office");
        signed_run("rm %s/policy.d/*", signed_root);
        put_yaml("10.yaml", SERIAL(9));
        open_store(&store, 1);
        cr_assert_eq(store.policy->serial, 5);
        cr_assert_eq(store.faults.n, 1);
        cr_assert_not_null(strstr(store.faults.items[0].message, "is not signed"));
        policy_store_close(&store);
        put_yaml("10.yaml", SERIAL(9) "signing: {required: false}\n");
        cr_assert_eq(start(1), 5, "only a signed one lifts it");
}

Test(policy_install, that_signing_is_required_outlives_the_copy_of_the_policy) {
        install_fresh(REQUIRED(5), "office");
        signed_run("rm -r %s/policy.d/* %s/state/last-good", signed_root, signed_root);
        put_yaml("10.yaml", SERIAL(9));
        cr_assert_eq(start(1), 0, "the built-in default");
}

Test(policy_install, signed_policy_lifts_it) {
        PolicyStore store;

        install_fresh(REQUIRED(5), "office");
        install_fresh(SERIAL(6), "office");
        signed_run("rm %s/policy.d/*", signed_root);
        put_yaml("10.yaml", SERIAL(7));
        cr_assert_eq(start(1), 6, "what is left out lifts nothing");
        signed_run("rm %s/policy.d/*.yaml", signed_root);
        open_store(&store, 1);
        cr_assert_not_null(strstr(store.faults.items[0].message, "holds no policy any more"));
        cr_assert_eq(store.policy->serial, 6);
        cr_assert_eq(install(&store, SERIAL(7) "signing:\n  required: false\n", "office", NULL), 0);
        policy_store_close(&store);
        signed_run("rm %s/policy.d/*", signed_root);
        put_yaml("10.yaml", SERIAL(8));
        cr_assert_eq(start(0), 8);
}

Test(policy_install, key_that_a_policy_revoked_does_not_count_any_more) {
        char id[17] = "";
        char text[128];
        PolicyStore store;
        FILE *f;

        signed_make_key("next");
        signed_run("cd %s && cp next.pub keys.d/ && sed -n '1s/.* //p' office.pub >id", signed_root);
        f = fopen(signed_path("id"), "r");
        cr_assert(f && fscanf(f, "%16s", id) == 1);
        fclose(f);
        snprintf(text, sizeof(text), SERIAL(5) "signing:\n  revoked: [\"%s\"]\n", id);
        open_store(&store, 0);
        assert_refused(&store, text, "office", "a policy has revoked");
        cr_assert_eq(install(&store, SERIAL(4), "office", NULL), 0);
        cr_assert_eq(install(&store, text, "next", NULL), 0);
        assert_refused(&store, SERIAL(6), "office", "a policy has revoked");
        policy_store_close(&store);
        install_fresh(SERIAL(6), "next");
        open_store(&store, 0);
        assert_refused(&store, SERIAL(7), "office", "a policy has revoked");
        policy_store_close(&store);
}

Test(policy_install, last_eight_editions_are_kept) {
        char text[64];
        PolicyStore store;
        size_t n = 0;
        DIR *d;

        open_store(&store, 0);
        for (int i = 1; i <= 11; i++) {
                snprintf(text, sizeof(text), "version: 1\nserial: %d\n", i);
                cr_assert_eq(install(&store, text, "office", NULL), 0);
        }
        policy_store_close(&store);
        d = opendir(signed_path("state/" POLICY_HISTORY));
        cr_assert_not_null(d);
        for (const struct dirent *entry; (entry = readdir(d));)
                n += entry->d_name[0] != '.';
        closedir(d);
        cr_assert_eq(n, POLICY_HISTORY_MAX);
        cr_assert_eq(access(signed_path("state/policies/0000000000000004.bundle"), F_OK), 0);
        cr_assert_eq(access(signed_path("state/policies/0000000000000011.bundle"), F_OK), 0);
        signed_run("cmp %s/policy.d/policy.bundle %s/state/policies/0000000000000011.bundle", signed_root,
                   signed_root);
}

Test(policy_install, root_at_the_console_can_put_the_signed_policy_aside) {
        Restored restored = {.serial = 5, .time = 1, .directory = "/x"};
        PolicyStore store;

        install_fresh(REQUIRED(5), "office");
        signed_run("rm %s/policy.d/*", signed_root);
        cr_assert_eq(restored_write(signed_path("state"), &restored), 0);
        cr_assert_eq(start(0), 0, "the built-in default");
        put_yaml("10.yaml", SERIAL(9));
        open_store(&store, 1);
        cr_assert(store.builtin, "what comes after has to be signed all the same");
        cr_assert_eq(install(&store, SERIAL(6), "office", NULL), 0);
        policy_store_close(&store);
}

/* Killed at every system call */

static void install_and_exit(const char *sealed, size_t length) {
        PolicyStore store;
        Policy *old = NULL;

        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        if (policy_store_open(&store, signed_path("policy.d"), signed_path("state"), NULL, NULL) != 0)
                _exit(2);
        _exit(policy_store_install(&store, sealed, length, &old) == 0 ? 0 : 1);
}

/* Lets an installation go on to the STOPth entry into or return from a system call, and kills it there.
 * Whether it was done before. */
static bool install_killed_at(unsigned stop, const char *sealed, size_t length) {
        pid_t pid = fork();
        int status;

        cr_assert_geq(pid, 0);
        if (pid == 0)
                install_and_exit(sealed, length);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        for (unsigned i = 0; i < stop; i++) {
                cr_assert_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
                cr_assert_eq(waitpid(pid, &status, 0), pid);
                if (WIFEXITED(status)) {
                        cr_assert_eq(WEXITSTATUS(status), 0);
                        return true;
                }
                cr_assert(WIFSTOPPED(status));
        }
        kill(pid, SIGKILL);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFSIGNALED(status));
        return false;
}

static void install_sealed(const char *sealed, size_t length) {
        Policy *old = NULL;
        PolicyStore store;

        open_store(&store, 0);
        cr_assert_eq(policy_store_install(&store, sealed, length, &old), 0);
        policy_unref(old);
        policy_store_close(&store);
}

/* From what lies in SAVED; the installation is of serial 2 over 1. */
static void kill_everywhere(const char *sealed, size_t length) {
        unsigned n_old = 0, n_new = 0;
        size_t next_length;
        char *next = signed_seal(SERIAL(3), "office", "", &next_length);

        signed_run("cd %s && mkdir saved && cp -a policy.d state saved/", signed_root);
        for (unsigned stop = 1;; stop += 2) { /* each entry: from one return to the next nothing happens */
                uint64_t serial;

                signed_run("cd %s && rm -rf policy.d state && cp -a saved/policy.d saved/state .",
                           signed_root);
                if (install_killed_at(stop, sealed, length))
                        break;
                serial = start(0);
                cr_assert(serial == 1 || serial == 2);
                n_old += serial == 1;
                n_new += serial == 2;
                install_sealed(next, next_length); /* nothing that is left is in the way */
                signed_run("! ls -A %s/policy.d | grep -qvxE '[a-z0-9]*[.](yaml|bundle)'", signed_root);
        }
        free(next);
        cr_assert_eq(start(0), 2, "nobody has killed the last one");
        cr_assert_gt(n_old, 20);
        cr_assert_gt(n_new, 20);
}

Test(policy_install, killed_at_any_system_call_it_leaves_the_old_bundle_or_the_new_one) {
        size_t length;
        char *sealed = signed_seal(REQUIRED(2), "office", "", &length);

        install_fresh(REQUIRED(1), "office");
        kill_everywhere(sealed, length);
        free(sealed);
}

Test(policy_install, killed_at_any_system_call_it_leaves_the_files_or_the_bundle) {
        size_t length;
        char *sealed = signed_seal(REQUIRED(2), "office", "", &length);

        put_yaml("10.yaml", SERIAL(1));
        cr_assert_eq(start(0), 1);
        kill_everywhere(sealed, length);
        free(sealed);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signatures of sekishoctl, as minisign itself sees them, by keys that minisign has made. */
#include <criterion/criterion.h>
#include <pty.h>
#include <sys/wait.h>

#include "tests/unit/ctl/program.h"
#include "tests/unit/policy/signed_directory.h"

static const char passphrase[] = "合言葉 with blanks";
static const char prompt[] = "Passphrase of ";
static Outcome outcome;

static void setup(void) {
        static const char policy[] = "version: 1\nserial: 5\n";

        signed_setup();
        signed_write(signed_path("policy.d/10-base.yaml"), policy, strlen(policy));
        RUN(&outcome, "policy", "bundle", signed_path("policy.d"), "--output", signed_path("bundle"));
        cr_assert_eq(outcome.status, 0, "%s", outcome.err);
}

TestSuite(policy_sign, .init = setup, .fini = signed_teardown);

/* minisign takes the memory that it is given, at most 1 GiB. */
static void make_locked_key(void) {
        signed_run(
                "cd %s && ulimit -v 100000 && printf '%s\\n%s\\n' | minisign -G -p locked.pub -s locked.key "
                ">/dev/null 2>&1",
                signed_root, passphrase, passphrase);
}

static void verify_as_minisign_does(const char *key) {
        signed_run("cd %s && minisign -V -q -p %s.pub -m bundle", signed_root, key);
}

/* At a terminal: sends TYPED once it is asked. What the terminal showed goes to SHOWN. The exit status. */
static int sign_at_terminal(const char *typed, char *shown, size_t size) {
        int terminal, status;
        pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
        bool asked = false;
        size_t n = 0;

        cr_assert_geq(pid, 0);
        if (pid == 0) {
                execl(SEKISHOCTL, "sekishoctl", "policy", "sign", signed_path("bundle"), "--key",
                      signed_path("locked.key"), NULL);
                _exit(127);
        }
        for (;;) {
                ssize_t got = read(terminal, shown + n, size - 1 - n);

                if (got <= 0) /* EIO: nobody has it open any more */
                        break;
                n += (size_t)got;
                shown[n] = '\0';
                if (!asked && strstr(shown, prompt)) {
                        cr_assert_eq(write(terminal, typed, strlen(typed)), (ssize_t)strlen(typed));
                        asked = true;
                }
        }
        close(terminal);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(asked, "%s", shown);
        cr_assert(WIFEXITED(status), "signal %d", WTERMSIG(status));
        return WEXITSTATUS(status);
}

Test(policy_sign, minisign_takes_what_a_plain_key_signed) {
        RUN(&outcome, "policy", "sign", signed_path("bundle"), "--key", signed_path("office.key"));
        cr_assert_eq(outcome.status, 0, "%s", outcome.err);
        verify_as_minisign_does("office");
}

Test(policy_sign, minisign_takes_what_a_locked_key_signed_and_nothing_typed_is_shown) {
        char shown[4096] = "", typed[128];

        make_locked_key();
        (void)snprintf(typed, sizeof(typed), "%s\n", passphrase);
        cr_assert_eq(sign_at_terminal(typed, shown, sizeof(shown)), 0, "%s", shown);
        cr_expect_null(strstr(shown, passphrase), "%s", shown);
        verify_as_minisign_does("locked");
}

Test(policy_sign, other_passphrase_signs_nothing) {
        char shown[4096] = "";

        make_locked_key();
        cr_expect_eq(sign_at_terminal("another\n", shown, sizeof(shown)), 2);
        cr_expect_not_null(strstr(shown, "that is not its passphrase"), "%s", shown);
        cr_expect_neq(access(signed_path("bundle.minisig"), F_OK), 0);
}

Test(policy_sign, control_c_ends_it) {
        char shown[4096] = "";

        make_locked_key();
        cr_expect_eq(sign_at_terminal("half\003", shown, sizeof(shown)), 2, "%s", shown);
        cr_expect_neq(access(signed_path("bundle.minisig"), F_OK), 0);
}

Test(policy_sign, output_is_the_bundle_with_its_signature) {
        size_t sealed_length, length, signature_length;
        char *sealed, *bundle, *signature;

        RUN(&outcome, "policy", "sign", signed_path("bundle"), "--key", signed_path("office.key"),
            "--output", signed_path("sealed"));
        cr_assert_eq(outcome.status, 0, "%s", outcome.err);
        sealed = signed_read(signed_path("sealed"), &sealed_length);
        bundle = signed_read(signed_path("bundle"), &length);
        signature_length = sealed_length - length;
        cr_assert_eq(memcmp(sealed + signature_length, bundle, length), 0);
        signature = strndup(sealed, signature_length);
        signed_write(signed_path("bundle.minisig"), signature, signature_length);
        verify_as_minisign_does("office");
        free(sealed);
        free(bundle);
        free(signature);
}

Test(policy_sign, key_without_passphrase_that_others_can_read_is_refused) {
        signed_run("chmod 0640 %s", signed_path("office.key"));
        RUN(&outcome, "policy", "sign", signed_path("bundle"), "--key", signed_path("office.key"));
        cr_expect_eq(outcome.status, 2);
        cr_expect_not_null(strstr(outcome.err, "make its mode 0600"), "%s", outcome.err);
}

Test(policy_sign, damaged_key_is_refused) {
        /* base 64 of the secret key's middle */
        signed_run("sed -i '2s/^\\(.\\{110\\}\\)\\(.\\)/\\1/; 2s/$/A/' %s", signed_path("office.key"));
        RUN(&outcome, "policy", "sign", signed_path("bundle"), "--key", signed_path("office.key"));
        cr_expect_eq(outcome.status, 2);
        cr_expect_neq(access(signed_path("bundle.minisig"), F_OK), 0);
}

Test(policy_sign, public_key_is_no_secret_one) {
        RUN(&outcome, "policy", "sign", signed_path("bundle"), "--key", signed_path("office.pub"));
        cr_expect_eq(outcome.status, 2);
        cr_expect_not_null(strstr(outcome.err, "is no secret key of minisign"), "%s", outcome.err);
}

Test(policy_sign, only_bundles_are_signed) {
        RUN(&outcome, "policy", "sign", signed_path("policy.d/10-base.yaml"), "--key",
            signed_path("office.key"));
        cr_expect_eq(outcome.status, 2);
        cr_expect_not_null(strstr(outcome.err, "is no unsigned bundle"), "%s", outcome.err);
}

Test(policy_sign, key_has_to_be_named) {
        RUN(&outcome, "policy", "sign", signed_path("bundle"));
        cr_expect_eq(outcome.status, 2);
        cr_expect_eq(count_of(outcome.err, '\n'), 1);
}

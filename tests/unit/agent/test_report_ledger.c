/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/report/ledger.h"
#include "policy/scope.h"

Test(report_ledger, outlives_the_process_that_counts) {
        CLEANUP_CLOSE int fd = -1;
        Ledger *ledger = NULL;
        pid_t child;
        int status;

        cr_assert_eq(ledger_new(&ledger, &fd), 0);
        child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
                Ledger *theirs = NULL;

                if (ledger_map(fd, &theirs) < 0)
                        _exit(1);
                theirs->refused[EVENT_WRITE_DENIED] += 5;
                theirs->told[EVENT_WRITE_DENIED] += 2;
                _exit(0);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert_eq(status, 0);
        cr_expect_eq(ledger_untold(ledger, EVENT_WRITE_DENIED), 3);
        cr_expect_eq(ledger_untold(ledger, EVENT_READ_DENIED), 0);
        ledger_unmap(ledger);
}

Test(report_ledger, never_tells_less_than_nothing) {
        CLEANUP_CLOSE int fd = -1;
        Ledger *ledger = NULL;

        cr_assert_eq(ledger_new(&ledger, &fd), 0);
        ledger->told[EVENT_WRITE_DENIED] = 1;
        cr_expect_eq(ledger_untold(ledger, EVENT_WRITE_DENIED), 0);
        ledger_unmap(ledger);
}

Test(report_ledger, lets_the_keeper_sleep_only_while_nobody_waits_and_wakes_it_once) {
        CLEANUP_CLOSE int fd = -1;
        Ledger *ledger = NULL;

        cr_assert_eq(ledger_new(&ledger, &fd), 0);
        cr_expect_not(ledger_asked(ledger), "it does not sleep");
        cr_expect_not(ledger_sleep(ledger), "somebody waits");
        ledger_answered(ledger);
        cr_expect(ledger_sleep(ledger));
        cr_expect(ledger_asked(ledger), "it sleeps");
        cr_expect_not(ledger_asked(ledger), "it has been woken");
        ledger_answered(ledger);
        cr_expect_not(ledger_sleep(ledger), "one still waits");
        ledger_answered(ledger);
        cr_expect(ledger_sleep(ledger));
        ledger_unmap(ledger);
}

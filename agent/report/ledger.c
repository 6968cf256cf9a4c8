/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/report/ledger.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/scope.h"

int ledger_map(int fd, Ledger **ret) {
        void *memory = mmap(NULL, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (memory == MAP_FAILED)
                return -errno;
        *ret = memory;
        return 0;
}

int ledger_new(Ledger **ret, int *ret_fd) {
        CLEANUP_CLOSE int fd = memfd_create("sekisho-ledger", MFD_CLOEXEC);
        int r;

        if (fd < 0 || ftruncate(fd, sizeof(Ledger)) < 0)
                return -errno;
        r = ledger_map(fd, ret);
        if (r < 0)
                return r;
        *ret_fd = STEAL_FD(fd);
        return 0;
}

Ledger *ledger_unmap(Ledger *ledger) {
        if (ledger)
                (void)munmap(ledger, sizeof(*ledger));
        return NULL;
}

uint64_t ledger_untold(const Ledger *ledger, EventKind kind) {
        uint64_t refused = ledger->refused[kind], told = ledger->told[kind];

        return refused > told ? refused - told : 0;
}

bool ledger_asked(Ledger *ledger) {
        ledger->asked++;
        return ledger->asleep && atomic_exchange(&ledger->asleep, false);
}

void ledger_answered(Ledger *ledger) {
        ledger->asked--;
}

bool ledger_sleep(Ledger *ledger) {
        ledger->asleep = true;
        if (ledger->asked == 0)
                return true;
        ledger->asleep = false;
        return false;
}

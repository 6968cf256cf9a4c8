/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_key: the security key that the environment names: SEKISHO_FAKE_KEY is a file with what it remembers
 * from program to program (a seed is made, and PIN 123456 set, where there is none), SEKISHO_FAKE_FAULT the
 * number of its fault. Without them nothing is plugged in. SEKISHO_FAKE_BUS is the system bus.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/fingerprint.h"
#include "tests/pam/fake_authenticator.h"

static FakeAuthenticator plugged;

size_t fake_authenticators(FakeAuthenticator **ret) {
        const char *path = getenv("SEKISHO_FAKE_KEY"), *fault = getenv("SEKISHO_FAKE_FAULT");
        FILE *file = path ? fopen(path, "re") : NULL; /* the failing module fails read() and write() */

        if (!path)
                return 0;
        if (!file || fread(&plugged, sizeof(plugged), 1, file) != 1) {
                plugged = fake_authenticator_new((unsigned char)path[strlen(path) - 1], "123456");
                fake_authenticator_changed(&plugged);
        }
        if (file)
                (void)fclose(file);
        plugged.fault = fault ? (FakeFault)atoi(fault) : FAKE_HONEST;
        *ret = &plugged;
        return 1;
}

void fake_authenticator_changed(FakeAuthenticator *fake) {
        FILE *file = fopen(getenv("SEKISHO_FAKE_KEY"), "we");

        if (!file || fwrite(fake, sizeof(*fake), 1, file) != 1 || fclose(file) != 0)
                abort();
}

const char *__wrap_fingerprint_bus_address(void);
const char *__wrap_fingerprint_bus_address(void) {
        const char *address = getenv("SEKISHO_FAKE_BUS");

        return address ? address : "unix:path=/nonexistent";
}

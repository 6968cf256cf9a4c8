/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_key: the security key that the environment names: SEKISHO_FAKE_KEY is a file with what it remembers
 * from program to program (a seed is made, and PIN 123456 set, where there is none), SEKISHO_FAKE_FAULT the
 * number of its fault. Without them nothing is plugged in. SEKISHO_FAKE_BUS is the system bus.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam_module/fingerprint.h"
#include "tests/pam/fake_authenticator.h"

static FakeAuthenticator plugged;

size_t fake_authenticators(FakeAuthenticator **ret) {
        const char *path = getenv("SEKISHO_FAKE_KEY"), *fault = getenv("SEKISHO_FAKE_FAULT");
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

        if (!path)
                return 0;
        if (fd < 0 || read(fd, &plugged, sizeof(plugged)) != (ssize_t)sizeof(plugged)) {
                plugged = fake_authenticator_new((unsigned char)path[strlen(path) - 1], "123456");
                fake_authenticator_changed(&plugged);
        }
        if (fd >= 0)
                close(fd);
        plugged.fault = fault ? (FakeFault)atoi(fault) : FAKE_HONEST;
        *ret = &plugged;
        return 1;
}

void fake_authenticator_changed(FakeAuthenticator *fake) {
        int fd = open(getenv("SEKISHO_FAKE_KEY"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0 || write(fd, fake, sizeof(*fake)) != (ssize_t)sizeof(*fake))
                abort();
        close(fd);
}

const char *__wrap_fingerprint_bus_address(void);
const char *__wrap_fingerprint_bus_address(void) {
        const char *address = getenv("SEKISHO_FAKE_BUS");

        return address ? address : "unix:path=/nonexistent";
}

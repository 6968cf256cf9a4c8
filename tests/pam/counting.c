/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counting: loaded before the libraries (LD_PRELOAD), it counts how often a one-time password is computed:
 * so often one was checked, where the policy has no drift. A byte each in the file SEKISHO_COUNT_IN. With
 * SEKISHO_DIE_IN_CHECK the process ends there as by kill -9.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <liboath/oath.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*Generate)(const char *secret, size_t length, time_t now, unsigned step, time_t start,
                        unsigned digits, int flags, char *ret);

static void count(void) {
        const char *path = getenv("SEKISHO_COUNT_IN");
        int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

        if (fd < 0 || write(fd, "x", 1) != 1)
                abort(); /* a count that is too low would be worse */
        close(fd);
        if (getenv("SEKISHO_DIE_IN_CHECK"))
                (void)kill(getpid(), SIGKILL);
}

/* Not const in liboath 2.6.7's header, either. */
int oath_totp_generate2(const char *secret, size_t length, time_t now, unsigned step, time_t start,
                        unsigned digits, int flags, char *ret) {
        void *library = dlopen("liboath.so.0", RTLD_NOW | RTLD_LOCAL); /* the module's, not the program's */
        Generate real;

        *(void **)&real = library ? dlsym(library, "oath_totp_generate2") : NULL;
        if (!real)
                abort();
        count();
        return real(secret, length, now, step, start, digits, flags, ret);
}

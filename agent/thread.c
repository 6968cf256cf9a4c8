/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

int thread_start(size_t stack_size, void *(*run)(void *userdata), void *userdata) {
        pthread_attr_t attributes;
        sigset_t all, before;
        pthread_t thread;
        int r = pthread_attr_init(&attributes);

        if (r != 0)
                return -r;
        (void)pthread_attr_setstacksize(&attributes, stack_size);
        (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&thread, &attributes, run, userdata);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
        return -r;
}

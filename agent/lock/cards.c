/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lock/cards.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <winscard.h>

#include "agent/thread.h"
#include "policy/scope.h"

enum {
        STACK_SIZE = 256 * 1024,
        NAMES_MAX = CARD_READERS_MAX * CARD_READER_SIZE,
        WAIT_MIN = 1, /* seconds until pcscd is asked again, when it was not there */
        WAIT_MAX = 60
};

/* A "reader" of pcscd's that changes when readers come and go (SCardGetStatusChange(3)). */
#define READERS_CHANGE "\\\\?PnP?\\Notification"

struct Cards {
        unsigned references; /* of the loop's side and of the thread; atomic */
        void (*changed)(void *userdata);
        void *userdata;
        sd_event_source *source;
        int wake;             /* eventfd: from the thread to the loop */
        pthread_mutex_t lock; /* guards: */
        CardReaders readers;
};

static void unref(Cards *cards) {
        if (__atomic_sub_fetch(&cards->references, 1, __ATOMIC_ACQ_REL) > 0)
                return;
        pthread_mutex_destroy(&cards->lock);
        scope_close(&cards->wake);
        free(cards);
}

/* the thread */

static void publish(Cards *cards, const CardReaders *readers) {
        const uint64_t one = 1;

        pthread_mutex_lock(&cards->lock);
        cards->readers = *readers;
        pthread_mutex_unlock(&cards->lock);
        while (write(cards->wake, &one, sizeof(one)) < 0 && errno == EINTR)
                ;
}

/* Fills STATES with all readers there are, without what is in them, and with READERS_CHANGE. How many, or
 * negative. */
static int list_readers(SCARDCONTEXT context, char names[NAMES_MAX],
                        SCARD_READERSTATE states[CARD_READERS_MAX + 1]) {
        DWORD length = NAMES_MAX;
        LONG code = SCardListReaders(context, NULL, names, &length);
        int n = 0;

        if (code != SCARD_S_SUCCESS && code != SCARD_E_NO_READERS_AVAILABLE)
                return -EIO;
        for (const char *name = names; code == SCARD_S_SUCCESS && *name && n < CARD_READERS_MAX;
             name += strlen(name) + 1)
                states[n++] = (SCARD_READERSTATE){.szReader = name};
        states[n++] = (SCARD_READERSTATE){.szReader = READERS_CHANGE};
        return n;
}

static void take(const SCARD_READERSTATE *states, size_t n, CardReaders *readers) {
        readers->n = 0;
        for (size_t i = 0; i + 1 < n; i++) { /* the last one is none */
                size_t at = readers->n;

                if (states[i].dwEventState & (SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE))
                        continue;
                if (strlen(states[i].szReader) >= CARD_READER_SIZE)
                        continue;
                memcpy(readers->list[at].name, states[i].szReader, strlen(states[i].szReader) + 1);
                readers->list[at].card = states[i].dwEventState & SCARD_STATE_PRESENT;
                readers->list[at].changes = (uint32_t)(states[i].dwEventState >> 16) & 0xffff;
                readers->n++;
        }
}

/* Tells of the readers there are until they are other ones, or pcscd is gone: 0, -EIO. */
static int follow_readers(Cards *cards, SCARDCONTEXT context, CardReaders *readers) {
        SCARD_READERSTATE states[CARD_READERS_MAX + 1] = {0};
        char names[NAMES_MAX] = "";
        int n = list_readers(context, names, states);
        DWORD wait = 0; /* at first what is there now */

        if (n < 0)
                return n;
        for (;;) {
                LONG code = SCardGetStatusChange(context, wait, states, (DWORD)n);

                if (code == SCARD_E_UNKNOWN_READER)
                        return 0;
                if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT)
                        return -EIO;
                take(states, (size_t)n, readers);
                publish(cards, readers);
                if (wait != 0 && states[n - 1].dwEventState & SCARD_STATE_CHANGED)
                        return 0;
                for (int i = 0; i < n; i++)
                        states[i].dwCurrentState = states[i].dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
                wait = INFINITE;
        }
}

static void *run(void *userdata) {
        Cards *cards = userdata;
        CardReaders readers = {.asked = true};
        uint64_t session = 0;
        struct timespec wait = {.tv_sec = WAIT_MIN};

        /* until the process ends, or nobody listens any more */
        while (__atomic_load_n(&cards->references, __ATOMIC_ACQUIRE) > 1) {
                SCARDCONTEXT context;

                if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context) == SCARD_S_SUCCESS) {
                        wait.tv_sec = WAIT_MIN;
                        readers.session = ++session;
                        while (follow_readers(cards, context, &readers) == 0)
                                ;
                        (void)SCardReleaseContext(context);
                }
                readers.session = 0;
                readers.n = 0;
                publish(cards, &readers);
                (void)nanosleep(&wait, NULL);
                wait.tv_sec = wait.tv_sec * 2 > WAIT_MAX ? WAIT_MAX : wait.tv_sec * 2;
        }
        unref(cards);
        return NULL;
}

/* the loop's side */

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Cards *cards = userdata;
        uint64_t count;

        (void)source;
        (void)revents;
        if (read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
                cards->changed(cards->userdata);
        return 0;
}

int cards_new(sd_event *event, int priority, void (*changed)(void *userdata), void *userdata, Cards **ret) {
        Cards *cards = calloc(1, sizeof(*cards));
        int r;

        if (!cards)
                return -ENOMEM;
        *cards = (Cards){.references = 2, .changed = changed, .userdata = userdata};
        pthread_mutex_init(&cards->lock, NULL);
        cards->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = cards->wake < 0 ? -errno
                            : sd_event_add_io(event, &cards->source, cards->wake, EPOLLIN, on_wake, cards);
        if (r >= 0)
                r = sd_event_source_set_priority(cards->source, priority);
        if (r >= 0)
                r = thread_start(STACK_SIZE, run, cards);
        if (r < 0) {
                sd_event_source_disable_unref(cards->source);
                cards->references = 1;
                unref(cards);
                return r;
        }
        *ret = cards;
        return 0;
}

Cards *cards_free(Cards *cards) {
        if (!cards)
                return NULL;
        sd_event_source_disable_unref(cards->source);
        unref(cards);
        return NULL;
}

void cards_get(Cards *cards, CardReaders *ret) {
        pthread_mutex_lock(&cards->lock);
        *ret = cards->readers;
        pthread_mutex_unlock(&cards->lock);
}

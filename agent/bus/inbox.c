/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct Inbox {
        pthread_mutex_t lock; /* held for a few instructions only */
        Denial queue[INBOX_MAX];
        size_t head, n;
        uint64_t lost;
        int fd;
};

int inbox_new(Inbox **ret) {
        Inbox *inbox = calloc(1, sizeof(*inbox));

        if (!inbox)
                return -ENOMEM;
        inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (inbox->fd < 0) {
                int r = -errno;

                free(inbox);
                return r;
        }
        pthread_mutex_init(&inbox->lock, NULL);
        *ret = inbox;
        return 0;
}

Inbox *inbox_free(Inbox *inbox) {
        Denial denial;

        if (!inbox)
                return NULL;
        while (inbox_take(inbox, &denial))
                denial_clear(&denial);
        close(inbox->fd);
        pthread_mutex_destroy(&inbox->lock);
        free(inbox);
        return NULL;
}

int inbox_fd(const Inbox *inbox) {
        return inbox->fd;
}

static uint64_t now_realtime(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void inbox_put(Inbox *inbox, const Record *record) {
        Denial denial = {.record = record_copy(record), .realtime = now_realtime(), .seat = (uid_t)-1};

        pthread_mutex_lock(&inbox->lock);
        if (denial.record && inbox->n < INBOX_MAX) {
                inbox->queue[(inbox->head + inbox->n++) % INBOX_MAX] = denial;
                denial.record = NULL;
        } else
                inbox->lost += record->count;
        pthread_mutex_unlock(&inbox->lock);
        denial_clear(&denial);
        (void)eventfd_write(inbox->fd, 1); /* EAGAIN: it is readable already */
}

bool inbox_take(Inbox *inbox, Denial *ret) {
        eventfd_t ignored;
        bool found;

        pthread_mutex_lock(&inbox->lock);
        found = inbox->n > 0;
        if (found) {
                *ret = inbox->queue[inbox->head];
                inbox->head = (inbox->head + 1) % INBOX_MAX;
                inbox->n--;
        } else /* under the lock: what is put from now on makes it readable again */
                (void)eventfd_read(inbox->fd, &ignored);
        pthread_mutex_unlock(&inbox->lock);
        return found;
}

uint64_t inbox_lost(Inbox *inbox) {
        uint64_t lost;

        pthread_mutex_lock(&inbox->lock);
        lost = inbox->lost;
        pthread_mutex_unlock(&inbox->lock);
        return lost;
}

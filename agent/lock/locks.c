/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lock/locks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/clock.h"
#include "agent/lock/cards.h"
#include "agent/lock/logind.h"
#include "agent/lock/removal.h"
#include "policy/token.h"
#include "policy/translate.h"

enum {
        PRIORITY = 40, /* behind what enforces, before who only asks */
        TIMER_SLACK_USEC = 100000
};

typedef struct Entry {
        struct Entry *next;
        Session session;
        Token token;
        CardMark card;
        bool gone;    /* the token */
        bool handled; /* it was locked for that, or was tried */
        bool warned;  /* that its card cannot be watched */
        Lock lock;
        Idle idle;
} Entry;

struct Locks {
        LocksCallbacks callbacks;
        sd_event *event;
        sd_event_source *timer;
        bool on_removal, all; /* whether every session is to be followed */
        unsigned idle_minutes;
        Entry *list;
        Logind *logind;   /* while a session is followed ... */
        Removal *removal; /* ... by what it was opened with, ... */
        Cards *cards;     /* ... and once that was a card */
};

static bool has_token(const Locks *locks, const Entry *entry) {
        return locks->on_removal && entry->token.kind != TOKEN_NONE;
}

/* steps */

static void run(Locks *locks, Entry *entry, LockStep step, const char *why) {
        switch (step) {
        case LOCK_DO_ASK:
                if (locks->logind)
                        logind_lock(locks->logind, entry->session.leader);
                return;
        case LOCK_DO_TELL_LOCKED:
                locks->callbacks.locked(locks->callbacks.userdata, &entry->session, entry->lock.reason);
                return;
        case LOCK_DO_TELL_FAILED:
                locks->callbacks.failed(locks->callbacks.userdata, &entry->session, entry->lock.reason, why);
                return;
        case LOCK_DO_NOTHING:
                return;
        }
}

static void look_at_card(Locks *locks, Entry *entry) {
        CardReaders readers = {0};

        if (!locks->cards)
                return;
        cards_get(locks->cards, &readers);
        switch (card_look(&readers, entry->token.place, &entry->card)) {
        case CARD_GONE:
                entry->gone = true;
                break;
        case CARD_UNSEEN:
                if (!entry->warned)
                        locks->callbacks.failed(locks->callbacks.userdata, &entry->session,
                                                LOCK_TOKEN_REMOVED,
                                                N_("pcscd does not answer: only a reader that is pulled out "
                                                   "is noticed, not a card"));
                entry->warned = true;
                break;
        case CARD_HERE:
                entry->warned = false;
                break;
        case CARD_UNKNOWN:
                break;
        }
}

/* Whether what the session was opened with is still there. */
static void look_at_token(Locks *locks, Entry *entry) {
        if (!has_token(locks, entry) || entry->gone)
                return;
        if (entry->token.kind == TOKEN_CARD)
                look_at_card(locks, entry);
        else if (!entry->token.place[0] ||
                 (access(entry->token.place, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)))
                entry->gone = true;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
        return a == 0 ? b : b == 0 || a < b ? a : b;
}

static void look_at(Locks *locks, Entry *entry) {
        uint64_t now = clock_boottime_usec(), idle = idle_due(&entry->idle, locks->idle_minutes);
        const char *why = entry->lock.stage == LOCK_EXPECTED
                                  ? N_("the session has no screen lock, or none that tells systemd-logind")
                          : locks->logind ? logind_why(locks->logind, entry->session.leader)
                                          : N_("out of memory");

        run(locks, entry, lock_look(&entry->lock, now), why);
        if (has_token(locks, entry) && entry->gone && !entry->handled) {
                entry->handled = true;
                run(locks, entry, lock_want(&entry->lock, LOCK_TOKEN_REMOVED, now), NULL);
        }
        if (idle > 0 && idle <= now) {
                entry->idle.handled = true;
                run(locks, entry, lock_want(&entry->lock, LOCK_IDLE, now), NULL);
        }
}

/* Everything that may be due, and when the next is. */
static void look_at_all(Locks *locks) {
        uint64_t due = 0;

        for (Entry *entry = locks->list; entry; entry = entry->next) {
                look_at(locks, entry);
                due = earlier(due, entry->lock.due);
                due = earlier(due, idle_due(&entry->idle, locks->idle_minutes));
        }
        if (due == 0) {
                (void)sd_event_source_set_enabled(locks->timer, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time(locks->timer, due);
        (void)sd_event_source_set_enabled(locks->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        look_at_all(userdata);
        return 0;
}

/* what is heard */

static Entry *find(const Locks *locks, pid_t leader) {
        for (Entry *entry = locks->list; entry; entry = entry->next)
                if (entry->session.leader == leader)
                        return entry;
        return NULL;
}

static void on_hints(void *userdata, pid_t leader, const LogindHints *hints) {
        Locks *locks = userdata;
        Entry *entry = find(locks, leader);

        if (!entry)
                return;
        idle_hint(&entry->idle, hints->idle, hints->idle_since);
        run(locks, entry, lock_hint(&entry->lock, hints->locked), NULL);
        look_at_all(locks);
}

static void on_answered(void *userdata, pid_t leader, int error, const char *why) {
        Locks *locks = userdata;
        Entry *entry = find(locks, leader);

        if (!entry)
                return;
        if (error == -ENXIO) /* the person has logged out: there is nothing to lock */
                lock_unlocked(&entry->lock);
        else
                run(locks, entry, lock_answered(&entry->lock, error == 0, clock_boottime_usec()), why);
        look_at_all(locks);
}

static void on_came(void *userdata) {
        Locks *locks = userdata;

        for (Entry *entry = locks->list; entry; entry = entry->next)
                run(locks, entry, lock_again(&entry->lock, clock_boottime_usec()), NULL);
        look_at_all(locks);
}

/* PATH, or what it is below of. */
static bool is_within(const char *path, const char *removed) {
        size_t length = strlen(removed);

        return strncmp(path, removed, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The device is in sysfs yet when the kernel says that it is gone (drivers/base/core.c, device_del). */
static void on_removed(void *userdata, const char *syspath, bool reader) {
        Locks *locks = userdata;

        for (Entry *entry = locks->list; entry; entry = entry->next) {
                if (!has_token(locks, entry))
                        continue;
                if (!syspath)
                        look_at_token(locks, entry);
                else if (entry->token.kind == TOKEN_KEY && is_within(entry->token.place, syspath))
                        entry->gone = true;
                else if (entry->token.kind == TOKEN_CARD && reader) {
                        look_at_token(locks, entry);
                        entry->gone = entry->gone || entry->warned; /* pcscd would know whose it is */
                }
        }
        look_at_all(locks);
}

static void on_cards(void *userdata) {
        Locks *locks = userdata;

        for (Entry *entry = locks->list; entry; entry = entry->next)
                if (entry->token.kind == TOKEN_CARD)
                        look_at_token(locks, entry);
        look_at_all(locks);
}

/* what is listened to */

static int listen_to_logind(Locks *locks) {
        const LogindCallbacks callbacks = {
                .hints = on_hints, .answered = on_answered, .came = on_came, .userdata = locks};

        return locks->logind
                       ? 0
                       : logind_new(locks->event, PRIORITY, LOCK_ANSWER_USEC, &callbacks, &locks->logind);
}

static int listen_to_devices(Locks *locks, bool cards) {
        const RemovalCallbacks callbacks = {.removed = on_removed, .userdata = locks};
        int r = locks->removal ? 0 : removal_new(locks->event, PRIORITY, &callbacks, &locks->removal);

        if (r == 0 && cards && !locks->cards)
                r = cards_new(locks->event, PRIORITY, on_cards, locks, &locks->cards);
        return r;
}

/* Not from within a callback of logind's: it may go. 0 or the first -errno. */
static int settle(Locks *locks) {
        bool followed = false, tokens = false;
        int r = 0;

        for (Entry *entry = locks->list; entry; entry = entry->next) {
                bool token = has_token(locks, entry),
                     follow = token || locks->idle_minutes > 0 || locks->all;
                int devices = 0, logind = 0;

                followed = followed || follow;
                tokens = tokens || token;
                if (token) /* before it is looked for, so that nothing is missed */
                        devices = listen_to_devices(locks, entry->token.kind == TOKEN_CARD);
                if (follow)
                        logind = listen_to_logind(locks);
                if (follow && logind == 0)
                        logind = logind_follow(locks->logind, entry->session.leader, entry->session.id);
                else if (locks->logind && !follow)
                        logind_forget(locks->logind, entry->session.leader);
                r = r < 0 ? r : devices < 0 ? devices : logind;
                look_at_token(locks, entry);
        }
        if (!followed)
                locks->logind = logind_free(locks->logind);
        if (!tokens)
                locks->removal = removal_free(locks->removal);
        look_at_all(locks);
        return r;
}

int locks_new(sd_event *event, const LocksCallbacks *callbacks, Locks **ret) {
        Locks *locks = calloc(1, sizeof(*locks));
        int r;

        if (!locks)
                return -ENOMEM;
        locks->callbacks = *callbacks;
        locks->event = event;
        r = sd_event_add_time(event, &locks->timer, CLOCK_BOOTTIME, 0, TIMER_SLACK_USEC, on_timer, locks);
        if (r >= 0)
                r = sd_event_source_set_enabled(locks->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(locks->timer, PRIORITY);
        if (r < 0) {
                locks_free(locks);
                return r;
        }
        *ret = locks;
        return 0;
}

Locks *locks_free(Locks *locks) {
        if (!locks)
                return NULL;
        logind_free(locks->logind);
        removal_free(locks->removal);
        cards_free(locks->cards);
        sd_event_source_disable_unref(locks->timer);
        while (locks->list) {
                Entry *entry = locks->list;

                locks->list = entry->next;
                free(entry);
        }
        free(locks);
        return NULL;
}

void locks_set_rules(Locks *locks, bool on_removal, unsigned idle_minutes) {
        locks->on_removal = on_removal;
        locks->idle_minutes = idle_minutes;
        (void)settle(locks); /* what failed is tried again with the next session */
}

int locks_follow(Locks *locks, const Session *session) {
        Entry *entry;
        Lock lock = {0};
        Idle idle = {0};
        Token token;
        int r;

        if (session->remote)
                return 0;
        r = token_parse(session->token, &token);
        if (r < 0)
                return r;
        entry = find(locks, session->leader);
        if (!entry) {
                entry = calloc(1, sizeof(*entry));
                if (!entry)
                        return -ENOMEM;
                entry->next = locks->list;
                locks->list = entry;
        } else { /* logind will not say again what it has said */
                lock = entry->lock;
                idle = entry->idle;
        }
        lock_unlocked(&lock);
        *entry = (Entry){
                .next = entry->next, .session = *session, .token = token, .lock = lock, .idle = idle};
        return settle(locks);
}

void locks_lock_all(Locks *locks, LockReason reason) {
        uint64_t now = clock_boottime_usec();

        locks->all = reason != LOCK_FOR_NOTHING;
        (void)settle(locks); /* without logind each session tells that it cannot be locked */
        for (Entry *entry = locks->list; entry && locks->all; entry = entry->next)
                if (locks->logind)
                        run(locks, entry, lock_want(&entry->lock, reason, now), NULL);
                else
                        locks->callbacks.failed(locks->callbacks.userdata, &entry->session, reason,
                                                N_("out of memory"));
        look_at_all(locks);
}

void locks_forget(Locks *locks, pid_t leader) {
        for (Entry **link = &locks->list; *link; link = &(*link)->next)
                if ((*link)->session.leader == leader) {
                        Entry *entry = *link;

                        *link = entry->next;
                        if (locks->logind)
                                logind_forget(locks->logind, leader);
                        free(entry);
                        break;
                }
        (void)settle(locks);
}

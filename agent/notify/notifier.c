/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/notify/notifier.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/notify/desktop.h"
#include "agent/notify/flood.h"
#include "agent/notify/listener.h"
#include "agent/notify/terminal.h"
#include "policy/scope.h"

struct Notifier {
        uid_t uid;
        sd_event *event;
        sd_event_source *due;
        Listener *listener;
        Desktop *desktop; /* NULL: none */
        Flood flood;
        bool on_terminals; /* the last one went there */
        Notice last;
};

static uint64_t now_usec(const Notifier *notifier) {
        uint64_t now = 0;

        (void)sd_event_now(notifier->event, CLOCK_BOOTTIME, &now);
        return now;
}

static void show_on_terminals(Notifier *notifier) {
        CLEANUP_FREE char *line = notice_line(&notifier->last, notifier->flood.total);

        notifier->on_terminals = true;
        if (line)
                (void)terminals_tell(notifier->uid, line);
}

/* The desktop did not take it after all. */
static void on_lost(void *userdata) {
        show_on_terminals(userdata);
}

static void show(Notifier *notifier) {
        bool fresh = notifier->flood.fresh;

        flood_shown(&notifier->flood, now_usec(notifier));
        if (notifier->desktop &&
            desktop_show(notifier->desktop, &notifier->last, notifier->flood.total, fresh) >= 0)
                notifier->on_terminals = false; /* unless on_lost() says otherwise */
        else
                show_on_terminals(notifier);
}

static void show_when_due(Notifier *notifier) {
        uint64_t now = now_usec(notifier);
        uint64_t due = flood_due(&notifier->flood,
                                 notifier->on_terminals ? FLOOD_TERMINAL_USEC : FLOOD_DESKTOP_USEC);

        if (due <= now)
                show(notifier);
        else if (due != UINT64_MAX && sd_event_source_set_time(notifier->due, due) >= 0)
                (void)sd_event_source_set_enabled(notifier->due, SD_EVENT_ONESHOT);
}

static int on_due(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        show_when_due(userdata);
        return 0;
}

static void on_denied(void *userdata, Notice *notice) {
        Notifier *notifier = userdata;

        if (notice->mode && strcmp(notice->mode, "monitor") == 0)
                return; /* it went ahead: nothing was blocked */
        flood_add(&notifier->flood, notice->count, now_usec(notifier));
        notice_clear(&notifier->last);
        notifier->last = *notice;
        *notice = (Notice){0};
        show_when_due(notifier);
}

int notifier_new(sd_event *event, uid_t uid, const char *session_address, Notifier **ret) {
        Notifier *notifier = calloc(1, sizeof(*notifier));
        int r;

        if (!notifier)
                return -ENOMEM;
        notifier->uid = uid;
        notifier->event = sd_event_ref(event);
        r = sd_event_add_time(event, &notifier->due, CLOCK_BOOTTIME, 0, 1, on_due, notifier);
        if (r >= 0)
                r = sd_event_source_set_enabled(notifier->due, SD_EVENT_OFF);
        if (r >= 0 && session_address)
                r = desktop_new(event, session_address, on_lost, notifier, &notifier->desktop);
        if (r >= 0)
                r = listener_new(event, uid, on_denied, notifier, &notifier->listener);
        if (r < 0) {
                notifier_free(notifier);
                return r;
        }
        *ret = notifier;
        return 0;
}

Notifier *notifier_free(Notifier *notifier) {
        if (!notifier)
                return NULL;
        listener_free(notifier->listener);
        desktop_free(notifier->desktop);
        sd_event_source_disable_unref(notifier->due);
        notice_clear(&notifier->last);
        sd_event_unref(notifier->event);
        free(notifier);
        return NULL;
}

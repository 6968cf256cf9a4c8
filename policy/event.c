/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/event.h"

#include <syslog.h>

#include "policy/scope.h"

DEFINE_ENUM_STRINGS(Operation, operation, OPERATION_LIST)

static const struct {
        const char *word, *id;
        int priority;
} events[] = {
#define EVENT_ENTRY_(constant, word, id, priority) [constant] = {word, id, priority},
        EVENT_LIST(EVENT_ENTRY_)
#undef EVENT_ENTRY_
};

const char *event_to_string(EventKind kind) {
        return (size_t)kind < ELEMENTS(events) ? events[kind].word : NULL;
}

int event_from_string(const char *word) {
        for (size_t i = 0; i < ELEMENTS(events); i++)
                if (strcmp(events[i].word, word) == 0)
                        return (int)i;
        return -1;
}

const char *event_message_id(EventKind kind) {
        return (size_t)kind < ELEMENTS(events) ? events[kind].id : NULL;
}

int event_priority(EventKind kind) {
        return (size_t)kind < ELEMENTS(events) ? events[kind].priority : LOG_ERR;
}
DEFINE_ENUM_STRINGS(LockReason, lock_reason, LOCK_REASON_LIST);

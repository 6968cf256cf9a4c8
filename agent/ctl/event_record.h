/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_record.h: one entry of the journal as Sekisho's readers want it: whether the guard wrote it, whether
 * it is what was asked for, and how it is shown. Pure; where entries come from is events.c's business.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/ctl/json.h"
#include "policy/event.h"
#include "policy/file_names.h"

enum {
        EVENT_FIELDS_MAX = 64
};

typedef struct EventField {
        char *name, *value; /* the value is as long as LENGTH and followed by a NUL */
        size_t length;
} EventField;

typedef struct EventRecord {
        uint64_t realtime; /* when the journal took it in, microseconds */
        EventField fields[EVENT_FIELDS_MAX];
        size_t n;
} EventRecord;

/* Adds "NAME=VALUE" of LENGTH bytes if it is a field that matters here: ours and those that tell who wrote
 * the entry. Of a field that comes twice the first counts. 0 or -ENOMEM. */
int event_record_add(EventRecord *record, const char *data, size_t length);
void event_record_clear(EventRecord *record);

/* NULL if the entry has no such field. */
const char *event_record_get(const EventRecord *record, const char *name);

/* Whether the guard wrote it: by the journal's own protocol, as root, as the agent's program, with the
 * MESSAGE_ID of its event. The first three are said by the journal, not by the writer
 * (systemd.journal-fields(7), trusted fields). */
bool event_record_is_trusted(const EventRecord *record);

typedef struct EventFilter {
        bool by_user;
        uint32_t uid;       /* as whom or by whose login */
        const char *device; /* serial number, vendor:product, kernel name */
        const char *rule, *person;
        const char *name;            /* of a file */
        char token[FILE_NAME_TOKEN]; /* of that name; "" if there is no secret here */
        const char *destination;     /* address, prefix or name: where it was to go */
        bool by_kind[EVENT_KINDS];
        bool any_kind;
        uint64_t since, until; /* inclusive */
        bool untrusted;        /* let in what others wrote */
} EventFilter;

bool event_filter_matches(const EventFilter *filter, const EventRecord *record);

/* Keys are the journal's field names in lower case without "SEKISHO_", with time, timestamp_us, message and
 * message_id; numbers where the field is one. NULL if memory is short. */
struct json_object *event_record_json(const EventRecord *record);

/* Where a connection was to go: "10.9.0.1:443", "[fd00::1]:443", "10.9.0.1 (icmp)"; what was tried, where it
 * leads nowhere yet. A new string; NULL if nothing is known or memory is short. */
char *event_record_destination(const EventRecord *record);

/* A row of the table for people. */
enum {
        EVENT_TIME,
        EVENT_KIND,
        EVENT_USER,
        EVENT_WHAT,
        EVENT_DEVICE,
        EVENT_RULE,
        EVENT_COUNT,
        EVENT_HOST, /* last: shown of records that came from elsewhere */
        EVENT_COLUMNS
};

typedef struct EventRow {
        char *cells[EVENT_COLUMNS]; /* owned; NULL for nothing */
} EventRow;

/* USER_NAME turns the text of a uid into a name to show, a new string, or NULL. */
int event_record_row(const EventRecord *record, char *(*user_name)(void *userdata, const char *uid),
                     void *userdata, EventRow *ret);
void event_row_clear(EventRow *row);

#define CLEANUP_EVENT_RECORD CLEANUP(event_record_clear)
#define CLEANUP_EVENT_ROW    CLEANUP(event_row_clear)

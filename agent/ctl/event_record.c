/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/event_record.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"
#include "policy/address.h"

#define PREFIX  "SEKISHO_"
#define PROGRAM "sekishod"

/* What is kept of an entry beside the fields of our own. */
static const char *const kept[] = {"MESSAGE", "MESSAGE_ID", "_UID",        "_COMM",
                                   "_EXE",    "_TRANSPORT", "_MACHINE_ID", "_HOSTNAME"};

/* Fields that hold a number. */
static const char *const numbers[] = {FIELD_PID, FIELD_UID, FIELD_LOGINUID, FIELD_COUNT,
                                      FIELD_POLICY_SERIAL};

static bool listed(const char *const *list, size_t n, const char *word) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], word) == 0)
                        return true;
        return false;
}

static bool matters(const char *name) {
        return strncmp(name, PREFIX, strlen(PREFIX)) == 0 || listed(kept, ELEMENTS(kept), name);
}

int event_record_add(EventRecord *record, const char *data, size_t length) {
        const char *equals = memchr(data, '=', length);
        CLEANUP_FREE char *name = equals ? strndup(data, (size_t)(equals - data)) : NULL;
        EventField *field;
        size_t rest;

        if (!equals)
                return 0;
        if (!name)
                return -ENOMEM;
        if (!matters(name) || event_record_get(record, name) || record->n >= EVENT_FIELDS_MAX)
                return 0;
        rest = length - (size_t)(equals + 1 - data);
        field = &record->fields[record->n];
        field->value = malloc(rest + 1);
        if (!field->value)
                return -ENOMEM;
        memcpy(field->value, equals + 1, rest);
        field->value[rest] = '\0';
        field->length = rest;
        field->name = STEAL_PTR(name);
        record->n++;
        return 0;
}

void event_record_clear(EventRecord *record) {
        for (size_t i = 0; i < record->n; i++) {
                free(record->fields[i].name);
                free(record->fields[i].value);
        }
        *record = (EventRecord){0};
}

const char *event_record_get(const EventRecord *record, const char *name) {
        for (size_t i = 0; i < record->n; i++)
                if (strcmp(record->fields[i].name, name) == 0)
                        return record->fields[i].value;
        return NULL;
}

static bool is(const EventRecord *record, const char *name, const char *value) {
        const char *found = event_record_get(record, name);

        return found && strcmp(found, value) == 0;
}

/* "/usr/sbin/sekishod", also after its file was replaced (proc(5): " (deleted)"). */
static bool is_program(const char *exe) {
        const char *slash = exe ? strrchr(exe, '/') : NULL;

        return slash && (strcmp(slash + 1, PROGRAM) == 0 || strcmp(slash + 1, PROGRAM " (deleted)") == 0);
}

static int kind_of(const EventRecord *record) {
        const char *word = event_record_get(record, FIELD_EVENT);

        return word ? event_from_string(word) : -1;
}

/* Records of logins and factors: the PAM module writes them from within login, sshd, sudo and the like, and
 * sekishoctl for root. Whoever they name, nobody but root can have written them. */
static bool is_of_a_login(EventKind kind) {
        return kind == EVENT_LOGIN_ALLOWED || kind == EVENT_LOGIN_DENIED || kind == EVENT_FACTOR_FAILED ||
               kind == EVENT_FACTOR_ENROLLED || kind == EVENT_FACTOR_REMOVED ||
               kind == EVENT_SUBSTITUTE_ISSUED || kind == EVENT_BREAK_GLASS_USED;
}

bool event_record_is_trusted(const EventRecord *record) {
        int kind = kind_of(record);

        return kind > 0 && is(record, "_TRANSPORT", "journal") && is(record, "_UID", "0") &&
               (is_of_a_login((EventKind)kind) || is(record, "_COMM", PROGRAM) ||
                is_program(event_record_get(record, "_EXE"))) &&
               is(record, "MESSAGE_ID", event_message_id((EventKind)kind));
}

static bool is_uid(const EventRecord *record, const char *name, uint32_t uid) {
        char text[16];

        snprintf(text, sizeof(text), "%" PRIu32, uid);
        return is(record, name, text);
}

/* "VENDOR:PRODUCT"; a part that is not known is "-". */
static int model(const EventRecord *record, char **ret) {
        const char *vendor = event_record_get(record, FIELD_DEVICE_VENDOR);
        const char *product = event_record_get(record, FIELD_DEVICE_PRODUCT);
        char *text;

        if (!vendor && !product)
                return -ENOENT;
        if (asprintf(&text, "%s:%s", vendor ? vendor : "-", product ? product : "-") < 0)
                return -ENOMEM;
        *ret = text;
        return 0;
}

static bool is_device(const EventRecord *record, const char *device) {
        CLEANUP_FREE char *text = NULL;

        if (is(record, FIELD_DEVICE_SERIAL, device) || is(record, FIELD_DEVICE, device))
                return true;
        return model(record, &text) == 0 && strcasecmp(text, device) == 0;
}

static bool has_name(const EventFilter *filter, const EventRecord *record) {
        const char *path = event_record_get(record, FIELD_PATH);

        return path && file_names_has(path, filter->name, filter->token[0] ? filter->token : NULL);
}

/* Places as rules have them. */
static bool is_destination(const EventRecord *record, const char *place) {
        const char *to = event_record_get(record, FIELD_DESTINATION);
        Address address = to ? address_parse(to, strcspn(to, "%")) : (Address){0};

        if (!to)
                return false;
        return address.bits != 0 ? address_in(place, &address) : strcasecmp(place, to) == 0;
}

bool event_filter_matches(const EventFilter *filter, const EventRecord *record) {
        int kind = kind_of(record);

        if (kind < 0 || kind >= EVENT_KINDS)
                return false;
        if (!filter->any_kind && !filter->by_kind[kind])
                return false;
        if (!filter->untrusted && !event_record_is_trusted(record))
                return false;
        if (record->realtime < filter->since || record->realtime > filter->until)
                return false;
        if (filter->by_user && !is_uid(record, FIELD_UID, filter->uid) &&
            !is_uid(record, FIELD_LOGINUID, filter->uid))
                return false;
        if (filter->rule && !is(record, FIELD_RULE, filter->rule))
                return false;
        if (filter->person && !is(record, FIELD_PERSON, filter->person))
                return false;
        if (filter->name && !has_name(filter, record))
                return false;
        if (filter->destination && !is_destination(record, filter->destination))
                return false;
        return !filter->device || is_device(record, filter->device);
}

/* json */

static bool whole_number(const char *text, int64_t *ret) {
        char *end;

        if (*text < '0' || *text > '9')
                return false;
        errno = 0;
        *ret = strtoll(text, &end, 10);
        return errno == 0 && *end == '\0';
}

static void put_field(struct json_object *to, const EventField *field) {
        const char *name = field->name + strlen(PREFIX);
        char key[64];
        size_t n = 0;
        int64_t number;

        for (; name[n] && n < sizeof(key) - 1; n++)
                key[n] = (char)tolower((unsigned char)name[n]);
        key[n] = '\0';
        if (json_object_object_get_ex(to, key, NULL))
                return; /* a field of ours by a name that is taken, such as SEKISHO_TIME */
        if (listed(numbers, ELEMENTS(numbers), field->name) && whole_number(field->value, &number)) {
                json_put_number(to, key, number);
                return;
        }
        CLEANUP_FREE char *valid = text_valid(field->value, field->length);
        json_put_text(to, key, valid);
}

struct json_object *event_record_json(const EventRecord *record) {
        struct json_object *object = json_object_new_object();
        char time[TIMESPEC_TEXT_MAX];

        if (!object)
                return NULL;
        json_put_text(object, "time", timespec_iso(record->realtime, time));
        json_put_number(object, "timestamp_us", (int64_t)record->realtime);
        json_put_text(object, "message", event_record_get(record, "MESSAGE"));
        json_put_text(object, "message_id", event_record_get(record, "MESSAGE_ID"));
        json_put_text(object, "host", event_record_get(record, "_HOSTNAME"));
        json_put_text(object, "machine_id", event_record_get(record, "_MACHINE_ID"));
        json_put_flag(object, "trusted", event_record_is_trusted(record));
        for (size_t i = 0; i < record->n; i++)
                if (strncmp(record->fields[i].name, PREFIX, strlen(PREFIX)) == 0)
                        put_field(object, &record->fields[i]);
        return object;
}

/* table */

/* Who logged in; with who the process was, where that is somebody else. */
static char *account_cell(const EventRecord *record, char *(*user_name)(void *userdata, const char *uid),
                          void *userdata) {
        const char *uid = event_record_get(record, FIELD_UID),
                   *login = event_record_get(record, FIELD_LOGINUID);
        CLEANUP_FREE char *name = uid ? user_name(userdata, uid) : NULL;
        CLEANUP_FREE char *login_name = login ? user_name(userdata, login) : NULL;
        char *cell;

        if (!login_name || !name || strcmp(login, uid) == 0)
                return login_name ? STEAL_PTR(login_name) : STEAL_PTR(name);
        return asprintf(&cell, "%s (%s)", login_name, name) < 0 ? NULL : cell;
}

/* Of an account that several people use, which of them. */
static char *user_cell(const EventRecord *record, char *(*user_name)(void *userdata, const char *uid),
                       void *userdata) {
        const char *person = event_record_get(record, FIELD_PERSON);
        CLEANUP_FREE char *account = account_cell(record, user_name, userdata);
        size_t length = person ? strlen(person) : 0;
        char *cell;

        if (!person || (account && strncmp(account, person, length) == 0 &&
                        (account[length] == '\0' || account[length] == ' ')))
                return STEAL_PTR(account);
        if (!account)
                return strdup(person);
        return asprintf(&cell, "%s: %s", person, account) < 0 ? NULL : cell;
}

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash && slash[1] ? slash + 1 : path;
}

static char *join(const char *a, const char *between, const char *b) {
        char *joined;

        if (!a || !b)
                return a || b ? strdup(a ? a : b) : NULL;
        return asprintf(&joined, "%s%s%s", a, between, b) < 0 ? NULL : joined;
}

char *event_record_destination(const EventRecord *record) {
        const char *to = event_record_get(record, FIELD_DESTINATION),
                   *port = event_record_get(record, FIELD_PORT),
                   *protocol = event_record_get(record, FIELD_PROTOCOL);
        char *cell;
        int n;

        if (!to)
                return join(event_record_get(record, FIELD_OPERATION), "", NULL);
        if (port)
                n = asprintf(&cell, strchr(to, ':') ? "[%s]:%s" : "%s:%s", to, port);
        else if (protocol)
                n = asprintf(&cell, "%s (%s)", to, protocol);
        else
                n = asprintf(&cell, "%s", to);
        return n < 0 ? NULL : cell;
}

static char *connection_cell(const EventRecord *record) {
        const char *exe = event_record_get(record, FIELD_EXE);
        CLEANUP_FREE char *to = event_record_destination(record);

        return join(exe ? base_name(exe) : NULL, " → ", to);
}

/* What was tried; for what is no attempt, what came of it. */
static char *what_cell(const EventRecord *record) {
        const char *exe = event_record_get(record, FIELD_EXE), *path = event_record_get(record, FIELD_PATH);
        const char *verdict = word_access(event_record_get(record, FIELD_VERDICT));
        int kind = kind_of(record);

        switch (kind < 0 ? EVENT_NONE : (EventKind)kind) {
        case EVENT_WRITE_DENIED:
        case EVENT_READ_DENIED:
        case EVENT_RAW_WRITE_DENIED:
        case EVENT_LATE_WRITER:
                return join(exe ? base_name(exe) : NULL, ": ", path);
        case EVENT_DEVICE_VERDICT:
                return verdict ? strdup(verdict) : NULL;
        case EVENT_INTERFACE_VERDICT:
                return join(event_record_get(record, FIELD_INTERFACE), ": ", verdict);
        case EVENT_SUPERBLOCK_GUARDED:
        case EVENT_SUPERBLOCK_RELEASED:
                return join(event_record_get(record, FIELD_MOUNT), ": ", verdict);
        case EVENT_POLICY_RESTORED:
                return join(event_record_get(record, FIELD_TERMINAL), ": ", path);
        case EVENT_POLICY_LOADED:
        case EVENT_POLICY_REFUSED:
        case EVENT_SERIAL_WITNESSED:
        case EVENT_SERIAL_LOWERED:
                return path ? strdup(path) : NULL;
        case EVENT_LOGIN_ALLOWED:
        case EVENT_LOGIN_DENIED:
        case EVENT_BREAK_GLASS_USED:
                return join(event_record_get(record, FIELD_SERVICE), ": ",
                            event_record_get(record, FIELD_FACTORS));
        case EVENT_FACTOR_FAILED:
                return join(event_record_get(record, FIELD_FACTOR), ": ",
                            event_record_get(record, FIELD_RESULT));
        case EVENT_FACTOR_ENROLLED:
        case EVENT_FACTOR_REMOVED:
        case EVENT_SUBSTITUTE_ISSUED:
                return join(event_record_get(record, FIELD_FACTOR), ": ",
                            event_record_get(record, FIELD_BY));
        case EVENT_ENFORCEMENT_FAILED:
                return join(word_text(verdict), ": ", word_text(event_record_get(record, FIELD_ERROR)));
        case EVENT_MAINTENANCE_STARTED:
        case EVENT_MAINTENANCE_ENDED:
        case EVENT_LOCKDOWN_STARTED:
        case EVENT_LOCKDOWN_ENDED:
                return join(event_record_get(record, FIELD_TERMINAL), ": ",
                            event_record_get(record, FIELD_PURPOSE));
        case EVENT_SELF_TEST_PASSED:
        case EVENT_SELF_TEST_FAILED:
        case EVENT_SELF_TEST_NOT_RUN:
                return join(event_record_get(record, FIELD_CAUSE), ": ",
                            event_record_get(record, FIELD_ERROR));
        case EVENT_LABELLED_WRITE:
                return join(event_record_get(record, FIELD_LABEL), ": ", path);
        case EVENT_MONITOR_STARTED:
                return join(event_record_get(record, FIELD_EXPIRES), ": ",
                            event_record_get(record, FIELD_RULE));
        case EVENT_MONITOR_ENDED:
                return join(event_record_get(record, FIELD_RULE), "", NULL);
        case EVENT_GRANT_BEGUN:
        case EVENT_GRANT_ENDED:
        case EVENT_GRANT_REFUSED:
                return join(event_record_get(record, FIELD_USER), ": ",
                            event_record_get(record, FIELD_PURPOSE));
        case EVENT_GRANT_WRITE:
                return path ? strdup(path) : NULL;
        case EVENT_PERSON_CHANGED:
                return join(event_record_get(record, FIELD_PERSON_BEFORE), " → ",
                            event_record_get(record, FIELD_PERSON));
        case EVENT_SESSION_LOCKED:
                return join(word_lock_reason(event_record_get(record, FIELD_REASON)), ": ",
                            event_record_get(record, FIELD_SESSION));
        case EVENT_SESSION_LOCK_FAILED:
                return join(word_lock_reason(event_record_get(record, FIELD_REASON)), ": ",
                            word_text(event_record_get(record, FIELD_ERROR)));
        case EVENT_GUARD_TOUCHED:
                return join(exe ? base_name(exe) : NULL, ": ",
                            path ? path : event_record_get(record, FIELD_OPERATION));
        case EVENT_CONNECTION_DENIED:
        case EVENT_CONNECTION_SEEN:
                return connection_cell(record);
        case EVENT_NETWORK_INTERFACE_VERDICT:
                return join(event_record_get(record, FIELD_NETWORK_INTERFACE), ": ", verdict);
        case EVENT_NETWORK_FAILED:
                return join(event_record_get(record, FIELD_NETWORK_INTERFACE), ": ",
                            word_text(event_record_get(record, FIELD_ERROR)));
        case EVENT_NETWORK_GUARD_LOST:
        case EVENT_DEVICE_ATTACHED:
        case EVENT_DEVICE_DETACHED:
        case EVENT_AGENT_STARTED:
        case EVENT_AGENT_STOPPED:
        case EVENT_AGENT_LOST:
        case EVENT_NONE:
                return NULL;
        }
        return NULL;
}

static char *device_cell(const EventRecord *record) {
        const char *serial = event_record_get(record, FIELD_DEVICE_SERIAL);
        CLEANUP_FREE char *text = NULL;

        if (model(record, &text) < 0) {
                const char *name = event_record_get(record, FIELD_DEVICE);

                if (!name)
                        name = event_record_get(record, FIELD_FSTYPE);
                return join(name, " ", serial);
        }
        return join(text, " ", serial);
}

static char *kind_cell(const EventRecord *record) {
        const char *kind = word_event(event_record_get(record, FIELD_EVENT));
        char *cell;

        if (!kind)
                return NULL;
        if (!event_record_is_trusted(record))
                return asprintf(&cell, _("%s (NOT BY THE GUARD)"), kind) < 0 ? NULL : cell;
        if (is(record, FIELD_MODE, "monitor"))
                return asprintf(&cell, _("%s (only watched)"), kind) < 0 ? NULL : cell;
        return strdup(kind);
}

int event_record_row(const EventRecord *record, char *(*user_name)(void *userdata, const char *uid),
                     void *userdata, EventRow *ret) {
        const char *rule = event_record_get(record, FIELD_RULE),
                   *count = event_record_get(record, FIELD_COUNT),
                   *host = event_record_get(record, "_HOSTNAME");
        char time[TIMESPEC_TEXT_MAX];
        EventRow row = {0};

        row.cells[EVENT_TIME] = strdup(timespec_for_person(record->realtime, time));
        row.cells[EVENT_KIND] = kind_cell(record);
        if (!row.cells[EVENT_TIME] || !row.cells[EVENT_KIND]) {
                event_row_clear(&row);
                return -ENOMEM;
        }
        row.cells[EVENT_USER] = user_cell(record, user_name, userdata);
        row.cells[EVENT_WHAT] = what_cell(record);
        row.cells[EVENT_DEVICE] = device_cell(record);
        row.cells[EVENT_RULE] = rule ? strdup(rule) : NULL;
        row.cells[EVENT_COUNT] = count ? strdup(count) : NULL;
        row.cells[EVENT_HOST] = host ? strdup(host) : NULL;
        *ret = row;
        return 0;
}

void event_row_clear(EventRow *row) {
        for (size_t i = 0; i < EVENT_COLUMNS; i++)
                free(row->cells[i]);
        *row = (EventRow){0};
}

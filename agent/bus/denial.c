/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/denial.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/json.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"

enum {
        NAME_MAX_ = 64
};

void denial_clear(Denial *denial) {
        denial->record = record_free(denial->record);
}

bool denial_concerns(const Denial *denial, uid_t uid) {
        if (uid == (uid_t)-1)
                return false;
        if (denial->record->for_seat)
                return denial->seat == uid;
        return denial->record->uid == uid || denial->record->loginuid == uid;
}

/* What is told of a denial goes through one of these, so that both forms say the same. */
typedef struct Teller {
        void (*text)(struct Teller *teller, const char *name, const char *value);
        void (*number)(struct Teller *teller, const char *name, uint64_t value);
        struct json_object *json;
        sd_bus_message *m;
        int error;
} Teller;

/* SEKISHO_DEVICE_BUS: device_bus */
static void name_of(RecordText which, char name[static NAME_MAX_]) {
        const char *field = record_text_field(which) + strlen("SEKISHO_");
        size_t n = 0;

        for (; field[n] && n < NAME_MAX_ - 1; n++)
                name[n] = (char)tolower((unsigned char)field[n]);
        name[n] = '\0';
}

static void tell_time(Teller *to, uint64_t realtime) {
        char buffer[TIMESPEC_TEXT_MAX];

        to->text(to, "time", timespec_iso(realtime, buffer));
        to->number(to, "timestamp_us", realtime);
}

static void tell(const Denial *denial, bool whole, Teller *to) {
        const Record *record = denial->record;

        to->text(to, "event", event_to_string(record->kind));
        tell_time(to, denial->realtime);
        to->text(to, "operation", operation_to_string(record->operation));
        to->number(to, "count", record->count);
        to->number(to, "policy_serial", record->policy_serial);
        if (record->pid > 0)
                to->number(to, "pid", (uint64_t)record->pid);
        if (record->uid != (uid_t)-1)
                to->number(to, "uid", record->uid);
        if (record->loginuid != (uid_t)-1)
                to->number(to, "loginuid", record->loginuid);
        if (record->for_seat && denial->seat != (uid_t)-1)
                to->number(to, "seat_uid", denial->seat);
        for (size_t i = 0; i < RECORD_TEXTS; i++) {
                char name[NAME_MAX_];

                if (!record->text[i] || (i == TEXT_RULE_ORIGIN && !whole))
                        continue;
                name_of((RecordText)i, name);
                to->text(to, name, record->text[i]);
        }
}

/* JSON */

static void json_text_to(Teller *to, const char *name, const char *value) {
        json_put_text(to->json, name, value);
}

static void json_number_to(Teller *to, const char *name, uint64_t value) {
        json_object_object_add(to->json, name, json_object_new_uint64(value));
}

struct json_object *denial_json(const Denial *denial, bool whole) {
        Teller teller = {.text = json_text_to, .number = json_number_to, .json = json_object_new_object()};

        if (teller.json)
                tell(denial, whole, &teller);
        return teller.json;
}

/* a{sv} */

static void append_text(Teller *to, const char *name, const char *value) {
        CLEANUP_FREE char *valid = NULL;

        if (to->error < 0 || !value)
                return;
        valid = text_valid(value, strlen(value)); /* the bus lets go of who sends it anything else */
        to->error = valid ? sd_bus_message_append(to->m, "{sv}", name, "s", valid) : -ENOMEM;
}

static void append_number(Teller *to, const char *name, uint64_t value) {
        if (to->error >= 0)
                to->error = sd_bus_message_append(to->m, "{sv}", name, "t", value);
}

int denial_append(const Denial *denial, const char *contact, bool whole, sd_bus_message *m) {
        Teller teller = {.text = append_text, .number = append_number, .m = m};
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        if (r < 0)
                return r;
        tell(denial, whole, &teller);
        append_text(&teller, "contact", contact);
        return teller.error < 0 ? teller.error : sd_bus_message_close_container(m);
}

/* the last ones */

void recent_add(Recent *recent, Denial denial) {
        if (recent->n == RECENT_MAX) {
                denial_clear(&recent->items[recent->head]);
                recent->head = (recent->head + 1) % RECENT_MAX;
                recent->n--;
        }
        recent->items[(recent->head + recent->n++) % RECENT_MAX] = denial;
}

void recent_clear(Recent *recent) {
        for (size_t i = 0; i < recent->n; i++)
                denial_clear(&recent->items[(recent->head + i) % RECENT_MAX]);
        recent->head = recent->n = 0;
}

struct json_object *recent_json(const Recent *recent, size_t max, bool everybody, uid_t uid) {
        CLEANUP_JSON struct json_object *list = json_object_new_array();
        const Denial *chosen[RECENT_MAX];
        size_t n = 0;

        if (!list)
                return NULL;
        for (size_t i = recent->n; i > 0 && n < max; i--) {
                const Denial *denial = &recent->items[(recent->head + i - 1) % RECENT_MAX];

                if (everybody || denial_concerns(denial, uid))
                        chosen[n++] = denial;
        }
        while (n > 0) {
                struct json_object *object = denial_json(chosen[--n], everybody);

                if (!object || json_object_array_add(list, object) < 0) {
                        json_object_put(object);
                        return NULL;
                }
        }
        return STEAL_PTR(list);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "agent/report/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "policy/scope.h"

enum {
        FIELDS_MAX = RECORD_TEXTS + 24
};

typedef struct Entry {
        struct iovec fields[FIELDS_MAX];
        int n;
        bool short_of_memory;
} Entry;

static __attribute__((format(printf, 2, 3))) void add(Entry *entry, const char *format, ...) {
        va_list arguments;
        char *field = NULL;
        int length;

        va_start(arguments, format);
        length = vasprintf(&field, format, arguments);
        va_end(arguments);
        if (length < 0) {
                entry->short_of_memory = true;
                return;
        }
        entry->fields[entry->n++] = (struct iovec){.iov_base = field, .iov_len = (size_t)length};
}

static void entry_clear(Entry *entry) {
        for (int i = 0; i < entry->n; i++)
                free(entry->fields[i].iov_base);
}

static void add_numbers(Entry *entry, const Record *record) {
        add(entry, "PRIORITY=%d", event_priority(record->kind));
        add(entry, "SYSLOG_IDENTIFIER=sekishod");
        add(entry, "MESSAGE_ID=%s", event_message_id(record->kind));
        add(entry, FIELD_EVENT "=%s", event_to_string(record->kind));
        add(entry, FIELD_POLICY_SERIAL "=%" PRIu64, record->policy_serial);
        if (record_is_denial(record) || record->kind == EVENT_LATE_WRITER ||
            record->kind == EVENT_LABELLED_WRITE) {
                add(entry, FIELD_OPERATION "=%s", operation_to_string(record->operation));
                add(entry, FIELD_COUNT "=%" PRIu64, record->count);
        }
        if (record->pid > 0) {
                add(entry, FIELD_PID "=%d", (int)record->pid);
                if (!record->names_hidden) /* journald adds the command line by it */
                        add(entry, "OBJECT_PID=%d", (int)record->pid);
        }
        if (record->uid != (uid_t)-1)
                add(entry, FIELD_UID "=%" PRIu32, (uint32_t)record->uid);
        if (record->loginuid != (uid_t)-1)
                add(entry, FIELD_LOGINUID "=%" PRIu32, (uint32_t)record->loginuid);
}

/* What the chain tells of the record; its link goes over everything before. */
static int add_place(Entry *entry, const RecordChain *chain, ChainHead *next) {
        ChainDigest digest = {.n = 0};
        char link[CHAIN_LINK_TEXT];
        struct timespec now;
        int r;

        clock_gettime(CLOCK_REALTIME, &now);
        add(entry, FIELD_CHAIN_ID "=%s", next->id);
        add(entry, FIELD_CHAIN_WRITER "=%s", chain->writer);
        add(entry, FIELD_SEQUENCE "=%" PRIu64, next->sequence);
        add(entry, FIELD_WRITTEN "=%" PRIu64, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
        if (chain->begin != CHAIN_GOES_ON)
                add(entry, FIELD_CHAIN_BEGIN "=%s", chain_begin_to_string(chain->begin));
        for (int i = 0; i < entry->n; i++)
                chain_digest_add_data(&digest, entry->fields[i].iov_base, entry->fields[i].iov_len);
        r = chain_digest_end(&digest, next->link);
        if (r < 0)
                return r;
        chain_link(chain->head.link, next->link, next->link);
        chain_link_text(next->link, link);
        add(entry, FIELD_CHAIN "=%s", link);
        return 0;
}

int journal_write(const Record *record, RecordChain *chain) {
        CLEANUP(entry_clear) Entry entry = {0};
        ChainHead next;
        CLEANUP_FREE char *message = NULL;
        int r;

        /* sd_journal_sendv() answers 0 where there is no journal at all, as if it had written */
        if (access("/run/systemd/journal/socket", F_OK) < 0)
                return -ENOTCONN;
        r = record_message(record, &message);
        if (r < 0)
                return r;
        add(&entry, "MESSAGE=%s", message);
        add_numbers(&entry, record);
        for (size_t i = 0; i < RECORD_TEXTS; i++)
                if (record->text[i])
                        add(&entry, "%s=%s", record_text_field((RecordText)i), record->text[i]);
        record_chain_open(chain);
        next = chain->head;
        next.sequence++;
        r = add_place(&entry, chain, &next);
        if (r < 0 || entry.short_of_memory)
                return r < 0 ? r : -ENOMEM;
        record_chain_writing(chain, &next);
        r = sd_journal_sendv(entry.fields, entry.n);
        if (r < 0)
                record_chain_failed(chain);
        else
                record_chain_written(chain, &next);
        return r == -ECONNREFUSED || r == -ENOENT ? -ENOTCONN : r;
}

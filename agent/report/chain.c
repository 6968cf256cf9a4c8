/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/report/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "policy/chain_file.h"
#include "policy/scope.h"

enum {
        LOOK_BACK = 32 /* records: of several files the last one is not always the first to be found */
};

DEFINE_CLEANUP(sd_journal, sd_journal_close);

void record_chain_init(RecordChain *chain, const char *writer, const char *path) {
        *chain = (RecordChain){.writer = writer, .fd = -1};
        chain->path = path ? strdup(path) : NULL;
}

void record_chain_clear(RecordChain *chain) {
        free(chain->path);
        scope_close(&chain->fd);
        *chain = (RecordChain){.fd = -1};
}

/* The value of FIELD of the entry the journal stands on. */
static int get(sd_journal *journal, const char *field, char *ret, size_t size) {
        size_t length, name = strlen(field) + 1;
        const void *data;
        int r = sd_journal_get_data(journal, field, &data, &length);

        if (r < 0)
                return r;
        if (length < name || length - name >= size)
                return -EBADMSG;
        memcpy(ret, (const char *)data + name, length - name);
        ret[length - name] = '\0';
        return 0;
}

static int read_head(sd_journal *journal, ChainHead *ret) {
        char sequence[32], link[CHAIN_LINK_TEXT];
        ChainHead head = {.sequence = 0};
        int r = get(journal, FIELD_CHAIN_ID, head.id, sizeof(head.id));

        if (r >= 0)
                r = get(journal, FIELD_SEQUENCE, sequence, sizeof(sequence));
        if (r >= 0)
                r = get(journal, FIELD_CHAIN, link, sizeof(link));
        if (r < 0)
                return r;
        if (!chain_id_is_valid(head.id) || !chain_number_parse(sequence, &head.sequence) ||
            !chain_link_parse(link, head.link))
                return -EBADMSG;
        *ret = head;
        return 0;
}

static int match(sd_journal *journal, const char *field, const char *value) {
        char text[128];

        (void)snprintf(text, sizeof(text), "%s=%s", field, value);
        return sd_journal_add_match(journal, text, 0);
}

int record_chain_find(const char *writer, const char *id, ChainHead *ret) {
        CLEANUP(scope_sd_journal_close) sd_journal *journal = NULL;
        ChainHead last = {.sequence = 0};
        int r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        if (r >= 0)
                r = match(journal, FIELD_CHAIN_WRITER, writer);
        if (r >= 0)
                r = match(journal, "_UID", "0");
        if (r >= 0 && id)
                r = match(journal, FIELD_CHAIN_ID, id);
        if (r >= 0)
                r = sd_journal_seek_tail(journal);
        for (int i = 0; r >= 0 && i < LOOK_BACK; i++) {
                ChainHead head;

                r = sd_journal_previous(journal);
                if (r == 0)
                        break;
                if (r < 0 || read_head(journal, &head) < 0)
                        continue; /* a damaged entry is passed over */
                if (last.sequence == 0 || (strcmp(head.id, last.id) == 0 && head.sequence > last.sequence))
                        last = head;
        }
        if (r < 0)
                return r;
        if (last.sequence == 0)
                return 0;
        *ret = last;
        return 1;
}

static ChainBegin find_begin(RecordChain *chain, int known, bool writing) {
        ChainHead found;

        /* the journal may be behind what was sent to it last, and ahead of a file after a power failure */
        if (record_chain_find(chain->writer, known > 0 ? chain->head.id : NULL, &found) > 0 &&
            (known <= 0 || found.sequence >= chain->head.sequence)) {
                bool same = known > 0 && found.sequence == chain->head.sequence;

                chain->head = found;
                return same ? CHAIN_CONTINUED : CHAIN_FOUND;
        }
        if (known > 0)
                return writing ? CHAIN_UNCERTAIN : CHAIN_CONTINUED;
        chain_new(&chain->head);
        return CHAIN_NEW;
}

void record_chain_open(RecordChain *chain) {
        bool writing = false;
        int known = 0;

        if (chain->is_open)
                return;
        chain->is_open = true;
        if (!chain->path) {
                chain_new(&chain->head);
                chain->begin = CHAIN_NEW;
                return;
        }
        chain->fd = chain_file_open(AT_FDCWD, chain->path);
        if (chain->fd >= 0)
                known = chain_file_read(chain->fd, &chain->head, &writing);
        chain->begin = find_begin(chain, known, writing);
}

void record_chain_writing(RecordChain *chain, const ChainHead *next) {
        if (chain->fd >= 0)
                (void)chain_file_write(chain->fd, next, true);
}

void record_chain_written(RecordChain *chain, const ChainHead *next) {
        chain->head = *next;
        chain->begin = CHAIN_GOES_ON;
        if (chain->fd >= 0)
                (void)chain_file_write(chain->fd, next, false);
}

void record_chain_failed(RecordChain *chain) {
        if (chain->fd < 0)
                return;
        if (chain->head.sequence > 0)
                (void)chain_file_write(chain->fd, &chain->head, false);
        else
                (void)!ftruncate(chain->fd, 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/notify/notice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "policy/event.h"
#include "policy/scope.h"
#include "policy/verdict.h"

int notice_set_text(Notice *notice, const char *name, const char *value) {
        const struct {
                const char *name;
                char **to;
        } known[] = {{"event", &notice->event},
                     {"path", &notice->path},
                     {"mount", &notice->mount},
                     {"device", &notice->device},
                     {"rule", &notice->rule},
                     {"reason", &notice->reason},
                     {"contact", &notice->contact},
                     {"mode", &notice->mode},
                     {"destination", &notice->destination},
                     {"port", &notice->port},
                     {"network_interface", &notice->interface},
                     {"device_vendor", &notice->vendor},
                     {"device_product", &notice->product},
                     {"device_serial", &notice->serial}};

        for (size_t i = 0; i < ELEMENTS(known); i++) {
                char *copy;

                if (strcmp(known[i].name, name) != 0)
                        continue;
                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
                free(*known[i].to);
                *known[i].to = copy;
        }
        return 0;
}

void notice_set_number(Notice *notice, const char *name, uint64_t value) {
        if (strcmp(name, "count") == 0)
                notice->count = value;
        else if (strcmp(name, "loginuid") == 0)
                notice->loginuid = value;
        else if (strcmp(name, "seat_uid") == 0)
                notice->seat = value;
}

void notice_clear(Notice *notice) {
        free(notice->event);
        free(notice->path);
        free(notice->mount);
        free(notice->device);
        free(notice->rule);
        free(notice->reason);
        free(notice->contact);
        free(notice->mode);
        free(notice->destination);
        free(notice->port);
        free(notice->interface);
        free(notice->vendor);
        free(notice->product);
        free(notice->serial);
        *notice = (Notice){0};
}

const char *notice_summary(const Notice *notice) {
        int kind = notice->event ? event_from_string(notice->event) : -1;

        if (kind == EVENT_READ_DENIED ||
            (notice->reason && strcmp(notice->reason, reason_to_string(REASON_NODE_CLOSED)) == 0))
                return _("Reading was blocked");
        if (kind == EVENT_RAW_WRITE_DENIED)
                return _("Writing to a device was blocked");
        if (kind == EVENT_CONNECTION_DENIED)
                return _("A network connection was blocked");
        if (kind == EVENT_GUARD_TOUCHED)
                return _("Tampering with Sekisho was blocked");
        if (kind == EVENT_NETWORK_INTERFACE_VERDICT)
                return _("A network interface was refused");
        if (kind == EVENT_DEVICE_VERDICT)
                return _("A device was refused");
        if (kind == EVENT_INTERFACE_VERDICT)
                return _("A part of a device was refused");
        return _("Writing was blocked");
}

static const char *where(const Notice *notice) {
        return notice->path        ? notice->path
               : notice->mount     ? notice->mount
               : notice->interface ? notice->interface
                                   : notice->device;
}

/* What it is that was plugged in: the helpdesk asks for these. A new string, or NULL. */
static char *what(const Notice *notice) {
        if (notice->path || notice->mount || (!notice->vendor && !notice->product && !notice->serial))
                return NULL;
        return text_format("%s:%s %s", notice->vendor ? notice->vendor : "-",
                           notice->product ? notice->product : "-", notice->serial ? notice->serial : "");
}

static const char *why(const Notice *notice) {
        int reason = notice->reason ? reason_from_string(notice->reason) : -1;

        return reason < 0 ? NULL : _(reason_for_person((Reason)reason));
}

/* body-markup of the Desktop Notifications Specification: these three are not text. */
static void put_markup(const char *text, FILE *to) {
        for (; *text; text++)
                switch (*text) {
                case '&':
                        fputs("&amp;", to);
                        break;
                case '<':
                        fputs("&lt;", to);
                        break;
                case '>':
                        fputs("&gt;", to);
                        break;
                default:
                        fputc(*text, to);
                }
}

typedef struct Writer {
        FILE *to;
        const char *between;
        bool markup, begun;
} Writer;

/* LABEL has one %s for TEXT, or is NULL. */
static void put(Writer *writer, const char *label, const char *text) {
        CLEANUP_FREE char *safe = text ? text_for_terminal(text) : NULL;
        const char *at = label ? strstr(label, "%s") : NULL;

        if (!safe)
                return;
        if (writer->begun)
                fputs(writer->between, writer->to);
        writer->begun = true;
        if (at)
                fwrite(label, 1, (size_t)(at - label), writer->to);
        if (writer->markup)
                put_markup(safe, writer->to);
        else
                fputs(safe, writer->to);
        if (at)
                fputs(at + strlen("%s"), writer->to);
}

static void put_destination(Writer *writer, const Notice *notice) {
        CLEANUP_FREE char *text = NULL;

        if (notice->destination && notice->port)
                text = text_format(_("%s, port %s"), notice->destination, notice->port);
        put(writer, NULL, text ? text : notice->destination);
}

static void put_parts(Writer *writer, const Notice *notice, uint64_t total) {
        CLEANUP_FREE char *device = what(notice);
        char number[32];

        put(writer, NULL, where(notice));
        put(writer, NULL, device);
        put_destination(writer, notice);
        put(writer, NULL, why(notice));
        put(writer, _("Rule: %s"), notice->rule);
        put(writer, _("Contact: %s"), notice->contact);
        snprintf(number, sizeof(number), "%" PRIu64, total);
        if (total > 1)
                put(writer, _("%s refusals so far"), number);
}

char *notice_body(const Notice *notice, uint64_t total, int markup) {
        CLEANUP_FREE char *text = NULL;
        size_t size;
        Writer writer = {.to = open_memstream(&text, &size), .between = "\n", .markup = markup};

        if (!writer.to)
                return NULL;
        put_parts(&writer, notice, total);
        return fclose(writer.to) == 0 ? STEAL_PTR(text) : NULL;
}

char *notice_line(const Notice *notice, uint64_t total) {
        CLEANUP_FREE char *text = NULL;
        size_t size;
        Writer writer = {.to = open_memstream(&text, &size), .between = " | "};

        if (!writer.to)
                return NULL;
        put(&writer, "Sekisho: %s", notice_summary(notice));
        put_parts(&writer, notice, total);
        return fclose(writer.to) == 0 ? STEAL_PTR(text) : NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/faults.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"
#include "policy/utf8.h"

void policy_faults_clear(PolicyFaults *faults) {
        for (size_t i = 0; i < faults->n; i++) {
                free(faults->items[i].file);
                free(faults->items[i].message);
        }
        free(faults->items);
        *faults = (PolicyFaults){0};
}

void policy_faults_print(const PolicyFaults *faults, FILE *to) {
        for (size_t i = 0; i < faults->n; i++) {
                const PolicyFault *fault = &faults->items[i];

                for (const char *p = fault->file; *p; p++) /* a file's name may hold anything but / */
                        fputc((unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p, to);
                if (fault->line > 0)
                        fprintf(to, ":%zu:%zu", fault->line, fault->column);
                fprintf(to, ": %s\n", fault->message);
        }
}

static PolicyFault *append(PolicyFaults *list) {
        PolicyFault *items = reallocarray(list->items, list->n + 1, sizeof(*items));

        if (!items)
                return NULL;
        list->items = items;
        return &list->items[list->n];
}

static int add(Faults *faults, const char *file, size_t line, size_t column, char *message) {
        CLEANUP_FREE char *owned = message, *copy = strdup(file);
        PolicyFault *fault;

        if (!owned || !copy || !(fault = append(&faults->list)))
                return -ENOMEM;
        *fault = (PolicyFault){
                .file = STEAL_PTR(copy), .line = line, .column = column, .message = STEAL_PTR(owned)};
        faults->list.n++;
        return 0;
}

const char *faults_text(const Faults *faults, const char *text) {
        return faults->list.translate ? faults->list.translate(text) : text;
}

void faults_add(Faults *faults, const char *file, size_t line, size_t column, const char *format, ...) {
        char *message = NULL;
        va_list ap;
        int r;

        if (faults->list.n >= FAULTS_MAX) {
                faults->cut_off = true;
                return;
        }
        va_start(ap, format);
        r = vasprintf(&message, faults_text(faults, format), ap);
        va_end(ap);
        if (add(faults, file, line, column, r < 0 ? NULL : message) < 0)
                faults->no_memory = true;
}

static int compare(const void *x, const void *y) {
        const PolicyFault *a = x, *b = y;
        int r = strcmp(a->file, b->file);

        if (r != 0)
                return r;
        if (a->line != b->line)
                return a->line < b->line ? -1 : 1;
        if (a->column != b->column)
                return a->column < b->column ? -1 : 1;
        return strcmp(a->message, b->message);
}

void faults_finish(Faults *faults) {
        PolicyFaults *list = &faults->list;

        if (list->n > 1)
                qsort(list->items, list->n, sizeof(list->items[0]), compare);
        if (faults->cut_off &&
            add(faults, list->items[list->n - 1].file, 0, 0,
                strdup(faults_text(faults, N_("has more faults; they are not listed")))) < 0)
                faults->no_memory = true;
}

int faults_result(const Faults *faults) {
        if (faults->no_memory)
                return -ENOMEM;
        return faults->list.n > 0 || faults->cut_off ? -EBADMSG : 0;
}

const char *quote(const char *text, size_t length, char buffer[static QUOTE_MAX]) {
        static const char more[] = "…";
        size_t at = 0;

        buffer[at++] = '"';
        for (size_t i = 0; i < length;) {
                uint32_t c;
                size_t n = utf8_next(text + i, length - i, &c);

                if (at + (n ? n : 1) + sizeof(more) + 1 > QUOTE_MAX) {
                        memcpy(buffer + at, more, sizeof(more) - 1);
                        at += sizeof(more) - 1;
                        break;
                }
                if (n == 0 || utf8_is_control(c)) {
                        buffer[at++] = '?';
                        i += n ? n : 1;
                        continue;
                }
                memcpy(buffer + at, text + i, n);
                at += n;
                i += n;
        }
        buffer[at++] = '"';
        buffer[at] = '\0';
        return buffer;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/file.h"
#include "policy/scope.h"
#include "policy/translate.h"
#include "policy/utf8.h"

#define END "end\n"

enum {
        DIGITS_MAX = 8,
        SIGNATURE_LINES = 4
};

static const char why_first[] = N_("is no policy bundle");
static const char why_line[] = N_("is no good bundle: the name and size of a file are expected");
static const char why_order[] = N_("is no good bundle: names have to be in order, each once");
static const char why_short[] = N_("is no good bundle: it ends too early");
static const char why_large[] = N_("is no good bundle: too much is in it");
static const char why_empty[] = N_("is no good bundle: nothing is in it");

bool bundle_is(const char *text, size_t length) {
        return length >= strlen(BUNDLE_MAGIC) && memcmp(text, BUNDLE_MAGIC, strlen(BUNDLE_MAGIC)) == 0;
}

bool bundle_name_is_good(const char *name) {
        static const char suffix[] = ".yaml";
        size_t length = strlen(name);

        if (name[0] == '.' || length < sizeof(suffix) || length > BUNDLE_NAME_MAX ||
            strcmp(name + length - strlen(suffix), suffix) != 0)
                return false;
        for (size_t i = 0; i < length;) {
                uint32_t c = 0;
                size_t n = utf8_next(name + i, length - i, &c);

                if (n == 0 || utf8_is_control(c) || utf8_is_blank(c) || c == '/')
                        return false;
                i += n;
        }
        return true;
}

/* "NAME SIZE\n", the size as it is written in one way only. The name is new. */
static int take_heading(const char **text, const char *end, char **ret_name, size_t *ret_size) {
        const char *newline = memchr(*text, '\n', (size_t)(end - *text));
        const char *space = newline ? memchr(*text, ' ', (size_t)(newline - *text)) : NULL;
        size_t digits = space ? (size_t)(newline - space) - 1 : 0, size = 0;
        CLEANUP_FREE char *name = NULL;

        if (digits == 0 || digits > DIGITS_MAX || (space[1] == '0' && digits > 1) ||
            memchr(*text, '\0', (size_t)(newline - *text)))
                return -EBADMSG;
        for (const char *c = space + 1; c < newline; c++) {
                if (*c < '0' || *c > '9')
                        return -EBADMSG;
                size = size * 10 + (size_t)(*c - '0');
        }
        name = strndup(*text, (size_t)(space - *text));
        if (!name)
                return -ENOMEM;
        if (!bundle_name_is_good(name) || size > POLICY_FILE_MAX)
                return -EBADMSG;
        *text = newline + 1;
        *ret_name = STEAL_PTR(name);
        *ret_size = size;
        return 0;
}

static int grow(Bundle *bundle) {
        BundleFile *files;

        if ((bundle->n & (bundle->n - 1)) != 0 && bundle->n > 0)
                return 0; /* there is room up to the next power of two */
        files = reallocarray(bundle->files, bundle->n > 0 ? bundle->n * 2 : 1, sizeof(*files));
        if (!files)
                return -ENOMEM;
        bundle->files = files;
        return 0;
}

/* One file, and the newline behind it. */
static int take_file(Bundle *bundle, const char **text, const char *end, const char **ret_why) {
        CLEANUP_FREE char *name = NULL;
        size_t size = 0;
        int r;

        *ret_why = why_large;
        if (bundle->n == BUNDLE_FILES_MAX)
                return -EBADMSG;
        *ret_why = why_line;
        r = take_heading(text, end, &name, &size);
        if (r < 0)
                return r;
        *ret_why = why_order;
        if (bundle->n > 0 && strcmp(bundle->files[bundle->n - 1].name, name) >= 0)
                return -EBADMSG;
        *ret_why = why_short;
        if ((size_t)(end - *text) < size + 1 || (*text)[size] != '\n')
                return -EBADMSG;
        r = grow(bundle);
        if (r < 0)
                return r;
        bundle->files[bundle->n++] = (BundleFile){.name = STEAL_PTR(name), .text = *text, .length = size};
        *text += size + 1;
        return 0;
}

int bundle_parse(const char *text, size_t length, Bundle *ret, const char **ret_why) {
        CLEANUP_BUNDLE Bundle bundle = {0};
        const char *end = text + length;
        size_t last = strlen(END);
        int r;

        *ret_why = why_first;
        if (!bundle_is(text, length))
                return -EBADMSG;
        *ret_why = why_large;
        if (length > BUNDLE_MAX)
                return -EBADMSG;
        text += strlen(BUNDLE_MAGIC);
        while ((size_t)(end - text) != last || memcmp(text, END, last) != 0) {
                r = take_file(&bundle, &text, end, ret_why);
                if (r < 0)
                        return r;
        }
        *ret_why = why_empty;
        if (bundle.n == 0)
                return -EBADMSG;
        *ret_why = NULL;
        *ret = bundle;
        bundle = (Bundle){0};
        return 0;
}

void bundle_clear(Bundle *bundle) {
        for (size_t i = 0; i < bundle->n; i++)
                free(bundle->files[i].name);
        free(bundle->files);
        *bundle = (Bundle){0};
}

static int by_name(const void *x, const void *y) {
        return strcmp(((const BundleFile *)x)->name, ((const BundleFile *)y)->name);
}

static int write_files(FILE *f, const BundleFile *files, size_t n) {
        fputs(BUNDLE_MAGIC, f);
        for (size_t i = 0; i < n; i++) {
                if (!bundle_name_is_good(files[i].name) ||
                    (i > 0 && strcmp(files[i - 1].name, files[i].name) == 0))
                        return -EINVAL;
                if (files[i].length > POLICY_FILE_MAX)
                        return -E2BIG;
                fprintf(f, "%s %zu\n", files[i].name, files[i].length);
                fwrite(files[i].text, 1, files[i].length, f);
                fputc('\n', f);
        }
        fputs(END, f);
        return ferror(f) ? -ENOMEM : 0;
}

int bundle_make(const BundleFile *files, size_t n, char **ret, size_t *ret_length) {
        CLEANUP_FREE BundleFile *sorted = NULL;
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        FILE *f;
        int r;

        if (n == 0)
                return -EINVAL;
        if (n > BUNDLE_FILES_MAX)
                return -E2BIG;
        sorted = calloc(n, sizeof(*sorted));
        f = open_memstream(&text, &length);
        if (!sorted || !f) {
                if (f)
                        fclose(f);
                return -ENOMEM;
        }
        memcpy(sorted, files, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), by_name);
        r = write_files(f, sorted, n);
        if (fclose(f) != 0 && r == 0)
                r = -ENOMEM;
        if (r == 0 && length > BUNDLE_MAX)
                r = -E2BIG;
        if (r < 0)
                return r;
        *ret = STEAL_PTR(text);
        *ret_length = length;
        return 0;
}

int bundle_unseal(const char *text, size_t length, size_t *ret_at) {
        const char *at = text, *end = text + length;

        for (int i = 0; i < SIGNATURE_LINES; i++) {
                const char *newline = memchr(at, '\n', (size_t)(end - at));

                if (!newline)
                        return -EBADMSG;
                at = newline + 1;
        }
        *ret_at = (size_t)(at - text);
        return 0;
}

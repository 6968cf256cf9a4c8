/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_directory.h: a directory of files that a test makes and removes. */
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Directory {
        char path[64];
        char text[512];
} Directory;

static inline Directory directory_new(void) {
        Directory d = {.path = "/tmp/sekisho-policy-XXXXXX"};

        cr_assert_not_null(mkdtemp(d.path));
        return d;
}

/* The path of NAME, until the next call. */
static inline const char *directory_path(Directory *d, const char *name) {
        (void)snprintf(d->text, sizeof(d->text), "%s/%s", d->path, name);
        return d->text;
}

static inline const char *directory_origin(Directory *d, const char *name, int line) {
        (void)snprintf(d->text, sizeof(d->text), "%s/%s:%d", d->path, name, line);
        return d->text;
}

static inline void directory_write(Directory *d, const char *name, const char *text) {
        const char *path = directory_path(d, name);
        FILE *f = fopen(path, "w");

        cr_assert_not_null(f);
        fputs(text, f);
        cr_assert_eq(fclose(f), 0);
        cr_assert_eq(chmod(path, 0600), 0);
}

static inline void directory_remove(Directory *d) {
        DIR *dir = opendir(d->path);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir)
                closedir(dir);
        (void)rmdir(d->path);
}

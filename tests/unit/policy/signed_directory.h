/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signed_directory.h: a directory with keys.d and policy.d, and bundles that minisign itself has signed. */
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/bundle.h"
#include "policy/file.h"

static char signed_root[64];

static inline __attribute__((format(printf, 1, 2))) void signed_run(const char *format, ...) {
        char command[1024];
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(command, sizeof(command), format, ap);
        va_end(ap);
        cr_assert_eq(system(command), 0, "%s", command); /* NOLINT(cert-env33-c) */
}

/* The path of NAME in it, until the fourth call after this. */
static inline const char *signed_path(const char *name) {
        static char paths[4][256];
        static unsigned next;
        char *path = paths[next++ % 4];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", signed_root, name);
        return path;
}

/* A key pair NAME.key and NAME.pub. */
static inline void signed_make_key(const char *name) {
        signed_run("cd %s && umask 077 && minisign -G -W -p %s.pub -s %s.key >/dev/null", signed_root, name,
                   name);
}

static inline void signed_setup(void) {
        strcpy(signed_root, "/tmp/sekisho-signed-XXXXXX");
        cr_assert_not_null(mkdtemp(signed_root));
        signed_run("cd %s && mkdir -m 0700 keys.d policy.d state", signed_root);
        signed_make_key("office");
        signed_run("cp %s/office.pub %s/keys.d/", signed_root, signed_root);
}

static inline void signed_teardown(void) {
        signed_run("rm -rf '%s'", signed_root);
}

static inline void signed_write(const char *path, const char *text, size_t length) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, text, length), (ssize_t)length);
        close(fd);
}

/* All of PATH, a new string. */
static inline char *signed_read(const char *path, size_t *ret_length) {
        FILE *f = fopen(path, "r");
        char *text = malloc(POLICY_FILE_MAX);

        cr_assert(f && text, "%s", path);
        *ret_length = fread(text, 1, POLICY_FILE_MAX, f);
        fclose(f);
        return text;
}

/* A bundle of one file with TEXT, signed with KEY and with OPTIONS of minisign, sealed: a new string. */
static inline char *signed_seal(const char *text, const char *key, const char *options, size_t *ret_length) {
        BundleFile file = {.name = (char *)"10-base.yaml", .text = text, .length = strlen(text)};
        char *bundle, *sealed;
        size_t length;

        cr_assert_eq(bundle_make(&file, 1, &bundle, &length), 0);
        signed_write(signed_path("new"), bundle, length);
        free(bundle);
        signed_run("cd %s && minisign -S %s -s %s.key -m new >/dev/null && cat new.minisig new >sealed",
                   signed_root, options, key);
        sealed = signed_read(signed_path("sealed"), ret_length);
        return sealed;
}

/* The same, in policy.d. */
static inline void signed_put(const char *text, const char *key) {
        size_t length;
        char *sealed = signed_seal(text, key, "", &length);

        signed_write(signed_path("policy.d/" BUNDLE_NAME), sealed, length);
        free(sealed);
}

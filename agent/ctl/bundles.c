/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/bundles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/file.h"
#include "policy/file.h"
#include "policy/scope.h"
#include "policy/sealed.h"

void files_clear(Files *files) {
        bundle_clear(&files->bundle);
        for (size_t i = 0; i < files->n_texts; i++)
                free(files->texts[i]);
        free(files->texts);
        *files = (Files){0};
}

int bundles_read(const char *path, char **ret, size_t *ret_length) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        int r;

        if (fd < 0) {
                (void)fail("%s: %s", path, strerror(errno));
                return EXIT_TROUBLE;
        }
        r = file_read_whole(fd, POLICY_FILE_MAX, ret, ret_length);
        if (r == 0)
                return 0;
        (void)fail("%s: %s", path, strerror(-r));
        return EXIT_TROUBLE;
}

int bundles_read_sealed(const char *path, char **ret, size_t *ret_length) {
        CLEANUP_FREE char *text = NULL, *signature = NULL, *beside = NULL;
        size_t length = 0, signature_length = 0;
        char *sealed;
        int r = bundles_read(path, &text, &length);

        if (r != 0)
                return r;
        if (!sealed_is(text, length)) {
                beside = text_format("%s.minisig", path);
                if (!beside)
                        return fail(_("out of memory"));
                r = bundles_read(beside, &signature, &signature_length);
                if (r != 0)
                        return r;
                sealed = malloc(signature_length + length + 1);
                if (!sealed)
                        return fail(_("out of memory"));
                memcpy(sealed, signature, signature_length);
                memcpy(sealed + signature_length, text, length + 1);
                *ret = sealed;
                *ret_length = signature_length + length;
                return 0;
        }
        *ret = STEAL_PTR(text);
        *ret_length = length;
        return 0;
}

int bundles_open(const char *path, char *text, size_t length, Files *ret) {
        Files files = {.texts = malloc(sizeof(*files.texts))};
        const char *why = NULL;
        size_t at = 0;
        int r;

        if (!files.texts) {
                free(text);
                return fail(_("out of memory"));
        }
        files.texts[files.n_texts++] = text;
        if (sealed_is(text, length) && bundle_unseal(text, length, &at) < 0)
                at = 0; /* and that is no bundle */
        r = bundle_parse(text + at, length - at, &files.bundle, &why);
        if (r < 0) {
                files_clear(&files);
                return r == -EBADMSG ? fail("%s: %s", path, _(why)) : fail("%s: %s", path, strerror(-r));
        }
        *ret = files;
        return 0;
}

static int say(const PolicyFaults *list, const char *directory, int r) {
        if (list->n > 0)
                return fail("%s: %s", list->items[0].file, list->items[0].message);
        return fail("%s: %s", directory, strerror(-r));
}

static int add_file(Files *files, int dir_fd, const char *directory, const char *name, Faults *faults) {
        CLEANUP_FREE char *path = text_format("%s/%s", directory, name), *copy = strdup(name);
        CLEANUP_CLOSE int fd = -1;
        bool is_directory = false;
        char *text = NULL;
        size_t length = 0;
        int r;

        if (!path || !copy)
                return -ENOMEM;
        fd = policy_file_open(dir_fd, name, path, &is_directory, faults);
        if (fd < 0 || is_directory)
                return fd < 0 ? fd : -EISDIR;
        r = policy_file_read(fd, path, &text, &length, faults);
        if (r < 0)
                return r;
        files->texts[files->n_texts++] = text;
        files->bundle.files[files->bundle.n++] =
                (BundleFile){.name = STEAL_PTR(copy), .text = text, .length = length};
        return 0;
}

static int add_files(Files *files, int dir_fd, const char *directory, Faults *faults) {
        char **names = NULL;
        size_t n = 0;
        int r = policy_file_list(fcntl(dir_fd, F_DUPFD_CLOEXEC, 3), directory, &names, &n, faults);

        if (r < 0)
                return r;
        files->texts = calloc(n + 1, sizeof(*files->texts));
        files->bundle.files = calloc(n + 1, sizeof(*files->bundle.files));
        r = files->texts && files->bundle.files ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_file(files, dir_fd, directory, names[i], faults);
        policy_file_list_free(names, n);
        return r;
}

int bundles_open_directory(const char *directory, bool in_force, Files *ret) {
        CLEANUP_FREE char *path = text_format("%s/" BUNDLE_NAME, directory);
        CLEANUP_CLOSE int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Files files = {0};
        Faults faults = {0};
        char *text = NULL;
        size_t length = 0;
        int r;

        if (!path)
                return fail(_("out of memory"));
        if (dir_fd < 0 && errno == ENOENT && in_force)
                return 0;
        if (dir_fd < 0)
                return fail("%s: %s", directory, strerror(errno));
        if (in_force && faccessat(dir_fd, BUNDLE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                r = bundles_read(path, &text, &length);
                return r != 0 ? r : bundles_open(path, text, length, ret);
        }
        r = add_files(&files, dir_fd, directory, &faults);
        if (r < 0)
                r = say(&faults.list, directory, r);
        policy_faults_clear(&faults.list);
        if (r != 0)
                files_clear(&files);
        else
                *ret = files;
        return r;
}

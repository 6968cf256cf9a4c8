/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "policy/file.h"
#include "policy/scope.h"
#include "policy/translate.h"

static bool ends_in(const char *name, const char *suffix) {
        size_t length = strlen(name), n = strlen(suffix);

        return name[0] != '.' && length > n && strcmp(name + length - n, suffix) == 0;
}

static int add(Keyring *keyring, bool revoked, const MinisignKey *key, const char *path, Faults *faults) {
        size_t *n = revoked ? &keyring->n_revoked : &keyring->n;

        if (*n == KEYRING_MAX) {
                faults_add(faults, path, 0, 0, "too many keys; expected at most %d", KEYRING_MAX);
                return -EBADMSG;
        }
        (revoked ? keyring->revoked : keyring->keys)[(*n)++] = *key;
        return 0;
}

static int add_file(Keyring *keyring, int dir_fd, const char *name, const char *path, Faults *faults) {
        CLEANUP_FREE char *text = NULL;
        CLEANUP_CLOSE int fd = -1;
        bool is_directory = false;
        MinisignKey key;
        size_t length;
        int r;

        fd = policy_file_open(dir_fd, name, path, &is_directory, faults);
        if (fd == -ENOENT) {
                faults_add(faults, path, 0, 0, "has gone while the directory was read");
                return -EBADMSG;
        }
        if (fd < 0)
                return fd;
        if (is_directory) {
                faults_add(faults, path, 0, 0, "is a directory; expected a regular file");
                return -EBADMSG;
        }
        r = policy_file_read(fd, path, &text, &length, faults);
        if (r < 0)
                return r;
        if (minisign_key_parse(text, length, &key) < 0) {
                faults_add(faults, path, 0, 0, "is no public key; expected a file of minisign");
                return -EBADMSG;
        }
        return add(keyring, ends_in(name, ".revoked"), &key, path, faults);
}

static int add_entry(Keyring *keyring, int dir_fd, const char *directory, const char *name, Faults *faults) {
        CLEANUP_FREE char *path = NULL;

        if (!ends_in(name, ".pub") && !ends_in(name, ".revoked"))
                return 0;
        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return add_file(keyring, dir_fd, name, path, faults);
}

static int add_entries(Keyring *keyring, DIR *dir, const char *directory, Faults *faults) {
        for (;;) {
                const struct dirent *entry;
                int r;

                errno = 0;
                entry = readdir(dir);
                if (!entry && errno) {
                        faults_add(faults, directory, 0, 0, "%s: %s",
                                   faults_text(faults, N_("cannot be listed")),
                                   faults_text(faults, strerrordesc_np(errno)));
                        return -EBADMSG;
                }
                if (!entry)
                        return 0;
                r = add_entry(keyring, dirfd(dir), directory, entry->d_name, faults);
                if (r < 0)
                        return r;
        }
}

int keyring_load(const char *directory, Keyring *ret, Faults *faults) {
        CLEANUP_CLOSE int fd = -1;
        CLEANUP_DIR DIR *dir = NULL;
        bool is_directory = false;
        Keyring keyring = {0};
        int r = 0;

        fd = policy_file_open(AT_FDCWD, directory, directory, &is_directory, faults);
        if (fd == -ENOENT) {
                *ret = keyring;
                return 0;
        }
        if (fd < 0)
                return fd;
        if (!is_directory) {
                faults_add(faults, directory, 0, 0, "is no directory; expected one of public keys");
                return -EBADMSG;
        }
        dir = fdopendir(fd);
        if (!dir)
                return -ENOMEM;
        (void)STEAL_FD(fd);
        r = add_entries(&keyring, dir, directory, faults);
        if (r == 0)
                *ret = keyring;
        return r;
}

int keyring_revoke(Keyring *keyring, uint64_t id) {
        for (size_t i = 0; i < keyring->n_revoked_ids; i++)
                if (keyring->revoked_ids[i] == id)
                        return 0;
        if (keyring->n_revoked_ids == REVOKED_MAX)
                return -E2BIG;
        keyring->revoked_ids[keyring->n_revoked_ids++] = id;
        return 0;
}

/* The id is the maker's choice: a key that is the same but for that is revoked with it. */
static bool is_revoked(const Keyring *keyring, const MinisignKey *key) {
        for (size_t i = 0; i < keyring->n_revoked_ids; i++)
                if (keyring->revoked_ids[i] == key->id)
                        return true;
        for (size_t i = 0; i < keyring->n_revoked; i++)
                if (keyring->revoked[i].id == key->id ||
                    memcmp(keyring->revoked[i].public, key->public, sizeof(key->public)) == 0)
                        return true;
        return false;
}

int keyring_verify(const Keyring *keyring, const MinisignSignature *signature, const char *message,
                   size_t length) {
        int result = -ENOKEY;

        for (size_t i = 0; i < keyring->n_revoked; i++)
                if (keyring->revoked[i].id == signature->id)
                        result = -EKEYREVOKED;
        for (size_t i = 0; i < keyring->n; i++) {
                int r;

                if (keyring->keys[i].id != signature->id)
                        continue;
                if (is_revoked(keyring, &keyring->keys[i])) {
                        result = -EKEYREVOKED;
                        continue;
                }
                r = minisign_verify(signature, &keyring->keys[i], message, length);
                if (r == 0 || r == -ENOMEM)
                        return r;
                result = -EKEYREJECTED;
        }
        return result;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/policy_share.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/load.h"
#include "policy/scope.h"

#define SHARED_NAME "sekisho-policy" /* of pam_set_data() */

typedef struct Shared {
        PolicyIdentity identity;
        Policy *policy;
} Shared;

/* One file: everything by which it could be another one than before. */
typedef struct Mark {
        dev_t device;
        ino_t inode;
        mode_t mode;
        uid_t owner;
        off_t size;
        struct timespec written, changed;
} Mark;

static void add_file(crypto_generichash_state *state, int directory_fd, const char *name) {
        struct stat st;
        Mark mark;

        memset(&mark, 0, sizeof(mark)); /* also what is between its members */
        if (fstatat(directory_fd, name, &st, 0) == 0) {
                mark.device = st.st_dev;
                mark.inode = st.st_ino;
                mark.mode = st.st_mode;
                mark.owner = st.st_uid;
                mark.size = st.st_size;
                mark.written = st.st_mtim;
                mark.changed = st.st_ctim;
        }
        (void)crypto_generichash_update(state, (const unsigned char *)name, strlen(name) + 1);
        (void)crypto_generichash_update(state, (const unsigned char *)&mark, sizeof(mark));
}

/* In the order of the directory, which stays as long as nothing in it changes. 0 or -errno. */
static int add_entries(crypto_generichash_state *state, const char *path) {
        CLEANUP_DIR DIR *directory = opendir(path);
        const struct dirent *entry;

        if (!directory)
                return errno == ENOTDIR || errno == ENOENT ? 0 : -errno;
        while ((errno = 0, entry = readdir(directory)))
                if (strcmp(entry->d_name, "..") != 0)
                        add_file(state, dirfd(directory), entry->d_name);
        return -errno;
}

static int add_path(crypto_generichash_state *state, const char *path) {
        add_file(state, AT_FDCWD, path);
        return add_entries(state, path);
}

static int add_in(crypto_generichash_state *state, const char *directory, const char *name) {
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return add_path(state, path);
}

PolicyIdentity policy_identity(const char *path, const char *state_dir) {
        CLEANUP_FREE char *keys = policy_keys_of(path);
        PolicyIdentity identity = {.known = false};
        crypto_generichash_state state;

        if (!keys || crypto_generichash_init(&state, NULL, 0, sizeof(identity.digest)) < 0 ||
            add_path(&state, path) < 0 || add_path(&state, keys) < 0 ||
            add_in(&state, state_dir, "floor") < 0 || add_in(&state, state_dir, "restored") < 0 ||
            crypto_generichash_final(&state, identity.digest, sizeof(identity.digest)) < 0)
                return identity;
        identity.known = true;
        return identity;
}

Policy *policy_share_get(pam_handle_t *pamh, const PolicyIdentity *identity) {
        const Shared *shared = NULL;

        if (!identity->known || pam_get_data(pamh, SHARED_NAME, (const void **)&shared) != PAM_SUCCESS ||
            !shared || memcmp(shared->identity.digest, identity->digest, sizeof(identity->digest)) != 0)
                return NULL;
        return policy_ref(shared->policy);
}

static void free_shared(pam_handle_t *pamh, void *data, int status) {
        Shared *shared = data;

        (void)pamh;
        (void)status;
        policy_unref(shared->policy);
        free(shared);
}

int policy_share_put(pam_handle_t *pamh, const PolicyIdentity *identity, Policy *policy) {
        Shared *shared;

        if (!identity->known)
                return 0;
        shared = calloc(1, sizeof(*shared));
        if (!shared)
                return -ENOMEM;
        *shared = (Shared){.identity = *identity, .policy = policy_ref(policy)};
        if (pam_set_data(pamh, SHARED_NAME, shared, free_shared) == PAM_SUCCESS)
                return 0;
        free_shared(pamh, shared, 0);
        return -ENOMEM;
}

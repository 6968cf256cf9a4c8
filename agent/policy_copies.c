/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/policy_copies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/bundle.h"
#include "policy/file.h"
#include "policy/scope.h"

static bool is_policy_name(const char *name) {
        size_t n = strlen(name);

        return strcmp(name, BUNDLE_NAME) == 0 ||
               (name[0] != '.' && n > 5 && strcmp(name + n - 5, ".yaml") == 0);
}

/* Remove every policy file of DIR but those that KEEP (a directory, or NULL) has, too. */
static int remove_stale(const char *dir, const char *keep) {
        CLEANUP_DIR DIR *d = opendir(dir);
        const struct dirent *entry;

        if (!d)
                return -errno;
        while ((entry = readdir(d))) {
                char path[PATH_MAX];

                if (!is_policy_name(entry->d_name))
                        continue;
                snprintf(path, sizeof(path), "%s/%s", keep ? keep : "", entry->d_name);
                if (keep && access(path, F_OK) == 0)
                        continue;
                if (unlinkat(dirfd(d), entry->d_name, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int copy_file(const char *from, const char *to) {
        CLEANUP_FREE char *text = malloc(POLICY_FILE_MAX + 1);
        ssize_t n;

        if (!text)
                return -ENOMEM;
        n = file_read_small(AT_FDCWD, from, text, POLICY_FILE_MAX + 1);
        if (n < 0)
                return (int)n;
        text[n] = '\n'; /* the reader dropped it */
        return file_replace(to, text, (size_t)n + 1, 0600);
}

static int copy_directory(const char *from, const char *to) {
        CLEANUP_DIR DIR *d = opendir(from);
        const struct dirent *entry;
        bool bundle;

        if (!d)
                return -errno;
        bundle = faccessat(dirfd(d), BUNDLE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        while ((entry = readdir(d))) {
                char source[PATH_MAX], target[PATH_MAX];
                int r;

                if (!is_policy_name(entry->d_name) || (bundle && strcmp(entry->d_name, BUNDLE_NAME) != 0))
                        continue;
                if ((size_t)snprintf(source, sizeof(source), "%s/%s", from, entry->d_name) >=
                            sizeof(source) ||
                    (size_t)snprintf(target, sizeof(target), "%s/%s", to, entry->d_name) >= sizeof(target))
                        return -ENAMETOOLONG;
                r = copy_file(source, target);
                if (r < 0)
                        return r;
        }
        return remove_stale(to, from);
}

int policy_copies_keep(const char *path, const char *to) {
        char target[PATH_MAX];
        struct stat st;
        int r = directory_ensure(to, 0700);

        if (r < 0)
                return r;
        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return copy_directory(path, to);
        if ((size_t)snprintf(target, sizeof(target), "%s/policy.yaml", to) >= sizeof(target))
                return -ENAMETOOLONG;
        return copy_file(path, target);
}

int policy_copies_drop(const char *to) {
        int r = remove_stale(to, NULL);

        return r == -ENOENT ? 0 : r;
}

void policy_copies_tidy(const char *directory) {
        static const char prefix[] = BUNDLE_NAME "."; /* as file_replace() calls its temporary files */
        CLEANUP_DIR DIR *d = opendir(directory);
        const struct dirent *entry;

        while (d && (entry = readdir(d)))
                if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
                    strlen(entry->d_name) == strlen(prefix) + 6)
                        (void)unlinkat(dirfd(d), entry->d_name, 0);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_kept(const struct dirent *entry) {
        size_t n = strlen(entry->d_name);

        return entry->d_name[0] != '.' && n > 7 && strcmp(entry->d_name + n - 7, ".bundle") == 0;
}

/* The serials stand in front, so that the order of names is that of editions. */
static int prune(const char *directory) {
        CLEANUP_CLOSE int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent **entries = NULL;
        int n = fd < 0 ? -errno : scandir(directory, &entries, is_kept, by_name), r = 0;

        if (n < 0)
                return fd < 0 ? n : -errno;
        for (int i = 0; entries && i < n; i++) {
                if (i + POLICY_HISTORY_MAX < n && unlinkat(fd, entries[i]->d_name, 0) < 0)
                        r = -errno;
                free(entries[i]);
        }
        free(entries);
        return r;
}

int policy_copies_add_history(const char *path, const char *state_dir, uint64_t serial) {
        char source[PATH_MAX], directory[PATH_MAX], target[PATH_MAX];
        int r;

        if ((size_t)snprintf(source, sizeof(source), "%s/" BUNDLE_NAME, path) >= sizeof(source) ||
            (size_t)snprintf(directory, sizeof(directory), "%s/" POLICY_HISTORY, state_dir) >=
                    sizeof(directory) ||
            (size_t)snprintf(target, sizeof(target), "%s/%016" PRIu64 ".bundle", directory, serial) >=
                    sizeof(target))
                return -ENAMETOOLONG;
        r = directory_ensure(directory, 0700);
        if (r == 0)
                r = copy_file(source, target);
        return r < 0 ? r : prune(directory);
}

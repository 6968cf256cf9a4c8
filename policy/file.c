/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/scope.h"

static int fault(Faults *faults, const char *path, const char *what, int error) {
        faults_add(faults, path, 0, 0, "%s: %s", faults_text(faults, what),
                   faults_text(faults, strerrordesc_np(error)));
        return -EBADMSG;
}

/* What is no fault of the file's, and passes. */
static bool is_shortage(int error) {
        return error == ENOMEM || error == EMFILE || error == ENFILE;
}

/* O_NOFOLLOW says ELOOP for a symbolic link (open(2)). */
static int open_fault(Faults *faults, const char *path, int error) {
        if (error == ENOENT || is_shortage(error))
                return -error;
        if (error != ELOOP)
                return fault(faults, path, N_("cannot be opened"), error);
        faults_add(faults, path, 0, 0, "is a symbolic link; expected a file or directory itself");
        return -EBADMSG;
}

int policy_file_open(int dir_fd, const char *name, const char *path, bool *ret_is_directory,
                     Faults *faults) {
        CLEANUP_CLOSE int fd =
                openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0)
                return open_fault(faults, path, errno);
        if (fstat(fd, &st) < 0)
                return fault(faults, path, N_("cannot be examined"), errno);
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
                faults_add(faults, path, 0, 0, "is neither a regular file nor a directory");
                return -EBADMSG;
        }
        if (st.st_uid != 0 && st.st_uid != geteuid()) {
                faults_add(faults, path, 0, 0, "belongs to uid %u; expected root or uid %u", st.st_uid,
                           geteuid());
                return -EBADMSG;
        }
        if (st.st_mode & (S_IWGRP | S_IWOTH)) {
                faults_add(faults, path, 0, 0,
                           "is writable by group or others (mode %04o); expected only its owner to write",
                           (unsigned)(st.st_mode & 07777));
                return -EBADMSG;
        }
        *ret_is_directory = S_ISDIR(st.st_mode);
        return STEAL_FD(fd);
}

int policy_file_read(int fd, const char *path, char **ret, size_t *ret_length, Faults *faults) {
        CLEANUP_FREE char *text = NULL;
        size_t length = 0, allocated = 0;

        for (;;) {
                ssize_t n;

                if (allocated - length < 2) {
                        size_t larger = allocated ? allocated * 2 : 16384;
                        char *p = realloc(text, larger);

                        if (!p)
                                return -ENOMEM;
                        text = p;
                        allocated = larger;
                }
                n = read(fd, text + length, allocated - length - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return fault(faults, path, N_("cannot be read"), errno);
                if (n == 0)
                        break;
                length += (size_t)n;
                if (length > POLICY_FILE_MAX) {
                        faults_add(faults, path, 0, 0, "is too large; expected at most 4 MiB");
                        return -EBADMSG;
                }
        }
        text[length] = '\0';
        *ret = STEAL_PTR(text);
        *ret_length = length;
        return 0;
}

void policy_file_list_free(char **names, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(names[i]);
        free(names);
}

static bool is_policy_name(const char *name) {
        static const char suffix[] = ".yaml";
        size_t length = strlen(name);

        return name[0] != '.' && length >= sizeof(suffix) &&
               strcmp(name + length - strlen(suffix), suffix) == 0;
}

static int compare(const void *x, const void *y) {
        return strcmp(*(char *const *)x, *(char *const *)y);
}

static int list_names(DIR *dir, const char *path, char **names, size_t *n, Faults *faults) {
        for (;;) {
                struct dirent *entry;

                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        return errno ? fault(faults, path, N_("cannot be listed"), errno) : 0;
                if (!is_policy_name(entry->d_name))
                        continue;
                if (*n == POLICY_FILES_MAX) {
                        faults_add(faults, path, 0, 0, "too many files; expected at most %d",
                                   POLICY_FILES_MAX);
                        return -EBADMSG;
                }
                names[*n] = strdup(entry->d_name);
                if (!names[*n])
                        return -ENOMEM;
                (*n)++;
        }
}

int policy_file_list(int fd, const char *path, char ***ret, size_t *ret_n, Faults *faults) {
        CLEANUP_DIR DIR *dir = fdopendir(fd); /* closedir closes FD */
        char **names;
        size_t n = 0;
        int r;

        if (!dir) {
                r = errno == ENOMEM ? -ENOMEM : fault(faults, path, N_("cannot be listed"), errno);
                close(fd);
                return r;
        }
        names = calloc(POLICY_FILES_MAX, sizeof(*names));
        if (!names)
                return -ENOMEM;
        r = list_names(dir, path, names, &n, faults);
        if (r < 0) {
                policy_file_list_free(names, n);
                return r;
        }
        qsort(names, n, sizeof(*names), compare);
        *ret = names;
        *ret_n = n;
        return 0;
}

int policy_file_list_add(char ***names, size_t *n, const char *name) {
        char **grown, *copy;

        for (size_t i = 0; i < *n; i++)
                if (strcmp((*names)[i], name) == 0)
                        return 0;
        grown = reallocarray(*names, *n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        *names = grown;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        grown[(*n)++] = copy;
        qsort(grown, *n, sizeof(*grown), compare);
        return 0;
}

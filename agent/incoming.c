/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/incoming.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/file.h"
#include "policy/scope.h"

#define ENDING  ".bundle"
#define REFUSED ".refused"

struct Incoming {
        IncomingCallbacks callbacks;
        char *directory;
        int fd;
        sd_event_source *watch, *first;
};

static bool is_for_us(const char *name) {
        size_t n = strlen(name), ending = strlen(ENDING);

        return name[0] != '.' && n > ending && strcmp(name + n - ending, ENDING) == 0;
}

/* Only those that nobody but root has had a hand in are read; one that is gone again is nobody's. 0,
 * -ENOENT, or -errno with RET_WHY. */
static int read_one(const Incoming *incoming, const char *name, char **ret, size_t *ret_length,
                    const char **ret_why) {
        CLEANUP_CLOSE int fd =
                openat(incoming->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
        struct stat st;
        int r;

        *ret_why = "is not root's alone: expected a regular file, owned by root, that nobody else can write";
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
                return -EPERM;
        r = file_read_whole(fd, POLICY_FILE_MAX, ret, ret_length);
        if (r < 0)
                *ret_why = r == -E2BIG ? "is larger than a policy can be" : "cannot be read";
        return r;
}

static void put_aside(const Incoming *incoming, const char *name, const char *path) {
        char other[NAME_MAX + 1];

        if ((size_t)snprintf(other, sizeof(other), "%s" REFUSED, name) >= sizeof(other))
                (void)snprintf(other, sizeof(other), "too-long" REFUSED);
        if (renameat(incoming->fd, name, incoming->fd, other) < 0 && errno != ENOENT)
                incoming->callbacks.failed(incoming->callbacks.userdata, path, -errno);
}

static void take(Incoming *incoming, const char *name) {
        const IncomingCallbacks *callbacks = &incoming->callbacks;
        CLEANUP_FREE char *text = NULL, *path = NULL;
        const char *why = NULL;
        size_t length = 0;
        int r;

        if (asprintf(&path, "%s/%s", incoming->directory, name) < 0) {
                path = NULL;
                callbacks->failed(callbacks->userdata, incoming->directory, -ENOMEM);
                return;
        }
        r = read_one(incoming, name, &text, &length, &why);
        if (r == -ENOENT)
                return; /* two events, one file */
        if (r < 0)
                callbacks->refused(callbacks->userdata, path, why);
        else
                r = callbacks->install(callbacks->userdata, path, text, length);
        if (r != 0)
                put_aside(incoming, name, path);
        else if (unlinkat(incoming->fd, name, 0) < 0 && errno != ENOENT)
                callbacks->failed(callbacks->userdata, path, -errno);
}

static int is_bundle(const struct dirent *entry) {
        return is_for_us(entry->d_name);
}

/* In the order of their names, which is that of their serials if they are called by these. */
static void take_all(Incoming *incoming) {
        struct dirent **entries = NULL;
        int n = scandirat(incoming->fd, ".", &entries, is_bundle, alphasort);

        if (n < 0)
                incoming->callbacks.failed(incoming->callbacks.userdata, incoming->directory, -errno);
        for (int i = 0; i < n; i++) {
                take(incoming, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
}

static int on_first(sd_event_source *source, void *userdata) {
        (void)source;
        take_all(userdata);
        return 0;
}

static int on_event(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Incoming *incoming = userdata;

        if ((event->mask & IN_Q_OVERFLOW) != 0)
                take_all(incoming);
        else if ((event->mask & (IN_MOVED_TO | IN_CLOSE_WRITE)) != 0 && event->len > 0 &&
                 is_for_us(event->name))
                take(incoming, event->name);
        else if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
                incoming->callbacks.failed(incoming->callbacks.userdata, incoming->directory, -ENOENT);
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        }
        return 0;
}

int incoming_new(sd_event *event, const char *directory, const IncomingCallbacks *callbacks,
                 Incoming **ret) {
        Incoming *incoming;
        int r = directory_ensure(directory, 0700);

        if (r < 0)
                return r;
        incoming = calloc(1, sizeof(*incoming));
        if (!incoming)
                return -ENOMEM;
        *incoming = (Incoming){.callbacks = *callbacks, .directory = strdup(directory), .fd = -1};
        incoming->fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = !incoming->directory ? -ENOMEM : incoming->fd < 0 ? -errno : 0;
        if (r == 0)
                r = sd_event_add_inotify_fd(event, &incoming->watch, incoming->fd,
                                            IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF |
                                                    IN_ONLYDIR,
                                            on_event, incoming);
        if (r >= 0)
                r = sd_event_add_defer(event, &incoming->first, on_first, incoming); /* once */
        if (r < 0) {
                incoming_free(incoming);
                return r;
        }
        *ret = incoming;
        return 0;
}

Incoming *incoming_free(Incoming *incoming) {
        if (!incoming)
                return NULL;
        sd_event_source_disable_unref(incoming->watch);
        sd_event_source_disable_unref(incoming->first);
        if (incoming->fd >= 0)
                close(incoming->fd);
        free(incoming->directory);
        free(incoming);
        return NULL;
}

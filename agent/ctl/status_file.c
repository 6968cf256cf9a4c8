/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/status_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/file.h"

enum {
        STATUS_MAX = 16 * 1024 * 1024
};

/* Opens a regular file. -ENOENT if there is none, -errno. */
static int open_regular(int dir, const char *name) {
        CLEANUP_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        return STEAL_FD(fd);
}

static int read_root(int dir, struct json_object **ret) {
        CLEANUP_CLOSE int fd = open_regular(dir, "status.json");
        CLEANUP_JSON struct json_object *root = NULL;
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        int r;

        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return fd;
        r = file_read_whole(fd, STATUS_MAX, &text, &length);
        if (r == 0)
                r = json_parse(text, length, &root);
        if (r < 0)
                return r;
        if (!json_object_is_type(root, json_type_object))
                return -EBADMSG;
        *ret = STEAL_PTR(root);
        return 0;
}

/* 1 if somebody holds the lock, 0 if not, -errno. A lock that was got is let go at once: an agent that
 * starts just now must not find it taken. */
static int is_alive(int dir) {
        CLEANUP_CLOSE int fd = open_regular(dir, "lock");

        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return fd;
        if (flock(fd, LOCK_SH | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? 1 : -errno;
        return 0;
}

int status_file_read(const char *runtime_dir, StatusFile *ret) {
        CLEANUP_CLOSE int dir = open(runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_JSON struct json_object *root = NULL;
        int r;

        if (dir < 0 && errno == ENOENT) {
                *ret = (StatusFile){0};
                return 0;
        }
        if (dir < 0)
                return -errno;
        r = read_root(dir, &root);
        if (r < 0)
                return r;
        r = is_alive(dir); /* after reading: what a dead agent wrote is never taken for a living one's */
        if (r < 0)
                return r;
        *ret = (StatusFile){.root = STEAL_PTR(root), .alive = r > 0};
        return 0;
}

void status_file_clear(StatusFile *status) {
        json_object_put(status->root);
        *status = (StatusFile){0};
}

bool status_file_lacks_lsm(const char *runtime_dir) {
        CLEANUP_STATUS_FILE StatusFile status = {0};
        const struct json_object *mechanisms;
        const char *lsm = NULL;

        if (status_file_read(runtime_dir ? runtime_dir : DEFAULT_RUNTIME_DIR, &status) == 0 &&
            status.alive && status.root) {
                mechanisms = json_map(status.root, "mechanisms");
                lsm = mechanisms ? json_text(mechanisms, "lsm") : NULL;
        }
        return lsm && strncmp(lsm, "ok", 2) != 0;
}

bool status_file_is_locked_down(const char *runtime_dir) {
        CLEANUP_STATUS_FILE StatusFile status = {0};
        const char *cause;

        if (status_file_read(runtime_dir ? runtime_dir : DEFAULT_RUNTIME_DIR, &status) != 0 ||
            !status.alive || !status.root)
                return false;
        cause = json_text(json_map(status.root, "lockdown"), "cause");
        return cause && strcmp(cause, "policy") != 0; /* that one is in the policy itself */
}

/* 1 if the guard answered, 0 if it did not, -EACCES if it will not tell. */
static int ask_guard(const char *method, StatusFile *ret) {
        CLEANUP_FREE char *text = NULL;
        CLEANUP_JSON struct json_object *root = NULL;
        int r = guard_ask(method, &text);

        if (r < 0)
                return r == -EACCES ? r : 0;
        r = json_parse(text, strlen(text), &root);
        if (r == 0 && json_object_is_type(root, json_type_array)) {
                struct json_object *devices = root;

                root = json_object_new_object();
                json_object_object_add(root, "devices", devices);
        }
        if (r < 0 || !json_object_is_type(root, json_type_object))
                return 0;
        *ret = (StatusFile){.root = STEAL_PTR(root), .alive = true};
        return 1;
}

int status_file_open(const char *runtime_dir, const char *method, StatusFile *ret) {
        const char *dir = runtime_dir ? runtime_dir : DEFAULT_RUNTIME_DIR;
        int r = runtime_dir ? 0 : ask_guard(method, ret);

        if (r > 0)
                return 0;
        if (r < 0)
                return fail(_("the guard tells that to administrators only"));
        r = status_file_read(dir, ret);
        switch (r) {
        case 0:
                return 0;
        case -EACCES:
        case -EPERM:
                return fail(_("cannot read the guard's status in %s: %s (root may)"), dir, strerror(-r));
        case -EBADMSG:
                return fail(_("%s/status.json is not what the guard writes"), dir);
        default:
                return fail(_("cannot read the guard's status in %s: %s"), dir, strerror(-r));
        }
}

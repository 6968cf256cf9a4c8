/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define CHANGED                                                                                             \
        "type='signal',sender='" BUS_NAME "',path='" BUS_PATH "',interface='" BUS_NAME                      \
        "',member='NameOwnerChanged',arg0='" GUARD_NAME "'"

/* UINT64_MAX where there is no clock: then there is no time either. */
static uint64_t now_usec(void) {
        struct timespec ts;

        if (clock_gettime(CLOCK_BOOTTIME, &ts) < 0)
                return UINT64_MAX;
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* sd-bus takes 0 for its own default. */
static uint64_t left(const GuardLink *link) {
        uint64_t now = now_usec();

        return now < link->deadline ? link->deadline - now : 0;
}

void guard_close(GuardLink *link) {
        free(link->owner);
        if (link->bus)
                sd_bus_close(link->bus); /* without flushing, which may wait for a bus that hangs */
        sd_bus_unref(link->bus);
        *link = (GuardLink){0};
}

/* One turn of the connection's work, with a wait where there is none. 0 or -errno. */
static int turn(GuardLink *link) {
        int r = sd_bus_process(link->bus, NULL);

        if (r != 0)
                return r < 0 ? r : 0;
        if (left(link) == 0)
                return -ETIMEDOUT;
        r = sd_bus_wait(link->bus, left(link));
        return r == -EINTR ? 0 : r < 0 ? r : 0;
}

/* Not sd_bus_open_system(), nor a call before the bus has let us in: both wait for a bus that hangs. */
static int connect_bus(GuardLink *link) {
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        int r = sd_bus_new(&link->bus);

        if (r >= 0)
                r = sd_bus_set_address(
                        link->bus, address && *address ? address : "unix:path=/run/dbus/system_bus_socket");
        if (r >= 0)
                r = sd_bus_set_bus_client(link->bus, true);
        if (r >= 0)
                r = sd_bus_set_close_on_exit(link->bus, false);
        if (r < 0)
                return r;
        r = sd_bus_start(link->bus);
        if (r < 0)
                return r == -ECONNREFUSED ? -ENOENT : r;
        while ((r = sd_bus_is_ready(link->bus)) == 0)
                if ((r = turn(link)) < 0)
                        return r;
        return r < 0 ? r : 0;
}

static int call_timed(GuardLink *link, sd_bus_message *call, sd_bus_message **ret) {
        uint64_t wait = left(link);

        return wait == 0 ? -ETIMEDOUT : sd_bus_call(link->bus, call, wait, NULL, ret);
}

/* Asks the bus METHOD about NAME. */
static int ask_bus(GuardLink *link, const char *method, const char *name, sd_bus_message **ret) {
        CLEANUP_MESSAGE sd_bus_message *call = NULL;
        int r = sd_bus_message_new_method_call(link->bus, &call, BUS_NAME, BUS_PATH, BUS_NAME, method);

        if (r >= 0)
                r = sd_bus_message_append(call, "s", name);
        return r < 0 ? r : call_timed(link, call, ret);
}

/* 0 also where nobody has the name: sd-bus-errors(3). */
static int find_owner(GuardLink *link) {
        CLEANUP_MESSAGE sd_bus_message *reply = NULL;
        const char *owner;
        int r = ask_bus(link, "GetNameOwner", GUARD_NAME, &reply);

        if (r == -ENXIO || r == -EHOSTUNREACH)
                return 0;
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &owner);
        if (r < 0)
                return r;
        link->owner = strdup(owner);
        return link->owner ? 0 : -ENOMEM;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        bool *changed = userdata;

        (void)m;
        (void)error;
        *changed = true;
        return 0;
}

/* The agent may be just coming onto the bus: the one or the other may have been started anew. To be told of
 * that takes two more messages, which most logins can do without. */
static int wait_for_owner(GuardLink *link) {
        sd_bus_slot *slot = NULL;
        bool changed = true;
        int r = find_owner(link);

        if (r < 0 || link->owner)
                return r;
        r = sd_bus_add_match_async(link->bus, &slot, CHANGED, on_changed, NULL, &changed);
        while (r >= 0 && !link->owner) {
                if (changed) {
                        changed = false;
                        r = find_owner(link);
                } else
                        r = turn(link);
        }
        sd_bus_slot_unref(slot);
        return r < 0 ? r : 0;
}

/* Nobody but root may have the name, says the configuration of the bus; this does not rely on it. */
static int check_owner(GuardLink *link) {
        CLEANUP_MESSAGE sd_bus_message *reply = NULL;
        uint32_t uid;
        int r = ask_bus(link, "GetConnectionUnixUser", link->owner, &reply);

        if (r >= 0)
                r = sd_bus_message_read(reply, "u", &uid);
        return r < 0 ? r : uid != 0 ? -EPERM : 0;
}

int guard_open(uint64_t wait, GuardLink *ret) {
        uint64_t now = now_usec();
        CLEANUP_GUARD_LINK GuardLink link = {.deadline = now + wait};
        int r = now == UINT64_MAX ? -ETIME : connect_bus(&link);

        if (r == 0)
                r = wait_for_owner(&link);
        if (r == 0)
                r = check_owner(&link);
        if (r < 0)
                return r;
        *ret = link;
        link = (GuardLink){0};
        return 0;
}

int guard_new_call(GuardLink *link, const char *interface, const char *method, sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(link->bus, ret, link->owner, GUARD_PATH, interface, method);

        return r < 0 ? r : 0;
}

int guard_call(GuardLink *link, sd_bus_message *call, sd_bus_message **ret) {
        CLEANUP_MESSAGE sd_bus_message *reply = NULL;
        int r = call_timed(link, call, &reply);

        if (r < 0)
                return r;
        if (ret)
                *ret = STEAL_PTR(reply);
        return 0;
}

static bool is_roots(int fd, mode_t type) {
        struct stat st;

        return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == 0 &&
               (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* "1: FLOCK  ADVISORY  WRITE 812 00:1a:1203 0 EOF" (proc(5)); "->" in front of who waits for it. */
static bool is_locked(FILE *locks, const struct stat *st) {
        char line[256], kind[16], how[16];
        unsigned long long inode;
        unsigned from, to;

        while (fgets(line, sizeof(line), locks))
                if (sscanf(line, "%*u: %15s ADVISORY %15s %*d %x:%x:%llu", kind, how, &from, &to, &inode) ==
                            5 &&
                    strcmp(kind, "FLOCK") == 0 && strcmp(how, "WRITE") == 0 && from == major(st->st_dev) &&
                    to == minor(st->st_dev) && inode == st->st_ino)
                        return true;
        return false;
}

bool guard_lock_is_held(const char *runtime, const char *locks) {
        CLEANUP_CLOSE int directory = open(runtime, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (directory < 0 || !is_roots(directory, S_IFDIR))
                return false;
        CLEANUP_CLOSE int lock = openat(directory, "lock", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (lock < 0 || !is_roots(lock, S_IFREG) || fstat(lock, &st) < 0)
                return false;
        CLEANUP_FILE FILE *file = fopen(locks, "re");
        return file && is_locked(file, &st);
}

/* Where there is no bus; whatever cannot be told is a lockdown. */
static Presence presence_by_files(const char *runtime) {
        CLEANUP_CLOSE int directory = -1;
        struct stat st;

        if (!guard_lock_is_held(runtime, "/proc/locks"))
                return PRESENCE_NONE;
        directory = open(runtime, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return directory >= 0 && fstatat(directory, "lockdown", &st, AT_SYMLINK_NOFOLLOW) < 0 &&
                               errno == ENOENT
                       ? PRESENCE_IN_FORCE
                       : PRESENCE_LOCKDOWN;
}

static Presence ask_presence(GuardLink *link) {
        CLEANUP_MESSAGE sd_bus_message *call = NULL, *reply = NULL;
        const char *word;
        int presence;

        if (guard_new_call(link, GUARD_INTERFACE, "Presence", &call) < 0 ||
            guard_call(link, call, &reply) < 0 || sd_bus_message_read(reply, "s", &word) < 0)
                return PRESENCE_NONE;
        presence = presence_from_string(word);
        return presence < 0 ? PRESENCE_NONE : (Presence)presence;
}

Presence guard_presence(const char *runtime, uint64_t wait) {
        CLEANUP_GUARD_LINK GuardLink link = {0};
        int r = guard_open(wait, &link);

        if (r == 0)
                return ask_presence(&link);
        return r == -ENOENT ? presence_by_files(runtime) : PRESENCE_NONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/keeper/lock.h"
#include "agent/keeper/protocol.h"
#include "policy/scope.h"

enum {
        PAUSE_SEC = 5
};

struct Keeper {
        sd_event *event;
        char *runtime_dir;
        KeeperRestarted restarted;
        void *userdata;
        int ledger, alarm; /* borrowed */
        int socket;
        pid_t pid;
        sd_event_source *source;
};

static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata);
static int send_message(Keeper *keeper, const KeeperMessage *message, int fd);

static int spawn(Keeper *keeper) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        char number[16], lock_number[16];
        char *argv[] = {
                (char *)"sekishod",      (char *)"--keeper",  number, (char *)"--keeper-lock", lock_number,
                (char *)"--runtime-dir", keeper->runtime_dir, NULL};
        sigset_t none;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        /* a number that no other descriptor has, so that dup2() onto it clears close-on-exec */
        CLEANUP_CLOSE int theirs = pair[1], target = fcntl(pair[1], F_DUPFD_CLOEXEC, 3);
        if (target < 0) {
                close(pair[0]);
                return -errno;
        }
        /* -1 where an earlier keeper hangs on a dead disk: this one does without */
        CLEANUP_CLOSE int lock = keeper_lock(keeper->runtime_dir, 0);
        CLEANUP_CLOSE int lock_target = lock >= 0 ? fcntl(lock, F_DUPFD_CLOEXEC, target + 1) : -1;
        snprintf(number, sizeof(number), "%d", target);
        snprintf(lock_number, sizeof(lock_number), "%d", lock_target);
        sigemptyset(&none);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, theirs, target);
        if (lock_target >= 0)
                posix_spawn_file_actions_adddup2(&actions, lock, lock_target);
        r = posix_spawn(&keeper->pid, "/proc/self/exe", &actions, &attributes, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        if (r != 0) {
                close(pair[0]);
                return -r;
        }
        keeper->socket = pair[0];
        r = sd_event_add_io(keeper->event, &keeper->source, keeper->socket, EPOLLIN, on_hangup, keeper);
        if (r >= 0 && keeper->ledger >= 0) /* if it is gone again, that is seen next */
                (void)send_message(keeper, &(KeeperMessage){.type = KEEPER_LEDGER}, keeper->ledger);
        if (r >= 0 && keeper->alarm >= 0)
                (void)send_message(keeper, &(KeeperMessage){.type = KEEPER_ALARM}, keeper->alarm);
        return r < 0 ? r : 0;
}

static void forget(Keeper *keeper) {
        keeper->source = sd_event_source_disable_unref(keeper->source);
        if (keeper->socket >= 0)
                close(STEAL_FD(keeper->socket));
        if (keeper->pid > 0)
                (void)waitpid(keeper->pid, NULL, WNOHANG);
}

/* The keeper never sends: what arrives is its end. */
static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Keeper *keeper = userdata;
        int r;

        (void)source;
        (void)fd;
        (void)revents;
        forget(keeper);
        r = spawn(keeper);
        if (r < 0)
                return r;
        keeper->restarted(keeper->userdata);
        return 0;
}

int keeper_new(sd_event *event, const char *runtime_dir, int ledger, int alarm, KeeperRestarted restarted,
               void *userdata, Keeper **ret) {
        Keeper *keeper = calloc(1, sizeof(*keeper));
        int r;

        if (!keeper)
                return -ENOMEM;
        keeper->socket = -1;
        keeper->ledger = ledger;
        keeper->alarm = alarm;
        keeper->event = sd_event_ref(event);
        keeper->restarted = restarted;
        keeper->userdata = userdata;
        keeper->runtime_dir = strdup(runtime_dir);
        r = keeper->runtime_dir ? spawn(keeper) : -ENOMEM;
        if (r < 0) {
                keeper_free(keeper, true);
                return r;
        }
        *ret = keeper;
        return 0;
}

pid_t keeper_pid(const Keeper *keeper) {
        return keeper ? keeper->pid : 0;
}

static int send_message(Keeper *keeper, const KeeperMessage *message, int fd) {
        struct iovec data = {.iov_base = (void *)message, .iov_len = sizeof(*message)};
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {0};
        struct msghdr packet = {.msg_iov = &data, .msg_iovlen = 1};

        if (fd >= 0) {
                packet.msg_control = control.bytes;
                packet.msg_controllen = sizeof(control.bytes);
                control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
                                                  .cmsg_level = SOL_SOCKET,
                                                  .cmsg_type = SCM_RIGHTS};
                memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        }
        return sendmsg(keeper->socket, &packet, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void copy_text(char *to, size_t size, const char *from) {
        snprintf(to, size, "%s", from ? from : "");
}

int keeper_gate(Keeper *keeper, dev_t devnum, bool raw, const Gate *gate, const SuperblockIdentity *identity,
                const char *mount, uint64_t policy_serial) {
        KeeperMessage message = {
                .type = KEEPER_GATE, .devnum = devnum, .raw = raw, .policy_serial = policy_serial};

        copy_text(message.fstype, sizeof(message.fstype), identity->fstype);
        copy_text(message.mount, sizeof(message.mount), mount);
        if (identity->device) {
                copy_text(message.device, sizeof(message.device), identity->device->name);
                copy_text(message.vendor, sizeof(message.vendor), identity->device->vendor);
                copy_text(message.product, sizeof(message.product), identity->device->product);
                copy_text(message.serial, sizeof(message.serial), identity->device->serial);
                copy_text(message.bus, sizeof(message.bus), device_bus_to_string(identity->device->bus));
        }
        return send_message(keeper, &message, gate_fd(gate));
}

int keeper_gate_gone(Keeper *keeper, dev_t devnum, bool raw) {
        KeeperMessage message = {.type = KEEPER_GATE_GONE, .devnum = devnum, .raw = raw};

        return send_message(keeper, &message, -1);
}

int keeper_disk(Keeper *keeper, dev_t disk, bool hold) {
        KeeperMessage message = {.type = hold ? KEEPER_DISK : KEEPER_DISK_GONE, .devnum = disk};

        return send_message(keeper, &message, -1);
}

Keeper *keeper_free(Keeper *keeper, bool everything_closed) {
        if (!keeper)
                return NULL;
        if (keeper->socket >= 0 && everything_closed) {
                KeeperMessage message = {.type = KEEPER_DISMISS};

                if (send_message(keeper, &message, -1) == 0 && keeper->pid > 0)
                        (void)waitpid(keeper->pid, NULL, 0); /* it ends at once: nothing is left to do */
        } else if (keeper->socket >= 0) /* what is counted is told before the agent ends */
                (void)send_message(keeper, &(KeeperMessage){.type = KEEPER_LEDGER}, -1);
        forget(keeper);
        sd_event_unref(keeper->event);
        free(keeper->runtime_dir);
        free(keeper);
        return NULL;
}

/* Connect to the keeper that listens at PATH and have its word that it has paused. The descriptor or -errno.
 */
static int pause_one(const char *path) {
        static const struct timeval deadline = {.tv_sec = PAUSE_SEC};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char paused;
        ssize_t n;

        if (fd < 0)
                return -errno;
        if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
            sizeof(address.sun_path))
                return -ENAMETOOLONG;
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                int r = -errno;

                (void)unlink(path); /* a keeper that is gone left it */
                return r;
        }
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)) < 0)
                return -errno;
        do
                n = recv(fd, &paused, sizeof(paused), 0);
        while (n < 0 && errno == EINTR);
        return n == 1 ? STEAL_FD(fd) : n < 0 ? -errno : -EPIPE;
}

int predecessors_pause(const char *runtime_dir, Predecessors *ret) {
        char pattern[PATH_MAX];
        glob_t found = {0};
        int r = 0;

        *ret = (Predecessors){0};
        /* Only so that none is missed that is not listening yet: until then it has the lock. */
        (void)keeper_unlock(keeper_lock(runtime_dir, PAUSE_SEC * 1000));
        if ((size_t)snprintf(pattern, sizeof(pattern), "%s/" KEEPER_SOCKET "*", runtime_dir) >=
            sizeof(pattern))
                return -ENAMETOOLONG;
        if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
                return 0;
        ret->fds = calloc(found.gl_pathc, sizeof(*ret->fds));
        if (!ret->fds)
                r = -ENOMEM;
        for (size_t i = 0; ret->fds && i < found.gl_pathc; i++) {
                int fd = pause_one(found.gl_pathv[i]);

                if (fd >= 0)
                        ret->fds[ret->n++] = fd;
        }
        globfree(&found);
        return r;
}

void predecessors_dismiss(Predecessors *predecessors) {
        for (size_t i = 0; i < predecessors->n; i++)
                (void)send(predecessors->fds[i], KEEPER_GO_HOME, 1, MSG_NOSIGNAL);
        predecessors_clear(predecessors);
}

void predecessors_clear(Predecessors *predecessors) {
        for (size_t i = 0; i < predecessors->n; i++)
                close(predecessors->fds[i]);
        free(predecessors->fds);
        *predecessors = (Predecessors){0};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/keeper/protocol.h"
#include "policy/scope.h"

struct Keeper {
        sd_event *event;
        char *runtime_dir;
        KeeperRestarted restarted;
        void *userdata;
        int socket;
        pid_t pid;
        sd_event_source *source;
};

static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static int spawn(Keeper *keeper) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        char number[16];
        char *argv[] = {(char *)"sekishod",      (char *)"--keeper",  number,
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
        snprintf(number, sizeof(number), "%d", target);
        sigemptyset(&none);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, theirs, target);
        r = posix_spawn(&keeper->pid, "/proc/self/exe", &actions, &attributes, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        if (r != 0) {
                close(pair[0]);
                return -r;
        }
        keeper->socket = pair[0];
        r = sd_event_add_io(keeper->event, &keeper->source, keeper->socket, EPOLLIN, on_hangup, keeper);
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

int keeper_new(sd_event *event, const char *runtime_dir, KeeperRestarted restarted, void *userdata,
               Keeper **ret) {
        Keeper *keeper = calloc(1, sizeof(*keeper));
        int r;

        if (!keeper)
                return -ENOMEM;
        keeper->socket = -1;
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
        }
        forget(keeper);
        sd_event_unref(keeper->event);
        free(keeper->runtime_dir);
        free(keeper);
        return NULL;
}

void keeper_relieve_predecessors(const char *runtime_dir) {
        char pattern[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
        glob_t found = {0};

        if ((size_t)snprintf(pattern, sizeof(pattern), "%s/keeper.*", runtime_dir) >= sizeof(pattern))
                return;
        if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
                for (size_t i = 0; i < found.gl_pathc; i++) {
                        struct sockaddr_un address = {.sun_family = AF_UNIX};
                        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

                        if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
                                             found.gl_pathv[i]) >= sizeof(address.sun_path))
                                continue;
                        /* the connection itself is the message */
                        if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                                (void)unlink(found.gl_pathv[i]); /* a keeper that is gone left it */
                }
        globfree(&found);
}

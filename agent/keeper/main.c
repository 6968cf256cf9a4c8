/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper process. While the agent lives it only receives, and ends it should it be stopped. Afterwards
 * one thread makes disks and superblocks read-only (that opens device nodes, which the other must answer
 * for) and the main one answers the gates.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/device/hold.h"
#include "agent/host.h"
#include "agent/keeper/keeper.h"
#include "agent/keeper/lock.h"
#include "agent/keeper/protocol.h"
#include "agent/keeper/untold.h"
#include "agent/keeper/watch.h"
#include "agent/mount/mountinfo.h"
#include "agent/mount/seal.h"
#include "agent/note.h"
#include "agent/thread.h"
#include "policy/load.h"
#include "policy/scope.h"

enum {
        SEAL_RETRY_MSEC = 500,
        STACK_SIZE = 256 * 1024
};

typedef struct KeptGate {
        KeeperMessage told;
        int fd;
        Volume *volume; /* made when the agent is gone */
        bool sealed;    /* superblocks only; the sealing thread's */
} KeptGate;

typedef struct KeeperState {
        const char *runtime_dir;
        KeptGate *gates;
        size_t n_gates;
        struct pollfd *fds; /* room for every gate and two more */
        Policy *policy;     /* the built-in one, to tell by which rule */
        dev_t *disks;
        size_t n_disks;
        Clock clock;
        Ledger *ledger; /* the agent's; NULL: none, or it tells by itself */
        AgentWatch watch;
        bool agent_was_stopped; /* and has been ended for that */
        int alarm;              /* -1: none; then it looks all the time */
        int lock;
        pthread_mutex_t closing; /* held while superblocks are made read-only */
        bool paused;             /* guarded by closing: an agent is starting, leave them as they are */
        atomic_bool closed;      /* everything is read-only underneath: nobody needs to be asked any more */
} KeeperState;

static KeptGate *find_gate(KeeperState *state, const KeeperMessage *message) {
        for (size_t i = 0; i < state->n_gates; i++)
                if (state->gates[i].told.devnum == message->devnum &&
                    state->gates[i].told.raw == message->raw)
                        return &state->gates[i];
        return NULL;
}

static void drop_gate(KeeperState *state, KeptGate *gate) {
        close(gate->fd);
        *gate = state->gates[--state->n_gates];
}

/* Takes FD over. */
static void keep_gate(KeeperState *state, const KeeperMessage *message, int fd) {
        KeptGate *gate = find_gate(state, message);
        struct pollfd *fds;

        if (fd < 0)
                return;
        if (gate)
                drop_gate(state, gate);
        fds = reallocarray(state->fds, state->n_gates + 3,
                           sizeof(*fds)); /* now: later there may be no memory */
        if (fds)
                state->fds = fds;
        gate = fds ? reallocarray(state->gates, state->n_gates + 1, sizeof(*gate)) : NULL;
        if (!gate) {
                close(fd);
                return;
        }
        state->gates = gate;
        state->gates[state->n_gates++] = (KeptGate){.told = *message, .fd = fd};
}

static void forget_disk(KeeperState *state, dev_t disk) {
        for (size_t i = 0; i < state->n_disks; i++)
                if (state->disks[i] == disk) {
                        state->disks[i] = state->disks[--state->n_disks];
                        return;
                }
}

static void keep_disk(KeeperState *state, dev_t disk) {
        dev_t *grown = reallocarray(state->disks, state->n_disks + 1, sizeof(*grown));

        if (!grown)
                return;
        state->disks = grown;
        state->disks[state->n_disks++] = disk;
}

static int receive(int socket, KeeperMessage *ret, int *ret_fd) {
        struct iovec data = {.iov_base = ret, .iov_len = sizeof(*ret)};
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct msghdr packet = {.msg_iov = &data,
                                .msg_iovlen = 1,
                                .msg_control = control.bytes,
                                .msg_controllen = sizeof(control.bytes)};
        ssize_t n;

        *ret_fd = -1;
        do
                n = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&packet); c; c = CMSG_NXTHDR(&packet, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                        memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
        return n == (ssize_t)sizeof(*ret) ? 1 : 0;
}

/* Whether nobody waits for the agent, as far as the agent knows, and it wakes this process when that
 * changes. Then FDS are what else tells: events that it does not come to read. The number of FDS, or 0. */
static size_t quiet_until(KeeperState *state, struct pollfd *fds) {
        size_t n = 0;
        uint64_t ignored;

        if (state->watch.stopped || !state->ledger || state->alarm < 0)
                return 0;
        (void)!read(state->alarm, &ignored, sizeof(ignored)); /* first: from the next line on it may ring */
        if (!ledger_sleep(state->ledger))
                return 0;
        fds[n++] = (struct pollfd){.fd = state->alarm, .events = POLLIN};
        for (size_t i = 0; i < state->n_gates; i++)
                fds[n++] = (struct pollfd){.fd = state->gates[i].fd, .events = POLLIN};
        return n;
}

/* Wait for the next message or the end of the agent. While people wait at a gate it must not be stopped. */
static void await_message(KeeperState *state, int socket) {
        struct pollfd *fds = state->fds;
        size_t quiet = 0;

        fds[0] = (struct pollfd){.fd = socket, .events = POLLIN};
        for (;;) {
                int timeout = state->n_gates == 0 || quiet > 0 ? -1 : WATCH_MSEC;
                int n = poll(fds, 1 + quiet, timeout);

                if (n > 0 && fds[0].revents)
                        break;
                if (quiet > 0) {
                        quiet = 0;
                        continue;
                }
                if (n == 0 && agent_watch_look(&state->watch))
                        state->agent_was_stopped = true;
                quiet = quiet_until(state, fds + 1);
        }
        state->watch.stopped = false;
}

/* Takes FD over. */
static void keep_ledger(KeeperState *state, int fd) {
        CLEANUP_CLOSE int owned = fd;

        state->ledger = ledger_unmap(state->ledger);
        if (owned >= 0)
                (void)ledger_map(owned, &state->ledger);
}

/* Follow what the agent tells until it is gone. True if it said good-bye. */
static bool follow_agent(KeeperState *state, int socket) {
        KeeperMessage message;
        KeptGate *gate;
        int fd;

        for (;;) {
                await_message(state, socket);
                if (receive(socket, &message, &fd) <= 0)
                        return false;
                switch (message.type) {
                case KEEPER_GATE:
                        keep_gate(state, &message, fd);
                        break;
                case KEEPER_GATE_GONE:
                        gate = find_gate(state, &message);
                        if (gate)
                                drop_gate(state, gate);
                        break;
                case KEEPER_DISK:
                        forget_disk(state, message.devnum);
                        keep_disk(state, message.devnum);
                        break;
                case KEEPER_DISK_GONE:
                        forget_disk(state, message.devnum);
                        break;
                case KEEPER_LEDGER:
                        keep_ledger(state, fd);
                        break;
                case KEEPER_ALARM:
                        if (state->alarm >= 0)
                                close(state->alarm);
                        state->alarm = fd;
                        break;
                case KEEPER_DISMISS:
                        return true;
                case KEEPER_NOTHING:
                        break;
                }
        }
}

static Volume *make_volume(KeeperState *state, const KeeperMessage *told) {
        DeviceIdentity device = {.name = (char *)told->device,
                                 .vendor = told->vendor[0] ? (char *)told->vendor : NULL,
                                 .product = told->product[0] ? (char *)told->product : NULL,
                                 .serial = told->serial[0] ? (char *)told->serial : NULL};
        int bus = device_bus_from_string(told->bus);
        VolumeSettings settings = {.policy = state->policy,
                                   .clock = &state->clock,
                                   .mount = told->mount,
                                   .raw = told->raw != 0,
                                   .refuse_writes = true,
                                   .identity = {.devnum = told->devnum,
                                                .fstype = told->fstype[0] ? told->fstype : NULL,
                                                .device = told->device[0] ? &device : NULL}};
        Volume *volume = NULL;

        device.bus = bus < 0 ? DEVICE_BUS_UNKNOWN : (DeviceBus)bus;
        return volume_new(&settings, &volume) < 0 ? NULL : volume;
}

/* Whether SB is read-only now, or nowhere to be seen. */
static bool seal_superblock(const char *runtime_dir, dev_t devnum) {
        CLEANUP(mount_table_clear) MountTable table = {0};
        const MountEntry *first = NULL;

        if (mountinfo_read(NULL, &table) < 0)
                return false;
        for (size_t i = 0; i < table.n; i++)
                if (table.entries[i].devnum == devnum && (!first || table.entries[i].id < first->id))
                        first = &table.entries[i];
        if (first && mount_is_writable(first)) /* so that the next agent may undo it */
                (void)note_write(runtime_dir, NOTE_SEALED, devnum, (uint64_t)first->id);
        for (size_t i = 0; i < table.n; i++) {
                CLEANUP_CLOSE int fd = -1;

                if (table.entries[i].devnum != devnum)
                        continue;
                fd = host_open(table.entries[i].point, O_PATH | O_NOFOLLOW);
                if (fd >= 0 && seal_read_only(fd) == 0)
                        return true;
        }
        return !first;
}

/* Make superblocks read-only as far as nobody writes to them. Whether all are. */
static bool seal_superblocks(KeeperState *state) {
        bool all_closed = true;

        pthread_mutex_lock(&state->closing);
        for (size_t i = 0; i < state->n_gates; i++) {
                KeptGate *gate = &state->gates[i];

                if (!gate->told.raw && !gate->sealed && !state->paused)
                        gate->sealed = seal_superblock(state->runtime_dir, gate->told.devnum);
                all_closed = all_closed && (gate->told.raw || gate->sealed);
        }
        pthread_mutex_unlock(&state->closing);
        return all_closed;
}

static void set_paused(KeeperState *state, bool paused) {
        pthread_mutex_lock(&state->closing);
        state->paused = paused;
        pthread_mutex_unlock(&state->closing);
}

static void *close_thread(void *userdata) {
        KeeperState *state = userdata;
        struct udev *udev = udev_new();
        bool all_closed;

        for (size_t i = 0; udev && i < state->n_disks; i++) {
                (void)note_drop(state->runtime_dir, NOTE_RELEASED, state->disks[i]);
                (void)hold_set_read_only(udev, state->disks[i], true);
        }
        if (udev)
                udev_unref(udev);
        all_closed = seal_superblocks(state);
        keeper_unlock(STEAL_FD(state->lock)); /* the next agent may begin */
        while (!all_closed) {                 /* somebody still has a file open for writing */
                poll(NULL, 0, SEAL_RETRY_MSEC);
                all_closed = seal_superblocks(state);
        }
        atomic_store(&state->closed, true);
        return NULL;
}

static int listen_for_successor(const char *runtime_dir, struct sockaddr_un *address) {
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        *address = (struct sockaddr_un){.sun_family = AF_UNIX};
        if (fd < 0 ||
            (size_t)snprintf(address->sun_path, sizeof(address->sun_path), "%s/" KEEPER_SOCKET "%d",
                             runtime_dir, (int)getpid()) >= sizeof(address->sun_path))
                return -1;
        /* below a directory that only root may enter; the peer is checked all the same */
        if (bind(fd, (struct sockaddr *)address, sizeof(*address)) < 0 || listen(fd, 1) < 0)
                return -1;
        return STEAL_FD(fd);
}

/* The connection of an agent that starts, after telling it that nothing is being closed any more; else -1.
 */
static int welcome(KeeperState *state, int listener) {
        CLEANUP_CLOSE int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
                return -1;
        set_paused(state, true);
        (void)send(fd, "", 1, MSG_NOSIGNAL); /* if it is gone again, that is seen next */
        return STEAL_FD(fd);
}

/* Whether the agent that had connected sends the keeper home; if it died instead the keeper goes on. */
static bool is_sent_home(KeeperState *state, int *successor) {
        char word = '\0';
        ssize_t n = recv(*successor, &word, sizeof(word), MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (n == 1 && word == *KEEPER_GO_HOME)
                return true;
        close(STEAL_FD(*successor));
        set_paused(state, false);
        return false;
}

/* Refuse writes on every gate until all is read-only underneath, or the next agent is in force. */
static void stand_in(KeeperState *state, Report *report) {
        struct pollfd *fds = state->fds;
        struct sockaddr_un address;
        CLEANUP_CLOSE int listener = listen_for_successor(state->runtime_dir, &address), successor = -1;
        uint64_t abandoned = 0;

        for (size_t i = 0; i < state->n_gates; i++) {
                abandoned += gate_refuse_abandoned(state->gates[i].fd);
                fds[i] = (struct pollfd){.fd = state->gates[i].fd, .events = POLLIN};
        }
        fds[state->n_gates] = (struct pollfd){.fd = listener, .events = POLLIN};
        if (report)
                untold_tell(report, state->ledger, abandoned);
        /* without that thread nobody may write as long as this one answers */
        (void)thread_start(STACK_SIZE, close_thread, state);
        for (;;) {
                if (atomic_load(&state->closed))
                        break;
                (void)poll(fds, state->n_gates + 1, SEAL_RETRY_MSEC);
                for (size_t i = 0; i < state->n_gates; i++) {
                        KeptGate *gate = &state->gates[i];

                        if (!gate->volume) /* memory was short: who asks waits until there is some */
                                gate->volume = make_volume(state, &gate->told);
                        if (gate->volume)
                                (void)gate_answer_pending(gate->fd, gate->volume, report);
                }
                if (successor < 0 && fds[state->n_gates].revents)
                        successor = welcome(state, listener);
                else if (successor >= 0 && is_sent_home(state, &successor))
                        break;
                fds[state->n_gates].fd = successor >= 0 ? successor : listener;
        }
        if (listener >= 0)
                (void)unlink(address.sun_path);
}

static void tell_agent_lost(Report *report, const KeeperState *state) {
        Record *record = record_new(EVENT_AGENT_LOST);

        if (!record || !report)
                return;
        record_setf(record, TEXT_ERROR, "%zu gates and %zu disks taken over%s", state->n_gates,
                    state->n_disks,
                    state->agent_was_stopped ? "; it was stopped, and has been ended for that" : "");
        report_submit(report, record);
}

int keeper_main(int socket, int lock, const char *runtime_dir) {
        KeeperState state = {
                .runtime_dir = runtime_dir, .lock = lock, .alarm = -1, .closing = PTHREAD_MUTEX_INITIALIZER};
        Report *report = NULL;
        sigset_t all;

        (void)prctl(PR_SET_NAME, "sekisho-keeper");
        (void)prctl(PR_SET_DUMPABLE, 0);
        sigfillset(&all);
        (void)sigprocmask(SIG_BLOCK, &all, NULL); /* it ends by the agent's word or when it is done */
        clock_start(&state.clock);
        state.fds = calloc(2, sizeof(*state.fds)); /* where no gate comes, a successor still may */
        if (!state.fds || policy_default(&state.policy) < 0)
                return EXIT_FAILURE;
        agent_watch_start(&state.watch,
                          getppid()); /* if it is gone, so is the socket's other end: no look */
        if (follow_agent(&state, socket))
                return EXIT_SUCCESS;
        agent_watch_end(&state.watch);
        (void)report_new("keeper", NULL, &report); /* refusing matters more than telling */
        tell_agent_lost(report, &state);
        stand_in(&state, report);
        report_free(report);
        return EXIT_SUCCESS;
}

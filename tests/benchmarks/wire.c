/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire: a cable between two network namespaces. Each end is a TAP device with the offloads of an ordinary
 * card; a frame occupies the cable for as long as its bits take at the given speed, and arrives the given
 * time later. For tests/bench; never installed. Ends when it is told to, and its devices with it.
 *
 *   sekisho-wire NAMESPACE INTERFACE NAMESPACE INTERFACE MBIT DELAY_US
 *
 * NAMESPACE is a file such as /run/netns/x. Says "ready" once both ends are there. Nothing is ever lost or
 * swapped: a sender that is faster than the cable waits in its own device's queue.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "policy/scope.h"

enum {
        EXIT_USAGE = 2,
        SLOTS = 64,          /* frames on their way in one direction */
        FRAME_MAX = 1 << 17, /* one that the card has yet to cut up, with its headers */
        FRAME_MIN = 60,      /* without the checksum */
        AROUND = 24,         /* preamble, checksum, gap to the next */
        AHEAD_NS = 1000000,  /* so much does a card take from its queue before it is sent */
        MBIT_MAX = 100000,
        DELAY_MAX_US = 100000,
};

typedef struct Frame {
        int64_t due;
        size_t length;
        unsigned char bytes[FRAME_MAX];
} Frame;

typedef struct Direction {
        int from, to;
        int64_t free_at; /* when the cable has sent what it was given */
        size_t first, n; /* of the frames, which go round */
        Frame frames[SLOTS];
} Direction;

typedef struct Wire {
        long mbit;
        int64_t delay_ns;
        Direction directions[2];
} Wire;

static int64_t now_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int fail(const char *what) {
        fprintf(stderr, "sekisho-wire: %s: %s\n", what, strerror(errno));
        return EXIT_FAILURE;
}

/* A TAP device NAME in that namespace, where the caller is then. */
static int open_end(const char *namespace, const char *name) {
        CLEANUP_CLOSE int place = open(namespace, O_RDONLY | O_CLOEXEC), fd = -1;
        struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

        if (place < 0 || setns(place, CLONE_NEWNET) < 0)
                return -1;
        fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
        (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
        if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 ||
            ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)
                return -1;
        return STEAL_FD(fd);
}

/* The bytes that FRAME is on the cable, cut into segments that have its headers each. */
static int64_t length_on_wire(const Frame *frame) {
        struct virtio_net_hdr header;
        int64_t length = (int64_t)frame->length - (int64_t)sizeof(header), segments = 1;

        memcpy(&header, frame->bytes, sizeof(header));
        if (header.gso_type != VIRTIO_NET_HDR_GSO_NONE && header.gso_size > 0 && length > header.hdr_len) {
                segments = (length - header.hdr_len + header.gso_size - 1) / header.gso_size;
                length += (segments - 1) * header.hdr_len;
        }
        return (length < FRAME_MIN ? FRAME_MIN : length) + segments * AROUND;
}

/* 0, or -1 where the end is gone. One that is not up yet has nothing. */
static int take(const Wire *wire, Direction *direction, int64_t now) {
        while (direction->n < SLOTS && direction->free_at < now + AHEAD_NS) {
                Frame *frame = &direction->frames[(direction->first + direction->n) % SLOTS];
                ssize_t n = read(direction->from, frame->bytes, sizeof(frame->bytes));

                if (n < 0)
                        return errno == EAGAIN ? 0 : -1;
                if ((size_t)n <= sizeof(struct virtio_net_hdr))
                        continue;
                frame->length = (size_t)n;
                if (direction->free_at < now)
                        direction->free_at = now;
                direction->free_at += length_on_wire(frame) * 8 * 1000 / wire->mbit;
                frame->due = direction->free_at + wire->delay_ns;
                direction->n++;
        }
        return 0;
}

/* An end that is down takes nothing, like a card that nobody has switched on. */
static int deliver(Direction *direction, int64_t now) {
        while (direction->n > 0 && direction->frames[direction->first].due <= now) {
                const Frame *frame = &direction->frames[direction->first];

                if (write(direction->to, frame->bytes, frame->length) < 0 && errno != EIO)
                        return -1;
                direction->first = (direction->first + 1) % SLOTS;
                direction->n--;
        }
        return 0;
}

/* While something is on its way it does not sleep: it would wake up too late. Another wire may be on the
 * same processor. */
static int carry(Wire *wire) {
        for (;;) {
                size_t held = 0;

                for (size_t i = 0; i < ELEMENTS(wire->directions); i++) {
                        Direction *direction = &wire->directions[i];
                        int64_t now = now_ns();

                        if (deliver(direction, now) < 0 || take(wire, direction, now) < 0)
                                return fail("end of the wire");
                        held += direction->n;
                }
                if (held == 0) {
                        struct pollfd ends[] = {{.fd = wire->directions[0].from, .events = POLLIN},
                                                {.fd = wire->directions[1].from, .events = POLLIN}};

                        if (poll(ends, ELEMENTS(ends), -1) < 0 && errno != EINTR)
                                return fail("poll");
                } else
                        (void)sched_yield();
        }
}

static bool parse(const char *text, long max, long *ret) {
        char *end;

        errno = 0;
        *ret = strtol(text, &end, 10);
        return errno == 0 && *text && !*end && *ret > 0 && *ret <= max;
}

int main(int argc, char **argv) {
        const struct sched_param first = {.sched_priority = 1};
        CLEANUP_FREE Wire *wire = NULL;
        CLEANUP_CLOSE int a = -1, b = -1;
        long mbit, delay;

        if (argc != 7 || !parse(argv[5], MBIT_MAX, &mbit) || !parse(argv[6], DELAY_MAX_US, &delay)) {
                fputs("Usage: sekisho-wire NAMESPACE INTERFACE NAMESPACE INTERFACE MBIT DELAY_US\n", stderr);
                return EXIT_USAGE;
        }
        wire = calloc(1, sizeof(*wire));
        if (!wire)
                return fail("memory");
        a = open_end(argv[1], argv[2]);
        if (a < 0)
                return fail(argv[2]);
        b = open_end(argv[3], argv[4]);
        if (b < 0)
                return fail(argv[4]);
        if (sched_setscheduler(0, SCHED_FIFO, &first) < 0) /* a cable waits for nobody */
                return fail("scheduler");
        wire->mbit = mbit;
        wire->delay_ns = delay * (int64_t)1000;
        wire->directions[0].from = wire->directions[1].to = a;
        wire->directions[1].from = wire->directions[0].to = b;
        puts("ready");
        if (fflush(stdout) != 0)
                return fail("standard output");
        return carry(wire);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink.h: netlink messages as they are put together, sent and answered. Knows nothing of what they are
 * about. Source: netlink(7), linux/netlink.h.
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One or several messages that go out at once. Zeroed: empty. Memory that runs short is remembered, and told
 * by netlink_talk(). */
typedef struct NetlinkBuffer {
        unsigned char *bytes;
        size_t length, size;
        size_t message; /* where the one that is being put together begins */
        int error;
} NetlinkBuffer;

void netlink_clear(NetlinkBuffer *buffer);

/* Begin the next message, with LENGTH bytes of HEADER after netlink's own. */
void netlink_begin(NetlinkBuffer *buffer, uint16_t type, uint16_t flags, uint32_t sequence,
                   const void *header, size_t length);

/* The message that was begun last is to be acknowledged. */
void netlink_ask_answer(NetlinkBuffer *buffer);

/* An attribute of the message that was begun last. */
void netlink_put(NetlinkBuffer *buffer, uint16_t type, const void *value, size_t length);
void netlink_put_text(NetlinkBuffer *buffer, uint16_t type, const char *text);
void netlink_put_be32(NetlinkBuffer *buffer, uint16_t type, uint32_t value);

/* Attributes within one: what netlink_nest returns is for netlink_end. */
size_t netlink_nest(NetlinkBuffer *buffer, uint16_t type);
void netlink_end(NetlinkBuffer *buffer, size_t nest);

/* A socket of PROTOCOL. With GROUP, a number other than 0, it hears what is told to that group and does not
 * block. Returns the descriptor or -errno. */
int netlink_open(int protocol, unsigned group);

/* The number that the kernel knows FD by, 0 if it cannot be told. */
uint32_t netlink_port(int fd);

typedef int (*NetlinkHandler)(void *userdata, const struct nlmsghdr *message);

/* Send BUFFER, and wait for the answer to message SEQUENCE: an acknowledgement, the end of a dump, or a
 * refusal of whichever message. HANDLER, unless NULL, gets what comes until then. 0, what HANDLER returned
 * first that is not 0, the refusal as -errno, -ETIMEDOUT. */
int netlink_talk(int fd, NetlinkBuffer *buffer, uint32_t sequence, NetlinkHandler handler, void *userdata);

/* Hand what has come on FD, which does not block, to HANDLER. 0; -ENOBUFS: something was lost; -errno. */
int netlink_receive(int fd, NetlinkHandler handler, void *userdata);

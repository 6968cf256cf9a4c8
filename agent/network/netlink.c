/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        ANSWER_MAX = 64 * 1024, /* the kernel fills no larger buffer with a dump */
        ANSWER_MSEC = 5000, /* the kernel answers within the call that asks; this is for one that hangs */
        MONITOR_BUFFER = 4 * 1024 * 1024,
        BUFFER_MAX = 8 * 1024 * 1024
};

void netlink_clear(NetlinkBuffer *buffer) {
        free(buffer->bytes);
        *buffer = (NetlinkBuffer){0};
}

/* Room for LENGTH bytes and what fills them up to the next boundary, zeroed. NULL if memory is short. */
static unsigned char *room(NetlinkBuffer *buffer, size_t length) {
        size_t padded = NLMSG_ALIGN(length), wanted = buffer->length + padded;
        unsigned char *at;

        if (buffer->error == 0 && wanted > BUFFER_MAX)
                buffer->error = -E2BIG;
        if (buffer->error < 0)
                return NULL;
        if (wanted > buffer->size) {
                size_t size = wanted * 2;
                unsigned char *grown = realloc(buffer->bytes, size);

                if (!grown) {
                        buffer->error = -ENOMEM;
                        return NULL;
                }
                buffer->bytes = grown;
                buffer->size = size;
        }
        at = buffer->bytes + buffer->length;
        memset(at, 0, padded);
        buffer->length = wanted;
        return at;
}

/* The message that was begun last ends where the buffer does. */
static void count(NetlinkBuffer *buffer) {
        uint32_t length = (uint32_t)(buffer->length - buffer->message);

        memcpy(buffer->bytes + buffer->message + offsetof(struct nlmsghdr, nlmsg_len), &length,
               sizeof(length));
}

void netlink_begin(NetlinkBuffer *buffer, uint16_t type, uint16_t flags, uint32_t sequence,
                   const void *header, size_t length) {
        size_t message = buffer->length;
        unsigned char *at = room(buffer, NLMSG_HDRLEN + length);
        const struct nlmsghdr own = {.nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = sequence};

        if (!at)
                return;
        buffer->message = message;
        memcpy(at, &own, sizeof(own));
        memcpy(at + NLMSG_HDRLEN, header, length);
        count(buffer);
}

void netlink_ask_answer(NetlinkBuffer *buffer) {
        unsigned char *at = buffer->bytes + buffer->message + offsetof(struct nlmsghdr, nlmsg_flags);
        uint16_t flags;

        if (buffer->error < 0)
                return;
        memcpy(&flags, at, sizeof(flags));
        flags |= NLM_F_ACK;
        memcpy(at, &flags, sizeof(flags));
}

void netlink_put(NetlinkBuffer *buffer, uint16_t type, const void *value, size_t length) {
        const struct nlattr own = {.nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + length)};
        unsigned char *at;

        if (length > UINT16_MAX - NLA_HDRLEN && buffer->error == 0)
                buffer->error = -E2BIG;
        at = room(buffer, NLA_HDRLEN + length);
        if (!at)
                return;
        memcpy(at, &own, sizeof(own));
        if (length > 0)
                memcpy(at + NLA_HDRLEN, value, length);
        count(buffer);
}

void netlink_put_text(NetlinkBuffer *buffer, uint16_t type, const char *text) {
        netlink_put(buffer, type, text, strlen(text) + 1);
}

void netlink_put_be32(NetlinkBuffer *buffer, uint16_t type, uint32_t value) {
        uint32_t big = htonl(value);

        netlink_put(buffer, type, &big, sizeof(big));
}

size_t netlink_nest(NetlinkBuffer *buffer, uint16_t type) {
        size_t nest = buffer->length;

        netlink_put(buffer, type | NLA_F_NESTED, NULL, 0);
        return nest;
}

void netlink_end(NetlinkBuffer *buffer, size_t nest) {
        uint16_t length;

        if (buffer->error < 0)
                return;
        length = (uint16_t)(buffer->length - nest);
        memcpy(buffer->bytes + nest + offsetof(struct nlattr, nla_len), &length, sizeof(length));
}

int netlink_open(int protocol, unsigned group) {
        CLEANUP_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
        const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
        const int size = MONITOR_BUFFER;

        if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0)
                return -errno;
        if (group != 0) {
                if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
                        return -errno;
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        }
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)); /* both: better, not needed */
        return STEAL_FD(fd);
}

uint32_t netlink_port(int fd) {
        struct sockaddr_nl own = {0};
        socklen_t length = sizeof(own);

        return getsockname(fd, (struct sockaddr *)&own, &length) < 0 ? 0 : own.nl_pid;
}

/* What an answer means: 1 if SEQUENCE is answered with that, else 0, or -errno. */
static int understand(const struct nlmsghdr *message, uint32_t sequence) {
        struct nlmsgerr error;

        if (message->nlmsg_type == NLMSG_DONE)
                return message->nlmsg_seq == sequence;
        if (message->nlmsg_type != NLMSG_ERROR)
                return 0;
        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
                return -EBADMSG;
        memcpy(&error, NLMSG_DATA(message), sizeof(error));
        return error.error < 0 ? error.error : message->nlmsg_seq == sequence;
}

/* One datagram. Its length; 0 for one that is not the kernel's; -errno. */
static ssize_t receive(int fd, unsigned char *bytes, int flags) {
        struct iovec part = {.iov_base = bytes, .iov_len = ANSWER_MAX};
        struct sockaddr_nl from = {0};
        struct msghdr m = {
                .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
        ssize_t n = recvmsg(fd, &m, flags);

        if (n < 0)
                return -errno;
        if (from.nl_pid != 0)
                return 0; /* another process's word */
        return m.msg_flags & MSG_TRUNC ? -ENOBUFS : n;
}

/* Take away what is left of an earlier talk: of a batch every error is told, and then that it was read. */
static void drain(int fd, unsigned char *bytes) {
        ssize_t n;

        do
                n = receive(fd, bytes, MSG_DONTWAIT);
        while (n >= 0 || n == -EINTR || n == -ENOBUFS);
}

int netlink_talk(int fd, NetlinkBuffer *buffer, uint32_t sequence, NetlinkHandler handler, void *userdata) {
        CLEANUP_FREE unsigned char *bytes = calloc(1, ANSWER_MAX);
        int r = bytes ? buffer->error : -ENOMEM, answered = 0;

        if (r < 0)
                return r;
        drain(fd, bytes);
        if (send(fd, buffer->bytes, buffer->length, 0) < 0)
                return -errno;
        while (answered == 0) {
                struct pollfd wait = {.fd = fd, .events = POLLIN};
                ssize_t n = poll(&wait, 1, ANSWER_MSEC);

                if (n == 0)
                        return -ETIMEDOUT;
                n = n < 0 ? -errno : receive(fd, bytes, 0);
                if (n == -EINTR)
                        continue;
                if (n < 0)
                        return (int)n;
                for (const struct nlmsghdr *m = (const void *)bytes; NLMSG_OK(m, n) && answered == 0;
                     m = NLMSG_NEXT(m, n)) {
                        answered = understand(m, sequence);
                        if (answered == 0 && r == 0 && handler && m->nlmsg_type >= NLMSG_MIN_TYPE)
                                r = handler(userdata, m);
                }
        }
        return answered < 0 ? answered : r;
}

int netlink_receive(int fd, NetlinkHandler handler, void *userdata) {
        CLEANUP_FREE unsigned char *bytes = calloc(1, ANSWER_MAX);
        bool lost = false;

        if (!bytes)
                return -ENOMEM;
        for (;;) {
                ssize_t n = receive(fd, bytes, MSG_DONTWAIT);

                if (n == -EAGAIN)
                        return lost ? -ENOBUFS : 0;
                if (n == -ENOBUFS)
                        lost = true;
                else if (n < 0 && n != -EINTR)
                        return (int)n;
                for (const struct nlmsghdr *m = (const void *)bytes; n > 0 && NLMSG_OK(m, n);
                     m = NLMSG_NEXT(m, n))
                        if (m->nlmsg_type >= NLMSG_MIN_TYPE)
                                (void)handler(userdata, m);
        }
}

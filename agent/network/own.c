/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/own.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/network/netlink.h"
#include "policy/scope.h"

enum {
        SEQUENCE = 1,
        IPV4_BITS = 32,
        IPV6_BITS = 128,
        BYTE = 8,
        LOOPBACK_4 = 127
};

struct OwnPlaces {
        OwnHandler handler;
        void *userdata;
        sd_event_source *events;
        int questions;
        OwnPlace places[OWN_MAX];
        size_t n;
};

/* IPv4 tells of an interface that is set down, and not of the routes that go with it. */
static const unsigned groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR,
                                  RTNLGRP_IPV6_IFADDR};

/* Everybody's loopback, a link's own, and a route that makes everything local. */
static bool is_left_out(const OwnPlace *place) {
        static const unsigned char link_local[] = {0xfe, 0x80};
        const unsigned char *bytes = place->address.bytes;

        if (place->prefix < BYTE)
                return true;
        if (place->address.bits == IPV4_BITS)
                return bytes[0] == LOOPBACK_4;
        return bytes[0] == link_local[0] && (bytes[1] & 0xc0) == link_local[1];
}

/* RTA_DST of the message behind HEADER. False where it has none, or is broken. */
static bool read_destination(const struct nlmsghdr *message, size_t size, unsigned char *to) {
        const unsigned char *at =
                (const unsigned char *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(struct rtmsg));
        size_t length = message->nlmsg_len - NLMSG_SPACE(sizeof(struct rtmsg)), offset = 0;

        while (length - offset >= NLA_HDRLEN) {
                struct nlattr attribute;

                memcpy(&attribute, at + offset, sizeof(attribute));
                if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > length - offset)
                        return false;
                if ((attribute.nla_type & NLA_TYPE_MASK) == RTA_DST &&
                    attribute.nla_len == NLA_HDRLEN + size) {
                        memcpy(to, at + offset + NLA_HDRLEN, size);
                        return true;
                }
                offset += NLA_ALIGN(attribute.nla_len);
                if (offset > length)
                        return false;
        }
        return false;
}

static bool is_local_route(const struct nlmsghdr *message, struct rtmsg *ret) {
        if ((message->nlmsg_type != RTM_NEWROUTE && message->nlmsg_type != RTM_DELROUTE) ||
            message->nlmsg_len < NLMSG_SPACE(sizeof(*ret)))
                return false;
        memcpy(ret, NLMSG_DATA(message), sizeof(*ret));
        return ret->rtm_type == RTN_LOCAL && ret->rtm_table == RT_TABLE_LOCAL;
}

static int take_route(void *userdata, const struct nlmsghdr *message) {
        OwnPlaces *own = userdata;
        OwnPlace place = {0};
        struct rtmsg route;

        if (own->n == OWN_MAX || !is_local_route(message, &route))
                return 0;
        place.address.bits = route.rtm_family == AF_INET    ? IPV4_BITS
                             : route.rtm_family == AF_INET6 ? IPV6_BITS
                                                            : 0;
        place.prefix = route.rtm_dst_len;
        if (place.address.bits == 0 || place.prefix > place.address.bits ||
            !read_destination(message, (size_t)place.address.bits / BYTE, place.address.bytes) ||
            is_left_out(&place))
                return 0;
        own->places[own->n++] = place;
        return 0;
}

static int list(OwnPlaces *own, unsigned char family) {
        const struct rtmsg header = {.rtm_family = family};
        CLEANUP(netlink_clear) NetlinkBuffer question = {0};

        netlink_begin(&question, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, SEQUENCE, &header,
                      sizeof(header));
        return netlink_talk(own->questions, &question, SEQUENCE, take_route, own);
}

/* One that cannot be asked about has none: it is judged as any other then. */
static void look(OwnPlaces *own) {
        own->n = 0;
        if (list(own, AF_INET) < 0)
                own->n = 0;
        else
                (void)list(own, AF_INET6);
        own->handler(own->userdata, own->places, own->n);
}

static int on_message(void *userdata, const struct nlmsghdr *message) {
        bool *changed = userdata;
        struct rtmsg route;

        *changed = *changed || message->nlmsg_type == RTM_NEWADDR || message->nlmsg_type == RTM_DELADDR ||
                   message->nlmsg_type == RTM_NEWLINK || is_local_route(message, &route);
        return 0;
}

static int on_event(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        bool changed = false;

        (void)source;
        (void)revents;
        if (netlink_receive(fd, on_message, &changed) < 0 || changed)
                look(userdata);
        return 0;
}

static int follow(OwnPlaces *own, sd_event *event) {
        CLEANUP_CLOSE int fd = netlink_open(NETLINK_ROUTE, RTNLGRP_LINK);
        int r = fd < 0 ? fd : 0;

        for (size_t i = 0; i < ELEMENTS(groups) && r >= 0; i++)
                if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
                        r = -errno;
        if (r >= 0)
                r = sd_event_add_io(event, &own->events, fd, EPOLLIN, on_event, own);
        if (r >= 0)
                r = sd_event_source_set_io_fd_own(own->events, true);
        if (r >= 0)
                (void)STEAL_FD(fd);
        return r;
}

int own_places_new(sd_event *event, OwnHandler handler, void *userdata, OwnPlaces **ret) {
        OwnPlaces *own = calloc(1, sizeof(*own));
        int r;

        if (!own)
                return -ENOMEM;
        own->handler = handler;
        own->userdata = userdata;
        own->questions = netlink_open(NETLINK_ROUTE, 0);
        r = own->questions < 0 ? own->questions : follow(own, event);
        if (r < 0) {
                own_places_free(own);
                return r;
        }
        look(own);
        *ret = own;
        return 0;
}

OwnPlaces *own_places_free(OwnPlaces *own) {
        if (!own)
                return NULL;
        sd_event_source_disable_unref(own->events);
        if (own->questions >= 0)
                close(own->questions);
        free(own);
        return NULL;
}

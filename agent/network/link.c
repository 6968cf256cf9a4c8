/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/scope.h"

enum {
        SEQUENCE = 1
};

/* A text of the kernel's, which ends with NUL. One that is too long is none. */
static void read_text(char *to, size_t size, const void *value, size_t length) {
        size_t n = strnlen(value, length);

        to[0] = '\0';
        if (n < length && n < size)
                memcpy(to, value, n + 1);
}

static int read_number(const void *value, size_t length) {
        int number = 0;

        if (length == sizeof(number))
                memcpy(&number, value, sizeof(number));
        return number;
}

/* A hardware address; one that is nothing but zeros is none. */
static size_t read_address(unsigned char to[static LINK_ADDRESS_MAX], const unsigned char *value,
                           size_t length) {
        bool any = false;

        if (length > LINK_ADDRESS_MAX)
                return 0;
        for (size_t i = 0; i < length; i++)
                any = any || value[i] != 0;
        if (any)
                memcpy(to, value, length);
        return any ? length : 0;
}

typedef void (*AttributeHandler)(Link *link, uint16_t type, const void *value, size_t length);

/* 0, or -EBADMSG if they do not add up. */
static int walk(const unsigned char *at, size_t length, AttributeHandler handler, Link *link) {
        size_t offset = 0;

        while (offset < length) {
                struct nlattr attribute;

                if (length - offset < sizeof(attribute))
                        return -EBADMSG;
                memcpy(&attribute, at + offset, sizeof(attribute));
                if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > length - offset)
                        return -EBADMSG;
                handler(link, attribute.nla_type & NLA_TYPE_MASK, at + offset + NLA_HDRLEN,
                        (size_t)attribute.nla_len - NLA_HDRLEN);
                offset += NLA_ALIGN(attribute.nla_len);
        }
        return 0;
}

static void take_info(Link *link, uint16_t type, const void *value, size_t length) {
        if (type == IFLA_INFO_KIND)
                read_text(link->kind, sizeof(link->kind), value, length);
}

static void take(Link *link, uint16_t type, const void *value, size_t length) {
        switch (type) {
        case IFLA_IFNAME:
                read_text(link->name, sizeof(link->name), value, length);
                break;
        case IFLA_LINKINFO:
                (void)walk(value, length, take_info, link); /* a kind that cannot be read is none */
                break;
        case IFLA_PARENT_DEV_NAME:
                read_text(link->parent, sizeof(link->parent), value, length);
                break;
        case IFLA_PARENT_DEV_BUS_NAME:
                read_text(link->parent_bus, sizeof(link->parent_bus), value, length);
                break;
        case IFLA_ADDRESS:
                link->address_length = read_address(link->address, value, length);
                break;
        case IFLA_PERM_ADDRESS:
                link->permanent_length = read_address(link->permanent, value, length);
                break;
        case IFLA_LINK:
                link->lower = read_number(value, length);
                break;
        case IFLA_LINK_NETNSID:
                link->lower_elsewhere = true;
                break;
        case IFLA_MASTER:
                link->master = read_number(value, length);
                break;
        case IFLA_NEW_NETNSID:
                link->moved_to = read_number(value, length);
                break;
        default:
                break;
        }
}

int link_parse(const struct nlmsghdr *message, Link *ret) {
        Link link = {.moved_to = -1};
        struct ifinfomsg header;

        if ((message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) ||
            message->nlmsg_len < NLMSG_LENGTH(sizeof(header)))
                return -EBADMSG;
        memcpy(&header, NLMSG_DATA(message), sizeof(header));
        if (header.ifi_family != AF_UNSPEC || header.ifi_index <= 0)
                return -EBADMSG;
        link.index = header.ifi_index;
        link.flags = header.ifi_flags;
        link.type = header.ifi_type;
        if (walk((const unsigned char *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(header)),
                 message->nlmsg_len - NLMSG_SPACE(sizeof(header)), take, &link) < 0 ||
            link.name[0] == '\0')
                return -EBADMSG;
        *ret = link;
        return 0;
}

static int take_answer(void *userdata, const struct nlmsghdr *message) {
        return link_parse(message, userdata);
}

int link_get(int fd, int index, Link *ret) {
        const struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = index};
        CLEANUP(netlink_clear) NetlinkBuffer question = {0};
        Link link = {0};
        int r;

        netlink_begin(&question, RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK, SEQUENCE, &header, sizeof(header));
        r = netlink_talk(fd, &question, SEQUENCE, take_answer, &link);
        if (r >= 0 && link.index != index)
                r = -ENODEV;
        if (r >= 0)
                *ret = link;
        return r;
}

typedef struct Walk {
        LinkHandler handler;
        void *userdata;
} Walk;

static int hand_on(void *userdata, const struct nlmsghdr *message) {
        const Walk *walk = userdata;
        Link link;

        return link_parse(message, &link) < 0 ? 0 : walk->handler(walk->userdata, &link);
}

int link_foreach(int fd, LinkHandler handler, void *userdata) {
        const struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
        CLEANUP(netlink_clear) NetlinkBuffer question = {0};
        Walk walk = {.handler = handler, .userdata = userdata};

        netlink_begin(&question, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, SEQUENCE, &header, sizeof(header));
        return netlink_talk(fd, &question, SEQUENCE, hand_on, &walk);
}

int link_set_up(int fd, int index, bool up) {
        const struct ifinfomsg header = {.ifi_family = AF_UNSPEC,
                                         .ifi_index = index,
                                         .ifi_flags = up ? IFF_UP : 0,
                                         .ifi_change = IFF_UP};
        CLEANUP(netlink_clear) NetlinkBuffer question = {0};

        netlink_begin(&question, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, SEQUENCE, &header, sizeof(header));
        return netlink_talk(fd, &question, SEQUENCE, NULL, NULL);
}

static bool is_among(const char *word, const char *const *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(word, words[i]) == 0)
                        return true;
        return false;
}

bool link_kind_is_tunnel(const char *kind) {
        static const char *const tunnels[] = {
                "tun",       "wireguard", "vxlan",   "geneve", "gre",    "gretap", "erspan", "ip6gre",
                "ip6gretap", "ip6erspan", "ipip",    "sit",    "ip6tnl", "vti",    "vti6",   "xfrm",
                "fou",       "gtp",       "bareudp", "amt",    "ovpn",   "ppp",    "slip"};

        return is_among(kind, tunnels, ELEMENTS(tunnels));
}

bool link_kind_has_ports(const char *kind) {
        static const char *const masters[] = {"bridge", "bond", "team", "vrf", "hsr", "openvswitch"};

        return is_among(kind, masters, ELEMENTS(masters));
}

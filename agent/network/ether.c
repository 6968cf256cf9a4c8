/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/ether.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "policy/scope.h"

enum {
        FIRST = 1,     /* the number of the first message of a batch */
        ATTEMPTS = 10, /* while interfaces go away under our hands */
        CHAIN_NAME_MAX = IFNAMSIZ + 8
};

static const struct {
        const char *name;
        uint32_t hook;
} directions[] = {{"out", NF_NETDEV_EGRESS}, {"in", NF_NETDEV_INGRESS}};

/* The messages of a batch are numbered, so that the last one's acknowledgement is known as such. */
static void begin(NetlinkBuffer *batch, uint32_t *sequence, uint16_t type, uint16_t flags) {
        const struct nfgenmsg header = {.nfgen_family = NFPROTO_NETDEV, .version = NFNETLINK_V0};

        netlink_begin(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_REQUEST | flags,
                      (*sequence)++, &header, sizeof(header));
}

static void begin_or_end(NetlinkBuffer *batch, uint32_t *sequence, uint16_t type) {
        const struct nfgenmsg header = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};

        netlink_begin(batch, type, NLM_F_REQUEST, (*sequence)++, &header, sizeof(header));
}

static void put_table(NetlinkBuffer *batch, uint32_t *sequence, uint16_t type, uint16_t flags) {
        begin(batch, sequence, type, flags);
        netlink_put_text(batch, NFTA_TABLE_NAME, ETHER_TABLE);
}

/* A chain whose policy is to drop needs no rule. It stands before everybody else's. */
static void put_chain(NetlinkBuffer *batch, uint32_t *sequence, const char *interface, size_t direction) {
        char name[CHAIN_NAME_MAX];
        size_t nest;

        (void)snprintf(name, sizeof(name), "%s %s", directions[direction].name, interface);
        begin(batch, sequence, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        netlink_put_text(batch, NFTA_CHAIN_TABLE, ETHER_TABLE);
        netlink_put_text(batch, NFTA_CHAIN_NAME, name);
        nest = netlink_nest(batch, NFTA_CHAIN_HOOK);
        netlink_put_be32(batch, NFTA_HOOK_HOOKNUM, directions[direction].hook);
        netlink_put_be32(batch, NFTA_HOOK_PRIORITY, (uint32_t)INT_MIN);
        netlink_put_text(batch, NFTA_HOOK_DEV, interface);
        netlink_end(batch, nest);
        netlink_put_be32(batch, NFTA_CHAIN_POLICY, NF_DROP);
        netlink_put_text(batch, NFTA_CHAIN_TYPE, "filter");
}

/* Sends a batch whose last message before its end is to be acknowledged. */
static int commit(int fd, NetlinkBuffer *batch, uint32_t sequence) {
        netlink_ask_answer(batch);
        begin_or_end(batch, &sequence, NFNL_MSG_BATCH_END);
        return netlink_talk(fd, batch, sequence - 2, NULL, NULL);
}

static int replace(int fd, const char *const *names, size_t n) {
        CLEANUP(netlink_clear) NetlinkBuffer batch = {0};
        uint32_t sequence = FIRST;

        begin_or_end(&batch, &sequence, NFNL_MSG_BATCH_BEGIN);
        put_table(&batch, &sequence, NFT_MSG_NEWTABLE, NLM_F_CREATE); /* so that there is one to remove */
        put_table(&batch, &sequence, NFT_MSG_DELTABLE, 0);
        if (n > 0)
                put_table(&batch, &sequence, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < ELEMENTS(directions); k++)
                        if (if_nametoindex(names[i]) != 0)
                                put_chain(&batch, &sequence, names[i], k);
        return commit(fd, &batch, sequence);
}

int ether_replace(int fd, const char *const *names, size_t n) {
        int r = -ENOENT;

        for (int i = 0; i < ATTEMPTS && (r == -ENOENT || r == -ENODEV); i++)
                r = replace(fd, names, n);
        return r;
}

int ether_add(int fd, const char *name) {
        CLEANUP(netlink_clear) NetlinkBuffer batch = {0};
        uint32_t sequence = FIRST;

        begin_or_end(&batch, &sequence, NFNL_MSG_BATCH_BEGIN);
        put_table(&batch, &sequence, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        for (size_t k = 0; k < ELEMENTS(directions); k++)
                put_chain(&batch, &sequence, name, k);
        return commit(fd, &batch, sequence);
}

/* The value of the first attribute of TYPE, NULL if there is none; its length. */
static const unsigned char *find(const struct nlmsghdr *message, uint16_t type, size_t *ret_length) {
        const unsigned char *at = NLMSG_DATA(message);
        size_t offset = NLMSG_ALIGN(sizeof(struct nfgenmsg)), end = message->nlmsg_len - NLMSG_HDRLEN;

        while (offset + NLA_HDRLEN <= end) {
                struct nlattr attribute;

                memcpy(&attribute, at + offset, sizeof(attribute));
                if (attribute.nla_len < NLA_HDRLEN || offset + attribute.nla_len > end)
                        return NULL;
                if ((attribute.nla_type & NLA_TYPE_MASK) == type) {
                        *ret_length = attribute.nla_len - NLA_HDRLEN;
                        return at + offset + NLA_HDRLEN;
                }
                offset += NLA_ALIGN(attribute.nla_len);
        }
        return NULL;
}

static bool names_table(const struct nlmsghdr *message, uint16_t type) {
        size_t length;
        const unsigned char *name = find(message, type, &length);

        return name && length == sizeof(ETHER_TABLE) && memcmp(name, ETHER_TABLE, length) == 0;
}

static bool has_number(const struct nlmsghdr *message, uint16_t type, uint32_t number) {
        size_t length;
        const unsigned char *value = find(message, type, &length);
        uint32_t big = htonl(number);

        return value && length == sizeof(big) && memcmp(value, &big, length) == 0;
}

/* One as put_chain() makes it, which drops. */
static bool is_ours(const struct nlmsghdr *message) {
        size_t length;
        const char *name = (const char *)find(message, NFTA_CHAIN_NAME, &length);
        bool named = false;

        for (size_t k = 0; name && k < ELEMENTS(directions); k++) {
                size_t n = strlen(directions[k].name);

                named = named || (length > n && memcmp(name, directions[k].name, n) == 0 && name[n] == ' ');
        }
        return named && has_number(message, NFTA_CHAIN_POLICY, NF_DROP);
}

EtherTouch ether_touched(const struct nlmsghdr *message, uint32_t port) {
        const struct nfgenmsg *header = NLMSG_DATA(message);

        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*header)) || message->nlmsg_pid == port ||
            message->nlmsg_pid == 0 || message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
            header->nfgen_family != NFPROTO_NETDEV)
                return ETHER_UNTOUCHED;
        switch (message->nlmsg_type & 0xff) {
        case NFT_MSG_NEWTABLE: /* dormant, it drops nothing */
                if (!names_table(message, NFTA_TABLE_NAME))
                        return ETHER_UNTOUCHED;
                return has_number(message, NFTA_TABLE_FLAGS, 0) ? ETHER_HOLDS_MORE : ETHER_LOST;
        case NFT_MSG_NEWCHAIN:
                if (!names_table(message, NFTA_CHAIN_TABLE))
                        return ETHER_UNTOUCHED;
                return is_ours(message) ? ETHER_HOLDS_MORE : ETHER_LOST;
        case NFT_MSG_DELTABLE:
                return names_table(message, NFTA_TABLE_NAME) ? ETHER_LOST : ETHER_UNTOUCHED;
        case NFT_MSG_DELCHAIN:
                return names_table(message, NFTA_CHAIN_TABLE) ? ETHER_LOST : ETHER_UNTOUCHED;
        case NFT_MSG_NEWRULE: /* one that accepts goes before the policy */
                return names_table(message, NFTA_RULE_TABLE) ? ETHER_LOST : ETHER_UNTOUCHED;
        default:
                return ETHER_UNTOUCHED;
        }
}

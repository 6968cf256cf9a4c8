/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/watch.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/network/table.h"
#include "policy/scope.h"

enum {
        BUFFER = 64 * 1024,
        RECEIVE_BUFFER = 16 * 1024 * 1024 /* a table of our own with all its elements is told as well */
};

struct Watch {
        struct mnl_socket *socket;
        sd_event_source *source;
        WatchChanged changed;
        void *userdata;
        pid_t own;
        bool touched;   /* by the transaction whose end has not been told */
        bool forgotten; /* some were not told at all */
};

/* The attribute of TYPE with a value of that KIND, NULL if there is none. */
static const struct nlattr *find(const struct nlmsghdr *message, uint16_t type,
                                 enum mnl_attr_data_type kind) {
        const struct nlattr *attribute = mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg));
        const char *tail = mnl_nlmsg_get_payload_tail(message);

        for (; mnl_attr_ok(attribute, (int)(tail - (const char *)attribute));
             attribute = mnl_attr_next(attribute))
                if (mnl_attr_get_type(attribute) == type)
                        return mnl_attr_validate(attribute, kind) >= 0 ? attribute : NULL;
        return NULL;
}

static const char *text_of(const struct nlmsghdr *message, uint16_t type) {
        const struct nlattr *attribute = find(message, type, MNL_TYPE_NUL_STRING);

        return attribute ? mnl_attr_get_str(attribute) : NULL;
}

/* The attribute that names the table. */
static int table_attribute(int kind) {
        switch (kind) {
        case NFT_MSG_NEWTABLE:
        case NFT_MSG_DELTABLE:
                return NFTA_TABLE_NAME;
        case NFT_MSG_NEWCHAIN:
        case NFT_MSG_DELCHAIN:
                return NFTA_CHAIN_TABLE;
        case NFT_MSG_NEWRULE:
        case NFT_MSG_DELRULE:
                return NFTA_RULE_TABLE;
        case NFT_MSG_NEWSET:
        case NFT_MSG_DELSET:
                return NFTA_SET_TABLE;
        case NFT_MSG_NEWSETELEM:
        case NFT_MSG_DELSETELEM:
                return NFTA_SET_ELEM_LIST_TABLE;
        case NFT_MSG_NEWOBJ:
        case NFT_MSG_DELOBJ:
                return NFTA_OBJ_TABLE;
        default:
                return -1;
        }
}

static uint32_t number_of(const struct nlmsghdr *message, uint16_t type) {
        const struct nlattr *attribute = find(message, type, MNL_TYPE_U32);

        return attribute ? ntohl(mnl_attr_get_u32(attribute)) : 0;
}

/* The end of a transaction. */
static void end(Watch *watch, const struct nlmsghdr *message) {
        pid_t pid = (pid_t)number_of(message, NFTA_GEN_PROC_PID);
        bool touched = watch->touched;

        watch->touched = false;
        if (touched && (pid != watch->own || pid == 0))
                watch->changed(watch->userdata, pid, text_of(message, NFTA_GEN_PROC_NAME));
}

static int on_message(const struct nlmsghdr *message, void *userdata) {
        const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
        Watch *watch = userdata;
        int kind = message->nlmsg_type & 0xff, attribute = table_attribute(kind);
        const char *table;

        if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
            message->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
                return MNL_CB_OK;
        if (kind == NFT_MSG_NEWGEN)
                end(watch, message);
        else if (attribute >= 0 && header->nfgen_family == NFPROTO_INET) {
                table = text_of(message, (uint16_t)attribute);
                if (table && strcmp(table, NETWORK_TABLE) == 0)
                        watch->touched = true;
        }
        return MNL_CB_OK;
}

void watch_drain(Watch *watch) {
        CLEANUP_FREE char *buffer = malloc(BUFFER);

        if (!buffer)
                return;
        for (;;) {
                ssize_t n = mnl_socket_recvfrom(watch->socket, buffer, BUFFER);

                if (n < 0 && errno == ENOBUFS) {
                        watch->forgotten = true;
                        continue;
                }
                if (n <= 0)
                        break;
                (void)mnl_cb_run(buffer, (size_t)n, 0, 0, on_message, watch);
        }
        if (watch->forgotten) {
                watch->forgotten = watch->touched = false;
                watch->changed(watch->userdata, 0, NULL);
        }
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void)source;
        (void)revents;
        (void)fd;
        watch_drain(userdata);
        return 0;
}

static int listen_to_tables(struct mnl_socket *socket) {
        int group = NFNLGRP_NFTABLES, size = RECEIVE_BUFFER;

        if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
                return -errno;
        (void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        return mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ? -errno : 0;
}

int watch_new(sd_event *event, WatchChanged changed, void *userdata, Watch **ret) {
        Watch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        watch->changed = changed;
        watch->userdata = userdata;
        watch->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
        r = watch->socket ? listen_to_tables(watch->socket) : -errno;
        if (r >= 0)
                r = sd_event_add_io(event, &watch->source, mnl_socket_get_fd(watch->socket), EPOLLIN,
                                    on_readable, watch);
        if (r < 0) {
                watch_free(watch);
                return r;
        }
        *ret = watch;
        return 0;
}

Watch *watch_free(Watch *watch) {
        if (!watch)
                return NULL;
        sd_event_source_disable_unref(watch->source);
        if (watch->socket)
                (void)mnl_socket_close(watch->socket);
        free(watch);
        return NULL;
}

void watch_set_own(Watch *watch, pid_t pid) {
        watch->own = pid;
}

/* One question and its answer. */
static int ask(struct nlmsghdr *message, mnl_cb_t take, void *userdata) {
        struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
        CLEANUP_FREE char *buffer = malloc(BUFFER);
        ssize_t n = -1;
        int r = 0;

        if (!socket || !buffer)
                r = -ENOMEM;
        else if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
                 mnl_socket_sendto(socket, message, message->nlmsg_len) < 0 ||
                 (n = mnl_socket_recvfrom(socket, buffer, BUFFER)) < 0)
                r = -errno;
        if (r == 0 && mnl_cb_run(buffer, (size_t)n, 0, 0, take, userdata) < 0)
                r = -errno;
        if (socket)
                (void)mnl_socket_close(socket);
        return r;
}

static struct nlmsghdr *question(char *buffer, int kind) {
        struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
        struct nfgenmsg *header;

        message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | kind);
        message->nlmsg_flags = NLM_F_REQUEST;
        header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
        header->nfgen_family = NFPROTO_INET;
        header->version = NFNETLINK_V0;
        return message;
}

static int take_packets(const struct nlattr *attribute, void *userdata) {
        uint64_t packets;

        if (mnl_attr_get_type(attribute) == NFTA_COUNTER_PACKETS &&
            mnl_attr_validate(attribute, MNL_TYPE_U64) >= 0) {
                packets = mnl_attr_get_u64(attribute);
                *(uint64_t *)userdata = be64toh(packets);
        }
        return MNL_CB_OK;
}

static int take_object(const struct nlmsghdr *message, void *userdata) {
        const struct nlattr *data = find(message, NFTA_OBJ_DATA, MNL_TYPE_NESTED);

        return data && mnl_attr_parse_nested(data, take_packets, userdata) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

int watch_counter(const char *name, uint64_t *ret) {
        char buffer[512];
        struct nlmsghdr *message = question(buffer, NFT_MSG_GETOBJ);
        uint64_t packets = 0;
        int r;

        mnl_attr_put_strz(message, NFTA_OBJ_TABLE, NETWORK_TABLE);
        mnl_attr_put_strz(message, NFTA_OBJ_NAME, name);
        mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
        r = ask(message, take_object, &packets);
        if (r == 0)
                *ret = packets;
        return r;
}

static int take_generation(const struct nlmsghdr *message, void *userdata) {
        const struct nlattr *attribute = find(message, NFTA_GEN_ID, MNL_TYPE_U32);

        if (!attribute) {
                errno = EBADMSG;
                return MNL_CB_ERROR;
        }
        *(uint32_t *)userdata = ntohl(mnl_attr_get_u32(attribute));
        return MNL_CB_OK;
}

int watch_generation(uint32_t *ret) {
        char buffer[512];
        uint32_t generation = 0;
        int r = ask(question(buffer, NFT_MSG_GETGEN), take_generation, &generation);

        if (r == 0)
                *ret = generation;
        return r;
}

static int take_nothing(const struct nlmsghdr *message, void *userdata) {
        (void)message;
        (void)userdata;
        return MNL_CB_OK;
}

int watch_table_exists(void) {
        char buffer[512];
        struct nlmsghdr *message = question(buffer, NFT_MSG_GETTABLE);
        int r;

        mnl_attr_put_strz(message, NFTA_TABLE_NAME, NETWORK_TABLE);
        r = ask(message, take_nothing, NULL);
        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * programs.bpf.c: the kernel asks these before a socket is made, connected or sent through, whoever does it
 * and by whatever system call. They refuse in the caller what the plan in the maps does not approve, decide
 * nothing themselves and need no agent. Beneath them stands the packet filter, which sees what has no
 * connect: raw packets, connections from before, packets of other protocols.
 * Source: Documentation/bpf/prog_cgroup_sockopt.rst, include/uapi/linux/bpf.h (struct bpf_sock_addr),
 * net/ipv4/af_inet.c.
 */
#include "agent/network/hooks/judge.bpf.h"
#include "agent/network/hooks/tell.bpf.h"

#include <bpf/bpf_endian.h>

char LICENSE[] SEC("license") = "GPL";

enum {
        REFUSE,
        LET_THROUGH
};

/* Source: include/uapi/linux/in.h, include/linux/socket.h, include/uapi/linux/capability.h */
enum {
        PROTO_ICMP = 1,
        PROTO_TCP = 6,
        PROTO_UDP = 17,
        PROTO_ICMPV6 = 58,
        PROTO_MPTCP = 262,
        TYPE_STREAM = 1,
        TYPE_DATAGRAM = 2,
        TYPE_RAW = 3,
        NET_ADMIN = 12,
        NET_RAW = 13,
        LEVEL_SOCKET = 1, /* SOL_SOCKET */
        OPTION_MARK = 36, /* SO_MARK */
        LOOPBACK_4 = 127,
        LOCAL = 1, /* AF_UNIX */
        INTERNET = 2,
        INTERNET_6 = 10,
        NETLINK = 16,
        ALGORITHMS = 38, /* AF_ALG */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct user_namespace {
        int level;
};

typedef struct {
        __u64 val;
} kernel_cap_t___net;

struct net {
        __u64 net_cookie;
};

struct nsproxy {
        struct net *net_ns;
};

struct task_struct___net {
        struct nsproxy *nsproxy;
};

struct cred___net {
        kernel_cap_t___net cap_effective;
        struct user_namespace *user_ns;
};
#pragma clang attribute pop

static __always_inline __u8 protocol_of(__u32 number) {
        switch (number) {
        case PROTO_TCP:
        case PROTO_MPTCP:
                return HOOKS_PROTOCOL_TCP;
        case PROTO_UDP:
                return HOOKS_PROTOCOL_UDP;
        case PROTO_ICMP:
        case PROTO_ICMPV6:
                return HOOKS_PROTOCOL_ICMP;
        }
        return HOOKS_PROTOCOL_OTHER;
}

/* Of what is told: who it was. */
static __always_inline void put_caller(struct hooks_key *key, __u32 uid) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct hooks_exe exe;

        key->uid = uid;
        key->loginuid = (__u32)-1;
        if (bpf_core_field_exists(task->loginuid))
                key->loginuid = BPF_CORE_READ(task, loginuid.val);
        get_exe(&exe);
        key->exe_ino = exe.ino;
        key->exe_dev = exe.dev;
}

static __always_inline bool is_elsewhere(const struct hooks_head *head, void *context) {
        return head && head->network && bpf_get_netns_cookie(context) != head->network;
}

/* Sockets by which something gets out that no other hook sees. */
static __always_inline bool is_administrator(void) {
        struct task_struct *task = (void *)bpf_get_current_task();
        const struct cred___net *cred = (const void *)BPF_CORE_READ(task, cred);
        __u32 capabilities = 0; /* the first 32, wherever the kernel keeps the others */

        if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
                return true;
        if (BPF_CORE_READ(cred, user_ns, level) != 0)
                return false;
        (void)bpf_probe_read_kernel(&capabilities, sizeof(capabilities),
                                    (const char *)cred +
                                            bpf_core_field_offset(struct cred___net, cap_effective));
        return capabilities & (1U << NET_ADMIN | 1U << NET_RAW);
}

/* Whether the kernel asks about it again before anything is sent. It does not of SCTP, DCCP and MPTCP, nor
 * of UDP-Lite that is connected. */
static __always_inline bool is_ordinary(__u32 type, __u32 protocol) {
        if (type == TYPE_STREAM)
                return protocol == PROTO_TCP;
        if (type == TYPE_DATAGRAM)
                return protocol == PROTO_UDP || protocol == PROTO_ICMP || protocol == PROTO_ICMPV6;
        return false;
}

/* Whether to refuse such a socket; told in either case. */
static __always_inline bool refuse_socket(const struct hooks_head *head, __u32 generation, __u8 family,
                                          __u8 type, __u32 protocol) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct hooks_key key = {};

        key.kind = HOOKS_TOLD_SOCKET;
        key.generation = generation;
        key.why = head && head->locked ? HOOKS_WHY_LOCKED : HOOKS_WHY_DEFAULT;
        key.monitor = head && head->monitor;
        key.family = family;
        key.type = type;
        key.protocol = protocol > 0xff ? 0 : protocol;
        key.wide = protocol;
        put_caller(&key, BPF_CORE_READ(task, cred, fsuid.val));
        (void)network_tell(&key);
        return !key.monitor;
}

SEC("cgroup/sock_create")
int network_socket(struct bpf_sock *context) {
        __u32 generation = get_generation(), type = context->type, protocol = context->protocol, mark;
        const struct hooks_head *head = get_head(generation);
        struct hooks_exe exe;

        if (is_elsewhere(head, context))
                return LET_THROUGH;
        if (head && head->programs) { /* a first datagram is routed before it is asked about */
                get_exe(&exe);
                mark = get_mark(generation, &exe);
                if (mark)
                        context->mark = mark;
        }
        if (is_ordinary(type, protocol) || is_administrator())
                return LET_THROUGH;
        if (head && !head->locked && (head->default_allow || (head->others && type != TYPE_RAW)))
                return LET_THROUGH;
        return refuse_socket(head, generation, context->family, type, protocol) ? REFUSE : LET_THROUGH;
}

/* Families by which something gets out that the control group is not asked about: radio, the host of a
 * virtual machine, packets past the filter. Asked at the kernel's security hook, where there is one. */
SEC("lsm/socket_create")
int BPF_PROG(network_family, int family, int type, int protocol, int kern) {
        struct task_struct *task = (void *)bpf_get_current_task();
        const struct task_struct___net *place = (const void *)task;
        __u32 generation = get_generation();
        const struct hooks_head *head = get_head(generation);

        if (kern || family == LOCAL || family == INTERNET || family == INTERNET_6 || family == NETLINK ||
            family == ALGORITHMS || is_administrator())
                return 0;
        if (head && head->network && bpf_core_field_exists(((struct net *)0)->net_cookie) &&
            BPF_CORE_READ(place, nsproxy, net_ns, net_cookie) != head->network)
                return 0;
        if (head && head->default_allow && !head->locked)
                return 0;
        return refuse_socket(head, generation, family, type, protocol) ? -EPERM : 0;
}

static __always_inline void put_seen(struct hooks_seen *ret, const struct hooks_place *place, __u8 protocol,
                                     __u16 port) {
        *ret = (struct hooks_seen){.family = place->family, .protocol = protocol, .port = port};
        __builtin_memcpy(ret->address, place->address, sizeof(ret->address));
}

/* Whether this is the first time that something goes there; so many are kept in mind. */
static __always_inline bool is_first(const struct hooks_place *place, __u8 protocol, __u16 port) {
        struct hooks_seen key;
        __u8 yes = 1;

        put_seen(&key, place, protocol, port);
        if (bpf_map_lookup_elem(&seen, &key))
                return false;
        return bpf_map_update_elem(&seen, &key, &yes, BPF_NOEXIST) == 0;
}

static __always_inline void tell_next_time(const struct hooks_place *place, __u8 protocol, __u16 port) {
        struct hooks_seen key;

        put_seen(&key, place, protocol, port);
        (void)bpf_map_delete_elem(&seen, &key);
}

/* What goes to an address of the terminal's own goes by loopback, unless the socket is bound to an
 * interface: then another machine may be meant. Beneath, the packet filter sees where it really goes. */
static __always_inline bool is_own(struct bpf_sock_addr *context, const struct hooks_place *place) {
        const __u64 *network = bpf_map_lookup_elem(&own, place);
        struct bpf_sock *sk = context->sk;

        return network && sk && sk->bound_dev_if == 0 && *network == bpf_get_netns_cookie(context);
}

static __always_inline int ask(struct bpf_sock_addr *context, const struct hooks_place *place,
                               bool sending) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct judgement judgement = {.generation = get_generation()};
        const struct hooks_head *head = get_head(judgement.generation);
        struct question question = {.place = *place};
        struct hooks_key key = {};
        struct bpf_sock *sk = context->sk;
        __u32 protocol = context->protocol;
        bool approved;

        if (is_elsewhere(head, context))
                return LET_THROUGH;
        question.port = bpf_ntohs((__u16)context->user_port);
        question.from_port = sk ? sk->src_port : 0;
        question.protocol = protocol_of(protocol);
        if (head && head->programs)
                get_exe(&question.exe);
        if (question.protocol == HOOKS_PROTOCOL_ICMP) /* the number of a request, and no port */
                question.port = 0;
        if (head)
                (void)network_judge(head, &question, &judgement);
        approved = judgement.allow && judgement.number;
        if (approved && !judgement.given) /* most are: nothing else is asked about them */
                return LET_THROUGH;
        if (is_own(context, place))
                return LET_THROUGH;
        if (judgement.given)
                (void)bpf_setsockopt(context, LEVEL_SOCKET, OPTION_MARK, &judgement.mark,
                                     sizeof(judgement.mark));
        if (approved || (judgement.allow &&
                         (!head || !head->default_allow || !is_first(place, protocol, question.port))))
                return LET_THROUGH;
        key.kind = judgement.allow ? HOOKS_TOLD_SEEN : HOOKS_TOLD_CONNECT;
        key.generation = judgement.generation;
        key.number = judgement.number;
        key.why = judgement.why;
        key.monitor = (head && head->monitor) || judgement.tried;
        key.port = question.port;
        key.sending = sending;
        key.family = place->family;
        key.protocol = protocol > 0xff ? 0 : protocol;
        key.wide = protocol;
        __builtin_memcpy(key.address, place->address, sizeof(key.address));
        put_caller(&key, BPF_CORE_READ(task, cred, fsuid.val));
        if (!network_tell(&key) && judgement.allow)
                tell_next_time(place, protocol, question.port);
        return judgement.allow || key.monitor ? LET_THROUGH : REFUSE;
}

/* ADDRESS as it is sent over the network. */
static __always_inline int ask_4(struct bpf_sock_addr *context, __u32 address, bool sending) {
        struct hooks_place place = {.prefix = PREFIX_ALL_4, .family = FAMILY_4};

        if (address == 0 || (bpf_ntohl(address) >> 24) == LOOPBACK_4) /* no address: this host */
                return LET_THROUGH;
        __builtin_memcpy(place.address, &address, sizeof(address));
        return ask(context, &place, sending);
}

static __always_inline int ask_6(struct bpf_sock_addr *context, bool sending) {
        struct hooks_place place = {.prefix = PREFIX_ALL, .family = FAMILY_6};
        __u32 a = context->user_ip6[0], b = context->user_ip6[1], c = context->user_ip6[2],
              d = context->user_ip6[3];

        if (a == 0 && b == 0 && c == bpf_htonl(0xffff))
                return ask_4(context, d, sending);
        if (a == 0 && b == 0 && c == 0 && (d == 0 || d == bpf_htonl(1)))
                return LET_THROUGH;
        __builtin_memcpy(place.address, &a, sizeof(a));
        __builtin_memcpy(place.address + 4, &b, sizeof(b));
        __builtin_memcpy(place.address + 8, &c, sizeof(c));
        __builtin_memcpy(place.address + 12, &d, sizeof(d));
        return ask(context, &place, sending);
}

SEC("cgroup/connect4")
int network_connect4(struct bpf_sock_addr *context) {
        return ask_4(context, context->user_ip4, false);
}

SEC("cgroup/connect6")
int network_connect6(struct bpf_sock_addr *context) {
        return ask_6(context, false);
}

SEC("cgroup/sendmsg4")
int network_sendmsg4(struct bpf_sock_addr *context) {
        return ask_4(context, context->user_ip4, true);
}

SEC("cgroup/sendmsg6")
int network_sendmsg6(struct bpf_sock_addr *context) {
        return ask_6(context, true);
}

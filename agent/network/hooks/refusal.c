/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/hooks/refusal.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/lsm/denial.h"
#include "agent/lsm/verdict.h"
#include "policy/scope.h"

/* Sockets are told apart by what they are for, the others by their protocol. */
static const struct {
        int number;
        const char *word;
} protocols[] = {{IPPROTO_ICMP, "icmp"},       {IPPROTO_TCP, "tcp"},   {IPPROTO_UDP, "udp"},
                 {IPPROTO_ICMPV6, "icmp"},     {IPPROTO_DCCP, "dccp"}, {IPPROTO_SCTP, "sctp"},
                 {IPPROTO_UDPLITE, "udplite"}, {IPPROTO_GRE, "gre"},   {IPPROTO_ESP, "esp"},
                 {IPPROTO_MPTCP, "mptcp"}},
  families[] = {{AF_PACKET, "packet"},
                {AF_VSOCK, "vsock"},
                {AF_BLUETOOTH, "bluetooth"},
                {AF_XDP, "xdp"},
                {AF_KEY, "key"}};

static void put_protocol(const struct hooks_key *key, NetworkRefusal *ret) {
        int number = key->protocol ? key->protocol : key->wide;

        if (key->kind == HOOKS_TOLD_SOCKET && key->type == SOCK_RAW) {
                snprintf(ret->protocol, sizeof(ret->protocol), "raw");
                return;
        }
        if (key->kind == HOOKS_TOLD_SOCKET && key->family != AF_INET && key->family != AF_INET6) {
                for (size_t i = 0; i < ELEMENTS(families); i++)
                        if (families[i].number == key->family)
                                snprintf(ret->protocol, sizeof(ret->protocol), "%s", families[i].word);
                if (!ret->protocol[0])
                        snprintf(ret->protocol, sizeof(ret->protocol), "family %d", key->family);
                return;
        }
        for (size_t i = 0; i < ELEMENTS(protocols); i++)
                if (protocols[i].number == number)
                        snprintf(ret->protocol, sizeof(ret->protocol), "%s", protocols[i].word);
        if (!ret->protocol[0])
                snprintf(ret->protocol, sizeof(ret->protocol), "protocol %d", number);
}

static Operation operation_of(const struct hooks_key *key) {
        if (key->kind == HOOKS_TOLD_MANY)
                return OPERATION_CONNECT;
        if (key->kind != HOOKS_TOLD_SOCKET)
                return key->sending ? OPERATION_SEND : OPERATION_CONNECT;
        return key->family == AF_PACKET ? OPERATION_PACKET_SOCKET : OPERATION_RAW_SOCKET;
}

void network_refusal_make(const struct hooks_key *key, const struct hooks_tally *tally,
                          NetworkRefusal *ret) {
        static const struct hooks_key rest;

        *ret = (NetworkRefusal){.kind = key->kind,
                                .why = key->why,
                                .operation = operation_of(key),
                                .monitor = key->monitor,
                                .count = tally->count,
                                .number = key->number,
                                .generation = key->generation,
                                .port = key->port,
                                .uid = key->uid,
                                .loginuid = key->loginuid,
                                .exe_ino = key->exe_ino,
                                .exe_devnum = lsm_devnum_back(key->exe_dev)};
        if (memcmp(key, &rest, sizeof(rest)) == 0) {
                ret->kind = HOOKS_TOLD_MANY;
                ret->uid = ret->loginuid = (uid_t)-1;
                return;
        }
        if (tally->written) {
                ret->tid = (pid_t)tally->tid;
                ret->pid = (pid_t)tally->pid;
                ret->started = tally->started;
                memcpy(ret->comm, tally->comm, HOOKS_COMM);
                lsm_join_entries(tally->exe, tally->exe_length < HOOKS_EXE ? tally->exe_length : HOOKS_EXE,
                                 ret->exe, sizeof(ret->exe));
        }
        if (key->kind == HOOKS_TOLD_MANY)
                return;
        put_protocol(key, ret);
        if (key->kind != HOOKS_TOLD_SOCKET)
                inet_ntop(key->family == 4 ? AF_INET : AF_INET6, key->address, ret->destination,
                          sizeof(ret->destination));
}

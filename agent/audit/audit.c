/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/audit/audit.h"

#include <errno.h>
#include <libaudit.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/scope.h"

#define RULE_KEY "sekisho"

enum {
        RECEIVE_BUFFER = 1024 * 1024
};

struct Audit {
        AuditHandler handler;
        void *userdata;
        int control; /* libaudit's: rules and status */
        int log;     /* the multicast group */
        sd_event_source *source;
        AuditParser parser;
        dev_t *devnums;
        size_t n;
        bool watching;
        bool was_enabled; /* auditing was on before we came */
        uint64_t lost;
        union {
                struct nlmsghdr header;
                char bytes[MAX_AUDIT_MESSAGE_LENGTH + NLMSG_HDRLEN + 1];
        } message;
};

static bool watched(const Audit *audit, dev_t devnum) {
        for (size_t i = 0; i < audit->n; i++)
                if (audit->devnums[i] == devnum)
                        return true;
        return false;
}

/* The file that was meant: the last path that is on a watched file system; the directory, where the file did
 * not come to be. Relative names are put behind the working directory. */
static void tell(Audit *audit, const AuditEvent *event) {
        const AuditPath *best = NULL;
        char path[2 * AUDIT_TEXT + 2];
        const char *name;

        if (strcmp(event->key, RULE_KEY) != 0 || event->exit != -EROFS)
                return;
        for (size_t i = 0; i < event->n_paths; i++)
                if (event->paths[i].has_device && watched(audit, event->paths[i].devnum) &&
                    (!best || !event->paths[i].parent))
                        best = &event->paths[i];
        if (!best)
                return;
        name = best->name;
        if (name[0] != '/' && event->cwd[0] == '/') {
                size_t n = strlen(event->cwd);

                snprintf(path, sizeof(path), "%s%s%s", event->cwd, event->cwd[n - 1] == '/' ? "" : "/",
                         name);
                name = path;
        }
        audit->handler(audit->userdata, event, best->devnum, name);
}

static int on_log(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Audit *audit = userdata;

        (void)source;
        (void)revents;
        for (;;) {
                ssize_t n = recv(fd, &audit->message, sizeof(audit->message) - 1, MSG_DONTWAIT);
                const AuditEvent *event;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == ENOBUFS) {
                        audit->lost++;
                        continue;
                }
                if (n < (ssize_t)NLMSG_HDRLEN)
                        return 0;
                audit->message.bytes[n] = '\0';
                event = audit_parse(&audit->parser, audit->message.header.nlmsg_type,
                                    audit->message.bytes + NLMSG_HDRLEN);
                if (event)
                        tell(audit, event);
        }
}

static int open_log(Audit *audit) {
        struct sockaddr_nl address = {.nl_family = AF_NETLINK};
        int group = AUDIT_NLGRP_READLOG, size = RECEIVE_BUFFER;

        audit->log = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
        if (audit->log < 0)
                return errno == EPROTONOSUPPORT ? -ENOTSUP : -errno;
        (void)setsockopt(audit->log, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        if (bind(audit->log, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            setsockopt(audit->log, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
                return -errno;
        return 0;
}

/* The exit filter: every call of either ABI that ends in EROFS. */
static int change_rule(Audit *audit, unsigned machine_bits, bool add) {
        struct audit_rule_data *rule = audit_rule_create_data();
        char arch[16], key[] = "key=" RULE_KEY, field[] = "exit=-EROFS";
        int r;

        if (!rule)
                return -ENOMEM;
        snprintf(arch, sizeof(arch), "arch=b%u", machine_bits);
        if (audit_rule_fieldpair_data(&rule, arch, AUDIT_FILTER_EXIT) != 0 ||
            audit_rule_syscallbyname_data(rule, "all") != 0 ||
            audit_rule_fieldpair_data(&rule, field, AUDIT_FILTER_EXIT) != 0 ||
            audit_rule_fieldpair_data(&rule, key, AUDIT_FILTER_EXIT) != 0)
                r = -EINVAL;
        else if (add)
                r = audit_add_rule_data(audit->control, rule, AUDIT_FILTER_EXIT, AUDIT_ALWAYS);
        else
                r = audit_delete_rule_data(audit->control, rule, AUDIT_FILTER_EXIT, AUDIT_ALWAYS);
        audit_rule_free_data(rule);
        return r < 0 && r != -EEXIST ? r : 0;
}

static int switch_on(Audit *audit) {
        int r;

        audit->was_enabled = audit_is_enabled(audit->control) == 1;
        r = audit->was_enabled ? 0 : audit_set_enabled(audit->control, 1);
        if (r >= 0)
                r = change_rule(audit, 64, true);
        if (r >= 0)
                (void)change_rule(audit, 32, true); /* a kernel without the 32-bit ABI refuses it */
        audit->watching = r >= 0;
        return r < 0 ? r : 0;
}

static void switch_off(Audit *audit) {
        (void)change_rule(audit, 64, false);
        (void)change_rule(audit, 32, false);
        if (!audit->was_enabled)
                (void)audit_set_enabled(audit->control, 0);
        audit->watching = false;
}

int audit_new(sd_event *event, AuditHandler handler, void *userdata, Audit **ret) {
        Audit *audit = calloc(1, sizeof(*audit));
        int r;

        if (!audit)
                return -ENOMEM;
        audit->handler = handler;
        audit->userdata = userdata;
        audit->log = -1;
        audit->control = audit_open();
        r = audit->control < 0 ? (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT ? -ENOTSUP : -errno)
                               : open_log(audit);
        if (r >= 0)
                r = sd_event_add_io(event, &audit->source, audit->log, EPOLLIN, on_log, audit);
        if (r < 0) {
                audit_free(audit);
                return r;
        }
        *ret = audit;
        return 0;
}

Audit *audit_free(Audit *audit) {
        if (!audit)
                return NULL;
        if (audit->watching)
                switch_off(audit);
        sd_event_source_disable_unref(audit->source);
        if (audit->log >= 0)
                close(audit->log);
        if (audit->control >= 0)
                audit_close(audit->control);
        free(audit->devnums);
        free(audit);
        return NULL;
}

int audit_watch(Audit *audit, const dev_t *devnums, size_t n) {
        dev_t *copy = n > 0 ? reallocarray(NULL, n, sizeof(*copy)) : NULL;

        if (n > 0 && !copy)
                return -ENOMEM;
        if (n > 0)
                memcpy(copy, devnums, n * sizeof(*copy));
        free(audit->devnums);
        audit->devnums = copy;
        audit->n = n;
        if (n > 0 && !audit->watching)
                return switch_on(audit);
        if (n == 0 && audit->watching)
                switch_off(audit);
        return 0;
}

uint64_t audit_lost(const Audit *audit) {
        return audit->lost + audit->parser.dropped;
}

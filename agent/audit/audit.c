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

#include "agent/file.h"
#include "policy/scope.h"

#define NODE_KEY "sekisho-node"

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
        char **nodes; /* device nodes that have a watch */
        size_t n_nodes;
        bool has_erofs_rules;
        bool enabled;     /* auditing was switched on, or found on, for a rule */
        bool was_enabled; /* it was on before */
        char *note;       /* RUNTIME/audit-was-off */
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
 * not come to be. */
static const AuditPath *refused_path(const Audit *audit, const AuditEvent *event) {
        const AuditPath *best = NULL;

        for (size_t i = 0; i < event->n_paths; i++)
                if (event->paths[i].has_device && watched(audit, event->paths[i].devnum) &&
                    (!best || !event->paths[i].parent))
                        best = &event->paths[i];
        return best;
}

static const AuditPath *opened_node(const AuditEvent *event) {
        for (size_t i = 0; i < event->n_paths; i++)
                if (event->paths[i].node != 0 && !event->paths[i].parent)
                        return &event->paths[i];
        return NULL;
}

/* Relative names are put behind the working directory. */
static void tell(Audit *audit, const AuditEvent *event) {
        bool node = strcmp(event->key, NODE_KEY) == 0;
        const AuditPath *path = node                    ? opened_node(event)
                                : event->exit == -EROFS ? refused_path(audit, event)
                                                        : NULL;
        char joined[2 * AUDIT_TEXT + 2];
        const char *name;

        if (!path)
                return;
        name = path->name;
        if (name[0] != '/' && event->cwd[0] == '/') {
                size_t n = strlen(event->cwd);

                snprintf(joined, sizeof(joined), "%s%s%s", event->cwd, event->cwd[n - 1] == '/' ? "" : "/",
                         name);
                name = joined;
        }
        audit->handler(audit->userdata, event, node, node ? path->node : path->devnum, name);
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

static int change_rule(Audit *audit, struct audit_rule_data *rule, bool add) {
        int r = add ? audit_add_rule_data(audit->control, rule, AUDIT_FILTER_EXIT, AUDIT_ALWAYS)
                    : audit_delete_rule_data(audit->control, rule, AUDIT_FILTER_EXIT, AUDIT_ALWAYS);

        return r < 0 && r != -EEXIST && r != -ENOENT ? r : 0;
}

/* The exit filter: every call of an ABI that ends in EROFS. It carries no key: which events are ours is seen
 * by their error and file system. */
static int change_erofs_rule(Audit *audit, const char *abi, bool add) {
        struct audit_rule_data *rule = audit_rule_create_data();
        char field[] = "exit=-EROFS";
        CLEANUP_FREE char *arch = NULL;
        int r;

        if (!rule || asprintf(&arch, "arch=%s", abi) < 0) {
                arch = NULL;
                r = -ENOMEM;
        } else if (audit_rule_fieldpair_data(&rule, arch, AUDIT_FILTER_EXIT) != 0 ||
                   audit_rule_syscallbyname_data(rule, "all") != 0 ||
                   audit_rule_fieldpair_data(&rule, field, AUDIT_FILTER_EXIT) != 0)
                r = -EINVAL;
        else
                r = change_rule(audit, rule, add);
        audit_rule_free_data(rule);
        return r;
}

/* A watch on a device node: every call that opens it for writing. */
static int change_node_rule(Audit *audit, const char *node, bool add) {
        struct audit_rule_data *rule = audit_rule_create_data();
        char permission[] = "perm=w", key[] = "key=" NODE_KEY;
        CLEANUP_FREE char *path = NULL;
        int r;

        if (!rule || asprintf(&path, "path=%s", node) < 0) {
                path = NULL;
                r = -ENOMEM;
        } else if (audit_rule_syscallbyname_data(rule, "all") != 0 ||
                   audit_rule_fieldpair_data(&rule, path, AUDIT_FILTER_EXIT) != 0 ||
                   audit_rule_fieldpair_data(&rule, permission, AUDIT_FILTER_EXIT) != 0 ||
                   audit_rule_fieldpair_data(&rule, key, AUDIT_FILTER_EXIT) != 0)
                r = -EINVAL;
        else
                r = change_rule(audit, rule, add);
        audit_rule_free_data(rule);
        return r;
}

static int switch_on(Audit *audit) {
        int r = 0;

        if (audit->enabled)
                return 0;
        audit->was_enabled = audit_is_enabled(audit->control) == 1;
        if (!audit->was_enabled)
                r = audit_set_enabled(audit->control, 1);
        audit->enabled = r >= 0;
        return r < 0 ? r : 0;
}

static void switch_off(Audit *audit) {
        if (audit->enabled && !audit->was_enabled)
                (void)audit_set_enabled(audit->control, 0);
        audit->enabled = false;
}

static int set_erofs_rules(Audit *audit, bool wanted) {
        int r;

        if (wanted == audit->has_erofs_rules)
                return 0;
        r = change_erofs_rule(audit, "b64", wanted);
        (void)change_erofs_rule(audit, "b32", wanted); /* a kernel without that ABI refuses it */
        if (r == 0)
                audit->has_erofs_rules = wanted;
        return r;
}

static bool contains(char *const *list, size_t n, const char *word) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], word) == 0)
                        return true;
        return false;
}

/* Drop the watches that are not wanted any more, set those that are missing. */
static int set_node_rules(Audit *audit, char *const *nodes, size_t n) {
        int first_error = 0;
        char **grown;

        for (size_t i = 0; i < audit->n_nodes;)
                if (!contains(nodes, n, audit->nodes[i])) {
                        (void)change_node_rule(audit, audit->nodes[i], false); /* it went with its node */
                        free(audit->nodes[i]);
                        audit->nodes[i] = audit->nodes[--audit->n_nodes];
                } else
                        i++;
        grown = reallocarray(audit->nodes, audit->n_nodes + n + 1, sizeof(char *));
        if (!grown)
                return -ENOMEM;
        audit->nodes = grown;
        for (size_t i = 0; i < n; i++) {
                char *copy;
                int r;

                if (contains(audit->nodes, audit->n_nodes, nodes[i]))
                        continue;
                r = change_node_rule(audit, nodes[i], true);
                copy = r == 0 ? strdup(nodes[i]) : NULL;
                if (copy)
                        audit->nodes[audit->n_nodes++] = copy;
                else if (first_error == 0)
                        first_error = r < 0 ? r : -ENOMEM;
        }
        return first_error;
}

int audit_new(sd_event *event, const char *runtime_dir, AuditHandler handler, void *userdata, Audit **ret) {
        Audit *audit = calloc(1, sizeof(*audit));
        int r;

        if (!audit)
                return -ENOMEM;
        audit->handler = handler;
        audit->userdata = userdata;
        audit->log = -1;
        audit->control = -1;
        if (asprintf(&audit->note, "%s/audit-was-off", runtime_dir) < 0) {
                audit->note = NULL;
                audit_free(audit);
                return -ENOMEM;
        }
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
        if (audit->control >= 0) {
                (void)set_erofs_rules(audit, false);
                (void)set_node_rules(audit, NULL, 0);
                switch_off(audit);
        }
        sd_event_source_disable_unref(audit->source);
        if (audit->log >= 0)
                close(audit->log);
        if (audit->control >= 0)
                audit_close(audit->control);
        free(audit->note);
        free(audit->nodes);
        free(audit->devnums);
        free(audit);
        return NULL;
}

int audit_watch(Audit *audit, const dev_t *devnums, size_t n, char *const *nodes, size_t n_nodes) {
        dev_t *copy = n > 0 ? reallocarray(NULL, n, sizeof(*copy)) : NULL;
        int erofs, node, r = 0;

        if (n > 0 && !copy)
                return -ENOMEM;
        if (n > 0)
                memcpy(copy, devnums, n * sizeof(*copy));
        free(audit->devnums);
        audit->devnums = copy;
        audit->n = n;
        if (n > 0 || n_nodes > 0)
                r = switch_on(audit);
        if (r < 0)
                return r;
        erofs = set_erofs_rules(audit, n > 0);
        node = set_node_rules(audit, nodes, n_nodes);
        if (n == 0 && n_nodes == 0)
                switch_off(audit);
        return erofs < 0 ? erofs : node;
}

uint64_t audit_lost(const Audit *audit) {
        return audit->lost + audit->parser.dropped;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/interfaces.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/clock.h"
#include "agent/network/ether.h"
#include "agent/network/rebind.h"
#include "agent/network/stacked.h"
#include "agent/note.h"
#include "policy/scope.h"

#define RAISED_EVERY_USEC UINT64_C(10000000)

struct Interfaces {
        InterfacesCallbacks callbacks;
        InterfacesMode mode;
        char *sysfs, *runtime_dir;
        Interface *items;
        size_t n;
        int links, packets; /* what is asked and done by: rtnetlink, nf_tables; or -errno */
        uint32_t packets_port;
        sd_event_source *link_events, *packet_events;
        char *held; /* which ones the packet filter holds, NULL: not known ... */
        int error;  /* ... and how the last attempt to make it hold others went */
};

static Interface *find(const Interfaces *all, int index) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i].link.index == index)
                        return &all->items[i];
        return NULL;
}

static bool is_refused(const Interfaces *all, const Interface *interface) {
        return all->mode == INTERFACES_ENFORCE && interface->decision.verdict == VERDICT_DENY;
}

static bool same_text(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_decision(const OpenDecision *a, const OpenDecision *b) {
        return a->verdict == b->verdict && a->reason == b->reason && same_text(a->rule, b->rule);
}

static void tell(const Interfaces *all, const Interface *interface, InterfaceChange change) {
        all->callbacks.changed(all->callbacks.userdata, interface, change);
}

/* judging */

static void judge_alone(const Interfaces *all, Interface *interface) {
        if (all->mode == INTERFACES_OFF || interface->facts.loopback)
                interface->own = (OpenDecision){.verdict = VERDICT_ALLOW,
                                                .reason = REASON_INTERNAL,
                                                .rule = "network.interfaces",
                                                .origin = "built-in"};
        else
                all->callbacks.judge(all->callbacks.userdata, &interface->facts, &interface->own);
}

/* Every verdict, with what each stands on. 0 or -ENOMEM: then each stands by itself. */
static int judge(Interfaces *all) {
        CLEANUP_FREE StackedLink *links = calloc(all->n + 1, sizeof(*links));

        for (size_t i = 0; i < all->n; i++) {
                judge_alone(all, &all->items[i]);
                all->items[i].decision = all->items[i].own;
                if (links)
                        links[i] =
                                (StackedLink){.link = &all->items[i].link, .decision = &all->items[i].own};
        }
        for (size_t i = 0; links && i < all->n; i++)
                all->items[i].decision = *stacked_decision(links, all->n, i);
        return links ? 0 : -ENOMEM;
}

/* enforcing */

/* A helper of udev's holds devices until this note says that it is let go. Without the note
 * it is held, which is put right as soon as its chain is heard of. */
static void note(const Interfaces *all, const Interface *interface) {
        dev_t number = (dev_t)interface->link.index;

        if (is_refused(all, interface))
                (void)note_drop(all->runtime_dir, NOTE_LINK, number);
        else if (interface->facts.kind != INTERFACE_VIRTUAL && !interface->facts.loopback)
                (void)note_write(all->runtime_dir, NOTE_LINK, number, (uint64_t)interface->link.index);
}

/* The interfaces that are to be held, one a line. NULL if memory is short. */
static char *list_refused(const Interfaces *all) {
        char *list = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&list, &size);

        if (!f)
                return NULL;
        for (size_t i = 0; i < all->n; i++)
                if (is_refused(all, &all->items[i]))
                        fprintf(f, "%d %s\n", all->items[i].link.index, all->items[i].link.name);
        if (fclose(f) == 0)
                return list;
        free(list);
        return NULL;
}

static int hold_refused(Interfaces *all) {
        CLEANUP_FREE const char **names = calloc(all->n + 1, sizeof(*names));
        CLEANUP_FREE char *list = list_refused(all);
        size_t n = 0;

        if (!names || !list)
                return -ENOMEM;
        if (all->held && strcmp(all->held, list) == 0)
                return 0;
        for (size_t i = 0; i < all->n; i++)
                if (is_refused(all, &all->items[i]))
                        names[n++] = all->items[i].link.name;
        if (all->packets >= 0)
                all->error = ether_replace(all->packets, names, n);
        else /* then they are set down, and no more */
                all->error = n > 0 ? all->packets : 0;
        free(all->held);
        all->held = all->error < 0 ? NULL : STEAL_PTR(list);
        return all->error;
}

/* Down with it if it is refused; up again if it was so before it was refused. The packet filter holds it
 * already. */
static int switch_link(Interfaces *all, Interface *interface) {
        bool up = (interface->link.flags & IFF_UP) != 0;
        int r = 0;

        if (is_refused(all, interface) && up) {
                r = link_set_up(all->links, interface->link.index, false);
                interface->was_up = true;
                if (r >= 0)
                        interface->link.flags &= ~(unsigned)IFF_UP;
        } else if (!is_refused(all, interface) && interface->was_up) {
                r = up ? 0 : link_set_up(all->links, interface->link.index, true);
                interface->was_up = false;
        }
        return r == -ENODEV ? 0 : r;
}

/* Judge and enforce; tells only what is new. 0, or the first -errno; all is tried. */
static int settle(Interfaces *all) {
        CLEANUP_FREE OpenDecision *before = calloc(all->n + 1, sizeof(*before));
        int first = before ? 0 : -ENOMEM, r;

        for (size_t i = 0; before && i < all->n; i++)
                before[i] = all->items[i].decision;
        r = judge(all);
        first = first < 0 ? first : r;
        for (size_t i = 0; i < all->n; i++)
                note(all, &all->items[i]);
        r = hold_refused(all);
        first = first < 0 ? first : r;
        for (size_t i = 0; i < all->n; i++) {
                Interface *interface = &all->items[i];
                int enforcement = interface->enforcement;

                r = switch_link(all, interface);
                interface->enforcement = r < 0 ? r : is_refused(all, interface) ? all->error : 0;
                first = first < 0 ? first : r;
                if (before && !before[i].rule) /* it was not judged yet */
                        tell(all, interface, INTERFACE_FOUND);
                else if (before && (!same_decision(&before[i], &interface->decision) ||
                                    enforcement != interface->enforcement ||
                                    (interface->renamed && is_refused(all, interface))))
                        tell(all, interface, INTERFACE_REJUDGED);
                interface->renamed = false;
        }
        return first;
}

static void raised(Interfaces *all, Interface *interface) {
        uint64_t now = clock_boottime_usec();

        interface->enforcement = switch_link(all, interface);
        interface->raised++;
        if (interface->raised_told != 0 && now - interface->raised_told < RAISED_EVERY_USEC)
                return;
        interface->raised_told = now;
        tell(all, interface, INTERFACE_RAISED);
        interface->raised = 0;
}

/* following */

/* Whether anything that a verdict goes by is another. */
static bool is_another(const Link *a, const Link *b) {
        return strcmp(a->name, b->name) != 0 || strcmp(a->kind, b->kind) != 0 || a->type != b->type ||
               a->lower != b->lower || a->lower_elsewhere != b->lower_elsewhere || a->master != b->master ||
               strcmp(a->parent, b->parent) != 0 || a->permanent_length != b->permanent_length ||
               memcmp(a->permanent, b->permanent, sizeof(a->permanent)) != 0 ||
               a->address_length != b->address_length ||
               memcmp(a->address, b->address, sizeof(a->address)) != 0;
}

/* INTERFACE is new, and not judged. 0 or -ENOMEM. */
static int add(Interfaces *all, const Link *link) {
        Interface *grown = reallocarray(all->items, all->n + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        all->items = grown;
        all->items[all->n] = (Interface){.link = *link};
        interface_identify(all->sysfs, link, &all->items[all->n++].facts);
        return 0;
}

static int take_in(Interfaces *all, const Link *link) {
        Interface *known = find(all, link->index);
        int r;

        if (!known) {
                r = add(all, link);
                return r < 0 ? r : settle(all);
        }
        if (is_another(&known->link, link)) {
                known->renamed = strcmp(known->link.name, link->name) != 0;
                known->link = *link;
                interface_identify(all->sysfs, link, &known->facts);
                return settle(all);
        }
        known->link.flags = link->flags;
        if (is_refused(all, known) && (link->flags & IFF_UP) != 0)
                raised(all, known);
        return 0;
}

static void drop(Interfaces *all, Interface *known, bool moved) {
        Interface gone = *known;

        *known = all->items[--all->n];
        (void)note_drop(all->runtime_dir, NOTE_LINK, (dev_t)gone.link.index);
        if (moved && all->mode == INTERFACES_ENFORCE && gone.facts.device[0] != '\0')
                gone.enforcement = rebind_device(gone.facts.device);
        tell(all, &gone, moved ? INTERFACE_MOVED : INTERFACE_GONE);
        (void)settle(all); /* told, if it failed; it may have been what another stood on */
}

static int add_found(void *userdata, const Link *link) {
        Interfaces *all = userdata;

        return find(all, link->index) ? 0 : add(all, link);
}

/* After events were lost: everything anew. */
static int look_again(Interfaces *all) {
        int r;

        for (size_t i = all->n; i-- > 0;) {
                Link link;

                r = link_get(all->links, all->items[i].link.index, &link);
                if (r == -ENODEV)
                        drop(all, &all->items[i], false);
                else if (r >= 0 && is_another(&all->items[i].link, &link)) {
                        all->items[i].link = link;
                        interface_identify(all->sysfs, &link, &all->items[i].facts);
                } else if (r >= 0)
                        all->items[i].link.flags = link.flags;
        }
        r = link_foreach(all->links, add_found, all);
        return r < 0 ? r : settle(all);
}

/* What a message says may be old, or a part: the kernel is asked how it is now. */
static int on_link_message(void *userdata, const struct nlmsghdr *message) {
        Interfaces *all = userdata;
        Interface *known;
        Link told, now;

        if (link_parse(message, &told) < 0)
                return 0;
        known = find(all, told.index);
        if (message->nlmsg_type == RTM_DELLINK) {
                if (known)
                        drop(all, known, told.moved_to >= 0);
                return 0;
        }
        if (link_get(all->links, told.index, &now) >= 0)
                (void)take_in(all, &now); /* what failed was told */
        return 0;
}

static int on_link_event(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Interfaces *all = userdata;

        (void)source;
        (void)revents;
        if (netlink_receive(fd, on_link_message, all) == -ENOBUFS)
                (void)look_again(all);
        return 0;
}

typedef struct Touched {
        uint32_t port;
        EtherTouch most;
} Touched;

static int on_packet_message(void *userdata, const struct nlmsghdr *message) {
        Touched *touched = userdata;
        EtherTouch touch = ether_touched(message, touched->port);

        if (touch > touched->most)
                touched->most = touch;
        return 0;
}

/* Somebody else changed the table: udev's helper, of which nothing has to be said, or somebody who flushed
 * it. */
static int on_packet_event(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Interfaces *all = userdata;
        Touched touched = {.port = all->packets_port};
        int r = netlink_receive(fd, on_packet_message, &touched);

        (void)source;
        (void)revents;
        if (touched.most == ETHER_UNTOUCHED && r != -ENOBUFS)
                return 0;
        free(STEAL_PTR(all->held));
        r = hold_refused(all);
        if (touched.most == ETHER_LOST && all->callbacks.lost)
                all->callbacks.lost(all->callbacks.userdata, r);
        return 0;
}

static int follow(sd_event *event, int protocol, unsigned group, sd_event_io_handler_t handler,
                  Interfaces *all, sd_event_source **ret) {
        CLEANUP_CLOSE int fd = netlink_open(protocol, group);
        int r = fd;

        if (r >= 0)
                r = sd_event_add_io(event, ret, fd, EPOLLIN, handler, all);
        if (r >= 0)
                r = sd_event_source_set_io_fd_own(*ret, true);
        if (r < 0)
                return r;
        (void)STEAL_FD(fd);
        return sd_event_source_set_priority(*ret, SD_EVENT_PRIORITY_IMPORTANT - 10);
}

static int start(Interfaces *all, sd_event *event, const char *sysfs, const char *runtime_dir) {
        int r;

        all->sysfs = strdup(sysfs);
        all->runtime_dir = strdup(runtime_dir);
        if (!all->sysfs || !all->runtime_dir)
                return -ENOMEM;
        all->links = netlink_open(NETLINK_ROUTE, 0);
        if (all->links < 0)
                return all->links;
        all->packets = netlink_open(NETLINK_NETFILTER, 0); /* what fails is told with what is refused */
        all->packets_port = all->packets >= 0 ? netlink_port(all->packets) : 0;
        r = follow(event, NETLINK_ROUTE, RTNLGRP_LINK, on_link_event, all, &all->link_events);
        if (r >= 0 && all->packets >= 0)
                r = follow(event, NETLINK_NETFILTER, NFNLGRP_NFTABLES, on_packet_event, all,
                           &all->packet_events);
        if (r >= 0)
                r = link_foreach(all->links, add_found, all);
        return r;
}

int interfaces_new(sd_event *event, const char *sysfs, const char *runtime_dir, InterfacesMode mode,
                   const InterfacesCallbacks *callbacks, Interfaces **ret) {
        Interfaces *all = calloc(1, sizeof(*all));
        int r;

        if (!all)
                return -ENOMEM;
        *all = (Interfaces){.callbacks = *callbacks, .mode = mode, .links = -1, .packets = -1};
        r = start(all, event, sysfs, runtime_dir);
        if (r < 0) {
                interfaces_free(all);
                return r;
        }
        (void)settle(all); /* what failed stands with each */
        *ret = all;
        return 0;
}

Interfaces *interfaces_free(Interfaces *all) {
        if (!all)
                return NULL;
        sd_event_source_disable_unref(all->link_events);
        sd_event_source_disable_unref(all->packet_events);
        if (all->links >= 0)
                close(all->links);
        if (all->packets >= 0)
                close(all->packets);
        free(all->held);
        free(all->items);
        free(all->sysfs);
        free(all->runtime_dir);
        free(all);
        return NULL;
}

int interfaces_rejudge(Interfaces *all, InterfacesMode mode) {
        all->mode = mode;
        return settle(all);
}

int interfaces_foreach(const Interfaces *all, int (*f)(void *userdata, const Interface *interface),
                       void *userdata) {
        for (size_t i = 0; i < all->n; i++) {
                int r = f(userdata, &all->items[i]);

                if (r != 0)
                        return r;
        }
        return 0;
}

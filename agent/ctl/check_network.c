/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/check_network.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/ctl/i18n.h"
#include "policy/decide_network.h"
#include "policy/scope.h"

enum {
        SERVER_MAX = 256
};

static __attribute__((format(printf, 4, 5))) void tell(const CheckNetworkSink *sink, const char *rule,
                                                       const char *origin, const char *format, ...) {
        CLEANUP_FREE char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);
        sink->tell(sink->userdata, rule, origin, message ? message : format);
}

/* destinations */

/* A rule's place, taken apart once. */
typedef struct Place {
        Address address; /* without bits: a name */
        int prefix;
} Place;

static Place place_of(const char *to) {
        const char *slash = strchr(to, '/');
        Address address = address_parse(to, slash ? (size_t)(slash - to) : strlen(to));

        return (Place){.address = address, .prefix = slash ? atoi(slash + 1) : address.bits};
}

static bool place_covers(const NetworkRule *a, const Place *wide, const NetworkRule *b,
                         const Place *narrow) {
        if (wide->address.bits != narrow->address.bits || wide->prefix > narrow->prefix)
                return false;
        return wide->address.bits == 0 ? strcasecmp(a->to, b->to) == 0
                                       : address_same_bits(&wide->address, &narrow->address, wide->prefix);
}

static bool range_is_in(const PortRange *range, const NetworkRule *rule) {
        for (size_t i = 0; i < rule->n_ports; i++)
                if (rule->ports[i].from <= range->from && rule->ports[i].to >= range->to)
                        return true;
        return rule->n_ports == 0;
}

static bool ports_cover(const NetworkRule *wide, const NetworkRule *narrow) {
        if (wide->n_ports > 0 && narrow->n_ports == 0)
                return false;
        for (size_t i = 0; i < narrow->n_ports; i++)
                if (!range_is_in(&narrow->ports[i], wide))
                        return false;
        return true;
}

static bool word_covers(const char *wide, const char *narrow) {
        return !wide || (narrow && strcmp(wide, narrow) == 0);
}

static bool lasts_as_long(time_t wide, time_t narrow) {
        return wide == 0 || (narrow != 0 && narrow <= wide);
}

/* Whether the first, which is asked before the second, leaves nothing to it. Whom the first is for does not
 * matter: it decides about everybody. */
static bool shadows(const NetworkRule *a, const Place *wide, const NetworkRule *b, const Place *narrow) {
        return place_covers(a, wide, b, narrow) &&
               (a->protocol == PROTOCOL_ANY || a->protocol == b->protocol) && ports_cover(a, b) &&
               word_covers(a->program, b->program) && word_covers(a->interface, b->interface) &&
               lasts_as_long(a->scope.expires, b->scope.expires);
}

static void check_shadow(const Policy *policy, const Place *places, size_t at,
                         const CheckNetworkSink *sink) {
        const NetworkRule *rule = &policy->network[at];

        for (size_t i = 0; i < at; i++)
                if (shadows(&policy->network[i], &places[i], rule, &places[at])) {
                        tell(sink, rule->name, rule->origin,
                             _("the rule never decides: \"%s\" before it covers everything it is about"),
                             policy->network[i].name);
                        return;
                }
}

static int check_rules(const Policy *policy, const CheckNetworkSink *sink) {
        CLEANUP_FREE Place *places = calloc(policy->n_network + 1, sizeof(*places));

        if (!places)
                return -ENOMEM;
        for (size_t i = 0; i < policy->n_network; i++) {
                const NetworkRule *rule = &policy->network[i];

                places[i] = place_of(rule->to);
                check_shadow(policy, places, i, sink);
                if (places[i].address.bits == 0 && policy->n_resolvers == 0)
                        tell(sink, rule->name, rule->origin,
                             _("nothing can be reached by the name \"%s\": there are no network.resolvers "
                               "to "
                               "look it up"),
                             rule->to);
                else if (places[i].address.bits != 0 && places[i].prefix == 0)
                        tell(sink, rule->name, rule->origin, _("%s approves every address"), rule->to);
        }
        return 0;
}

/* file systems */

/* Network file systems, and where their servers listen. */
static const struct {
        const char *type;
        uint16_t port;
} served[] = {{"cifs", 445}, {"smb3", 445}, {"nfs", 2049}, {"nfs4", 2049}, {"fuse.sshfs", 22}};

/* "//server/share", "server:/path", "[fd00::1]:/path", "user@server:path". */
static bool server_of(const char *source, char server[static SERVER_MAX]) {
        const char *start = source, *at;
        size_t length;

        if (strncmp(source, "//", 2) == 0) {
                start += 2;
                length = strcspn(start, "/");
        } else if ((at = strchr(start, '@')) && at < strchr(start, '\0'))
                return server_of(at + 1, server);
        else if (*start == '[') {
                start++;
                length = strcspn(start, "]");
        } else {
                length = strcspn(start, ":");
                if (start[length] == '\0')
                        return false;
        }
        if (length == 0 || length >= SERVER_MAX)
                return false;
        memcpy(server, start, length);
        server[length] = '\0';
        return true;
}

static bool is_approved(const Policy *policy, const NetworkQuestion *question) {
        OpenDecision decision;

        if (policy->network_default_allow || network_decide_for_everybody(policy, question, &decision))
                return true;
        for (size_t i = 0; i < policy->n_network; i++)
                if (network_rule_covers(&policy->network[i], question))
                        return true;
        return false;
}

/* The kernel itself connects, so that no program is named. */
static void check_server(const Policy *policy, const FilesystemRule *rule, uint16_t port,
                         const CheckNetworkSink *sink) {
        char server[SERVER_MAX];
        const NetworkQuestion question = {.to = server, .protocol = PROTOCOL_TCP, .port = port};

        if (rule->source && server_of(rule->source, server) && !is_approved(policy, &question))
                tell(sink, rule->name, rule->origin,
                     _("its server \"%s\" cannot be reached: no rule of network.allow is about it, as it is "
                       "written here, with tcp port %u"),
                     server, port);
}

static void check_servers(const Policy *policy, const CheckNetworkSink *sink) {
        for (size_t i = 0; i < policy->n_filesystems; i++) {
                const FilesystemRule *rule = &policy->filesystems[i];

                for (size_t j = 0; rule->access != ACCESS_DENY && j < ELEMENTS(served); j++)
                        if (strcmp(rule->type, served[j].type) == 0)
                                check_server(policy, rule, served[j].port, sink);
        }
}

/* interfaces */

/* Why nothing real is like that; NULL if something may be. */
static const char *nonsense(const InterfaceMatch *match) {
        const char *bus = match->bus;

        if (match->interface && strcmp(match->interface, "lo") == 0)
                return _("the terminal's own interface (lo) is approved always");
        if (match->kind_set && match->kind == INTERFACE_VIRTUAL && bus)
                return _("a virtual interface is on no bus: the rule matches nothing");
        if (match->kind_set && match->kind == INTERFACE_ETHERNET && bus && strcmp(bus, "usb") == 0)
                return _("kind ethernet is what is not on USB: the rule matches nothing; expected kind usb");
        if (match->kind_set && match->kind == INTERFACE_USB && bus && strcmp(bus, "usb") != 0)
                return _("kind usb is on no other bus: the rule matches nothing");
        if (match->mac &&
            (strtoul(match->mac, NULL, 16) & 1 || strcmp(match->mac, "00:00:00:00:00:00") == 0))
                return _("no interface has this address: the rule matches nothing");
        return NULL;
}

static void check_interfaces(const Policy *policy, const CheckNetworkSink *sink) {
        for (size_t i = 0; i < policy->n_interfaces; i++) {
                const InterfaceRule *rule = &policy->interfaces[i];
                const char *why = nonsense(&rule->match);

                if (!why && policy->interfaces_default_given && policy->interfaces_default_allow)
                        why = _("the rule changes nothing: network.interfaces.default approves every "
                                "interface");
                if (why)
                        tell(sink, rule->name, rule->origin, "%s", why);
        }
}

int check_network(const Policy *policy, const CheckNetworkSink *sink) {
        int r;

        if (!policy->network_given) {
                if (policy->zone == ZONE_MYNUMBER)
                        tell(sink, NULL, NULL,
                             _("THE NETWORK IS NOT GUARDED: zone mynumber, and no section network says what "
                               "may be reached"));
                return 0;
        }
        if (policy->network_default_allow && policy->zone != ZONE_INTERNET)
                tell(sink, NULL, policy->network_origin,
                     _("network.default approves every destination, in zone %s"),
                     policy_zone_to_string(policy->zone));
        r = check_rules(policy, sink);
        if (r < 0)
                return r;
        check_servers(policy, sink);
        check_interfaces(policy, sink);
        return 0;
}

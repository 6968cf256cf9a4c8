/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands policy explain destination and network explain: whether an address or a host may be reached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/people.h"
#include "agent/ctl/text.h"
#include "policy/decide_network.h"
#include "policy/destination.h"

enum {
        DESTINATION_MAX = 255 + sizeof("[]:65535")
};

/* "10.20.0.1:443", "[fd00::1]:443", "host:443", or without a port: cut into TEXT and the port, NULL if there
 * is none. */
static const char *split(char *text, const char **ret_to) {
        char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');

        *ret_to = text;
        if (*text == '[' && bracket) {
                *bracket = '\0';
                *ret_to = text + 1;
                return bracket[1] == ':' ? bracket + 2 : NULL;
        }
        if (!colon || strchr(text, ':') != colon) /* none, or an address of IPv6 */
                return NULL;
        *colon = '\0';
        return colon + 1;
}

static int parse(const Options *options, const char *to, const char *port, bool needed,
                 NetworkQuestion *ret) {
        const char *protocol = options->value[OPTION_PROTOCOL], *why;
        int value = protocol ? protocol_from_string(protocol) : PROTOCOL_TCP;
        PortRange range;

        ret->to = to;
        ret->program = options->value[OPTION_PROGRAM];
        ret->interface = options->value[OPTION_INTERFACE];
        if (destination_check(to, &why) < 0 || strchr(to, '/'))
                return fail(_("'%s': expected an address or a host name"), to);
        if (value < 0 || value == PROTOCOL_ANY)
                return fail(_("--protocol '%s': expected tcp, udp or icmp"), protocol);
        if (ret->program && *ret->program != '/')
                return fail(_("--program '%s': expected a path, from / on"), ret->program);
        ret->protocol = (Protocol)value;
        if (value == PROTOCOL_ICMP)
                return port ? fail(_("--port goes with --protocol tcp or udp")) : 0;
        if (!port)
                return needed ? fail(_("to which port? give --port NUMBER")) : 0;
        if (port_range_parse(port, &range, &why) < 0 || range.from != range.to)
                return fail(_("--port '%s': expected a number from 1 to %d"), port, UINT16_MAX);
        ret->port = range.from;
        return 0;
}

static int find_person(const char *user, NetworkQuestion *question, Subject *subject, gid_t **ret_groups) {
        int r = person_subject(user, subject, ret_groups);

        if (r == -ENOENT)
                return fail(_("--user '%s': there is no such user"), user);
        if (r < 0)
                return fail(_("--user '%s': %s"), user, strerror(-r));
        question->subject = subject;
        return 0;
}

static int print_json(const Explain *explain, const Explanation *explanation, const char *user,
                      const NetworkQuestion *question) {
        CLEANUP_JSON struct json_object *object = explain_json(explain, explanation);

        json_put_text(object, "verdict",
                      verdict_to_string(explanation->allowed ? VERDICT_ALLOW : VERDICT_DENY));
        json_put_text(object, "user", user);
        if (user)
                json_put_number(object, "uid", question->subject->uid);
        json_put_text(object, "to", question->to);
        json_put_text(object, "protocol", protocol_to_string(question->protocol));
        json_object_object_add(object, "port", question->port ? json_object_new_int(question->port) : NULL);
        json_put_text(object, "program", question->program);
        json_put_text(object, "interface", question->interface);
        return json_print(object, "\n");
}

/* USER NULL: somebody whom no rule names. */
static char *say(const char *user, bool allowed, const char *to) {
        if (!user)
                return allowed ? text_format(_("Everybody may reach %s."), to)
                               : text_format(_("Not everybody may reach %s."), to);
        return allowed ? text_format(_("%s may reach %s."), user, to)
                       : text_format(_("%s may not reach %s."), user, to);
}

static bool has_ports(Protocol protocol) {
        return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
}

/* No port was given: the first one that a rule about this place and protocol names, if any does. */
static void find_port(const Policy *policy, bool any_protocol, NetworkQuestion *question) {
        for (size_t i = 0; i < policy->n_network; i++) {
                const NetworkRule *rule = &policy->network[i];
                NetworkQuestion asked = *question;

                if (any_protocol && rule->protocol != PROTOCOL_ANY)
                        asked.protocol = rule->protocol;
                if (rule->n_ports > 0)
                        asked.port = rule->ports[0].from;
                if (network_rule_covers(rule, &asked)) {
                        *question = asked;
                        return;
                }
        }
}

/* "10.20.0.1 (tcp 443)" */
static char *way_text(const NetworkQuestion *question) {
        const char *protocol = protocol_to_string(question->protocol);

        return question->port ? text_format("%s (%s %u)", question->to, protocol, question->port)
                              : text_format("%s (%s)", question->to, protocol);
}

static int answer(const Options *options, const char *user, const NetworkQuestion *about) {
        CLEANUP_EXPLAIN Explain explain = {0};
        CLEANUP_FREE gid_t *groups = NULL;
        CLEANUP_FREE char *sentence = NULL, *way = NULL;
        Subject subject = {.uid = (uid_t)-1, .loginuid = (uid_t)-1, .gid = (gid_t)-1};
        NetworkQuestion copy = *about, *question = &copy;
        Explanation explanation;
        OpenDecision decision;

        question->subject = &subject;
        if ((user && find_person(user, question, &subject, &groups) != 0) ||
            explain_begin(options, &explain) != 0)
                return EXIT_TROUBLE;
        question->now = explain.time;
        if (has_ports(question->protocol) && question->port == 0)
                find_port(explain.policy, !options->value[OPTION_PROTOCOL], question);
        decide_network(explain.policy, question, &decision);
        way = way_text(question);
        sentence = say(user, decision.verdict == VERDICT_ALLOW, way ? way : question->to);
        explanation = (Explanation){.allowed = decision.verdict == VERDICT_ALLOW,
                                    .sentence = sentence,
                                    .reason = decision.reason,
                                    .rule = decision.rule,
                                    .origin = decision.origin,
                                    .monitor = decision.monitor};
        if (!explain.json)
                explain_print(&explain, &explanation);
        else if (print_json(&explain, &explanation, user, question) < 0)
                return fail(_("out of memory"));
        return explanation.allowed ? EXIT_YES : EXIT_NO;
}

int command_explain_destination(const Options *options) {
        const char *user = options->value[OPTION_USER];
        NetworkQuestion question = {0};

        if (!user)
                return fail(_("who connects? give --user NAME"));
        if (parse(options, options->arguments[0], options->value[OPTION_PORT], true, &question) != 0)
                return EXIT_TROUBLE;
        return answer(options, user, &question);
}

int command_network_explain(const Options *options) {
        char text[DESTINATION_MAX];
        NetworkQuestion question = {0};
        const char *to, *port;

        if (strlen(options->arguments[0]) >= sizeof(text))
                return fail(_("'%s': expected an address or a host name"), options->arguments[0]);
        (void)snprintf(text, sizeof(text), "%s", options->arguments[0]);
        port = split(text, &to);
        if (port && options->value[OPTION_PORT])
                return fail(_("two ports: '%s' and --port %s"), port, options->value[OPTION_PORT]);
        if (parse(options, to, port ? port : options->value[OPTION_PORT], false, &question) != 0)
                return EXIT_TROUBLE;
        return answer(options, options->value[OPTION_USER], &question);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy explain destination: whether a person may reach an address or a host. */
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

static int parse(const Options *options, NetworkQuestion *ret) {
        const char *protocol = options->value[OPTION_PROTOCOL], *port = options->value[OPTION_PORT], *why;
        int value = protocol ? protocol_from_string(protocol) : PROTOCOL_TCP;
        PortRange range;

        ret->to = options->arguments[0];
        if (destination_check(ret->to, &why) < 0 || strchr(ret->to, '/'))
                return fail(_("'%s': expected an address or a host name"), ret->to);
        if (value < 0 || value == PROTOCOL_ANY)
                return fail(_("--protocol '%s': expected tcp, udp or icmp"), protocol);
        ret->protocol = (Protocol)value;
        if (value == PROTOCOL_ICMP)
                return port ? fail(_("--port goes with --protocol tcp or udp")) : 0;
        if (!port)
                return fail(_("to which port? give --port NUMBER"));
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
                      const Subject *subject, const NetworkQuestion *question) {
        CLEANUP_JSON struct json_object *object = explain_json(explain, explanation);

        json_put_text(object, "verdict",
                      verdict_to_string(explanation->allowed ? VERDICT_ALLOW : VERDICT_DENY));
        json_put_text(object, "user", user);
        json_put_number(object, "uid", subject->uid);
        json_put_text(object, "to", question->to);
        json_put_text(object, "protocol", protocol_to_string(question->protocol));
        json_object_object_add(object, "port", question->port ? json_object_new_int(question->port) : NULL);
        return json_print(object, "\n");
}

int command_explain_destination(const Options *options) {
        const char *user = options->value[OPTION_USER];
        NetworkQuestion question = {0};
        CLEANUP_EXPLAIN Explain explain = {0};
        CLEANUP_FREE gid_t *groups = NULL;
        CLEANUP_FREE char *sentence = NULL;
        Explanation explanation;
        OpenDecision decision;
        Subject subject;

        if (!user)
                return fail(_("who connects? give --user NAME"));
        if (parse(options, &question) != 0 || find_person(user, &question, &subject, &groups) != 0 ||
            explain_begin(options, &explain) != 0)
                return EXIT_TROUBLE;
        question.now = explain.time;
        decide_network(explain.policy, &question, &decision);
        explanation = (Explanation){.allowed = decision.verdict == VERDICT_ALLOW,
                                    .reason = decision.reason,
                                    .rule = decision.rule,
                                    .origin = decision.origin,
                                    .monitor = decision.monitor};
        sentence = explanation.allowed ? text_format(_("%s may reach %s."), user, question.to)
                                       : text_format(_("%s may not reach %s."), user, question.to);
        explanation.sentence = sentence;
        if (!explain.json)
                explain_print(&explain, &explanation);
        else if (print_json(&explain, &explanation, user, &subject, &question) < 0)
                return fail(_("out of memory"));
        return explanation.allowed ? EXIT_YES : EXIT_NO;
}

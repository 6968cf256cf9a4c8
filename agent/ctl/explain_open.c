/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy explain open: whether a person may read or write somewhere. */
#include <errno.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/people.h"
#include "agent/ctl/target.h"
#include "agent/ctl/text.h"

static int find_target(const Options *options, Target *ret) {
        bool described = target_is_described(options), fstype = options->value[OPTION_FSTYPE];

        if (options->value[OPTION_SOURCE] && !fstype)
                return fail(_("--source goes with --fstype"));
        if (options->value[OPTION_EXTERNAL] && !described)
                return fail(_("--external goes with a device that options describe"));
        if (options->n_arguments > 0 && (described || fstype))
                return fail(_("give either a path or the options that describe a file system or device"));
        if (options->n_arguments > 0)
                return target_from_path(options->arguments[0], ret);
        if (fstype)
                return target_from_filesystem(options, ret);
        if (!described)
                return fail(_(
                        "open what? give a path, --fstype and --source, or --vendor, --product, --serial"));
        if (target_from_options(options, ret) != 0)
                return EXIT_TROUBLE;
        ret->kind = SUPERBLOCK_BLOCK;
        return 0;
}

static int find_person(const char *user, Subject *ret, gid_t **ret_groups) {
        int r = person_subject(user, ret, ret_groups);

        if (r == -ENOENT)
                return fail(_("--user '%s': there is no such user"), user);
        return r < 0 ? fail(_("--user '%s': %s"), user, strerror(-r)) : 0;
}

/* What is opened, as the sentence names it. */
static char *target_name(const Target *target) {
        if (target->path)
                return strdup(target->path);
        if (!target->fstype)
                return target_device_name(&target->device);
        return target->source ? text_format("%s %s", target->fstype, target->source)
                              : strdup(target->fstype);
}

static char *make_sentence(const char *user, const Target *target, bool writing, bool allowed) {
        CLEANUP_FREE char *name = target_name(target);

        if (!name)
                return NULL;
        if (writing)
                return allowed ? text_format(_("%s may write to %s."), user, name)
                               : text_format(_("%s may not write to %s."), user, name);
        return allowed ? text_format(_("%s may read from %s."), user, name)
                       : text_format(_("%s may not read from %s."), user, name);
}

static int print_json(const Explain *explain, const Explanation *explanation, const Decision *whole,
                      const Target *target, const Subject *subject, const char *user, bool writing) {
        CLEANUP_JSON struct json_object *object = explain_json(explain, explanation);

        json_put_text(object, "verdict",
                      verdict_to_string(explanation->allowed ? VERDICT_ALLOW : VERDICT_DENY));
        json_put_text(object, "operation", writing ? "write" : "read");
        json_put_text(object, "user", user);
        json_put_number(object, "uid", subject->uid);
        json_put_text(object, "access", access_to_string(whole->access));
        json_put_flag(object, "conditional", whole->conditional);
        json_put_flag(object, "external", whole->external);
        json_put_text(object, "path", target->path);
        json_put_text(object, "kind", superblock_kind_to_string(target->kind));
        json_put_text(object, "fstype", target->fstype);
        json_put_text(object, "source", target->source);
        json_put_text(object, "mount", target->mount);
        json_object_object_add(object, "device",
                               target->has_device ? explain_device_json(&target->device) : NULL);
        return json_print(object, "\n");
}

int command_explain_open(const Options *options) {
        const char *user = options->value[OPTION_USER];
        bool writing = !options->value[OPTION_READ];
        CLEANUP_EXPLAIN Explain explain = {0};
        CLEANUP_TARGET Target target = {0};
        CLEANUP_FREE gid_t *groups = NULL;
        CLEANUP_FREE char *sentence = NULL;
        Explanation explanation;
        OpenDecision decision;
        Decision whole;
        Subject subject;

        if (!user)
                return fail(_("who opens it? give --user NAME"));
        if (options->value[OPTION_READ] && options->value[OPTION_WRITE])
                return fail(_("give either --read or --write"));
        if (find_target(options, &target) != 0 || find_person(user, &subject, &groups) != 0 ||
            explain_begin(options, &explain) != 0)
                return EXIT_TROUBLE;
        target_decide_open(explain.policy, &target, &subject, writing, &explain.time, &decision, &whole);
        sentence = make_sentence(user, &target, writing, decision.verdict == VERDICT_ALLOW);
        explanation = (Explanation){.allowed = decision.verdict == VERDICT_ALLOW,
                                    .sentence = sentence,
                                    .reason = decision.reason,
                                    .rule = decision.rule,
                                    .origin = decision.origin,
                                    .monitor = decision.monitor};
        if (!explain.json)
                explain_print(&explain, &explanation);
        else if (print_json(&explain, &explanation, &whole, &target, &subject, user, writing) < 0)
                return fail(_("out of memory"));
        return explanation.allowed ? EXIT_YES : EXIT_NO;
}

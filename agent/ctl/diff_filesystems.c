/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File systems of the network and of user space. One that also stands on an external device gets the
 * stricter of two verdicts, so it changes only where one of them does.
 */
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/ctl/diff.h"
#include "agent/mount/classify.h"

static uint32_t ask_filesystem(const void *userdata, const Policy *policy, const Subject *subject,
                               const PolicyTime *now, const char **ret_rule) {
        OpenDecision open;
        uint32_t monitor;

        decide_open(policy, userdata, subject, true, now, &open);
        *ret_rule = open.rule;
        if (open.verdict == VERDICT_ALLOW)
                return ACCESS_WRITE;
        monitor = open.monitor ? DIFF_MONITOR : 0;
        decide_open(policy, userdata, subject, false, now, &open);
        return (open.verdict == VERDICT_ALLOW ? ACCESS_READ_ONLY : ACCESS_DENY) | monitor;
}

static int add_rules(DiffGrid *grid, const Policy *policy, const SuperblockIdentity *id,
                     struct json_object *names) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < policy->n_filesystems; i++) {
                const FilesystemRule *rule = &policy->filesystems[i];

                if (!id->fstype || strcmp(rule->type, id->fstype) != 0 ||
                    (rule->source && (!id->source || strcmp(rule->source, id->source) != 0)))
                        continue;
                json_append_text(names, rule->name);
                r = diff_grid_add_scope(grid, &rule->scope);
        }
        return r;
}

static int consider(Diff *diff, const char *type, const char *source) {
        const SuperblockIdentity id = {.kind = type ? superblock_classify(type, makedev(0, 1))
                                                    : SUPERBLOCK_UNKNOWN,
                                       .fstype = type,
                                       .source = source};
        CLEANUP_JSON struct json_object *what = json_object_new_object(), *names = json_object_new_array();
        CLEANUP_DIFF_GRID DiffGrid grid = {0};
        const DiffObject object = {.section = "filesystems",
                                   .what = what,
                                   .ask = ask_filesystem,
                                   .word = diff_access_word,
                                   .userdata = &id};
        int r = diff_grid_begin(diff, &grid);

        for (int side = 0; r == 0 && side < DIFF_SIDES; side++)
                r = add_rules(&grid, diff->policies[side], &id, names);
        json_put_text(what, "type", type);
        json_put_text(what, "source", source);
        json_object_object_add(what, "names", json_object_get(names));
        return r < 0 ? r : diff_compare(diff, &grid, &object);
}

/* Whether a rule before the one at INDEX of SIDE asks for the same. */
static bool was_considered(const Diff *diff, int side, size_t index) {
        const FilesystemRule *rule = &diff->policies[side]->filesystems[index];

        for (int other = 0; other <= side; other++)
                for (size_t i = 0; i < (other == side ? index : diff->policies[other]->n_filesystems); i++) {
                        const FilesystemRule *earlier = &diff->policies[other]->filesystems[i];

                        if (strcmp(earlier->type, rule->type) == 0 && !earlier->source == !rule->source &&
                            (!rule->source || strcmp(earlier->source, rule->source) == 0))
                                return true;
                }
        return false;
}

/* What a rule of each asks for together is what one of them asks for: a source is given or is not. */
int diff_filesystems(Diff *diff) {
        int r = consider(diff, NULL, NULL);

        for (int side = 0; side < DIFF_SIDES; side++)
                for (size_t i = 0; r == 0 && !diff->cut && i < diff->policies[side]->n_filesystems; i++) {
                        const FilesystemRule *rule = &diff->policies[side]->filesystems[i];

                        if (!was_considered(diff, side, i))
                                r = consider(diff, rule->type, rule->source);
                }
        return r;
}

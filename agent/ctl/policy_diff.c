/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/policy_diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/diff.h"
#include "policy/load.h"

static void names_clear(DiffNames *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->names[i]);
        free(names->names);
}

static void diff_clear(Diff *diff) {
        names_clear(&diff->users);
        names_clear(&diff->groups);
        json_object_put(diff->changes);
}

/* names as numbers */

static int number_of(DiffNames *names, const char *name, uint32_t *ret) {
        char **grown;

        for (size_t i = 0; i < names->n; i++)
                if (strcmp(names->names[i], name) == 0) {
                        *ret = (uint32_t)i;
                        return 0;
                }
        grown = reallocarray(names->names, names->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        names->names = grown;
        grown[names->n] = strdup(name);
        if (!grown[names->n])
                return -ENOMEM;
        *ret = (uint32_t)names->n++;
        return 0;
}

static int number_of_user(void *userdata, const char *name, uid_t *ret) {
        return number_of(&((Diff *)userdata)->users, name, ret);
}

static int number_of_group(void *userdata, const char *name, gid_t *ret) {
        return number_of(&((Diff *)userdata)->groups, name, ret);
}

static int number_names(Diff *diff) {
        const PolicyResolver resolver = {.user = number_of_user, .group = number_of_group, .userdata = diff};
        int r = 0;

        for (int side = 0; r == 0 && side < DIFF_SIDES; side++)
                r = policy_resolve(diff->policies[side], &resolver);
        return r;
}

/* the answer */

static struct json_object *serials(const Policy *before, const Policy *after) {
        struct json_object *object = json_object_new_object();

        json_object_object_add(object, "before", json_object_new_uint64(before->serial));
        json_object_object_add(object, "after", json_object_new_uint64(after->serial));
        return object;
}

static int answer(const Diff *diff, struct json_object **ret) {
        const Policy *before = diff->policies[DIFF_BEFORE], *after = diff->policies[DIFF_AFTER];
        struct json_object *object = json_object_new_object();

        if (!object)
                return -ENOMEM;
        json_put_flag(object, "changed", json_object_array_length(diff->changes) > 0);
        json_put_flag(object, "cut", diff->cut);
        json_put_number(object, "questions", (int64_t)diff->asked);
        json_object_object_add(object, "serial", serials(before, after));
        json_put_flag(object, "older", after->serial < before->serial);
        json_object_object_add(object, "changes", json_object_get(diff->changes));
        *ret = object;
        return 0;
}

int policy_diff(Policy *before, Policy *after, time_t now, size_t limit, struct json_object **ret) {
        static int (*const sections[])(Diff * diff) = {diff_settings, diff_usb,     diff_filesystems,
                                                       diff_logins,   diff_network, diff_devices};
        CLEANUP(diff_clear)
        Diff diff = {
                .policies = {before, after}, .now = now, .limit = limit, .changes = json_object_new_array()};
        int r = diff.changes ? number_names(&diff) : -ENOMEM;

        for (size_t i = 0; r == 0 && i < ELEMENTS(sections); i++)
                r = sections[i](&diff);
        return r < 0 ? r : answer(&diff, ret);
}

bool policy_diff_changes(const struct json_object *diff) {
        return json_is_true(diff, "changed") || json_is_true(diff, "older") || json_is_true(diff, "cut");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/conditions.h"

#include <stdio.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/timespec.h"

enum {
        DAYS = 7,
        EVERY_DAY = 0x7f,
        HOURS_TEXT_MAX = 64
};

const RuleScope *conditions_of_rule(const Policy *policy, const char *rule) {
        for (size_t i = 0; rule && i < policy->n_devices; i++)
                if (strcmp(policy->devices[i].name, rule) == 0)
                        return &policy->devices[i].scope;
        for (size_t i = 0; rule && i < policy->n_filesystems; i++)
                if (strcmp(policy->filesystems[i].name, rule) == 0)
                        return &policy->filesystems[i].scope;
        for (size_t i = 0; rule && i < policy->n_network; i++)
                if (strcmp(policy->network[i].name, rule) == 0)
                        return &policy->network[i].scope;
        for (size_t i = 0; rule && i < policy->n_mfa_rules; i++)
                if (strcmp(policy->mfa_rules[i].name, rule) == 0)
                        return &policy->mfa_rules[i].scope;
        return NULL;
}

/* The days, in English as the policy's grammar has them, from Monday on: "Mon-Fri ", "Sat,Sun "; nothing for
 * all. */
static void print_days(uint8_t days, FILE *to) {
        const char *const words[DAYS] = {
                C_("day", "Sun"), C_("day", "Mon"), C_("day", "Tue"), C_("day", "Wed"),
                C_("day", "Thu"), C_("day", "Fri"), C_("day", "Sat"),
        };
        const char *separator = "";

        if ((days & EVERY_DAY) == EVERY_DAY)
                return;
        for (int i = 1; i <= DAYS; i++) {
                int last = i;

                if (!(days & 1 << i % DAYS))
                        continue;
                while (last < DAYS && days & 1 << (last + 1) % DAYS)
                        last++;
                fprintf(to, "%s%s", separator, words[i % DAYS]);
                if (last > i)
                        fprintf(to, "%c%s", last > i + 1 ? '-' : ',', words[last % DAYS]);
                separator = ",";
                i = last;
        }
        fputc(' ', to);
}

void conditions_print_hours(const Hours *hours, FILE *to) {
        print_days(hours->days, to);
        fprintf(to, "%02u:%02u-%02u:%02u", hours->from / 60U, hours->from % 60U, hours->to / 60U,
                hours->to % 60U);
}

/* An approval that ends with a day is told by that day. */
static void print_expiry(time_t expires, FILE *to) {
        char buffer[TIMESPEC_TEXT_MAX];
        time_t before = expires - 1;
        struct tm tm;

        if (localtime_r(&before, &tm) && tm.tm_hour == 23 && tm.tm_min == 59) {
                strftime(buffer, sizeof(buffer), "%Y-%m-%d", &tm);
                fprintf(to, _("up to the end of %s"), buffer);
        } else
                fprintf(to, _("until %s"), timespec_for_person((uint64_t)expires * USEC_PER_SEC, buffer));
}

static bool print_names(const char *format, char *const *names, size_t n, bool first, FILE *to) {
        for (size_t i = 0; i < n; i++) {
                fputs(first ? "" : ", ", to);
                fprintf(to, "%s %s", format, names[i]);
                first = false;
        }
        return first;
}

static void print_scope(const RuleScope *scope, FILE *to) {
        bool first = print_names(_("user"), scope->users, scope->n_users, true, to);

        first = print_names(_("group"), scope->groups, scope->n_groups, first, to);
        if (scope->hours.set) {
                fputs(first ? "" : "; ", to);
                conditions_print_hours(&scope->hours, to);
                first = false;
        }
        if (scope->expires > 0) {
                fputs(first ? "" : "; ", to);
                print_expiry(scope->expires, to);
        }
}

char *conditions_for_person(const RuleScope *scope) {
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);

        if (!to)
                return NULL;
        print_scope(scope, to);
        if (fclose(to) != 0 || size == 0) {
                free(text);
                return NULL;
        }
        return text;
}

static struct json_object *name_list(char *const *names, size_t n) {
        struct json_object *list = json_object_new_array();

        for (size_t i = 0; i < n; i++)
                json_append_text(list, names[i]);
        return list;
}

struct json_object *conditions_json(const RuleScope *scope) {
        struct json_object *object = json_object_new_object();
        char expires[TIMESPEC_TEXT_MAX], hours[HOURS_TEXT_MAX] = "";

        if (scope->hours.set) {
                FILE *to = fmemopen(hours, sizeof(hours), "w");

                if (to) {
                        conditions_print_hours(&scope->hours, to);
                        fclose(to);
                }
        }
        json_object_object_add(object, "users", name_list(scope->users, scope->n_users));
        json_object_object_add(object, "groups", name_list(scope->groups, scope->n_groups));
        json_put_text(object, "hours", *hours ? hours : NULL);
        json_put_text(object, "expires",
                      scope->expires > 0 ? timespec_iso((uint64_t)scope->expires * USEC_PER_SEC, expires)
                                         : NULL);
        return object;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison of two policies for people: what changes alike stands under one line. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/policy_diff.h"
#include "agent/ctl/text.h"
#include "agent/ctl/words.h"
#include "policy/object.h"
#include "policy/verdict.h"

enum {
        ITEMS_SHOWN = 40,
        DATE_LENGTH = 10, /* of ISO 8601's 2027-04-01T00:00:00 */
        TIME_LENGTH = 5,
        MOMENT_TEXT_MAX = DATE_LENGTH + TIME_LENGTH + 2
};

/* One line, and what it is about. */
typedef struct Group {
        char *head;
        char **items;
        size_t n;
} Group;

typedef struct Groups {
        Group *groups;
        size_t n;
} Groups;

static void groups_clear(Groups *groups) {
        for (size_t i = 0; i < groups->n; i++) {
                for (size_t j = 0; j < groups->groups[i].n; j++)
                        free(groups->groups[i].items[j]);
                free(groups->groups[i].items);
                free(groups->groups[i].head);
        }
        free(groups->groups);
}

static Group *group_of(Groups *groups, const char *head) {
        Group *grown;

        for (size_t i = 0; i < groups->n; i++)
                if (strcmp(groups->groups[i].head, head) == 0)
                        return &groups->groups[i];
        grown = reallocarray(groups->groups, groups->n + 1, sizeof(*grown));
        if (!grown)
                return NULL;
        groups->groups = grown;
        grown[groups->n] = (Group){.head = strdup(head)};
        return grown[groups->n].head ? &grown[groups->n++] : NULL;
}

static int add_item(Groups *groups, const char *head, const char *item) {
        Group *group = head && item ? group_of(groups, head) : NULL;
        char **grown = group ? reallocarray(group->items, group->n + 1, sizeof(*grown)) : NULL;

        if (!grown)
                return -ENOMEM;
        group->items = grown;
        for (size_t i = 0; i < group->n; i++)
                if (strcmp(grown[i], item) == 0)
                        return 0;
        grown[group->n] = strdup(item);
        if (!grown[group->n])
                return -ENOMEM;
        group->n++;
        return 0;
}

/* what changes */

static const char *of_access(const char *before, const char *after) {
        int from = access_from_string(before), to = access_from_string(after);

        switch (to) {
        case ACCESS_WRITE:
                return from == ACCESS_DENY ? _("may be read and written to now")
                                           : _("may be written to now, not only read");
        case ACCESS_READ_ONLY:
                return from == ACCESS_DENY ? _("may be read now")
                                           : _("may no longer be written to, only read");
        case ACCESS_DENY:
                return from == ACCESS_WRITE ? _("may no longer be read or written to")
                                            : _("may no longer be read");
        default:
                return NULL;
        }
}

static bool is_monitor(const char *verdict) {
        return strstr(verdict, " (monitor)");
}

/* What is tried out refuses nothing; NULL where neither side is. */
static const char *of_monitor(const char *before, const char *after) {
        if (is_monitor(after))
                return is_monitor(before) ? _("still goes ahead, and is recorded")
                                          : _("what would be refused is only recorded now");
        return is_monitor(before) ? _("what was only recorded is decided now") : NULL;
}

static bool allows(const char *verdict) {
        return strcmp(verdict, verdict_to_string(VERDICT_ALLOW)) == 0;
}

static void print_need(const struct json_object *need, FILE *to) {
        const char *login = json_text(need, "login");
        struct json_object *factors = json_list(need, "factors");

        if (strcmp(login, "deny") == 0)
                fputs(_("nobody logs in"), to);
        else if (strcmp(login, "off") == 0)
                fputs(_("no factor is asked for"), to);
        else if (strcmp(login, "exempt") == 0)
                fputs(_("one factor is enough"), to);
        else {
                fputs(_("two kinds of factors of"), to);
                for (size_t i = 0; i < json_object_array_length(factors); i++)
                        fprintf(to, "%s%s", i ? ", " : " ",
                                json_object_get_string(json_object_array_get_idx(factors, i)));
        }
        if (json_is_true(need, "grace"))
                fputs(_(" (one does while nothing is enrolled)"), to);
        if (json_is_true(need, "break_glass"))
                fputs(_(" (account for emergencies)"), to);
}

/* Lists one after the other, the words of an entry without their keys. */
static void print_value(struct json_object *value, FILE *to) {
        const char *separator = "";

        if (json_object_is_type(value, json_type_array)) {
                for (size_t i = 0; i < json_object_array_length(value); i++, separator = ", ") {
                        fputs(separator, to);
                        print_value(json_object_array_get_idx(value, i), to);
                }
                fputs(*separator ? "" : "-", to);
                return;
        }
        if (json_object_is_type(value, json_type_object)) {
                json_object_object_foreach(value, key, part) {
                        (void)key;
                        if (!part)
                                continue;
                        fprintf(to, "%s%s", separator, json_object_get_string(part));
                        separator = " ";
                }
                return;
        }
        fputs(value ? json_object_get_string(value) : "-", to);
}

static void print_verdict(const struct json_object *change, const char *section, FILE *to) {
        struct json_object *before = json_object_object_get(change, "before"),
                           *after = json_object_object_get(change, "after");

        if (strcmp(section, "logins") == 0) {
                print_need(before, to);
                fputs(" → ", to);
                print_need(after, to);
        } else if (strcmp(section, "settings") == 0) {
                print_value(before, to);
                fputs(" → ", to);
                print_value(after, to);
        } else if (of_monitor(json_object_get_string(before), json_object_get_string(after))) {
                fputs(of_monitor(json_object_get_string(before), json_object_get_string(after)), to);
                fputs(": ", to);
                print_value(before, to);
                fputs(" → ", to);
                print_value(after, to);
        } else if (strcmp(section, "usb") == 0)
                fputs(allows(json_object_get_string(after)) ? _("let in now") : _("kept out now"), to);
        else if (strcmp(section, "network") == 0)
                fputs(allows(json_object_get_string(after)) ? _("may be reached now")
                                                            : _("may no longer be reached"),
                      to);
        else
                fputs(of_access(json_object_get_string(before), json_object_get_string(after)), to);
}

/* for whom and when */

static bool is_single(const struct json_object *person) {
        return !json_text(person, "user") != !json_object_array_length(json_list(person, "groups"));
}

static bool has_name(const struct json_object *person, const struct json_object *single) {
        const char *user = json_text(single, "user"), *other = json_text(person, "user");
        struct json_object *groups = json_list(person, "groups");

        if (user)
                return other && strcmp(user, other) == 0;
        for (size_t i = 0; i < json_object_array_length(groups); i++)
                if (json_object_equal(json_object_array_get_idx(groups, i),
                                      json_object_array_get_idx(json_list(single, "groups"), 0)))
                        return true;
        return false;
}

/* Whoever has two names and is in the list by one of them already. */
static bool is_said(struct json_object *people, size_t at) {
        const struct json_object *person = json_object_array_get_idx(people, at);
        size_t names =
                json_object_array_length(json_list(person, "groups")) + (json_text(person, "user") ? 1 : 0);

        for (size_t i = 0; names > 1 && i < json_object_array_length(people); i++) {
                const struct json_object *other = json_object_array_get_idx(people, i);

                if (is_single(other) && json_object_array_length(json_list(other, "groups")) < 2 &&
                    has_name(person, other))
                        return true;
        }
        return false;
}

static void print_person(const struct json_object *person, FILE *to) {
        const char *user = json_text(person, "user");
        struct json_object *groups = json_list(person, "groups");
        size_t n = json_object_array_length(groups);

        if (user)
                fprintf(to, _("user %s"), user);
        for (size_t i = 0; i < n; i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(groups, i));

                if (i == 0 && !user)
                        fprintf(to, _("members of %s"), name);
                else
                        fprintf(to, _(" who are also in %s"), name);
        }
        if (!user && n == 0)
                fputs(_("everybody else"), to);
}

static void print_people(const struct json_object *change, FILE *to) {
        struct json_object *people = json_list(change, "people");
        const char *separator = "";

        if (!people) {
                fputs(_("everybody"), to);
                return;
        }
        for (size_t i = 0; i < json_object_array_length(people); i++) {
                if (is_said(people, i))
                        continue;
                fputs(separator, to);
                print_person(json_object_array_get_idx(people, i), to);
                separator = ", ";
        }
}

/* "2027-04-01 00:00", NULL for none. */
static const char *moment(const char *iso, char buffer[static MOMENT_TEXT_MAX]) {
        if (!iso || strlen(iso) < DATE_LENGTH + 1 + TIME_LENGTH)
                return NULL;
        snprintf(buffer, MOMENT_TEXT_MAX, "%.*s %.*s", DATE_LENGTH, iso, TIME_LENGTH, iso + DATE_LENGTH + 1);
        return buffer;
}

static void print_conditions(const struct json_object *change, FILE *to) {
        struct json_object *hours = json_list(change, "hours");
        char buffer[MOMENT_TEXT_MAX];
        const char *at;

        fputs(": ", to);
        print_people(change, to);
        for (size_t i = 0; hours && i < json_object_array_length(hours); i++)
                fprintf(to, "%s%s", i ? ", " : "; ",
                        json_object_get_string(json_object_array_get_idx(hours, i)));
        if ((at = moment(json_text(change, "from"), buffer)))
                fprintf(to, _("; from %s on"), at);
        if ((at = moment(json_text(change, "until"), buffer)))
                fprintf(to, _("; until %s"), at);
}

/* what it is about */

static void print_names(const struct json_object *what, const char *otherwise, FILE *to) {
        struct json_object *names = json_list(what, "names");
        size_t n = json_object_array_length(names);

        for (size_t i = 0; i < n; i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(names, i));
                bool first = true;

                for (size_t j = 0; j < i; j++)
                        first = first &&
                                strcmp(name, json_object_get_string(json_object_array_get_idx(names, j))) !=
                                        0;
                if (first)
                        fprintf(to, "%s%s", i ? " / " : "", name);
        }
        if (n == 0)
                fputs(otherwise, to);
}

static void print_device(const struct json_object *what, FILE *to) {
        const char *vendor = json_text(what, "vendor"), *product = json_text(what, "product"),
                   *serial = json_text(what, "serial"), *bus = json_text(what, "bus");
        bool encrypted = false, known = json_flag(what, "encrypted", &encrypted);

        print_names(what, _("any device that no rule names"), to);
        if (bus || vendor || product || serial)
                fputs(" (", to);
        if (bus)
                fprintf(to, "%s%s", bus, vendor || product ? " " : "");
        if (vendor || product)
                fprintf(to, "%s:%s", vendor ? vendor : "*", product ? product : "*");
        if (serial) {
                fputs(bus || vendor || product ? ", " : "", to);
                fprintf(to, _("serial %s"), serial);
        }
        if (bus || vendor || product || serial)
                fputc(')', to);
        if (json_is_true(what, "built_in"))
                fputs(_(", built in"), to);
        if (known)
                fputs(encrypted ? _(", encrypted") : _(", not encrypted"), to);
}

static void print_interface(const struct json_object *what, FILE *to) {
        const char *class = json_text(what, "class"), *vendor = json_text(what, "vendor"),
                   *product = json_text(what, "product"), *serial = json_text(what, "serial");

        fputs(class ? class : _("every other class"), to);
        if (vendor || product || serial) {
                fprintf(to, " (%s:%s", vendor ? vendor : "*", product ? product : "*");
                if (serial) {
                        fputs(", ", to);
                        fprintf(to, _("serial %s"), serial);
                }
                fputc(')', to);
        }
}

static void print_filesystem(const struct json_object *what, FILE *to) {
        const char *type = json_text(what, "type"), *source = json_text(what, "source");

        print_names(what, _("any file system that no rule names"), to);
        if (type)
                fprintf(to, " (%s%s%s)", type, source ? " " : "", source ? source : "");
}

static void print_destination(const struct json_object *what, FILE *to) {
        const char *place = json_text(what, "to");
        struct json_object *ports = json_list(what, "ports");

        print_names(what, place ? place : _("any destination that no rule names"), to);
        fprintf(to, " (%s%s%s", place ? place : "", place ? ", " : "", json_text(what, "protocol"));
        if (ports) {
                int from = json_object_get_int(json_object_array_get_idx(ports, 0)),
                    until = json_object_get_int(json_object_array_get_idx(ports, 1));

                fprintf(to, from == until ? " %d" : " %d-%d", from, until);
        }
        if (json_text(what, "program"))
                fprintf(to, _(", with %s"), json_text(what, "program"));
        if (json_text(what, "interface"))
                fprintf(to, _(", by %s"), json_text(what, "interface"));
        fputc(')', to);
}

static void print_login(const struct json_object *what, FILE *to) {
        const char *service = json_text(what, "service"), *from = json_text(what, "from");

        fputs(service ? service : _("any service that no rule names"), to);
        if (strcmp(from, "local") == 0)
                fputs(_(", at the terminal"), to);
        else if (strcmp(from, "remote") == 0)
                fputs(_(", from anywhere else"), to);
        else
                fprintf(to, _(", from %s"), from);
}

static void print_what(struct json_object *what, const char *section, FILE *to) {
        if (strcmp(section, "devices") == 0)
                print_device(what, to);
        else if (strcmp(section, "usb") == 0)
                print_interface(what, to);
        else if (strcmp(section, "filesystems") == 0)
                print_filesystem(what, to);
        else if (strcmp(section, "network") == 0)
                print_destination(what, to);
        else if (strcmp(section, "logins") == 0)
                print_login(what, to);
        else
                fputs(json_object_get_string(what), to);
}

/* lines */

static int add_change(Groups *groups, const struct json_object *change, const char *section) {
        CLEANUP_FREE char *head = NULL, *item = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&head, &size);

        if (!to)
                return -ENOMEM;
        print_verdict(change, section, to);
        if (strcmp(section, "settings") != 0)
                print_conditions(change, to);
        if (fclose(to) != 0 || !(to = open_memstream(&item, &size)))
                return -ENOMEM;
        print_what(json_object_object_get(change, "what"), section, to);
        return fclose(to) != 0 ? -ENOMEM : add_item(groups, head, item);
}

static void print_group(const Group *group, FILE *to) {
        fputs("  ", to);
        text_print(group->head, to);
        fputc('\n', to);
        for (size_t i = 0; i < group->n && i < ITEMS_SHOWN; i++) {
                fputs("    - ", to);
                text_print(group->items[i], to);
                fputc('\n', to);
        }
        if (group->n > ITEMS_SHOWN)
                fprintf(to, _("    and %zu more; --json has all of them\n"), group->n - ITEMS_SHOWN);
}

static int print_section(struct json_object *changes, const char *section, const char *title, FILE *to) {
        CLEANUP(groups_clear) Groups groups = {0};
        int r = 0;

        for (size_t i = 0; r == 0 && i < json_object_array_length(changes); i++) {
                const struct json_object *change = json_object_array_get_idx(changes, i);

                if (strcmp(json_text(change, "section"), section) == 0)
                        r = add_change(&groups, change, section);
        }
        if (groups.n > 0)
                fprintf(to, "%s\n", title);
        for (size_t i = 0; i < groups.n; i++)
                print_group(&groups.groups[i], to);
        return r;
}

static int64_t serial_of(const struct json_object *diff, const char *key) {
        int64_t serial = 0;

        (void)json_number(json_map(diff, "serial"), key, &serial);
        return serial;
}

int policy_diff_print(struct json_object *diff, FILE *to) {
        const struct {
                const char *section, *title;
        } sections[] = {{"settings", _("The terminal as a whole")},
                        {"devices", _("Devices")},
                        {"usb", _("Interfaces of USB devices")},
                        {"filesystems", _("File systems")},
                        {"network", _("Destinations")},
                        {"logins", _("Logins")}};
        int64_t before = serial_of(diff, "before"), after = serial_of(diff, "after");
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(sections); i++)
                r = print_section(json_list(diff, "changes"), sections[i].section, sections[i].title, to);
        if (!json_is_true(diff, "changed"))
                fprintf(to, "%s\n", _("No verdict changes."));
        if (json_is_true(diff, "cut"))
                fprintf(to, "%s\n",
                        _("CUT: there were more questions than may be asked (--limit). What is not listed "
                          "may "
                          "change as well."));
        if (json_is_true(diff, "older"))
                fprintf(to,
                        _("The serial goes down from %" PRId64 " to %" PRId64
                          ": the guard will refuse it.\n"),
                        before, after);
        else if (before == after && json_is_true(diff, "changed"))
                fprintf(to, _("Both have the serial %" PRId64 ".\n"), before);
        return r;
}

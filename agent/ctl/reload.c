/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command reload: have the guard load its policy again. */
#include <errno.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/text.h"

/* One line each; the agent puts a newline between two. */
static struct json_object *list_of(char *faults) {
        struct json_object *list = json_object_new_array();
        char *rest = NULL;

        for (char *line = strtok_r(faults, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                json_append_text(list, line);
        return list;
}

static void print_for_person(bool loaded, const struct json_object *faults) {
        puts(loaded ? _("The policy was loaded and is in force.")
                    : _("The policy was refused; the one before stays in force."));
        for (size_t i = 0; i < json_object_array_length(faults); i++) {
                text_print(json_object_get_string(json_object_array_get_idx(faults, i)), stdout);
                putchar('\n');
        }
}

int command_reload(const Options *options) {
        CLEANUP_JSON struct json_object *answer = NULL;
        CLEANUP_FREE char *text = NULL;
        struct json_object *faults;
        bool loaded = false;
        int r = guard_reload(&loaded, &text);

        if (r == -EACCES)
                return fail(_("the guard loads its policy again for administrators only"));
        if (r < 0)
                return fail(_("the guard does not answer on the system bus (%s); as root: "
                              "systemctl reload sekishod"),
                            strerror(-r));
        answer = json_object_new_object();
        faults = list_of(text);
        json_put_flag(answer, "loaded", loaded);
        json_object_object_add(answer, "faults", faults);
        if (!options->value[OPTION_JSON])
                print_for_person(loaded, faults);
        else if (json_print(answer, "\n") < 0)
                return fail(_("out of memory"));
        return loaded ? EXIT_YES : EXIT_NO;
}

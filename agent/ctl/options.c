/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/options.h"

#include <getopt.h>

#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"

enum {
        OPTION_BASE = 256 /* above all short forms */
};

#define OPTION_LONG_(constant, name, letter, value, commands)                                               \
        {name, (value) ? required_argument : no_argument, NULL, OPTION_BASE + (constant)},
static const struct option long_options[] = {OPTION_LIST(OPTION_LONG_){0}};

#define OPTION_ENTRY_(constant, name, letter, value, commands) {name, letter, commands},
static const struct {
        const char *name;
        char letter;
        uint64_t commands;
} known[] = {OPTION_LIST(OPTION_ENTRY_)};

static const char short_options[] = "haD:u:d:r:e:S:U:n:f";

static int option_of(int c) {
        if (c >= OPTION_BASE)
                return c - OPTION_BASE;
        for (int i = 0; i < OPTIONS; i++)
                if (known[i].letter != '\0' && known[i].letter == c)
                        return i;
        return -1;
}

static int take(Options *options, Option option) {
        if (option == OPTION_EVENT) {
                if (options->events.n >= OPTION_REPEATS_MAX)
                        return fail(_("too many --event options"));
                options->events.values[options->events.n++] = optarg;
        }
        if (option == OPTION_CLASS) {
                if (options->classes.n >= OPTION_REPEATS_MAX)
                        return fail(_("too many --class options"));
                options->classes.values[options->classes.n++] = optarg;
        }
        options->value[option] = optarg ? optarg : "";
        return 0;
}

int options_parse(int argc, char **argv, Options *ret) {
        Options options = {0};
        int c;

        optind = 0; /* glibc: begin anew */
        while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
                int option = option_of(c);

                if (option < 0)
                        return EXIT_TROUBLE; /* getopt has said why */
                optarg = long_options[option].has_arg == required_argument ? optarg : NULL;
                if (take(&options, (Option)option) != 0)
                        return EXIT_TROUBLE;
        }
        options.arguments = (const char *const *)argv + optind;
        options.n_arguments = (size_t)(argc - optind);
        *ret = options;
        return 0;
}

int options_check(const Options *options, uint64_t command, const char *name) {
        for (int i = 0; i < OPTIONS; i++)
                if (options->value[i] && !(known[i].commands & command))
                        return fail(_("option --%s does not go with '%s'"), known[i].name, name);
        return 0;
}

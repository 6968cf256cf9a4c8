/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c: see options.h. */
#include <fnmatch.h>
#include <getopt.h>
#include <string.h>

#include "tests/attacks/harness.h"
#include "tests/attacks/options.h"

enum {
        TIMEOUT_DEFAULT = 20,
        TIMEOUT_MAX = 3600
};

enum {
        OPTION_LIST = 256,
        OPTION_PLANT,
        OPTION_ONLY,
        OPTION_SKIP,
        OPTION_UID,
        OPTION_GROUP,
        OPTION_IMAGE,
        OPTION_MEDIUM,
        OPTION_NODE,
        OPTION_JSON,
        OPTION_TIMEOUT,
        OPTION_WAIT,
        OPTION_GUARD,
        OPTION_UNMOUNT,
        OPTION_MACHINE_WIDE,
        OPTION_SELF_CHECK
};

void options_help(FILE *f) {
        fputs("Usage: sekisho-attacks --plant DIR [--uid N]\n"
              "       sekisho-attacks [OPTION]... MOUNT\n"
              "       sekisho-attacks --list [--json]\n"
              "Tries every way onto the volume mounted at MOUNT, then reads the volume and the medium below "
              "it.\n"
              "  --plant DIR     make the tree that the attacks need, for user N, and end; before the "
              "guard\n"
              "  --uid N         attack as this user, with the groups that the user database knows\n"
              "  --group N       ... and this group\n"
              "  --image FILE    what to read for the medium: the file behind a loop device (default: the "
              "disk)\n"
              "  --medium N      ... a descriptor of the disk, from before a guard closed it to readers\n"
              "  --node DEVICE   what carries the file system (default: as the mount table says)\n"
              "  --only NAME     only these, --skip NAME: not these; patterns, commas, as often as you "
              "like\n"
              "  --wait          prepare what must be there before the guard, print \"prepared\", wait for "
              "a line\n"
              "  --guard COMMAND ... and run this in place of waiting\n"
              "  --unmount       at the end take the mount away and try what needs the device to itself\n"
              "  --machine-wide  also what changes a setting of the whole machine for a moment\n"
              "  --self-check    the volume is unguarded: every attack must leak, or be impossible\n"
              "  --timeout N     seconds for an attack, after which it has hung\n"
              "  --json          one object in place of lines\n"
              "Exit: 0 nothing leaked, 1 something did, 2 it could not be found out.\n",
              f);
}

static int add_patterns(Patterns *patterns, char *text) {
        for (char *name = strtok(text, ","); name; name = strtok(NULL, ",")) {
                bool known = false;
                const Attack *attack;

                if (patterns->n == PATTERNS_MAX)
                        return -E2BIG;
                for (size_t i = 0; (attack = catalogue(i)); i++)
                        known = known || fnmatch(name, attack->name, 0) == 0;
                if (!known) {
                        fprintf(stderr, "sekisho-attacks: there is no attack %s\n", name);
                        return -EINVAL;
                }
                patterns->list[patterns->n++] = name;
        }
        return 0;
}

static int parse_number(const char *text, unsigned long max, unsigned *ret) {
        unsigned long number;
        char *end;

        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno != 0 || *end || end == text || *text == '-' || number > max)
                return -EINVAL;
        *ret = (unsigned)number;
        return 0;
}

static int copy_path(const char *from, char *to) {
        size_t n = strlen(from);

        if (n >= PATH_MAX)
                return -ENAMETOOLONG;
        memcpy(to, from, n + 1);
        return 0;
}

static int add_group(Volume *volume, const char *text) {
        if (volume->n_groups >= GROUPS_MAX / 2)
                return -E2BIG;
        return parse_number(text, UINT32_MAX - 1, &volume->groups[volume->n_groups++]);
}

static int parse_one(int option, char *text, Options *o) {
        switch (option) {
        case OPTION_LIST:
                o->list = true;
                return 0;
        case OPTION_PLANT:
                o->plant = text;
                return 0;
        case OPTION_ONLY:
                return add_patterns(&o->only, text);
        case OPTION_SKIP:
                return add_patterns(&o->skip, text);
        case OPTION_UID:
                return parse_number(text, UINT32_MAX - 1, &o->volume.uid);
        case OPTION_GROUP:
                return add_group(&o->volume, text);
        case OPTION_IMAGE:
                return copy_path(text, o->volume.image);
        case OPTION_MEDIUM:
                return parse_number(text, INT_MAX, &o->volume.medium);
        case OPTION_NODE:
                return copy_path(text, o->volume.node);
        case OPTION_JSON:
                o->json = true;
                return 0;
        case OPTION_TIMEOUT:
                return parse_number(text, TIMEOUT_MAX, &o->timeout);
        case OPTION_WAIT:
                o->wait = true;
                return 0;
        case OPTION_GUARD:
                o->guard = text;
                return 0;
        case OPTION_UNMOUNT:
                o->unmount = true;
                return 0;
        case OPTION_MACHINE_WIDE:
                o->volume.machine_wide = true;
                return 0;
        case OPTION_SELF_CHECK:
                o->self_check = o->volume.unguarded = true;
                return 0;
        case 'h':
                o->help = true;
                return 0;
        default:
                return -EINVAL;
        }
}

int options_parse(int argc, char **argv, Options *ret) {
        static const struct option known[] = {
                {"list", no_argument, NULL, OPTION_LIST},
                {"plant", required_argument, NULL, OPTION_PLANT},
                {"only", required_argument, NULL, OPTION_ONLY},
                {"skip", required_argument, NULL, OPTION_SKIP},
                {"uid", required_argument, NULL, OPTION_UID},
                {"group", required_argument, NULL, OPTION_GROUP},
                {"image", required_argument, NULL, OPTION_IMAGE},
                {"medium", required_argument, NULL, OPTION_MEDIUM},
                {"node", required_argument, NULL, OPTION_NODE},
                {"json", no_argument, NULL, OPTION_JSON},
                {"timeout", required_argument, NULL, OPTION_TIMEOUT},
                {"wait", no_argument, NULL, OPTION_WAIT},
                {"guard", required_argument, NULL, OPTION_GUARD},
                {"unmount", no_argument, NULL, OPTION_UNMOUNT},
                {"machine-wide", no_argument, NULL, OPTION_MACHINE_WIDE},
                {"self-check", no_argument, NULL, OPTION_SELF_CHECK},
                {"help", no_argument, NULL, 'h'},
                {0},
        };
        int option, r;

        ret->timeout = TIMEOUT_DEFAULT;
        while ((option = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
                r = parse_one(option, optarg, ret);
                if (r < 0) {
                        options_help(stderr);
                        return -EINVAL;
                }
        }
        if (ret->list || ret->plant || ret->help)
                return optind == argc ? 0 : -EINVAL;
        if (optind + 1 != argc || ret->timeout == 0 || copy_path(argv[optind], ret->volume.mount) < 0) {
                options_help(stderr);
                return -EINVAL;
        }
        return 0;
}

bool options_match(const Patterns *patterns, const char *name) {
        for (size_t i = 0; i < patterns->n; i++)
                if (fnmatch(patterns->list[i], name, 0) == 0)
                        return true;
        return false;
}

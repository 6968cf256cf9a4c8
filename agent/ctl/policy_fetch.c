/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command policy fetch: a sealed bundle from a server, handed to the guard. TLS keeps who listens from
 * learning what is fetched; whether it counts is for its signature, as with any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/bundles.h"
#include "agent/ctl/command.h"
#include "agent/ctl/fetcher.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/policy_install.h"
#include "agent/ctl/text.h"
#include "agent/file.h"
#include "policy/scope.h"
#include "policy/sealed.h"

#define DEFAULT_CACHE_DIR "/var/cache/sekisho"
#define NOTE              "fetched"

enum {
        NOTE_MAX = 4096
};

/* What the server said when a policy from URL came into force here; nothing if it was of another URL. Three
 * lines: the URL, the tag, the date. */
static void recall(const char *path, const char *url, Validators *ret) {
        char text[NOTE_MAX], *rest = text;
        const char *lines[3] = {"", "", ""};

        *ret = (Validators){0};
        if (file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
                return;
        for (size_t i = 0; i < ELEMENTS(lines) && rest; i++)
                lines[i] = strsep(&rest, "\n");
        if (strcmp(lines[0], url) != 0 || strlen(lines[1]) >= sizeof(ret->tag) ||
            strlen(lines[2]) >= sizeof(ret->modified))
                return;
        (void)snprintf(ret->tag, sizeof(ret->tag), "%s", lines[1]);
        (void)snprintf(ret->modified, sizeof(ret->modified), "%s", lines[2]);
}

/* If that fails the same is fetched again, and no harm done. */
static void remember(const char *directory, const char *path, const char *url,
                     const Validators *validators) {
        CLEANUP_FREE char *text = text_format("%s\n%s\n%s\n", url, validators->tag, validators->modified);

        if (text && directory_ensure(directory, 0700) == 0)
                (void)file_replace(path, text, strlen(text), 0600);
}

static int say_same(const Options *options, struct json_object *answer) {
        if (!options->value[OPTION_JSON]) {
                puts(_("The server has nothing newer."));
                return EXIT_YES;
        }
        json_put_flag(answer, "installed", false);
        return json_print(answer, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
}

static int fetch(const Options *options, const char *url, const Validators *known, Fetched *ret) {
        int r = fetcher_run(url, options->value[OPTION_CA], known, ret);

        if (r == -ECONNABORTED)
                return fail(_("%s: cannot be fetched: %s"), url, ret->why);
        return r < 0 ? fail(_("%s: cannot be fetched: %s"), url, strerror(-r)) : r;
}

int command_policy_fetch(const Options *options) {
        const char *url = options->arguments[0], *directory = options->value[OPTION_CACHE_DIR];
        CLEANUP_JSON struct json_object *answer = json_object_new_object();
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FETCHED Fetched fetched = {0};
        Validators known;
        int r;

        if (fetcher_check_url(url) < 0)
                return fail(_("the address has to begin with https:// and to be ASCII without blanks"));
        if (!directory)
                directory = DEFAULT_CACHE_DIR;
        path = text_format("%s/" NOTE, directory);
        if (!path)
                return fail(_("out of memory"));
        recall(path, url, &known);
        r = fetch(options, url, &known, &fetched);
        if (r > EXIT_NO)
                return r;
        json_put_flag(answer, "fetched", r == 1);
        if (r == 0)
                return say_same(options, answer);
        if (!sealed_is(fetched.text, fetched.length))
                return fail(_("%s: is no signed bundle"), url);
        r = policy_install(options, answer, url, fetched.text, fetched.length);
        if (r == EXIT_YES && !options->value[OPTION_DRY_RUN])
                remember(directory, path, url, &fetched.validators);
        return r;
}

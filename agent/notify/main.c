/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho-notify: tells the person who was blocked. */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/ctl/i18n.h"
#include "agent/notify/notifier.h"
#include "policy/scope.h"

enum {
        OPTION_VERSION = 256,
        OPTION_HELP
};

enum {
        EXIT_USAGE = 2
};

static const struct option options[] = {
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
};

/* A new string, NULL if there can be no session bus. */
static char *session_address(void) {
        const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
        char *made;

        if (address && *address)
                return strdup(address);
        if (!runtime || !*runtime || asprintf(&made, "unix:path=%s/bus", runtime) < 0)
                return NULL;
        return made;
}

static int add_signals(sd_event *event) {
        sigset_t set;
        int r;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL); /* without a handler: end the loop */
        return r < 0 ? r : sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
}

static int run(void) {
        CLEANUP_FREE char *address = session_address();
        Notifier *notifier = NULL;
        sd_event *event = NULL;
        int r = sd_event_new(&event);

        if (r >= 0)
                r = add_signals(event);
        if (r >= 0)
                r = notifier_new(event, getuid(), address, &notifier);
        if (r >= 0) {
                (void)sd_notify(false, "READY=1");
                r = sd_event_loop(event);
        }
        notifier_free(notifier);
        sd_event_unref(event);
        if (r < 0)
                fprintf(stderr, "sekisho-notify: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        const char *locale_dir;
        int option;

        setlocale(LC_ALL, "");
        if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
                setlocale(LC_CTYPE, "C.UTF-8");
        /* a build tree has its catalogs elsewhere */
        locale_dir = secure_getenv("SEKISHO_LOCALE_DIR");
        bindtextdomain("sekisho", locale_dir ? locale_dir : SEKISHO_LOCALE_DIR);
        bind_textdomain_codeset("sekisho", "UTF-8");
        textdomain("sekisho");
        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (option) {
                case OPTION_VERSION:
                        puts("sekisho-notify " SEKISHO_VERSION);
                        return EXIT_SUCCESS;
                case OPTION_HELP:
                        fputs(_("Usage: sekisho-notify\n"
                                "\n"
                                "Runs in a person's session and tells them what the guard has refused to "
                                "them, "
                                "why, and whom\n"
                                "to ask. See sekisho-notify(1).\n"),
                              stdout);
                        return EXIT_SUCCESS;
                default:
                        return EXIT_USAGE;
                }
        if (optind < argc) {
                fprintf(stderr, "sekisho-notify: unexpected argument '%s'\n", argv[optind]);
                return EXIT_USAGE;
        }
        return run();
}

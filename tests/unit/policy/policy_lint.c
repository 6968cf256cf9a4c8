/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads each policy given and prints its faults, or "FILE: ok": exit 0 if all are good, 1 if not. With
 * --batch, names are read from standard input, one to a line, and each is answered with "0" or "1" alone. */
#include <errno.h>
#include <string.h>

#include "policy/load.h"
#include "policy/scope.h"

static int lint(const char *path, bool quiet) {
        PolicyFaults faults = {0};
        Policy *policy = NULL;
        int r = policy_load(path, &policy, &faults);

        if (!quiet)
                policy_faults_print(&faults, stdout);
        if (!quiet && r >= 0)
                printf("%s: %s\n", path, r == 1 ? "built-in default" : "ok");
        if (r < 0 && r != -EBADMSG)
                fprintf(stderr, "%s: %s\n", path, strerrordesc_np(-r));
        policy_faults_clear(&faults);
        policy_unref(policy);
        return r == 0 ? 0 : 1;
}

static int lint_batch(void) {
        CLEANUP_FREE char *line = NULL;
        size_t allocated = 0;
        ssize_t n;

        while ((n = getline(&line, &allocated, stdin)) > 0) {
                if (line[n - 1] == '\n')
                        line[n - 1] = '\0';
                printf("%d\n", lint(line, true));
        }
        return 0;
}

int main(int argc, char *argv[]) {
        int r = 0;

        if (argc == 2 && strcmp(argv[1], "--batch") == 0)
                return lint_batch();
        for (int i = 1; i < argc; i++)
                r |= lint(argv[i], false);
        return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands policy bundle and policy unpack: several policy files as one that can be signed, and back. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ctl/bundles.h"
#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/text.h"
#include "agent/ctl/words.h"
#include "agent/file.h"
#include "policy/build.h"
#include "policy/load.h"

/* What has faults is not worth signing. 0 with the serial, 1 after the faults on stderr, or 2 after one
 * line. */
static int check(const char *directory, uint64_t *ret_serial) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {.translate = word_text};
        CLEANUP_POLICY Policy *policy = NULL;
        int r = policy_load(directory, &policy, &faults);

        if (r == -EBADMSG) {
                policy_faults_print(&faults, stderr);
                return EXIT_NO;
        }
        if (r < 0)
                return fail("%s: %s", directory, strerror(-r));
        if (policy->signature)
                return fail(_("%s: holds a bundle already, and not the files of one"), directory);
        *ret_serial = policy->serial;
        return r == 1 ? fail(_("%s: no policy file (*.yaml) is there"), directory) : 0;
}

int command_policy_bundle(const Options *options) {
        const char *directory = options->arguments[0], *output = options->value[OPTION_OUTPUT];
        CLEANUP_JSON struct json_object *answer = NULL;
        CLEANUP_FILES Files files = {0};
        CLEANUP_FREE char *text = NULL;
        uint64_t serial = 0;
        size_t length;
        int r;

        if (!output)
                return fail(_("--output is needed: the bundle that is made"));
        r = check(directory, &serial);
        if (r == 0)
                r = bundles_open_directory(directory, false, &files);
        if (r != 0)
                return r;
        r = bundle_make(files.bundle.files, files.bundle.n, &text, &length);
        if (r == -EINVAL)
                return fail(_("%s: names of files have to be one word each, and end in .yaml"), directory);
        if (r == 0)
                r = file_replace(output, text, length, 0600);
        if (r < 0)
                return fail("%s: %s", output, strerror(-r));
        if (options->value[OPTION_JSON]) {
                answer = json_object_new_object();
                json_put_text(answer, "bundle", output);
                json_put_number(answer, "files", (int64_t)files.bundle.n);
                json_object_object_add(answer, "serial", json_object_new_uint64(serial));
                return json_print(answer, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
        }
        printf(_("%s: %zu files, serial %" PRIu64 ". Sign it with: sekishoctl policy sign %s --key KEY"),
               output, files.bundle.n, serial, output);
        putchar('\n');
        return EXIT_YES;
}

static int write_files(const Files *files, const char *directory) {
        for (size_t i = 0; i < files->bundle.n; i++) {
                const BundleFile *file = &files->bundle.files[i];
                CLEANUP_FREE char *path = text_format("%s/%s", directory, file->name);
                int r = path ? file_replace(path, file->text, file->length, 0600) : -ENOMEM;

                if (r < 0)
                        return fail("%s/%s: %s", directory, file->name, strerror(-r));
        }
        return EXIT_YES;
}

int command_policy_unpack(const Options *options) {
        const char *path = options->arguments[0], *directory = options->arguments[1];
        CLEANUP_FILES Files files = {0};
        char *text;
        size_t length;
        int r = bundles_read(path, &text, &length);

        if (r == 0)
                r = bundles_open(path, text, length, &files);
        if (r != 0)
                return r;
        if (mkdir(directory, 0700) < 0)
                return fail("%s: %s", directory, strerror(errno));
        return write_files(&files, directory);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands policy install and policy history. The guard alone judges a bundle and puts it in force; what
 * is shown here is for whoever asks for that. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/ctl/bundles.h"
#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/guard.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/policy_diff.h"
#include "agent/ctl/policy_install.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"
#include "policy/build.h"
#include "policy/load.h"
#include "policy/sealed.h"

#define DEFAULT_STATE_DIR "/var/lib/sekisho"
#define HISTORY           "policies"

/* Which files are new, gone or not the same, as "added", "removed" and "changed". */
static struct json_object *compare(const Bundle *before, const Bundle *after) {
        struct json_object *object = json_object_new_object(), *added = json_object_new_array(),
                           *removed = json_object_new_array(), *changed = json_object_new_array();
        size_t i = 0, j = 0;

        while (i < before->n || j < after->n) {
                const BundleFile *old = &before->files[i], *new = &after->files[j];
                int order = i == before->n ? 1 : j == after->n ? -1 : strcmp(old->name, new->name);

                if (order < 0)
                        json_append_text(removed, old->name);
                else if (order > 0)
                        json_append_text(added, new->name);
                else if (old->length != new->length || memcmp(old->text, new->text, old->length) != 0)
                        json_append_text(changed, new->name);
                i += order <= 0;
                j += order >= 0;
        }
        json_object_object_add(object, "added", added);
        json_object_object_add(object, "removed", removed);
        json_object_object_add(object, "changed", changed);
        return object;
}

static uint64_t serial_of(int r, const Policy *policy) {
        return r == 0 ? policy->serial : 0;
}

/* What would change, as far as it can be told without the guard. 0, or 2 after one line on stderr. */
static int describe(struct json_object *answer, const char *directory, const char *name, const char *sealed,
                    size_t length) {
        CLEANUP(policy_faults_clear) PolicyFaults faults_before = {0};
        CLEANUP(policy_faults_clear) PolicyFaults faults_after = {0};
        CLEANUP_POLICY Policy *before = NULL;
        CLEANUP_POLICY Policy *after = NULL;
        CLEANUP_FREE char *keys = policy_keys_of(directory), *copy = malloc(length + 1);
        CLEANUP_FILES Files old = {0};
        CLEANUP_FILES Files new = {0};
        int r;

        if (!keys || !copy)
                return fail(_("out of memory"));
        memcpy(copy, sealed, length);
        copy[length] = '\0';
        r = bundles_open(name, STEAL_PTR(copy), length, &new);
        if (r == 0)
                r = bundles_open_directory(directory, true, &old);
        if (r != 0)
                return r;
        r = policy_load_with_keys(directory, keys, &before, &faults_before);
        json_object_object_add(answer, "serial_before", json_object_new_uint64(serial_of(r, before)));
        r = policy_load_sealed(name, sealed, length, keys, &after, &faults_after);
        json_object_object_add(answer, "serial", json_object_new_uint64(serial_of(r, after)));
        json_object_object_add(answer, "files", compare(&old.bundle, &new.bundle));
        if (before && after) {
                struct json_object *verdicts = NULL;

                r = policy_diff(before, after, time(NULL), POLICY_DIFF_QUESTIONS_MAX, &verdicts);
                if (r < 0)
                        return fail(_("the policies could not be compared: %s"), strerror(-r));
                json_object_object_add(answer, "verdicts", verdicts);
        }
        return 0;
}

static void print_names(const struct json_object *files, const char *key, const char *heading) {
        struct json_object *list = json_list(files, key);

        for (size_t i = 0; list && i < json_object_array_length(list); i++) {
                fputs(heading, stdout);
                text_print(json_object_get_string(json_object_array_get_idx(list, i)), stdout);
                putchar('\n');
        }
}

static void print_description(const struct json_object *answer) {
        const struct json_object *files = json_map(answer, "files");
        int64_t before = 0, after = 0;

        (void)json_number(answer, "serial_before", &before);
        (void)json_number(answer, "serial", &after);
        if (after != 0)
                printf(_("serial %" PRId64 " -> %" PRId64 "\n"), before, after);
        print_names(files, "added", _("new:     "));
        print_names(files, "removed", _("gone:    "));
        print_names(files, "changed", _("changed: "));
        if (json_map(answer, "verdicts"))
                (void)policy_diff_print(json_map(answer, "verdicts"), stdout);
}

static struct json_object *lines_of(char *text) {
        struct json_object *list = json_object_new_array();
        char *rest = NULL;

        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                json_append_text(list, line);
        return list;
}

static int finish(const Options *options, struct json_object *answer, bool installed) {
        if (options->value[OPTION_JSON]) {
                json_put_flag(answer, "installed", installed);
                if (json_print(answer, "\n") < 0)
                        return fail(_("out of memory"));
        } else if (!options->value[OPTION_DRY_RUN]) {
                puts(installed ? _("The policy was installed and is in force.")
                               : _("The policy was refused; the one before stays in force."));
                print_names(answer, "faults", "");
        }
        return installed || options->value[OPTION_DRY_RUN] ? EXIT_YES : EXIT_NO;
}

int policy_install(const Options *options, struct json_object *answer, const char *name, const char *sealed,
                   size_t length) {
        const char *directory = options->value[OPTION_POLICY];
        CLEANUP_FREE char *faults = NULL;
        bool installed = false;
        int r = 0;

        if (geteuid() == 0) /* nobody else can read what is there */
                r = describe(answer, directory ? directory : DEFAULT_POLICY_PATH, name, sealed, length);
        if (r != 0)
                return r;
        if (!options->value[OPTION_JSON])
                print_description(answer);
        if (options->value[OPTION_DRY_RUN])
                return finish(options, answer, false);
        r = guard_install(sealed, length, &installed, &faults);
        if (r == -EACCES)
                return fail(_("the guard takes a policy from administrators only"));
        if (r < 0)
                return fail(_("the guard does not answer on the system bus (%s), and nothing was changed"),
                            strerror(-r));
        json_object_object_add(answer, "faults", lines_of(faults));
        return finish(options, answer, installed);
}

int command_policy_install(const Options *options) {
        CLEANUP_JSON struct json_object *answer = json_object_new_object();
        CLEANUP_FREE char *sealed = NULL;
        size_t length;
        int r = bundles_read_sealed(options->arguments[0], &sealed, &length);

        return r == 0 ? policy_install(options, answer, options->arguments[0], sealed, length) : r;
}

/* history */

static int is_edition(const struct dirent *entry) {
        size_t n = strlen(entry->d_name);

        return entry->d_name[0] != '.' && n > 7 && strcmp(entry->d_name + n - 7, ".bundle") == 0;
}

static int newest_first(const struct dirent **a, const struct dirent **b) {
        return strcmp((*b)->d_name, (*a)->d_name);
}

/* When minisign says that it was signed, where it does. */
static int64_t signed_at(const char *comment) {
        static const char word[] = "timestamp:";

        return strncmp(comment, word, strlen(word)) == 0 ? strtoll(comment + strlen(word), NULL, 10) : 0;
}

static void add_edition(struct json_object *list, const char *directory, const char *name) {
        CLEANUP_FREE char *path = text_format("%s/%s", directory, name), *text = NULL;
        struct json_object *object = json_object_new_object();
        MinisignSignature signature;
        size_t length, at;
        char id[20];

        json_object_object_add(object, "serial", json_object_new_uint64(strtoull(name, NULL, 10)));
        json_put_text(object, "path", path);
        if (path && bundles_read(path, &text, &length) == 0 && bundle_unseal(text, length, &at) == 0 &&
            minisign_signature_parse(text, at, &signature) == 0) {
                snprintf(id, sizeof(id), "%" PRIX64, signature.id);
                json_put_text(object, "key", id);
                json_put_text(object, "comment", signature.comment);
                if (signed_at(signature.comment) > 0)
                        json_put_number(object, "signed", signed_at(signature.comment));
        }
        json_object_array_add(list, object);
}

static void print_edition(const struct json_object *edition) {
        char buffer[TIMESPEC_TEXT_MAX] = "-";
        int64_t serial = 0, at = 0;

        (void)json_number(edition, "serial", &serial);
        if (json_number(edition, "signed", &at))
                timespec_for_person((uint64_t)at * USEC_PER_SEC, buffer);
        printf("%-16" PRId64 "  %-19s  ", serial, buffer);
        text_print(json_text(edition, "key"), stdout);
        fputs("  ", stdout);
        text_print(json_text(edition, "path"), stdout);
        putchar('\n');
}

int command_policy_history(const Options *options) {
        const char *state_dir = options->value[OPTION_STATE_DIR];
        CLEANUP_FREE char *directory = text_format("%s/" HISTORY, state_dir ? state_dir : DEFAULT_STATE_DIR);
        CLEANUP_JSON struct json_object *list = json_object_new_array();
        struct dirent **entries = NULL;
        int n;

        if (!directory)
                return fail(_("out of memory"));
        n = scandir(directory, &entries, is_edition, newest_first);
        if (n < 0 && errno != ENOENT)
                return fail("%s: %s", directory, strerror(errno));
        for (int i = 0; i < n; i++) {
                add_edition(list, directory, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        if (options->value[OPTION_JSON])
                return json_print(list, "\n") < 0 ? fail(_("out of memory")) : n > 0 ? EXIT_YES : EXIT_NO;
        for (int i = 0; i < n; i++)
                print_edition(json_object_array_get_idx(list, (size_t)i));
        if (n <= 0)
                puts(_("No signed policy was in force yet."));
        return n > 0 ? EXIT_YES : EXIT_NO;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command pam check: whether every login that the policy guards passes pam_sekisho. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/pam.h"
#include "agent/ctl/text.h"
#include "policy/build.h"
#include "policy/decide_mfa.h"
#include "policy/load.h"

/* Of libpam, as Debian has it. */
#define PAM_DIRECTORY        "/etc/pam.d"
#define PAM_VENDOR_DIRECTORY "/usr/lib/pam.d"
#define PAM_SINGLE_FILE      "/etc/pam.conf"
#define PAM_ISA_DIRECTORY    "/lib/security"

static void check_clear(PamCheck *check) {
        json_object_put(check->services);
        json_object_put(check->findings);
        json_object_put(check->notes);
        json_object_put(check->looked_at);
}

/* StackSource's: errors are those of fopen(3) where libpam goes on. */
static int read_file(void *userdata, const char *path, char **ret_text, size_t *ret_size) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        CLEANUP_FREE char *text = NULL;
        struct stat st;
        size_t size = 0;

        (void)userdata;
        if (fd < 0)
                return errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG ? -ENOENT : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
                return -EINVAL;
        text = malloc(STACK_TEXT_MAX + 1);
        if (!text)
                return -ENOMEM;
        while (S_ISREG(st.st_mode)) {
                ssize_t n = read(fd, text + size, STACK_TEXT_MAX + 1 - size);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        break;
                size += n > 0 ? (size_t)n : 0;
                if (size > STACK_TEXT_MAX)
                        return -E2BIG;
        }
        *ret_text = STEAL_PTR(text);
        *ret_size = size;
        return 0;
}

/* Whether programs may be known to PAM by NAME: pam_start() makes it lower case. What pam-auth-update writes
 * for others to include, and what dpkg and editors leave, is none. */
static bool is_service(const char *name) {
        if (name[0] == '.' || strncmp(name, "common-", strlen("common-")) == 0 || strstr(name, ".dpkg-") ||
            strstr(name, ".ucf-") || name[strlen(name) - 1] == '~')
                return false;
        for (; *name; name++)
                if (isupper((unsigned char)*name))
                        return false;
        return true;
}

static void add_name(struct json_object *names, const char *name) {
        for (size_t i = 0; i < json_object_array_length(names); i++)
                if (strcmp(json_object_get_string(json_object_array_get_idx(names, i)), name) == 0)
                        return;
        json_append_text(names, name);
}

/* 0, or -errno; a directory that is not there has no services. */
static int add_directory(struct json_object *names, const char *path) {
        CLEANUP_DIR DIR *directory = path ? opendir(path) : NULL;
        struct dirent *entry;

        if (!directory)
                return path && errno != ENOENT ? -errno : 0;
        while ((errno = 0, entry = readdir(directory)))
                if (entry->d_type != DT_DIR && is_service(entry->d_name))
                        add_name(names, entry->d_name);
        return -errno;
}

static int by_name(const void *a, const void *b) {
        return strcmp(json_object_get_string(*(struct json_object *const *)a),
                      json_object_get_string(*(struct json_object *const *)b));
}

/* All that there are, and those that the policy guards: these go by "other" if they have no file. */
static int add_all(PamCheck *check, struct json_object *names) {
        const StackSource *source = check->source;
        int r = add_directory(names, source->directory);

        if (r < 0)
                return fail("%s: %s", source->directory, strerror(-r));
        r = add_directory(names, source->fallback);
        if (r < 0)
                return fail("%s: %s", source->fallback, strerror(-r));
        for (size_t i = 0; i < check->policy->n_mfa_services; i++)
                if (check->policy->mfa_services[i].required)
                        add_name(names, check->policy->mfa_services[i].name);
        add_name(names, "other");
        json_object_array_sort(names, by_name);
        return 0;
}

/* Those that are asked for. One that has no file goes by "other". */
static int choose(const Options *options, struct json_object **ret) {
        struct json_object *names = json_object_new_array();

        for (size_t i = 0; i < options->n_arguments; i++) {
                const char *name = options->arguments[i];

                if (!*name || strchr(name, '/') || !is_service(name)) {
                        json_object_put(names);
                        return fail(_("'%s' cannot be the name of a service"), name);
                }
                add_name(names, name);
        }
        *ret = names;
        return 0;
}

static int check_names(PamCheck *check, struct json_object *names) {
        bool guarded = false;

        for (size_t i = 0; i < json_object_array_length(names); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(names, i));

                if (!mfa_guards_service(check->policy, name)) {
                        struct json_object *service = json_object_new_object();

                        json_put_text(service, "service", name);
                        json_put_text(service, "verdict", "off");
                        json_object_array_add(check->services, service);
                        continue;
                }
                guarded = true;
                if (pam_check_service(check, name) != 0)
                        return EXIT_TROUBLE;
                if (strcmp(name, "sshd") == 0 && strcmp(check->source->directory, PAM_DIRECTORY) == 0)
                        pam_check_sshd(check);
        }
        if (!guarded)
                pam_find(check, true, NULL, 0, _("the policy guards none of these: nothing is proven"));
        return 0;
}

static int print_json(const PamCheck *check) {
        CLEANUP_JSON struct json_object *object = json_object_new_object();

        json_put_flag(object, "ok", !check->open);
        json_object_object_add(object, "services", json_object_get(check->services));
        json_object_object_add(object, "findings", json_object_get(check->findings));
        json_object_object_add(object, "notes", json_object_get(check->notes));
        return json_print(object, "\n");
}

/* NULL after one line on stderr. */
static Policy *load_policy(const Options *options) {
        const char *given = options->value[OPTION_POLICY], *path = given ? given : DEFAULT_POLICY_PATH;
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        Policy *policy = NULL;
        int r;

        /* without any, the built-in default is in force; a path that is given has to be there */
        if (access(path, R_OK) < 0 && (given || errno != ENOENT)) {
                (void)fail("%s: %s", path, strerror(errno));
                return NULL;
        }
        r = policy_load(path, &policy, &faults);
        if (r == -EBADMSG)
                (void)fail(_("%s: the policy has faults; see sekishoctl policy check"), path);
        else if (r < 0)
                (void)fail("%s: %s", path, strerror(-r));
        return policy;
}

static bool is_directory(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* 0, or 2 after one line on stderr. */
static int find_source(const Options *options, StackSource *ret) {
        const char *given = options->value[OPTION_DIRECTORY];

        *ret = (StackSource){.directory = given ? given : PAM_DIRECTORY, .read = read_file};
        if (given)
                return is_directory(given)
                               ? 0
                               : fail("%s: %s", given, strerror(errno == ENOENT ? ENOENT : ENOTDIR));
        ret->fallback = PAM_VENDOR_DIRECTORY;
        if (!is_directory(PAM_DIRECTORY) && !is_directory(PAM_VENDOR_DIRECTORY))
                ret->single = PAM_SINGLE_FILE;
        return 0;
}

int pam_check_all(const Options *options, int (*tell)(void *userdata, const PamCheck *check),
                  void *userdata) {
        CLEANUP_POLICY Policy *policy = load_policy(options);
        CLEANUP_JSON struct json_object *all = json_object_new_array(), *names = NULL;
        const char *modules = options->value[OPTION_MODULE_DIR];
        StackSource source;
        CLEANUP(check_clear)
        PamCheck check = {
                .source = &source,
                .modules = {modules ? modules : PAM_MODULE_DIRECTORY, modules ? NULL : PAM_ISA_DIRECTORY},
                .strict = options->value[OPTION_STRICT],
                .services = json_object_new_array(),
                .findings = json_object_new_array(),
                .notes = json_object_new_array(),
                .looked_at = json_object_new_object()};

        if (!policy || find_source(options, &source) != 0)
                return EXIT_TROUBLE;
        check.policy = policy;
        if (add_all(&check, all) != 0 || (options->n_arguments > 0 && choose(options, &names) != 0) ||
            check_names(&check, names ? names : all) != 0)
                return EXIT_TROUBLE;
        return tell(userdata, &check);
}

static int print(void *userdata, const PamCheck *check) {
        const Options *options = userdata;

        if (!options->value[OPTION_JSON])
                pam_print(check);
        else if (print_json(check) < 0)
                return fail(_("out of memory"));
        return check->open ? EXIT_NO : EXIT_YES;
}

int command_pam_check(const Options *options) {
        return pam_check_all(options, print, (void *)options);
}

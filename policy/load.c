/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "policy/build.h"
#include "policy/check.h"
#include "policy/compile.h"
#include "policy/file.h"
#include "policy/fill.h"
#include "policy/sealed.h"

typedef struct Place {
        const char *file;
        size_t line, column;
} Place;

/* One run of the loader. */
typedef struct Load {
        Policy *policy;
        Faults faults;
        RuleNames names;
        bool has_serial;
        size_t n_files, n_parsed;  /* what cannot be parsed may have had the serial */
        const char *first_file;    /* where a missing serial is reported */
        const char *services_file; /* where mfa.services stands last */
        size_t services_line, services_column;
        const char *replaced, *text; /* a file that is taken from memory, NULL: none */
        size_t length;
        const char *keys; /* the directory of public keys */
        char **paths;     /* of the files of a bundle, which places name */
        size_t n_paths;
        Place every; /* of self-test.every, the last that was given */
} Load;

static const cyaml_config_t cyaml_config = {
        .mem_fn = cyaml_mem, .log_fn = NULL, .log_level = CYAML_LOG_ERROR, .flags = CYAML_CFG_NO_ALIAS};

/* What check.c found nothing wrong with has to fit the tables, too: numbers, for one, their types. */
static int make_raw(Load *load, const char *file, const Tree *tree, RawPolicy **ret) {
        int r = fill_from_tree(&policy_schema, tree, (void **)ret);

        if (r != -EINVAL)
                return r;
        faults_add(&load->faults, file, 0, 0, "refused by the YAML reader: %s",
                   cyaml_strerror(CYAML_ERR_INVALID_VALUE));
        return -EBADMSG;
}

static int add_checked(Load *load, const char *file, const Tree *tree) {
        RawPolicy *raw = NULL;
        int r = make_raw(load, file, tree, &raw);

        if (r < 0)
                return r;
        r = compile_add(load->policy, raw, tree, file, &load->has_serial);
        (void)cyaml_free(&cyaml_config, &policy_schema, raw, 0);
        if (r != -EINVAL)
                return r;
        faults_add(&load->faults, file, 0, 0, "was read in two ways that do not agree");
        return -EBADMSG;
}

static void note_place(const TreeNode *node, const char *file, Place *ret) {
        if (node)
                *ret = (Place){.file = file, .line = node->line, .column = node->column};
}

/* Remembers what check_whole() has to know even of a file with faults. */
static void note_places(Load *load, const char *file, const Tree *tree) {
        const TreeNode *root = tree_root(tree);
        const TreeNode *services = tree_find(tree, tree_find(tree, root, "mfa"), "services");

        if (tree_find(tree, root, "serial"))
                load->has_serial = true;
        note_place(tree_find(tree, tree_find(tree, root, "self-test"), "every"), file, &load->every);
        if (services) {
                load->services_file = file;
                load->services_line = services->line;
                load->services_column = services->column;
        }
}

/* Adds one file. -EBADMSG means that faults were added; the next file may still be looked at. */
static int add_text(Load *load, const char *file, const char *text, size_t length) {
        CLEANUP_TREE Tree tree = {0};
        Check check = {.file = file, .tree = &tree, .faults = &load->faults, .names = &load->names};
        int r;

        if (!load->first_file)
                load->first_file = file;
        if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* the byte-order mark of some editors */
                text += 3;
                length -= 3;
        }
        r = tree_parse(file, text, length, &tree, &load->faults);
        if (r < 0)
                return r;
        if (tree_root(&tree)->kind == TREE_MAPPING)
                load->n_parsed++;
        note_places(load, file, &tree);
        check_tree(&check);
        r = faults_result(&load->faults);
        return r < 0 ? r : add_checked(load, file, &tree);
}

/* Each file of a bundle. One with faults does not keep the others from being looked at. */
static int add_bundle(Load *load, const char *path, const Bundle *bundle) {
        int result = 0;

        load->n_files = bundle->n;
        load->paths = calloc(bundle->n + 1, sizeof(*load->paths));
        if (!load->paths)
                return -ENOMEM;
        for (size_t i = 0; i < bundle->n; i++) {
                const BundleFile *file = &bundle->files[i];
                int r;

                if (asprintf(&load->paths[i], "%s/%s", path, file->name) < 0)
                        return -ENOMEM;
                load->n_paths++;
                r = add_text(load, load->paths[i], file->text, file->length);
                if (r < 0 && r != -EBADMSG)
                        return r;
                if (r < 0)
                        result = r;
        }
        return result;
}

static int add_sealed(Load *load, const char *path, const char *text, size_t length) {
        CLEANUP_FREE MinisignSignature *signature = malloc(sizeof(*signature));
        CLEANUP_FREE Keyring *keyring = malloc(sizeof(*keyring));
        CLEANUP_BUNDLE Bundle bundle = {0};
        int r = signature && keyring ? keyring_load(load->keys, keyring, &load->faults) : -ENOMEM;

        if (r == 0)
                r = sealed_open(path, text, length, keyring, &bundle, signature, &load->faults);
        if (r < 0)
                return r;
        load->policy->signature = STEAL_PTR(signature);
        return add_bundle(load, path, &bundle);
}

/* One that nobody has signed: for who makes it, and where policies need not be signed. */
static int add_unsigned(Load *load, const char *path, const char *text, size_t length) {
        CLEANUP_BUNDLE Bundle bundle = {0};
        const char *why = NULL;
        int r = bundle_parse(text, length, &bundle, &why);

        if (r == -EBADMSG)
                faults_add(&load->faults, path, 0, 0, "%s", faults_text(&load->faults, why));
        return r < 0 ? r : add_bundle(load, path, &bundle);
}

/* What no single file can be blamed for. */
static void check_whole(Load *load) {
        const Policy *policy = load->policy;

        rule_names_find_doubles(&load->names, &load->faults);
        if (!load->has_serial && load->n_parsed == load->n_files)
                faults_add(
                        &load->faults, load->first_file, 1, 1,
                        "key \"serial\" is missing; expected it in this file or another of its directory");
        if (faults_result(&load->faults) < 0)
                return; /* the policy is not whole */
        if (policy->zone == ZONE_MYNUMBER && policy->self_test_every == 0) {
                faults_add(&load->faults, load->every.file, load->every.line, load->every.column,
                           "self-test.every is 0 in the zone mynumber; expected 1 to 1440 minutes");
                return;
        }
        for (size_t i = 0; policy->n_mfa_factors == 0 && i < policy->n_mfa_rules; i++)
                if (policy->mfa_rules[i].login == LOGIN_REQUIRED && policy->mfa_rules[i].factors == 0) {
                        faults_add(
                                &load->faults, load->first_file, 0, 0,
                                "the rule \"%s\" requires factors, but there are none; expected factors in "
                                "the rule, or mfa.factors",
                                policy->mfa_rules[i].name);
                        return;
                }
        for (size_t i = 0; i < policy->n_mfa_services; i++)
                if (policy->mfa_services[i].required && policy->n_mfa_factors == 0) {
                        faults_add(&load->faults, load->services_file, load->services_line,
                                   load->services_column,
                                   "mfa.services requires factors of \"%s\", but there are none; expected "
                                   "mfa.factors",
                                   policy->mfa_services[i].name);
                        return;
                }
}

static int load_finish(Load *load, int r, Policy **ret, PolicyFaults *ret_faults) {
        CLEANUP_POLICY Policy *policy = NULL;

        if (r == 0 || r == -EBADMSG) {
                if (load->first_file)
                        check_whole(load);
                r = faults_result(&load->faults);
        }
        faults_finish(&load->faults);
        policy = STEAL_PTR(load->policy);
        rule_names_clear(&load->names);
        policy_file_list_free(load->paths, load->n_paths);
        if (r == 0)
                r = compile_finish(policy);
        if (r == 0)
                *ret = STEAL_PTR(policy);
        *ret_faults = load->faults.list;
        return r;
}

static int load_start(Load *load) {
        tzset(); /* for the dates (expiry.h) */
        load->policy = policy_new();
        return load->policy ? 0 : -ENOMEM;
}

int policy_load_buffer(const char *name, const char *text, size_t length, Policy **ret,
                       PolicyFaults *ret_faults) {
        Load load = {.n_files = 1, .faults.list.translate = ret_faults->translate};
        int r = load_start(&load);

        if (r == 0)
                r = add_text(&load, name, text, length);
        return load_finish(&load, r, ret, ret_faults);
}

/* Reads and adds the file open as FD. */
static int add_file(Load *load, int fd, const char *path) {
        CLEANUP_FREE char *text = NULL;
        size_t length;
        int r = policy_file_read(fd, path, &text, &length, &load->faults);

        if (r < 0)
                return r;
        if (sealed_is(text, length))
                return add_sealed(load, path, text, length);
        if (bundle_is(text, length))
                return add_unsigned(load, path, text, length);
        return add_text(load, path, text, length);
}

/* The bundle of a directory. -ENOENT if there is none. */
static int add_directory_bundle(Load *load, int dir_fd, const char *directory) {
        CLEANUP_FREE char *path = NULL, *text = NULL;
        CLEANUP_CLOSE int fd = -1;
        bool is_directory;
        size_t length;
        int r;

        if (asprintf(&path, "%s/" BUNDLE_NAME, directory) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = policy_file_open(dir_fd, BUNDLE_NAME, path, &is_directory, &load->faults);
        if (fd < 0)
                return fd;
        if (is_directory) {
                faults_add(&load->faults, path, 0, 0, "is a directory; expected a regular file");
                return -EBADMSG;
        }
        r = policy_file_read(fd, path, &text, &length, &load->faults);
        return r < 0 ? r : add_sealed(load, path, text, length);
}

/* Adds NAME of the directory DIR_FD. */
static int add_entry(Load *load, int dir_fd, const char *name, const char *path) {
        CLEANUP_CLOSE int fd = -1;
        bool is_directory;

        if (load->replaced && strcmp(name, load->replaced) == 0)
                return add_text(load, path, load->text, load->length);
        fd = policy_file_open(dir_fd, name, path, &is_directory, &load->faults);
        if (fd < 0)
                return fd;
        if (!is_directory)
                return add_file(load, fd, path);
        faults_add(&load->faults, path, 0, 0, "is a directory; expected a regular file");
        return -EBADMSG;
}

/* Files with faults do not keep the others from being looked at: one run shows all faults. */
static int add_entries(Load *load, int dir_fd, char *const *names, char *const *paths, size_t n) {
        int result = 0;

        load->n_files = n;
        for (size_t i = 0; i < n; i++) {
                int r = add_entry(load, dir_fd, names[i], paths[i]);

                if (r == -ENOENT) { /* it was there a moment ago */
                        faults_add(&load->faults, paths[i], 0, 0, "has gone while the directory was read");
                        r = -EBADMSG;
                }
                if (r < 0 && r != -EBADMSG)
                        return r;
                if (r < 0)
                        result = r;
        }
        return result;
}

static int make_paths(const char *directory, char *const *names, size_t n, char ***ret) {
        size_t length = strlen(directory);
        const char *slash = length > 0 && directory[length - 1] == '/' ? "" : "/";
        char **paths = calloc(n, sizeof(*paths));

        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (asprintf(&paths[i], "%s%s%s", directory, slash, names[i]) < 0) {
                        policy_file_list_free(paths, i);
                        return -ENOMEM;
                }
        *ret = paths;
        return 0;
}

/* Takes FD over. 1 if there is no file in it. */
static int load_directory(int fd, const char *path, Load *load, Policy **ret, PolicyFaults *ret_faults) {
        CLEANUP_CLOSE int dir_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* fdopendir takes the other */
        char **names = NULL, **paths = NULL;
        size_t n = 0;
        int r = dir_fd < 0 ? -errno : 0;

        if (r == 0)
                r = add_directory_bundle(load, dir_fd, path);
        if (r != -ENOENT) {
                close(fd);
                if (r == 0 && load->replaced) {
                        faults_add(&load->faults, path, 0, 0,
                                   "holds a bundle, which is the whole policy; expected no file beside it");
                        r = -EBADMSG;
                }
                return load_finish(load, r, ret, ret_faults);
        }
        r = policy_file_list(fd, path, &names, &n, &load->faults);
        if (r == 0 && load->replaced)
                r = policy_file_list_add(&names, &n, load->replaced);
        if (r == 0 && n > 0)
                r = make_paths(path, names, n, &paths);
        if (paths)
                r = add_entries(load, dir_fd, names, paths, n);
        r = load_finish(load, r == 0 && n == 0 ? -ENOENT : r, ret, ret_faults);
        policy_file_list_free(names, names ? n : 0);
        policy_file_list_free(paths, paths ? n : 0);
        return r;
}

int policy_load_with_keys(const char *path, const char *keys, Policy **ret, PolicyFaults *ret_faults) {
        CLEANUP_CLOSE int fd = -1;
        Load load = {.n_files = 1, .keys = keys, .faults.list.translate = ret_faults->translate};
        bool is_directory = false;
        int r = load_start(&load);

        if (r == 0 && (fd = policy_file_open(AT_FDCWD, path, path, &is_directory, &load.faults)) < 0)
                r = fd;
        if (is_directory)
                r = load_directory(STEAL_FD(fd), path, &load, ret, ret_faults);
        else
                r = load_finish(&load, r < 0 ? r : add_file(&load, fd, path), ret, ret_faults);
        if (r != -ENOENT)
                return r;
        r = policy_default(ret);
        return r < 0 ? r : 1;
}

/* keys.d beside DIRECTORY. A new string, NULL if memory is short. */
static char *keys_beside(const char *directory) {
        size_t length = strlen(directory);
        char *keys;

        while (length > 1 && directory[length - 1] == '/')
                length--;
        while (length > 0 && directory[length - 1] != '/')
                length--;
        return asprintf(&keys, "%.*skeys.d", (int)length, directory) < 0 ? NULL : keys;
}

static bool is_file(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

char *policy_keys_of(const char *path) {
        return is_file(path) ? strdup(KEYRING_DIRECTORY) : keys_beside(path);
}

int policy_load(const char *path, Policy **ret, PolicyFaults *ret_faults) {
        CLEANUP_FREE char *keys = policy_keys_of(path);

        return keys ? policy_load_with_keys(path, keys, ret, ret_faults) : -ENOMEM;
}

int policy_load_sealed(const char *name, const char *text, size_t length, const char *keys, Policy **ret,
                       PolicyFaults *ret_faults) {
        Load load = {.n_files = 1, .keys = keys, .faults.list.translate = ret_faults->translate};
        int r = load_start(&load);

        if (r == 0)
                r = add_sealed(&load, name, text, length);
        return load_finish(&load, r, ret, ret_faults);
}

int policy_load_replacing(const char *directory, const char *name, const char *text, size_t length,
                          Policy **ret, PolicyFaults *ret_faults) {
        CLEANUP_CLOSE int fd = -1;
        CLEANUP_FREE char *keys = keys_beside(directory);
        Load load = {.replaced = name, .text = text, .length = length, .keys = keys};
        bool is_directory = false;
        int r = keys ? load_start(&load) : -ENOMEM;

        if (r == 0 &&
            (fd = policy_file_open(AT_FDCWD, directory, directory, &is_directory, &load.faults)) < 0)
                r = fd;
        if (is_directory)
                return load_directory(STEAL_FD(fd), directory, &load, ret, ret_faults);
        return load_finish(&load, r < 0 ? r : -ENOTDIR, ret, ret_faults);
}

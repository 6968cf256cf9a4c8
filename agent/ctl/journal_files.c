/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/journal_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "policy/scope.h"

enum {
        DEPTH_MAX = 8,
        OTHER_FILES = 64,  /* open besides the journal's */
        FILES_MAX = 7000,  /* sd-journal takes 7168 and leaves out what is beyond (JOURNAL_FILES_MAX) */
        REPEATS_FIRST = 64 /* a power of two */
};

DEFINE_CLEANUP(sd_journal, sd_journal_close);

typedef struct Found {
        char **paths; /* ended by a NULL */
        size_t n;
        bool nested; /* one is below a directory that sd-journal does not look into by itself */
} Found;

static void found_clear(Found *found) {
        for (size_t i = 0; i < found->n; i++)
                free(found->paths[i]);
        free(found->paths);
}

static bool ends(const char *name, const char *suffix) {
        size_t length = strlen(name), n = strlen(suffix);

        return length > n && strcmp(name + length - n, suffix) == 0;
}

static int add(Found *found, char *path) {
        char **grown = reallocarray(found->paths, found->n + 2, sizeof(*grown));

        if (!grown) {
                free(path);
                return -ENOMEM;
        }
        found->paths = grown;
        grown[found->n++] = path;
        grown[found->n] = NULL;
        return found->n > FILES_MAX ? -EMFILE : 0;
}

static int look_into(Found *found, const char *directory, int depth);

static int look_at(Found *found, const char *directory, const char *name, int depth) {
        CLEANUP_FREE char *path = text_format("%s/%s", directory, name);
        struct stat st;

        if (!path)
                return -ENOMEM;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno; /* vacuumed meanwhile */
        if (S_ISDIR(st.st_mode))
                return depth < DEPTH_MAX ? look_into(found, path, depth + 1) : 0;
        if (!S_ISREG(st.st_mode) || (!ends(name, ".journal") && !ends(name, ".journal~")))
                return 0;
        found->nested = found->nested || depth > 0;
        return add(found, STEAL_PTR(path));
}

static int look_into(Found *found, const char *directory, int depth) {
        CLEANUP_DIR DIR *dir = opendir(directory);
        const struct dirent *entry;
        int r = 0;

        if (!dir)
                return -errno;
        while (r == 0 && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        r = look_at(found, directory, entry->d_name, depth);
        return r;
}

/* As many open files as this takes. 0 or -EMFILE. */
static int make_room(size_t files) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        if (limit.rlim_cur >= files + OTHER_FILES)
                return 0;
        if (limit.rlim_max < files + OTHER_FILES)
                return -EMFILE;
        limit.rlim_cur = files + OTHER_FILES;
        return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

/* A directory that sd-journal knows to look through is also watched for files that come. */
int journal_files_open(const char *directory, sd_journal **ret) {
        CLEANUP(found_clear) Found found = {0};
        int r = look_into(&found, directory, 0);

        if (r == 0 && found.n == 0)
                return -ENOENT;
        if (r == 0)
                r = make_room(found.n);
        if (r < 0)
                return r;
        return found.nested ? sd_journal_open_files(ret, (const char **)found.paths, 0)
                            : sd_journal_open_directory(ret, directory, 0);
}

int journal_open_named(const Options *options, int flags, sd_journal **ret) {
        const char *directory = options->value[OPTION_DIRECTORY], *file = options->value[OPTION_FILE];
        const char *files[] = {file, NULL}, *path = directory ? directory : file;
        CLEANUP(scope_sd_journal_close) sd_journal *journal = NULL;
        uint64_t bytes = 0;
        int r;

        if (directory && file)
                return fail(_("--directory does not go with --file"));
        r = directory ? journal_files_open(directory, &journal)
            : file    ? sd_journal_open_files(&journal, files, 0)
                      : sd_journal_open(&journal, flags);
        if (r == -EMFILE)
                return fail(_("%s: more journal files than can be read at once; expected a smaller part"),
                            path ? path : "-");
        if (r < 0 && !(directory && r == -ENOENT && access(directory, F_OK) == 0))
                return fail(_("cannot open the journal%s%s: %s"), path ? " " : "", path ? path : "",
                            strerror(-r));
        if (journal)
                (void)sd_journal_get_usage(journal, &bytes);
        if (bytes == 0 && path)
                return fail(_("there is no journal file that can be read in %s"), path);
        if (bytes == 0)
                return fail(_("there is no journal that can be read (root and group systemd-journal may)"));
        *ret = STEAL_PTR(journal);
        return 0;
}

static bool is_machine_id(const char *text) {
        return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

int journal_match_terminal(sd_journal *journal, const Options *options) {
        const char *terminal = options->value[OPTION_TERMINAL];
        CLEANUP_FREE char *match = NULL;

        if (!terminal)
                return 0;
        match = text_format("%s=%s", is_machine_id(terminal) ? "_MACHINE_ID" : "_HOSTNAME", terminal);
        return match ? sd_journal_add_match(journal, match, 0) : -ENOMEM;
}

/* repeats */

void repeats_clear(Repeats *repeats) {
        free(repeats->keys);
        *repeats = (Repeats){0};
}

static const unsigned char nothing[REPEAT_KEY_SIZE];

/* Where KEY stands, or would. There is always room. */
static unsigned char *place_of(const Repeats *repeats, const unsigned char key[static REPEAT_KEY_SIZE]) {
        uint64_t start;

        memcpy(&start, key, sizeof(start));
        for (size_t i = start & (repeats->allocated - 1);; i = (i + 1) & (repeats->allocated - 1))
                if (memcmp(repeats->keys[i], key, REPEAT_KEY_SIZE) == 0 ||
                    memcmp(repeats->keys[i], nothing, REPEAT_KEY_SIZE) == 0)
                        return repeats->keys[i];
}

static int grow(Repeats *repeats) {
        Repeats more = {.allocated = repeats->allocated ? repeats->allocated * 2 : REPEATS_FIRST,
                        .n = repeats->n};

        if (repeats->n < repeats->allocated / 2)
                return 0;
        more.keys = calloc(more.allocated, sizeof(*more.keys));
        if (!more.keys)
                return -ENOMEM;
        for (size_t i = 0; i < repeats->allocated; i++)
                if (memcmp(repeats->keys[i], nothing, REPEAT_KEY_SIZE) != 0)
                        memcpy(place_of(&more, repeats->keys[i]), repeats->keys[i], REPEAT_KEY_SIZE);
        free(repeats->keys);
        *repeats = more;
        return 0;
}

static void hash_text(crypto_generichash_state *state, const char *text) {
        (void)crypto_generichash_update(state, (const unsigned char *)(text ? text : ""),
                                        (text ? strlen(text) : 0) + 1);
}

int repeats_take(Repeats *repeats, const EventRecord *record, ChainDigest *digest) {
        unsigned char said[CHAIN_LINK_SIZE], key[REPEAT_KEY_SIZE], *place;
        const char *link = event_record_get(record, FIELD_CHAIN);
        crypto_generichash_state state;
        int r;

        if (!link || chain_digest_end(digest, said) < 0)
                return 0;
        r = grow(repeats);
        if (r < 0)
                return r;
        (void)crypto_generichash_init(&state, NULL, 0, sizeof(key));
        hash_text(&state, link);
        /* who wrote it is no part of the digest: somebody else's is not the same */
        hash_text(&state, event_record_get(record, "_MACHINE_ID"));
        hash_text(&state, event_record_get(record, "_UID"));
        hash_text(&state, event_record_get(record, "_EXE"));
        hash_text(&state, event_record_get(record, "_COMM"));
        hash_text(&state, event_record_get(record, "_TRANSPORT"));
        (void)crypto_generichash_update(&state, (const unsigned char *)&record->realtime,
                                        sizeof(record->realtime));
        (void)crypto_generichash_update(&state, said, sizeof(said));
        (void)crypto_generichash_final(&state, key, sizeof(key));
        place = place_of(repeats, key);
        if (memcmp(place, key, sizeof(key)) == 0)
                return 1;
        memcpy(place, key, sizeof(key));
        repeats->n++;
        return 0;
}

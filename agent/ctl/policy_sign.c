/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy sign: a signature for a bundle, as minisign would make it. For the office's machine. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/ctl/bundles.h"
#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/passphrase.h"
#include "agent/ctl/signing_key.h"
#include "agent/ctl/text.h"
#include "agent/file.h"
#include "policy/scope.h"

/* Locked memory, and what is to be typed or read into it. */
static void scope_locked(char **memory) {
        sodium_free(*memory);
}
#define CLEANUP_LOCKED CLEANUP(scope_locked)

static char *locked_new(size_t size) {
        return sodium_init() < 0 ? NULL : sodium_malloc(size);
}

/* The whole of FD into TEXT; nothing of it goes through a buffer of stdio. The length or -errno. */
static ssize_t read_key_file(int fd, char *text, size_t size) {
        size_t n = 0;

        while (n < size) {
                ssize_t got = read(fd, text + n, size - n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        return (ssize_t)n;
                n += (size_t)got;
        }
        return -E2BIG;
}

static int unlock(SigningKey *key, const char *path) {
        CLEANUP_LOCKED char *passphrase = locked_new(SIGNING_PASSPHRASE_MAX);
        CLEANUP_FREE char *prompt = text_format(_("Passphrase of %s: "), path);
        int r;

        if (!passphrase || !prompt)
                return fail(_("out of memory"));
        r = passphrase_read(prompt, passphrase, SIGNING_PASSPHRASE_MAX);
        if (r == -ENODATA)
                return fail(_("%s: no passphrase was given"), path);
        if (r < 0)
                return fail(_("%s: the passphrase cannot be read: %s"), path, strerror(-r));
        r = signing_key_unlock(key, passphrase);
        if (r == -EKEYREJECTED)
                return fail(_("%s: that is not its passphrase"), path);
        return r < 0 ? fail(_("out of memory")) : 0;
}

/* The key of PATH, ready to sign. 0, or 2 after one line on stderr. */
static int open_key(const char *path, SigningKey **ret) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        CLEANUP_LOCKED char *text = locked_new(SIGNING_FILE_MAX + 1);
        CLEANUP_SIGNING_KEY SigningKey *key = NULL;
        bool locked = false;
        struct stat st;
        ssize_t n;
        int r;

        if (!text)
                return fail(_("out of memory"));
        if (fd < 0 || fstat(fd, &st) < 0)
                return fail("%s: %s", path, strerror(errno));
        n = read_key_file(fd, text, SIGNING_FILE_MAX + 1);
        if (n < 0 && n != -E2BIG)
                return fail("%s: %s", path, strerror((int)-n));
        r = n < 0 ? -EINVAL : signing_key_parse(text, (size_t)n, &key, &locked);
        if (r == -EINVAL)
                return fail(_("%s: is no secret key of minisign"), path);
        if (r == -EBADMSG)
                return fail(_("%s: the key is damaged"), path);
        if (r < 0)
                return fail(_("out of memory"));
        if (!locked && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
                return fail(_("%s: has no passphrase, and others may read it: make its mode 0600"), path);
        r = locked ? unlock(key, path) : 0;
        if (r == 0)
                *ret = STEAL_PTR(key);
        return r;
}

/* What minisign says of a signature by default, and policy history reads. NULL if memory is short. */
static char *comment_of(const char *path) {
        const char *slash = strrchr(path, '/');

        return text_format("timestamp:%" PRId64 "\tfile:%s\thashed", (int64_t)time(NULL),
                           slash ? slash + 1 : path);
}

/* SIGNATURE alone, or with TEXT behind it. 0 or -errno. */
static int write_signature(const char *path, const char *signature, const char *text, size_t length) {
        size_t n = strlen(signature);
        CLEANUP_FREE char *both = malloc(n + length + 1);

        if (!both)
                return -ENOMEM;
        memcpy(both, signature, n + 1);
        memcpy(both + n, text, length);
        return file_replace(path, both, n + length, 0600);
}

static int answer(const Options *options, const char *output, uint64_t id) {
        CLEANUP_JSON struct json_object *object = NULL;
        char name[20];

        (void)snprintf(name, sizeof(name), "%" PRIX64, id);
        if (!options->value[OPTION_JSON]) {
                printf(_("%s: signed with the key %s"), output, name);
                putchar('\n');
                return EXIT_YES;
        }
        object = json_object_new_object();
        json_put_text(object, "signature", output);
        json_put_text(object, "key", name);
        return json_print(object, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
}

/* What is none is not worth signing. 0, or 2 after one line on stderr. */
static int check_bundle(const char *path, const char *text, size_t length) {
        CLEANUP_BUNDLE Bundle bundle = {0};
        const char *why = NULL;
        int r;

        if (!bundle_is(text, length))
                return fail(_("%s: is no unsigned bundle; make one with: sekishoctl policy bundle"), path);
        r = bundle_parse(text, length, &bundle, &why);
        return r == -EBADMSG ? fail("%s: %s", path, _(why)) : r < 0 ? fail("%s: %s", path, strerror(-r)) : 0;
}

int command_policy_sign(const Options *options) {
        const char *path = options->arguments[0], *output = options->value[OPTION_OUTPUT];
        CLEANUP_FREE char *text = NULL, *beside = text_format("%s.minisig", path), *signature = NULL,
                          *comment = comment_of(path);
        CLEANUP_SIGNING_KEY SigningKey *key = NULL;
        size_t length = 0;
        int r;

        if (!options->value[OPTION_KEY])
                return fail(_("--key is needed: the file with the secret key"));
        if (!beside || !comment)
                return fail(_("out of memory"));
        r = bundles_read(path, &text, &length);
        if (r == 0)
                r = check_bundle(path, text, length);
        if (r == 0)
                r = open_key(options->value[OPTION_KEY], &key);
        if (r != 0)
                return r;
        r = signing_key_sign(key, text, length, comment, &signature);
        if (r == -EINVAL)
                return fail(_("%s: the name has characters that a signature cannot hold"), path);
        if (r == 0)
                r = write_signature(output ? output : beside, signature, text, output ? length : 0);
        if (r < 0)
                return fail("%s: %s", output ? output : beside, strerror(-r));
        return answer(options, output ? output : beside, signing_key_id(key));
}

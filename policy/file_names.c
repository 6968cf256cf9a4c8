/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/file_names.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/scope.h"

_Static_assert((int)FILE_NAMES_KEY == (int)crypto_auth_hmacsha256_KEYBYTES,
               "a key as HMAC-SHA-256 takes it");

/* Any other end of a name may be part of somebody's. */
static const char *const extensions[] = {
        "txt", "csv",  "tsv",  "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt",  "pptx", "pdf",
        "odt", "ods",  "odp",  "jtd", "jtt",  "rtf",  "zip", "7z",   "tar",  "gz",   "tgz",  "xz",
        "bz2", "zst",  "lzh",  "rar", "iso",  "img",  "jpg", "jpeg", "png",  "gif",  "tif",  "tiff",
        "bmp", "heic", "mp3",  "mp4", "wav",  "avi",  "mov", "htm",  "html", "xml",  "json", "yaml",
        "yml", "sql",  "db",   "mdb", "eml",  "msg",  "p12", "pfx",  "key",  "pem",  "gpg",  "log",
        "bak", "tmp",  "part", "exe", "msi",  "sh",   "py",  "bat",  "dat",  "accdb"};

void file_name_token(const unsigned char key[static FILE_NAMES_KEY], const char *name, size_t length,
                     char ret[static FILE_NAME_TOKEN]) {
        unsigned char digest[crypto_auth_hmacsha256_BYTES];

        (void)crypto_auth_hmacsha256(digest, (const unsigned char *)name, length, key); /* cannot fail */
        ret[0] = '~';
        (void)sodium_bin2hex(ret + 1, FILE_NAME_TOKEN - 1, digest, (FILE_NAME_TOKEN - 2) / 2);
}

/* With its dot; "" if it is none that is usual. */
static const char *extension_of(const char *name, size_t length) {
        for (size_t i = 0; i < ELEMENTS(extensions); i++) {
                size_t n = strlen(extensions[i]);

                if (length > n + 1 && name[length - n - 1] == '.' &&
                    strncasecmp(name + length - n, extensions[i], n) == 0)
                        return name + length - n - 1;
        }
        return "";
}

static size_t length_of_mount(const char *path, const char *mount) {
        size_t length = mount ? strlen(mount) : 0;

        if (length <= 1 || strncmp(path, mount, length) != 0 ||
            (path[length] != '/' && path[length] != '\0'))
                return 0;
        return length;
}

static void put_keyed(const FileNamesSecret *secret, const char *names, FILE *to) {
        while (*names) {
                size_t slashes = strspn(names, "/"), length = strcspn(names + slashes, "/");
                const char *name = names + slashes;
                char token[FILE_NAME_TOKEN];

                if (slashes > 0)
                        fputc('/', to);
                names = name + length;
                if (length == 0)
                        continue;
                file_name_token(secret->key, name, length, token);
                fputs(token, to);
                if (*names == '\0')
                        fputs(extension_of(name, length), to);
        }
}

int file_names_hide(const FileNamesSecret *secret, const char *path, const char *mount, char **ret) {
        size_t kept = length_of_mount(path, mount), size = 0;
        const char *last = strrchr(path, '/');
        char *made = NULL;
        FILE *to = open_memstream(&made, &size);

        if (!to)
                return -ENOMEM;
        last = last ? last + 1 : path;
        fprintf(to, "%.*s", (int)kept, path);
        if (secret->how == FILE_NAMES_KEYED)
                put_keyed(secret, path + kept, to);
        else if (path[kept] != '\0')
                fprintf(to, "%s*%s", kept > 0 ? "/" : "", extension_of(last, strlen(last)));
        if (fclose(to) != 0) {
                free(made);
                return -ENOMEM;
        }
        *ret = made;
        return 0;
}

bool file_names_is_program(const char *path) {
        static const char *const places[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/"};

        for (size_t i = 0; i < ELEMENTS(places); i++)
                if (strncmp(path, places[i], strlen(places[i])) == 0 && !strstr(path, "/../"))
                        return true;
        return false;
}

int file_names_hide_command(const char *command, char **ret) {
        size_t length = strcspn(command, " ");
        CLEANUP_FREE char *first = strndup(command, length);
        bool kept;

        if (!first)
                return -ENOMEM;
        kept = !strchr(first, '/') || file_names_is_program(first);
        return asprintf(ret, "%s%s", kept ? first : "*", command[length] ? " ..." : "") < 0 ? -ENOMEM : 0;
}

/* A token is followed by the end of its name, or by an extension. */
static bool is_name(const char *at, size_t length, const char *name) {
        return strlen(name) == length && strncmp(at, name, length) == 0;
}

bool file_names_has(const char *path, const char *name, const char *token) {
        while (*path) {
                size_t slashes = strspn(path, "/"), length = strcspn(path + slashes, "/");
                const char *at = path + slashes;

                if (length > 0 &&
                    (is_name(at, length, name) || (token && is_name(at, strcspn(at, "./"), token))))
                        return true;
                path = at + length;
        }
        return false;
}

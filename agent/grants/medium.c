/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/grants/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/file.h"
#include "policy/scope.h"

int medium_token(const char *path, uint64_t diskseq, char ret[static MEDIUM_TOKEN_MAX]) {
        const char *name = strrchr(path, '/');
        char token[MEDIUM_TOKEN_MAX];
        struct stat st;
        int n;

        if (!name || strpbrk(name, ": "))
                return -EINVAL;
        if (stat(path, &st) < 0)
                return -errno;
        n = snprintf(token, sizeof(token), "%s:%" PRIx64 ":%" PRIx64, name + 1, (uint64_t)st.st_ino,
                     diskseq);
        if (n < 0 || n >= MEDIUM_TOKEN_MAX)
                return -ENAMETOOLONG;
        memcpy(ret, token, (size_t)n + 1);
        return 0;
}

/* Whether WORD stands among the words of LINE. */
static bool holds_word(const char *line, const char *word) {
        size_t length = strlen(word);

        for (const char *at = line; (at = strstr(at, word)); at += length)
                if ((at == line || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
                        return true;
        return false;
}

int medium_add(Permit *permit, const DeviceIdentity *device) {
        char token[MEDIUM_TOKEN_MAX], line[2 * PERMIT_TEXT_MAX];
        int r = device->syspath ? medium_token(device->syspath, device->diskseq, token) : -EINVAL;

        if (r < 0)
                return r;
        if (holds_word(permit->media, token))
                return 0;
        (void)snprintf(line, sizeof(line), "%s%s%s", permit->media, permit->media[0] ? " " : "", token);
        r = permit_set(permit->media, line);
        return r < 0 ? r : 1;
}

/* The number of the medium that is in the disk at PATH; 0 if there is none. */
static uint64_t read_diskseq(const char *path) {
        char file[PATH_MAX], text[32];

        if ((size_t)snprintf(file, sizeof(file), "%s/diskseq", path) >= sizeof(file))
                return 0;
        return file_read_small(AT_FDCWD, file, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

static bool is_there(const char *token) {
        static const char *const places[] = {"/sys/class/block", "/sys/bus/usb/devices"};
        size_t length = strcspn(token, ":");

        for (size_t i = 0; i < ELEMENTS(places); i++) {
                char path[PATH_MAX], now[MEDIUM_TOKEN_MAX];
                uint64_t diskseq;

                (void)snprintf(path, sizeof(path), "%s/%.*s", places[i], (int)length, token);
                diskseq = read_diskseq(path);
                if (medium_token(path, diskseq, now) == 0 && strcmp(now, token) == 0)
                        return true;
        }
        return false;
}

bool medium_stayed(const Permit *permit) {
        char media[PERMIT_TEXT_MAX + 1], *rest;

        memcpy(media, permit->media, sizeof(media));
        for (char *token = strtok_r(media, " ", &rest); token; token = strtok_r(NULL, " ", &rest))
                if (!is_there(token))
                        return false;
        return true;
}

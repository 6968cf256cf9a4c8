/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

static bool is_revoked(const Floor *floor, uint64_t id) {
        for (size_t i = 0; i < floor->n_revoked; i++)
                if (floor->revoked[i] == id)
                        return true;
        return false;
}

static int take_line(const char *line, Floor *floor) {
        char *end;

        if (strncmp(line, "serial ", 7) == 0 && line[7] >= '0' && line[7] <= '9') {
                floor->serial = strtoull(line + 7, &end, 10);
                return *end ? -EBADMSG : 0;
        }
        if (strcmp(line, "signing required") == 0) {
                floor->signing_required = true;
                return 0;
        }
        if (strncmp(line, "revoked ", 8) != 0 || floor->n_revoked == REVOKED_MAX ||
            minisign_id_parse(line + 8, &floor->revoked[floor->n_revoked]) < 0)
                return -EBADMSG;
        floor->n_revoked++;
        return 0;
}

int floor_parse(const char *text, Floor *ret) {
        char copy[FLOOR_TEXT_MAX], *rest = NULL;
        size_t length = strlen(text);
        Floor floor = {0};

        /* whole: what was emptied or cut off must not pass for a floor of nothing */
        if (length >= sizeof(copy) || strncmp(text, "serial ", 7) != 0 || text[length - 1] != '\n')
                return -EBADMSG;
        memcpy(copy, text, length + 1);
        for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                if (take_line(line, &floor) < 0)
                        return -EBADMSG;
        *ret = floor;
        return 0;
}

size_t floor_format(const Floor *floor, char text[static FLOOR_TEXT_MAX]) {
        size_t n = (size_t)snprintf(text, FLOOR_TEXT_MAX, "serial %" PRIu64 "\n%s", floor->serial,
                                    floor->signing_required ? "signing required\n" : "");

        for (size_t i = 0; i < floor->n_revoked; i++) /* 64 lines of at most 25 bytes */
                n += (size_t)snprintf(text + n, FLOOR_TEXT_MAX - n, "revoked %" PRIX64 "\n",
                                      floor->revoked[i]);
        return n;
}

int floor_read(const char *state_dir, Floor *ret) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_CLOSE int fd = -1;
        char text[FLOOR_TEXT_MAX];
        size_t length = 0;

        if (asprintf(&path, "%s/" FLOOR_NAME, state_dir) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT) {
                *ret = (Floor){0};
                return 0;
        }
        if (fd < 0)
                return -errno;
        while (length < sizeof(text)) {
                ssize_t n = read(fd, text + length, sizeof(text) - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t)n;
        }
        if (length == sizeof(text) || memchr(text, '\0', length))
                return -EBADMSG;
        text[length] = '\0';
        return floor_parse(text, ret);
}

FloorVerdict floor_judge(const Floor *floor, const Policy *policy) {
        if (!policy->signature)
                return floor->signing_required    ? FLOOR_UNSIGNED
                       : policy->signing_required ? FLOOR_ASKS_UNSIGNED
                                                  : FLOOR_GOOD;
        if (is_revoked(floor, policy->signature->id))
                return FLOOR_REVOKED;
        for (size_t i = 0; i < policy->n_signing_revoked; i++)
                if (policy->signing_revoked[i] == policy->signature->id)
                        return FLOOR_REVOKED;
        return FLOOR_GOOD;
}

bool floor_learn(Floor *floor, const Policy *policy) {
        Floor before = *floor;

        if (policy->serial > floor->serial)
                floor->serial = policy->serial;
        if (policy->signature && policy->signing_named)
                floor->signing_required = policy->signing_required;
        for (size_t i = 0; policy->signature && i < policy->n_signing_revoked; i++)
                if (!is_revoked(floor, policy->signing_revoked[i]) && floor->n_revoked < REVOKED_MAX)
                        floor->revoked[floor->n_revoked++] = policy->signing_revoked[i];
        return floor->serial != before.serial || floor->signing_required != before.signing_required ||
               floor->n_revoked != before.n_revoked;
}

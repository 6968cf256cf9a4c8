/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/token.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES   "/dev/hidraw"
#define DEVICES "/sys/class/hidraw/hidraw"

void token_of_key(const char *node, char ret[static TOKEN_SIZE]) {
        char link[PATH_MAX], path[PATH_MAX];

        ret[0] = '\0';
        if (strncmp(node, NODES, strlen(NODES)) != 0)
                return;
        if ((size_t)snprintf(link, sizeof(link), DEVICES "%s", node + strlen(NODES)) >= sizeof(link) ||
            !realpath(link, path) || token_format(TOKEN_KEY, path, strlen(path), ret) < 0)
                (void)token_format(TOKEN_KEY, "", 0, ret);
}

void token_of_card(const unsigned char *description, size_t length, char ret[static TOKEN_SIZE]) {
        while (length > 0 && (description[length - 1] == ' ' || description[length - 1] == '\0'))
                length--;
        if (token_format(TOKEN_CARD, (const char *)description, length, ret) < 0)
                (void)token_format(TOKEN_CARD, "", 0, ret);
}

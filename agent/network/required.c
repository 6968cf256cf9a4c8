/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/required.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/file.h"

static const char word_yes[] = "required\n", word_no[] = "off\n";

static int path_of(const char *state_dir, char *path, size_t size) {
        return (size_t)snprintf(path, size, "%s/network", state_dir) >= size ? -ENAMETOOLONG : 0;
}

int network_required_read(const char *state_dir) {
        char path[PATH_MAX], text[32];
        ssize_t n;
        int r = path_of(state_dir, path, sizeof(path));

        if (r < 0)
                return r;
        n = file_read_small(AT_FDCWD, path, text, sizeof(text));
        if (n == -ENOENT)
                return 0;
        if (n == -E2BIG)
                return 1;
        if (n < 0)
                return (int)n;
        return strncmp(text, word_no, strlen(word_no) - 1) != 0;
}

int network_required_write(const char *state_dir, bool required) {
        const char *word = required ? word_yes : word_no;
        char path[PATH_MAX], text[32];
        int r = path_of(state_dir, path, sizeof(path));

        if (r < 0)
                return r;
        if (file_read_small(AT_FDCWD, path, text, sizeof(text)) >= 0 &&
            strncmp(text, word, strlen(word) - 1) == 0 && strlen(text) == strlen(word) - 1)
                return 0;
        return file_replace(path, word, strlen(word), 0600);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_names.h: names of files as they stand in records, where they may name people: left out, or in place
 * of each a token that is the same for the same name, by a secret of the terminal. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "policy/model.h"

enum {
        FILE_NAMES_KEY = 32,
        FILE_NAME_TOKEN = 18 /* "~", 16 hexadecimal digits, and the end */
};

typedef struct FileNamesSecret {
        FileNames how;
        unsigned char key[FILE_NAMES_KEY]; /* FILE_NAMES_KEYED alone */
} FileNamesSecret;

/* The token for a NAME of LENGTH bytes without a slash. */
void file_name_token(const unsigned char key[static FILE_NAMES_KEY], const char *name, size_t length,
                     char ret[static FILE_NAME_TOKEN]);

/* PATH as a new string: the directory MOUNT stays where PATH is in it (NULL: nothing stays), and a usual
 * extension of the last name; of everything between, nothing or a token for each name. 0 or -ENOMEM. */
int file_names_hide(const FileNamesSecret *secret, const char *path, const char *mount, char **ret);

/* A program's own path is kept where programs are installed, which nobody but root can name. */
bool file_names_is_program(const char *path);

/* COMMAND, arguments joined by spaces, as a new string: its first word, if that is a program's path or has
 * no slash; that there was more. 0 or -ENOMEM. */
int file_names_hide_command(const char *command, char **ret);

/* Whether a name of PATH is NAME, or its token (NULL: none). */
bool file_names_has(const char *path, const char *name, const char *token);

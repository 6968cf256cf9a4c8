/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bundles.h: policy files and bundles as sekishoctl reads them: for showing, packing and handing on. Whether
 * a signature counts is for others to say.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "policy/bundle.h"

/* Files, and what holds their contents. */
typedef struct Files {
        Bundle bundle;
        char **texts; /* owned */
        size_t n_texts;
} Files;

void files_clear(Files *files);
#define CLEANUP_FILES CLEANUP(files_clear)

/* All of PATH, a file of at most 4 MiB: a new string. 0, or 2 after one line on stderr. */
int bundles_read(const char *path, char **ret, size_t *ret_length);

/* PATH as a sealed bundle: as it is, or with the signature of PATH.minisig before it. A new string. 0, or 2
 * after one line on stderr. */
int bundles_read_sealed(const char *path, char **ret, size_t *ret_length);

/* The files of a bundle, sealed or not. Takes TEXT over. 0, or 2 after one line on stderr that names PATH.
 */
int bundles_open(const char *path, char *text, size_t length, Files *ret);

/* The policy files of a directory: those of its bundle if it has one and IN_FORCE, else its *.yaml; none if
 * it is not there. 0, or 2 after one line on stderr. */
int bundles_open_directory(const char *directory, bool in_force, Files *ret);

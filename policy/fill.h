/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fill.h: a checked tree as the structure that libcyaml's tables describe: what cyaml_load_data() would make
 * of the text, which then is parsed once and not twice. It knows what the tables of schema.c use, and
 * nothing more.
 */
#pragma once

#include <cyaml/cyaml.h>

#include "policy/tree.h"

/* A new structure by SCHEMA, a mapping behind a pointer, to be freed by cyaml_free(). 0; -EINVAL if TREE
 * does not fit the tables, which check_tree() has ruled out; -ENOMEM. */
int fill_from_tree(const cyaml_schema_value_t *schema, const Tree *tree, void **ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enum.h: enums and their words from one list. A list is an X-macro `LIST(X)` of X(CONSTANT, "word"); the
 * first constant is zero and is the one that denies.
 */
#pragma once

#include <stddef.h>
#include <string.h>

#define ENUM_CONSTANT_(constant, word) constant,
#define ENUM_WORD_(constant, word)     [constant] = (word),

/* Declares `typedef enum TYPE`, TYPE's _to_string (NULL for a value that is not in the list) and
 * _from_string (-1 for a word that is not; an int, so that no caller mistakes it for a constant). */
#define DECLARE_ENUM(type, prefix, LIST)                                                                    \
        typedef enum type {                                                                                 \
                LIST(ENUM_CONSTANT_)                                                                        \
        } type;                                                                                             \
        const char *prefix##_to_string(type value);                                                         \
        int prefix##_from_string(const char *word)

#define DEFINE_ENUM_STRINGS(type, prefix, LIST)                                                             \
        static const char *const prefix##_words[] = {LIST(ENUM_WORD_)};                                     \
        const char *prefix##_to_string(type value) {                                                        \
                return (size_t)value < sizeof(prefix##_words) / sizeof(prefix##_words[0])                   \
                               ? prefix##_words[value]                                                      \
                               : NULL;                                                                      \
        }                                                                                                   \
        int prefix##_from_string(const char *word) {                                                        \
                for (size_t i = 0; i < sizeof(prefix##_words) / sizeof(prefix##_words[0]); i++)             \
                        if (prefix##_words[i] && strcmp(prefix##_words[i], word) == 0)                      \
                                return (int)i;                                                              \
                return -1;                                                                                  \
        }

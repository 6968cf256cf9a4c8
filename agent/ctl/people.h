/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * people.h: names and numbers of people, by the machine's name service.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "policy/object.h"

/* TEXT is a name, or a uid in digits. 0, -ENOENT if nobody has that name, -errno. */
int person_uid(const char *text, uid_t *ret);

/* TEXT as the subject of an open: with the groups the person has. RET_GROUPS is allocated and what RET
 * refers to. 0, -ENOENT if the machine does not know the person, -errno. */
int person_subject(const char *text, Subject *ret, gid_t **ret_groups);

/* Remembers names that were looked up: a journal has few people and many records. */
typedef struct People {
        struct {
                char *uid, *name;
        } * items;
        size_t n;
} People;

/* The name of the uid in the text UID, or that text. A new string, NULL if memory is short. USERDATA is a
 * People. */
char *people_name(void *userdata, const char *uid);
void people_clear(People *people);

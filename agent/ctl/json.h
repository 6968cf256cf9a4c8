/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.h: reading JSON that may not be what it should (each getter answers "absent" for another type), and
 * writing JSON that always is.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/scope.h"

static inline void scope_json(struct json_object **object) {
        json_object_put(*object);
}
#define CLEANUP_JSON CLEANUP(scope_json)

/* NULL or false if OBJECT has no KEY of that type; OBJECT may be NULL or no object. Borrowed. */
const char *json_text(const struct json_object *object, const char *key);
struct json_object *json_map(const struct json_object *object, const char *key);
struct json_object *json_list(const struct json_object *object, const char *key);
bool json_flag(const struct json_object *object, const char *key, bool *ret);
bool json_number(const struct json_object *object, const char *key, int64_t *ret);

/* The value of a flag that counts as false where it is absent. */
bool json_is_true(const struct json_object *object, const char *key);

/* Adds TEXT, made valid UTF-8, or null for NULL. */
void json_put_text(struct json_object *to, const char *key, const char *text);
void json_put_flag(struct json_object *to, const char *key, bool value);
void json_put_number(struct json_object *to, const char *key, int64_t value);
/* Adds TEXT to an array. */
void json_append_text(struct json_object *to, const char *text);

/* Parse a whole text, strictly: one value, valid UTF-8. 0, -EBADMSG, -ENOMEM. */
int json_parse(const char *text, size_t length, struct json_object **ret);

/* OBJECT on one line, with END behind it, to stdout. 0 or -ENOMEM. */
int json_print(struct json_object *object, const char *end);

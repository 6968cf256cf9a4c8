/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/text.h"
#include "policy/utf8.h"

enum {
        DEPTH_MAX = 32
};

static struct json_object *get(const struct json_object *object, const char *key, json_type type) {
        struct json_object *value;

        if (!json_object_is_type(object, json_type_object) ||
            !json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
                return NULL;
        return value;
}

const char *json_text(const struct json_object *object, const char *key) {
        struct json_object *value = get(object, key, json_type_string);

        return value ? json_object_get_string(value) : NULL;
}

struct json_object *json_map(const struct json_object *object, const char *key) {
        return get(object, key, json_type_object);
}

struct json_object *json_list(const struct json_object *object, const char *key) {
        return get(object, key, json_type_array);
}

bool json_flag(const struct json_object *object, const char *key, bool *ret) {
        const struct json_object *value = get(object, key, json_type_boolean);

        if (!value)
                return false;
        *ret = json_object_get_boolean(value);
        return true;
}

bool json_number(const struct json_object *object, const char *key, int64_t *ret) {
        const struct json_object *value = get(object, key, json_type_int);

        if (!value)
                return false;
        *ret = json_object_get_int64(value);
        return true;
}

bool json_is_true(const struct json_object *object, const char *key) {
        bool value = false;

        return json_flag(object, key, &value) && value;
}

static struct json_object *new_text(const char *text) {
        CLEANUP_FREE char *valid = text ? text_valid(text, strlen(text)) : NULL;

        return valid ? json_object_new_string(valid) : NULL;
}

void json_put_text(struct json_object *to, const char *key, const char *text) {
        json_object_object_add(to, key, new_text(text));
}

void json_put_flag(struct json_object *to, const char *key, bool value) {
        json_object_object_add(to, key, json_object_new_boolean(value));
}

void json_put_number(struct json_object *to, const char *key, int64_t value) {
        json_object_object_add(to, key, json_object_new_int64(value));
}

void json_append_text(struct json_object *to, const char *text) {
        json_object_array_add(to, new_text(text));
}

int json_parse(const char *text, size_t length, struct json_object **ret) {
        struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
        CLEANUP_JSON struct json_object *value = NULL;
        bool whole;

        if (!tokener)
                return -ENOMEM;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        if (length < INT_MAX)
                value = json_tokener_parse_ex(tokener, text, (int)length + 1); /* the NUL ends a number */
        whole = json_tokener_get_error(tokener) == json_tokener_success &&
                json_tokener_get_parse_end(tokener) >= length;
        json_tokener_free(tokener);
        if (!value || !whole)
                return -EBADMSG;
        *ret = STEAL_PTR(value);
        return 0;
}

/* json-c escapes C0 alone; the other characters that steer a terminal can only stand in strings, too. */
static void print_safely(const char *text) {
        size_t length = strlen(text);

        for (size_t i = 0; i < length;) {
                uint32_t c;
                size_t n = utf8_next(text + i, length - i, &c);

                if (n > 0 && c >= 0x7f && c <= 0xffff && utf8_is_control(c))
                        printf("\\u%04x", (unsigned)c);
                else
                        fwrite(text + i, 1, n > 0 ? n : 1, stdout);
                i += n > 0 ? n : 1;
        }
}

int json_print(struct json_object *object, const char *end) {
        const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                                          JSON_C_TO_STRING_NOSLASHESCAPE);

        if (!text)
                return -ENOMEM;
        print_safely(text);
        fputs(end, stdout);
        return 0;
}

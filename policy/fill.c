/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/fill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int fill_value(const cyaml_schema_value_t *schema, const Tree *tree, const TreeNode *node, char *to,
                      uint32_t *ret_count);

/* VALUE as a number of SIZE bytes at TO. */
static int put_number(char *to, uint32_t size, int64_t value) {
        switch (size) {
        case sizeof(uint8_t):
                memcpy(to, &(uint8_t){(uint8_t)value}, size);
                return 0;
        case sizeof(uint16_t):
                memcpy(to, &(uint16_t){(uint16_t)value}, size);
                return 0;
        case sizeof(uint32_t):
                memcpy(to, &(uint32_t){(uint32_t)value}, size);
                return 0;
        case sizeof(uint64_t):
                memcpy(to, &value, size);
                return 0;
        default:
                return -EINVAL;
        }
}

static int fill_number(const cyaml_schema_value_t *schema, const TreeNode *node, char *to) {
        bool negative = node->text[0] == '-';
        uint64_t value;
        char *end;

        errno = 0;
        value = strtoull(node->text + negative, &end, 10);
        if (errno != 0 || end == node->text + negative || *end != '\0' || value > INT64_MAX ||
            (negative && schema->type != CYAML_INT) ||
            (schema->data_size < sizeof(value) &&
             value >> (8 * schema->data_size - (schema->type == CYAML_INT))))
                return -EINVAL;
        return put_number(to, schema->data_size, negative ? -(int64_t)value : (int64_t)value);
}

static int fill_word(const cyaml_schema_value_t *schema, const TreeNode *node, char *to) {
        for (uint32_t i = 0; i < schema->enumeration.count; i++)
                if (strcmp(schema->enumeration.strings[i].str, node->text) == 0)
                        return put_number(to, schema->data_size, schema->enumeration.strings[i].val);
        return -EINVAL;
}

static int fill_flag(const cyaml_schema_value_t *schema, const TreeNode *node, char *to) {
        bool yes = strcmp(node->text, "true") == 0;

        return yes || strcmp(node->text, "false") == 0 ? put_number(to, schema->data_size, yes) : -EINVAL;
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *fields, const TreeNode *key) {
        for (; fields->key; fields++)
                if (tree_is(key, fields->key))
                        return fields;
        return NULL;
}

static int fill_mapping(const cyaml_schema_field_t *fields, const Tree *tree, const TreeNode *node,
                        char *to) {
        for (const TreeNode *key = tree_first(tree, node), *value; key; key = tree_next(tree, value)) {
                const cyaml_schema_field_t *field = find_field(fields, key);
                uint32_t count = 0;
                int r;

                value = tree_next(tree, key);
                if (!field || !value)
                        return -EINVAL;
                if (field->value.type == CYAML_IGNORE)
                        continue;
                r = fill_value(&field->value, tree, value, to + field->data_offset, &count);
                if (field->count_size > 0 &&
                    put_number(to + field->count_offset, field->count_size, count) < 0)
                        return -EINVAL;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* An entry that is a pointer itself is a text. What was filled in counts, so that it can be freed. */
static int fill_sequence(const cyaml_schema_value_t *schema, const Tree *tree, const TreeNode *node,
                         char *to, uint32_t *ret_count) {
        const cyaml_schema_value_t *entry = schema->sequence.entry;
        size_t size = entry->flags & CYAML_FLAG_POINTER ? sizeof(void *) : entry->data_size;
        char *items;
        int r = 0;

        if (node->n_children == 0)
                return 0;
        items = calloc(node->n_children, size);
        if (!items)
                return -ENOMEM;
        memcpy(to, &items, sizeof(items));
        for (const TreeNode *item = tree_first(tree, node); r == 0 && item; item = tree_next(tree, item)) {
                r = fill_value(entry, tree, item, items + *ret_count * size, NULL);
                (*ret_count)++;
        }
        return r;
}

/* What is there for a value behind a pointer: its own memory, which the pointer at TO has from now on. */
static int make_room(const cyaml_schema_value_t *schema, char **to) {
        char *room = calloc(1, schema->data_size);

        if (!room)
                return -ENOMEM;
        memcpy(*to, &room, sizeof(room));
        *to = room;
        return 0;
}

static int fill_text(const TreeNode *node, char *to) {
        char *copy = strndup(node->text, node->length);

        if (!copy)
                return -ENOMEM;
        memcpy(to, &copy, sizeof(copy));
        return 0;
}

static bool fits(const cyaml_schema_value_t *schema, const TreeNode *node) {
        switch (schema->type) {
        case CYAML_MAPPING:
                return node->kind == TREE_MAPPING;
        case CYAML_SEQUENCE:
                return node->kind == TREE_SEQUENCE && schema->flags & CYAML_FLAG_POINTER;
        default:
                return node->kind == TREE_SCALAR;
        }
}

static int fill_value(const cyaml_schema_value_t *schema, const Tree *tree, const TreeNode *node, char *to,
                      uint32_t *ret_count) {
        if (!fits(schema, node))
                return -EINVAL;
        if (schema->type == CYAML_SEQUENCE)
                return ret_count ? fill_sequence(schema, tree, node, to, ret_count) : -EINVAL;
        if (schema->type == CYAML_STRING)
                return schema->flags & CYAML_FLAG_POINTER ? fill_text(node, to) : -EINVAL;
        if (schema->flags & CYAML_FLAG_POINTER && make_room(schema, &to) < 0)
                return -ENOMEM;
        switch (schema->type) {
        case CYAML_INT:
        case CYAML_UINT:
                return fill_number(schema, node, to);
        case CYAML_BOOL:
                return fill_flag(schema, node, to);
        case CYAML_ENUM:
                return fill_word(schema, node, to);
        case CYAML_MAPPING:
                return fill_mapping(schema->mapping.fields, tree, node, to);
        default:
                return -EINVAL;
        }
}

int fill_from_tree(const cyaml_schema_value_t *schema, const Tree *tree, void **ret) {
        static const cyaml_config_t config = {.mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR};
        void *made = NULL;
        int r = fill_value(schema, tree, tree_root(tree), (char *)&made, NULL);

        if (r < 0) {
                (void)cyaml_free(&config, schema, made, 0);
                return r;
        }
        *ret = made;
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "policy/utf8.h"

typedef struct Parse {
        const char *file;
        const char *text;
        size_t length;
        Faults *faults;
        Tree tree;
        uint32_t open[TREE_DEPTH_MAX]; /* the collections being read, outermost first */
        uint32_t last[TREE_DEPTH_MAX]; /* the last child of each so far */
        size_t depth;
        size_t documents;
} Parse;

void tree_clear(Tree *tree) {
        for (size_t i = 0; i < tree->n; i++)
                free(tree->nodes[i].text);
        free(tree->nodes);
        *tree = (Tree){0};
}

bool tree_is(const TreeNode *node, const char *text) {
        return node->kind == TREE_SCALAR && node->text[0] == text[0] && node->length == strlen(text) &&
               memcmp(node->text, text, node->length) == 0;
}

const TreeNode *tree_find(const Tree *tree, const TreeNode *node, const char *key) {
        const TreeNode *name, *value;

        if (!node || node->kind != TREE_MAPPING)
                return NULL;
        for (name = tree_first(tree, node); name; name = tree_next(tree, value)) {
                value = tree_next(tree, name);
                if (!value)
                        return NULL;
                if (tree_is(name, key))
                        return value;
        }
        return NULL;
}

static int fault_at(Parse *parse, yaml_mark_t mark, const char *message) {
        faults_add(parse->faults, parse->file, mark.line + 1, mark.column + 1, "%s",
                   faults_text(parse->faults, message));
        return -EBADMSG;
}

/* libyaml tells the place of a bad character as an offset in bytes. */
static void place_of(const Parse *parse, size_t offset, size_t *ret_line, size_t *ret_column) {
        size_t line = 1, column = 1;

        for (size_t i = 0; i < offset && i < parse->length;) {
                uint32_t c = 0;
                size_t n = utf8_next(parse->text + i, parse->length - i, &c);

                if (c == '\n') {
                        line++;
                        column = 1;
                } else
                        column++;
                i += n ? n : 1;
        }
        *ret_line = line;
        *ret_column = column;
}

static int fault_at_offset(Parse *parse, size_t offset, const char *message) {
        size_t line, column;

        place_of(parse, offset, &line, &column);
        faults_add(parse->faults, parse->file, line, column, "%s", faults_text(parse->faults, message));
        return -EBADMSG;
}

/* How many characters at TEXT are ASCII and no NUL; most of a policy is. Eight at a time: none of them has
 * its top bit, and none borrows from it when one is taken away from each. */
static size_t ascii_length(const char *text, size_t length) {
        static const uint64_t tops = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
        size_t n = 0;
        uint64_t eight;

        for (; n + sizeof(eight) <= length; n += sizeof(eight)) {
                memcpy(&eight, text + n, sizeof(eight));
                if ((eight | (eight - ones)) & tops)
                        break;
        }
        while (n < length && text[n] != 0 && (unsigned char)text[n] < 0x80)
                n++;
        return n;
}

/* Before libyaml sees the text: it would take UTF-16 for a valid encoding as well. */
static int check_encoding(Parse *parse) {
        for (size_t i = 0; i < parse->length;) {
                uint32_t c;
                size_t n;

                i += ascii_length(parse->text + i, parse->length - i);
                if (i == parse->length)
                        break;
                n = utf8_next(parse->text + i, parse->length - i, &c);
                if (n == 0)
                        return fault_at_offset(parse, i, "this is not UTF-8; expected a text file in UTF-8");
                if (c == 0)
                        return fault_at_offset(parse, i, "a NUL byte; expected a text file in UTF-8");
                i += n;
        }
        return 0;
}

/* What libyaml itself says stays as it is. */
static int parser_fault(Parse *parse, const yaml_parser_t *parser) {
        const char *problem = parser->problem ? parser->problem : "?";
        const char *context = parser->context ? parser->context : "";
        size_t line = parser->problem_mark.line + 1, column = parser->problem_mark.column + 1;

        if (parser->error == YAML_MEMORY_ERROR)
                return -ENOMEM;
        if (parser->error == YAML_READER_ERROR) {
                place_of(parse, parser->problem_offset, &line, &column);
                context = "";
        }
        faults_add(parse->faults, parse->file, line, column, "not valid YAML: %s%s%s", problem,
                   *context ? " " : "", context);
        return -EBADMSG;
}

static int add_node(Parse *parse, const TreeNode *node, yaml_mark_t mark) {
        Tree *tree = &parse->tree;
        uint32_t index = (uint32_t)tree->n;

        if (tree->n >= TREE_NODES_MAX)
                return fault_at(parse, mark, "too many values; expected at most 400000 in a file");
        if (tree->n == tree->allocated) {
                size_t larger = tree->allocated ? tree->allocated * 2 : 64;
                TreeNode *nodes = reallocarray(tree->nodes, larger, sizeof(*nodes));

                if (!nodes)
                        return -ENOMEM;
                tree->nodes = nodes;
                tree->allocated = larger;
        }
        tree->nodes[index] = *node;
        tree->nodes[index].line = mark.line + 1;
        tree->nodes[index].column = mark.column + 1;
        tree->n++;
        if (parse->depth > 0) {
                uint32_t parent = parse->open[parse->depth - 1], *last = &parse->last[parse->depth - 1];

                if (*last)
                        tree->nodes[*last].next = index;
                else
                        tree->nodes[parent].first = index;
                tree->nodes[parent].n_children++;
                *last = index;
        }
        return 0;
}

static int add_scalar(Parse *parse, const yaml_event_t *event) {
        TreeNode node = {.kind = TREE_SCALAR,
                         .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
                         .length = event->data.scalar.length};
        int r;

        node.text = malloc(node.length + 1);
        if (!node.text)
                return -ENOMEM;
        memcpy(node.text, event->data.scalar.value, node.length);
        node.text[node.length] = '\0';
        r = add_node(parse, &node, event->start_mark);
        if (r < 0)
                free(node.text);
        return r;
}

static int open_collection(Parse *parse, TreeKind kind, yaml_mark_t mark) {
        TreeNode node = {.kind = kind};
        int r;

        if (parse->depth == TREE_DEPTH_MAX)
                return fault_at(parse, mark, "nested too deeply; expected at most 16 levels");
        r = add_node(parse, &node, mark);
        if (r < 0)
                return r;
        parse->open[parse->depth] = (uint32_t)parse->tree.n - 1;
        parse->last[parse->depth] = 0;
        parse->depth++;
        return 0;
}

/* YAML's own constructs that have no place in a policy. */
static int refuse_decoration(Parse *parse, const yaml_char_t *anchor, const yaml_char_t *tag,
                             yaml_mark_t mark) {
        if (anchor)
                return fault_at(parse, mark,
                                "an anchor; expected values to be written out, without & and *");
        if (tag)
                return fault_at(parse, mark, "a tag; expected values without !");
        return 0;
}

static int take_event(Parse *parse, const yaml_event_t *event) {
        int r;

        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
                if (parse->documents++ > 0)
                        return fault_at(parse, event->start_mark,
                                        "a second document; expected one to a file");
                return 0;
        case YAML_ALIAS_EVENT:
                return fault_at(parse, event->start_mark,
                                "an alias; expected values to be written out, without & and *");
        case YAML_SCALAR_EVENT:
                r = refuse_decoration(parse, event->data.scalar.anchor, event->data.scalar.tag,
                                      event->start_mark);
                return r < 0 ? r : add_scalar(parse, event);
        case YAML_SEQUENCE_START_EVENT:
                r = refuse_decoration(parse, event->data.sequence_start.anchor,
                                      event->data.sequence_start.tag, event->start_mark);
                return r < 0 ? r : open_collection(parse, TREE_SEQUENCE, event->start_mark);
        case YAML_MAPPING_START_EVENT:
                r = refuse_decoration(parse, event->data.mapping_start.anchor, event->data.mapping_start.tag,
                                      event->start_mark);
                return r < 0 ? r : open_collection(parse, TREE_MAPPING, event->start_mark);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                parse->depth--;
                return 0;
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_STREAM_END_EVENT:
        case YAML_DOCUMENT_END_EVENT:
                return 0;
        }
        return -EBADMSG;
}

static int take_events(Parse *parse, yaml_parser_t *parser) {
        for (;;) {
                yaml_event_t event;
                bool end;
                int r;

                if (!yaml_parser_parse(parser, &event))
                        return parser_fault(parse, parser);
                end = event.type == YAML_STREAM_END_EVENT;
                r = take_event(parse, &event);
                yaml_event_delete(&event);
                if (r < 0 || end)
                        return r;
        }
}

int tree_parse(const char *file, const char *text, size_t length, Tree *ret, Faults *faults) {
        Parse parse = {.file = file, .text = text, .length = length, .faults = faults};
        yaml_parser_t parser;
        int r = check_encoding(&parse);

        if (r < 0)
                return r;
        if (!yaml_parser_initialize(&parser))
                return -ENOMEM;
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
        r = take_events(&parse, &parser);
        yaml_parser_delete(&parser);
        if (r == 0 && parse.tree.n == 0) {
                faults_add(faults, file, 1, 1, "nothing in it; expected a mapping with version: 1");
                r = -EBADMSG;
        }
        if (r < 0) {
                tree_clear(&parse.tree);
                return r;
        }
        *ret = parse.tree;
        return 0;
}

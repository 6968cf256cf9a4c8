/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and what they include, to handlers. */
#include <errno.h>
#include <security/_pam_types.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pam_module/stack/lines.h"

DEFINE_ENUM_STRINGS(StackType, stack_type, STACK_TYPE_LIST)
DEFINE_ENUM_STRINGS(StackFaultKind, stack_fault, STACK_FAULT_LIST)

static const char other_service[] = "other";

enum {
        TYPE_ANY = -1,
        /* besides 0 and -errno: */
        GIVEN_UP = 1,    /* PAM_ABORT: libpam goes no further with this file */
        NOT_INCLUDED = 2 /* but with this one */
};

typedef struct Loader {
        const StackSource *source;
        const char *service;
        StackConfig *config;
        bool stopped; /* libpam itself is stopped: it crashes, or never comes back */
} Loader;

/* A file being read. */
typedef struct Reading {
        const char *path;
        const char *service; /* whose lines these are; NULL: the first word of each says it */
        int type;            /* the only one that counts, or TYPE_ANY */
        unsigned level, depth;
        unsigned line;
} Reading;

/* A line being read. */
typedef struct Line {
        StackType type;
        bool any_type, fails, includes, substack;
        bool is_other;
        const char *service;
        int32_t actions[STACK_CODES];
        bool actions_set;
} Line;

static void *grow(void *items, size_t n, size_t size) {
        return (n & (n - 1)) == 0 ? reallocarray(items, n ? n * 2 : 1, size) : items;
}

static int add_fault(Loader *loader, StackFaultKind kind, const Reading *reading) {
        StackConfig *config = loader->config;
        StackFault *faults = grow(config->faults, config->n_faults, sizeof(*faults));

        if (!faults)
                return -ENOMEM;
        config->faults = faults;
        faults[config->n_faults++] = (StackFault){
                .kind = kind, .file = reading ? reading->path : NULL, .line = reading ? reading->line : 0};
        return 0;
}

/* What libpam does from here on is the end of the program, and lets nobody in. */
static int stop(Loader *loader, StackFaultKind kind, const Reading *reading) {
        int r = add_fault(loader, kind, reading);

        loader->stopped = true;
        return r < 0 ? r : GIVEN_UP;
}

/* What libpam does from here on nobody can tell. */
static int lose(Loader *loader, StackFaultKind kind, const Reading *reading) {
        loader->config->outcome = STACK_UNKNOWN;
        return add_fault(loader, kind, reading);
}

static int copy_arguments(char *rest, StackHandler *handler) {
        char *next = NULL;

        if (!rest)
                return 0;
        for (char *word = stack_word(rest, &next); word; word = stack_word(NULL, &next)) {
                char **arguments = grow(handler->arguments, handler->n_arguments, sizeof(*arguments));

                if (!arguments)
                        return -ENOMEM;
                handler->arguments = arguments;
                arguments[handler->n_arguments] = strdup(word);
                if (!arguments[handler->n_arguments])
                        return -ENOMEM;
                handler->n_arguments++;
        }
        return 0;
}

static void handler_clear(StackHandler *handler) {
        for (size_t i = 0; i < handler->n_arguments; i++)
                free(handler->arguments[i]);
        free(handler->arguments);
        free(handler->module);
}

/* The name that libpam has for a module in its records: it gives up where there is none. */
static bool has_name(const char *path) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
        size_t length = dot ? (size_t)(dot - name) : strlen(name);

        return length > 0 && !(length == 1 && name[0] == '?');
}

static int add_handler(Loader *loader, const Reading *reading, const Line *line, StackHandlerKind kind,
                       const char *name, char *arguments) {
        StackConfig *config = loader->config;
        Stack *stack = line->is_other ? &config->other[line->type] : &config->own[line->type];
        StackHandler *handlers, *handler;

        if (line->any_type) /* an @include that failed: libpam has no list for that */
                return GIVEN_UP;
        if (name && !has_name(name)) {
                int r = add_fault(loader, FAULT_MODULE_NAME, reading);

                if (r == 0 && reading->depth > 0) /* half a handler stays in the list */
                        r = lose(loader, FAULT_UNDEFINED, reading);
                return r < 0 ? r : GIVEN_UP;
        }
        if (stack->n >= STACK_HANDLERS_MAX)
                return -E2BIG;
        handlers = grow(stack->handlers, stack->n, sizeof(*handlers));
        if (!handlers)
                return -ENOMEM;
        stack->handlers = handlers;
        handler = &handlers[stack->n];
        *handler = (StackHandler){
                .kind = kind, .level = reading->level, .file = reading->path, .line = reading->line};
        memcpy(handler->actions, line->actions, sizeof(handler->actions));
        stack->n++;
        if (kind != HANDLER_MODULE)
                return 0;
        handler->module = strdup(name);
        return handler->module ? copy_arguments(arguments, handler) : -ENOMEM;
}

static int load_file(Loader *loader, const Reading *reading);

/* The path that a line's "include" means: Debian's libpam looks in /etc/pam.d alone. */
static int include_path(const Loader *loader, const char *name, char **ret) {
        const StackSource *source = loader->source;

        if (name[0] == '/')
                *ret = strdup(name);
        else if (source->single)
                return GIVEN_UP;
        else if (asprintf(ret, "%s/%s", source->directory, name) < 0)
                *ret = NULL;
        return *ret ? 0 : -ENOMEM;
}

static int include(Loader *loader, const Reading *reading, const Line *line, const char *name) {
        CLEANUP_FREE char *path = NULL;
        Reading inner = {.service = line->service,
                         .type = line->any_type ? TYPE_ANY : (int)line->type,
                         .level = reading->level + line->substack,
                         .depth = reading->depth + 1};
        int r = include_path(loader, name, &path);

        if (r != 0)
                return r;
        if (inner.level >= STACK_LEVELS) {
                r = add_fault(loader, FAULT_TOO_DEEP, reading);
                return r < 0 ? r : GIVEN_UP;
        }
        if (inner.depth > STACK_DEPTH_MAX) {
                r = lose(loader, FAULT_LOOP, reading);
                return r < 0 ? r : GIVEN_UP;
        }
        inner.path = path;
        return load_file(loader, &inner);
}

/* 0 if it is done; NOT_INCLUDED if the line has to fail in its place. */
static int take_include(Loader *loader, const Reading *reading, const Line *line, const char *name) {
        int r = 0;

        if (line->substack)
                r = add_handler(loader, reading, line, HANDLER_SUBSTACK, name, NULL);
        if (r != 0)
                return r;
        if (!name)
                return stop(loader, FAULT_CRASH, reading); /* its first character is looked at */
        r = include(loader, reading, line, name);
        if (r != GIVEN_UP || loader->stopped)
                return r;
        r = add_fault(loader, FAULT_INCLUDE, reading);
        if (r == 0 && !line->actions_set && !line->any_type) /* what follows from it was never said */
                r = lose(loader, FAULT_UNDEFINED, reading);
        return r < 0 ? r : NOT_INCLUDED;
}

/* The first word. GIVEN_UP: the line is of a type that does not count here. */
static int take_type(Loader *loader, const Reading *reading, const char *word, Line *line) {
        int type = -1;

        line->type = reading->type == TYPE_ANY ? STACK_AUTH : (StackType)reading->type;
        if (word && *word == '-') /* not a word in the log if the module is not there */
                word++;
        for (int i = 0; word && i < STACK_TYPES; i++)
                if (strcasecmp(stack_type_to_string((StackType)i), word) == 0)
                        type = i;
        if (type >= 0) {
                line->type = (StackType)type;
                return reading->type == TYPE_ANY || reading->type == type ? 0 : GIVEN_UP;
        }
        if (word && strcasecmp(word, "@include") == 0) {
                line->includes = true;
                line->any_type = reading->type == TYPE_ANY;
                return 0;
        }
        line->fails = true;
        return add_fault(loader, FAULT_TYPE, reading);
}

static int take_control(Loader *loader, const Reading *reading, const char *word, Line *line) {
        line->actions_set = true;
        if (word && (strcasecmp(word, "include") == 0 || strcasecmp(word, "substack") == 0)) {
                line->includes = true;
                line->substack = strcasecmp(word, "substack") == 0;
                return 0;
        }
        if (word && stack_control(word, line->actions))
                return 0;
        if (!word) {
                line->fails = true;
                stack_control_default(line->actions, ACTION_BAD);
        }
        return add_fault(loader, FAULT_CONTROL, reading);
}

/* A line behind the name of its service. */
static int take_line(Loader *loader, const Reading *reading, char *rest, const char *service) {
        Line line = {.service = service, .is_other = strcasecmp(service, other_service) == 0};
        char *name;
        int r = take_type(loader, reading, stack_word(NULL, &rest), &line);

        if (r != 0)
                return r < 0 ? r : 0;
        for (int i = 0; i < STACK_CODES; i++)
                line.actions[i] = ACTION_UNDEFINED;
        if (!line.includes)
                r = take_control(loader, reading, stack_word(NULL, &rest), &line);
        name = r < 0 ? NULL : stack_word(NULL, &rest);
        if (r == 0 && line.includes) {
                r = take_include(loader, reading, &line, name);
                if (r != NOT_INCLUDED)
                        return r;
                stack_control_default(line.actions, ACTION_BAD);
                return add_handler(loader, reading, &line, HANDLER_FAILS, NULL, NULL);
        }
        if (r == 0 && !name)
                r = add_fault(loader, FAULT_NO_MODULE, reading);
        if (r < 0)
                return r;
        return add_handler(loader, reading, &line, name && !line.fails ? HANDLER_MODULE : HANDLER_FAILS,
                           name, rest);
}

static int take_lines(Loader *loader, Reading *reading, const char *text, size_t size) {
        StackLines lines = {.text = text, .size = size, .number = 1};
        char buffer[STACK_LINE];

        for (;;) {
                StackLineEnd end = stack_line_next(&lines, buffer);
                const char *service = reading->service;
                char *rest = buffer;
                int r = 0;

                reading->line = lines.first;
                if (lines.split)
                        r = add_fault(loader, FAULT_SPLIT, reading);
                if (r < 0)
                        return r;
                if (end == LINE_NONE)
                        return 0;
                if (end == LINE_HANGS)
                        return stop(loader, FAULT_HANG, reading);
                if (end == LINE_REFUSED) {
                        r = add_fault(loader, FAULT_UNFINISHED, reading);
                        return r < 0 ? r : GIVEN_UP;
                }
                if (!service)
                        service = stack_word(buffer, &rest);
                if (!service || (!reading->service && strcasecmp(service, loader->service) != 0 &&
                                 strcasecmp(service, other_service) != 0))
                        continue;
                r = take_line(loader, reading, rest, service);
                if (r != 0)
                        return r;
        }
}

/* GIVEN_UP if libpam cannot open it. */
static int load_file(Loader *loader, const Reading *reading) {
        StackConfig *config = loader->config;
        CLEANUP_FREE char *text = NULL;
        Reading inner = *reading;
        size_t size = 0;
        int r;

        if (config->n_files >= STACK_FILES_MAX)
                return -E2BIG;
        config->files[config->n_files] = strdup(reading->path);
        if (!config->files[config->n_files])
                return -ENOMEM;
        inner.path = config->files[config->n_files++];
        r = loader->source->read(loader->source->userdata, inner.path, &text, &size);
        if (r == -ENOENT) {
                free(config->files[--config->n_files]);
                config->files[config->n_files] = NULL;
                return GIVEN_UP;
        }
        if (r < 0)
                return r;
        if (size > STACK_TEXT_MAX)
                return -E2BIG;
        return take_lines(loader, &inner, text ? text : "", size);
}

/* The file of a service; its absence is none of its faults. *FOUND says whether there is one. */
static int load_service(Loader *loader, const char *service, bool *found) {
        const char *directories[] = {loader->source->directory, loader->source->fallback};

        *found = false;
        for (size_t i = 0; i < ELEMENTS(directories); i++) {
                CLEANUP_FREE char *path = NULL;
                Reading reading = {.service = service, .type = TYPE_ANY};
                size_t before = loader->config->n_files;
                int r;

                if (!directories[i])
                        continue;
                if (asprintf(&path, "%s/%s", directories[i], service) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                reading.path = path;
                r = load_file(loader, &reading);
                *found = loader->config->n_files > before;
                if (r < 0 || *found)
                        return r;
        }
        return 0;
}

static int load_both(Loader *loader) {
        const StackSource *source = loader->source;
        bool own = false, other;
        int r = 0;

        if (source->single) {
                Reading reading = {.path = source->single, .type = TYPE_ANY};

                r = load_file(loader, &reading);
                return r == GIVEN_UP && loader->config->n_files == 0 ? stop(loader, FAULT_NO_FILE, NULL) : r;
        }
        if (strcmp(loader->service, other_service) != 0)
                r = load_service(loader, loader->service, &own);
        if (r != 0)
                return r;
        r = load_service(loader, other_service, &other);
        return r == 0 && !own && !other ? stop(loader, FAULT_NO_FILE, NULL) : r;
}

int stack_load(const StackSource *source, const char *service, StackConfig *ret) {
        Loader loader = {.source = source, .service = service, .config = ret};
        int r;

        *ret = (StackConfig){.outcome = STACK_READY};
        r = load_both(&loader);
        if (r < 0)
                ret->outcome = STACK_UNKNOWN;
        else if (r == GIVEN_UP && ret->outcome == STACK_READY)
                ret->outcome = STACK_REFUSED;
        return r < 0 ? r : 0;
}

const Stack *stack_of(const StackConfig *config, StackType type) {
        return config->own[type].n > 0 ? &config->own[type] : &config->other[type];
}

bool stack_module_is(const char *module, const char *name) {
        const char *slash = strrchr(module, '/');

        return strcmp(slash ? slash + 1 : module, name) == 0;
}

static void stack_clear(Stack *stack) {
        for (size_t i = 0; i < stack->n; i++)
                handler_clear(&stack->handlers[i]);
        free(stack->handlers);
}

void stack_config_clear(StackConfig *config) {
        for (int i = 0; i < STACK_TYPES; i++) {
                stack_clear(&config->own[i]);
                stack_clear(&config->other[i]);
        }
        for (size_t i = 0; i < config->n_files; i++)
                free(config->files[i]);
        free(config->faults);
        *config = (StackConfig){0};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stack.h: a service's PAM configuration as the libpam of Debian 12 has it once it is read: for each type a
 * list of handlers, each with what follows from every code that it may return. Facts about libpam here and
 * beside are those of Linux-PAM 1.5.2 (libpam/pam_handlers.c, pam_dispatch.c, pam_misc.c) with Debian's
 * patches 031_pam_include and lib_security_multiarch_compat; a newer libpam may differ.
 *
 * Nothing here loads a module or talks to libpam.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/enum.h"
#include "policy/scope.h"

enum {
        STACK_CODES = 32,  /* return values that libpam knows, _PAM_RETURN_VALUES */
        STACK_LEVELS = 16, /* substacks in substacks, PAM_SUBSTACK_MAX_LEVEL */
        STACK_LINE = 1024, /* of its buffer for a line */
        STACK_DEPTH_MAX = 32,
        STACK_FILES_MAX = 256,
        STACK_HANDLERS_MAX = 1024, /* of one type; libpam has no such bounds, but a search has */
        STACK_TEXT_MAX = 1 << 20
};

#define STACK_TYPE_LIST(X)                                                                                  \
        X(STACK_AUTH, "auth")                                                                               \
        X(STACK_ACCOUNT, "account")                                                                         \
        X(STACK_SESSION, "session")                                                                         \
        X(STACK_PASSWORD, "password")
DECLARE_ENUM(StackType, stack_type, STACK_TYPE_LIST);
enum {
        STACK_TYPES = STACK_PASSWORD + 1
};

/* What follows from a code, with the numbers that libpam has for it; what is above zero is a jump. */
enum {
        ACTION_IGNORE = 0,
        ACTION_OK = -1,
        ACTION_DONE = -2,
        ACTION_BAD = -3,
        ACTION_DIE = -4,
        ACTION_RESET = -5,
        ACTION_UNDEFINED = -6 /* while a line is read */
};

typedef enum StackHandlerKind {
        HANDLER_FAILS,   /* a line that libpam does not understand: permission denied */
        HANDLER_MODULE,  /* returns whatever it likes */
        HANDLER_SUBSTACK /* before the handlers of a substack; returns nothing */
} StackHandlerKind;

typedef struct StackHandler {
        StackHandlerKind kind;
        unsigned level; /* of substacks around it */
        int32_t actions[STACK_CODES];
        char *module; /* as it is written; NULL for the other kinds */
        char **arguments;
        size_t n_arguments;
        const char *file; /* of the configuration's own list */
        unsigned line;
} StackHandler;

typedef struct Stack {
        StackHandler *handlers;
        size_t n;
} Stack;

/* What is amiss in a file, and not merely strict. */
#define STACK_FAULT_LIST(X)                                                                                 \
        X(FAULT_TYPE, "not-a-type")        /* the line fails, and counts as auth */                         \
        X(FAULT_CONTROL, "bad-control")    /* everything counts as bad */                                   \
        X(FAULT_NO_MODULE, "no-module")    /* the line fails */                                             \
        X(FAULT_INCLUDE, "cannot-include") /* there is no such file, or it is refused: the line fails */    \
        X(FAULT_TOO_DEEP, "too-deep")      /* more than 16 substacks: the line fails */                     \
        X(FAULT_SPLIT, "line-too-long")    /* the rest counts as a line of its own */                       \
        X(FAULT_UNFINISHED, "unfinished-line")  /* a \ and nothing behind it: the file is refused */        \
        X(FAULT_MODULE_NAME, "bad-module-name") /* the file is refused */                                   \
        X(FAULT_NO_FILE, "no-file")             /* nor one of "other": everything is refused */             \
        X(FAULT_CRASH, "crash")                 /* libpam crashes */                                        \
        X(FAULT_HANG, "hang")                   /* libpam reads for ever */                                 \
        X(FAULT_LOOP, "loop")                   /* includes itself; how far, the limits of files decide */  \
        X(FAULT_UNDEFINED, "undefined")         /* libpam goes on with memory that it has not set */
DECLARE_ENUM(StackFaultKind, stack_fault, STACK_FAULT_LIST);

typedef struct StackFault {
        StackFaultKind kind;
        const char *file; /* of the list of files; NULL: of the service as a whole */
        unsigned line;
} StackFault;

typedef enum StackOutcome {
        STACK_UNKNOWN, /* what libpam does with it cannot be told */
        STACK_REFUSED, /* every call fails */
        STACK_READY
} StackOutcome;

typedef struct StackConfig {
        StackOutcome outcome;
        Stack own[STACK_TYPES], other[STACK_TYPES];
        char *files[STACK_FILES_MAX]; /* every one that was read, as it was asked for */
        size_t n_files;
        StackFault *faults;
        size_t n_faults;
} StackConfig;

/* Where configurations are read from. */
typedef struct StackSource {
        const char *directory; /* of services, and of includes without a leading / */
        const char *fallback;  /* of services that are not there; NULL: none */
        const char *single;    /* /etc/pam.conf, in place of both directories; NULL: there are directories */
        /* A whole file, a directory as an empty one. 0; -ENOENT where fopen(3) would fail as well; another
         * -errno ends everything. */
        int (*read)(void *userdata, const char *path, char **ret_text, size_t *ret_size);
        void *userdata;
} StackSource;

/* What libpam makes of SERVICE; "other" stands for one that has no file. Returns 0, whatever is amiss with
 * it, or -errno: -E2BIG beyond the bounds above, -ENOMEM, what SOURCE said (RET's last file is then the
 * one). RET is filled in either case. */
int stack_load(const StackSource *source, const char *service, StackConfig *ret);

/* The handlers that a call of TYPE runs: the service's own, else those of "other". */
const Stack *stack_of(const StackConfig *config, StackType type);

/* Whether MODULE, as a line has it, is the module NAME ("pam_sekisho.so"), wherever it lies. */
bool stack_module_is(const char *module, const char *name);

void stack_config_clear(StackConfig *config);
#define CLEANUP_STACK_CONFIG CLEANUP(stack_config_clear)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scope.h: freeing by scope. Owned things are declared with one of these attributes and are released on
 * every way out of the block; STEAL_PTR and STEAL_FD hand ownership on. Nothing here allocates or fails.
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(f) __attribute__((cleanup(f)))

#define CLEANUP_FREE  CLEANUP(scope_free)
#define CLEANUP_CLOSE CLEANUP(scope_close)
#define CLEANUP_FILE  CLEANUP(scope_fclose)
#define CLEANUP_DIR   CLEANUP(scope_closedir)

/* Declares a cleanup function scope_TYPE for pointers whose release function is FUNCTION. */
#define DEFINE_CLEANUP(type, function)                                                                      \
        static inline void scope_##function(type **p) {                                                     \
                if (*p)                                                                                     \
                        function(*p);                                                                       \
        }                                                                                                   \
        struct scope_##function##_semicolon

#define STEAL_PTR(p)                                                                                        \
        __extension__({                                                                                     \
                __typeof__(p) stolen_ = (p);                                                                \
                (p) = NULL;                                                                                 \
                stolen_;                                                                                    \
        })

#define STEAL_FD(fd)                                                                                        \
        __extension__({                                                                                     \
                int stolen_ = (fd);                                                                         \
                (fd) = -1;                                                                                  \
                stolen_;                                                                                    \
        })

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static inline void scope_free(void *p) {
        free(*(void **)p);
}

static inline void scope_close(const int *fd) {
        if (*fd >= 0)
                close(*fd);
}

static inline void scope_fclose(FILE **f) {
        if (*f)
                fclose(*f);
}

static inline void scope_closedir(DIR **d) {
        if (*d)
                closedir(*d);
}

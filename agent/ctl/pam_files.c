/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who can change what a login goes by: PAM files, modules, and the directories they lie in. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/pam.h"
#include "agent/ctl/text.h"
#include "agent/ctl/words.h"

enum {
        LINKS_MAX = 40 /* as the kernel has it */
};

/* A path on its way to the root of things: what is resolved, and what is left of it. */
typedef struct Way {
        char *done, *left;
        int links;
} Way;

static void way_clear(Way *way) {
        free(way->done);
        free(way->left);
}

/* In a directory like /tmp only the owner of a file replaces it. */
static bool is_roots(const struct stat *st) {
        mode_t others = S_IWOTH | (st->st_gid == 0 ? 0 : S_IWGRP);

        if (st->st_uid != 0)
                return false;
        return S_ISLNK(st->st_mode) || !(st->st_mode & others) ||
               (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX));
}

static int replace(char **text, char *with) {
        if (!with)
                return -ENOMEM;
        free(*text);
        *text = with;
        return 0;
}

/* Puts what the link NEXT holds before what is left. */
static int follow(Way *way, const char *next, const char *rest) {
        char target[PATH_MAX];
        ssize_t n = readlink(next, target, sizeof(target) - 1);
        int r;

        if (n < 0)
                return -errno;
        if (++way->links > LINKS_MAX)
                return -ELOOP;
        target[n] = '\0';
        r = replace(&way->left, text_format("%s/%s", target, rest));
        return r == 0 && target[0] == '/' ? replace(&way->done, strdup("")) : r;
}

/* One component further. 0, 1 if it is not root's alone (then it is in DONE), or -errno. */
static int go_on(Way *way) {
        CLEANUP_FREE char *next = NULL, *rest = NULL;
        const char *name = way->left + strspn(way->left, "/");
        size_t length = strcspn(name, "/");
        struct stat st;

        rest = strdup(name + length);
        if (!rest)
                return -ENOMEM;
        if (length == 2 && strncmp(name, "..", 2) == 0) {
                char *slash = strrchr(way->done, '/');

                if (slash)
                        *slash = '\0';
                return replace(&way->left, STEAL_PTR(rest));
        }
        if (length == 0 || (length == 1 && *name == '.'))
                return replace(&way->left, STEAL_PTR(rest));
        next = text_format("%s/%.*s", way->done, (int)length, name);
        if (!next)
                return -ENOMEM;
        if (lstat(next, &st) < 0)
                return -errno;
        if (!is_roots(&st)) {
                int r = replace(&way->done, STEAL_PTR(next));

                return r < 0 ? r : 1;
        }
        if (S_ISLNK(st.st_mode))
                return follow(way, next, rest);
        (void)replace(&way->done, STEAL_PTR(next));
        return replace(&way->left, STEAL_PTR(rest));
}

int pam_trust(const char *path, char **ret_culprit) {
        CLEANUP(way_clear) Way way = {.done = strdup(""), .left = NULL};
        CLEANUP_FREE char *here = *path == '/' ? NULL : getcwd(NULL, 0);

        way.left = here ? text_format("%s/%s", here, path) : strdup(path);
        if (!way.done || !way.left)
                return -ENOMEM;
        while (way.left[strspn(way.left, "/")]) {
                int r = go_on(&way);

                if (r > 0)
                        *ret_culprit = STEAL_PTR(way.done);
                if (r != 0)
                        return r;
        }
        return 0;
}

static bool is_new(PamCheck *check, const char *key) {
        if (json_object_object_get_ex(check->looked_at, key, NULL))
                return false;
        json_put_flag(check->looked_at, key, true);
        return true;
}

static void look_at(PamCheck *check, const char *path) {
        CLEANUP_FREE char *culprit = NULL, *key = NULL;
        int r;

        if (!is_new(check, path))
                return;
        r = pam_trust(path, &culprit);
        key = r > 0 ? text_format("culprit %s", culprit) : NULL;
        if (r < 0)
                pam_find(check, false, path, 0, "%s", word_text(strerror(-r)));
        else if (r > 0 && (!key || is_new(check, key)))
                pam_find(check, false, culprit, 0,
                         _("others than root can change it, and thereby who is let in"));
}

/* Debian's libpam looks for a name without a leading / below both directories. NULL: it is not there, or
 * memory is short. */
static char *module_path(const PamCheck *check, const char *module) {
        if (*module == '/')
                return access(module, F_OK) == 0 ? strdup(module) : NULL;
        for (size_t i = 0; i < PAM_MODULE_DIRECTORIES; i++) {
                CLEANUP_FREE char *path =
                        check->modules[i] ? text_format("%s/%s", check->modules[i], module) : NULL;

                if (path && access(path, F_OK) == 0)
                        return STEAL_PTR(path);
        }
        return NULL;
}

/* Options of pam_sekisho that it knows by. See pam_sekisho(8). */
static void judge_argument(PamCheck *check, const StackHandler *handler, const char *argument) {
        static const char *const known[] = {"dir=/var/lib/sekisho/login", "policy=/etc/sekisho/policy.d",
                                            "run=/run/sekisho", "state=/var/lib/sekisho"};

        for (size_t i = 0; i < ELEMENTS(known); i++) {
                size_t name = strcspn(known[i], "=") + 1;

                if (strncmp(known[i], argument, name) != 0)
                        continue;
                if (strcmp(known[i], argument) != 0)
                        pam_find(check, false, handler->file, handler->line,
                                 _("%s: another place than the guard's own: what is set there is not what "
                                   "is asked for here"),
                                 argument);
                return;
        }
        if (strcmp(argument, "password=stack") == 0)
                pam_find(check, true, handler->file, handler->line,
                         _("password=stack: the lines before it have to deny where a password is wrong"));
        else
                pam_find(check, false, handler->file, handler->line,
                         _("%s: pam_sekisho does not know it, and lets nobody in"), argument);
}

/* Whether PATH, which a line names in full, is the module that libpam would find by its name. */
static bool is_installed(const PamCheck *check, const char *path) {
        for (size_t i = 0; i < PAM_MODULE_DIRECTORIES && check->modules[i]; i++) {
                CLEANUP_FREE char *installed = text_format("%s/pam_sekisho.so", check->modules[i]);
                struct stat a, b;

                if (installed && stat(installed, &a) == 0 && stat(path, &b) == 0)
                        return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
        }
        return false;
}

static void look_at_handler(PamCheck *check, const StackHandler *handler) {
        CLEANUP_FREE char *path = handler->module ? module_path(check, handler->module) : NULL;
        CLEANUP_FREE char *key = text_format("%s:%u", handler->file, handler->line);
        bool ours = handler->module && stack_module_is(handler->module, "pam_sekisho.so");

        if (path)
                look_at(check, path);
        if (!ours || !key || !is_new(check, key))
                return;
        if (!path)
                pam_find(check, false, handler->file, handler->line, _("there is no module %s"),
                         handler->module);
        else if (!is_installed(check, path))
                pam_find(check, false, handler->file, handler->line,
                         _("%s is not the module where PAM looks for it"), handler->module);
        for (size_t i = 0; i < handler->n_arguments; i++)
                judge_argument(check, handler, handler->arguments[i]);
}

void pam_check_files(PamCheck *check, const StackConfig *config) {
        for (size_t i = 0; i < config->n_files; i++)
                look_at(check, config->files[i]);
        for (int type = STACK_AUTH; type <= STACK_SESSION; type++) {
                const Stack *stack = stack_of(config, (StackType)type);

                for (size_t i = 0; i < stack->n; i++)
                        look_at_handler(check, &stack->handlers[i]);
        }
}

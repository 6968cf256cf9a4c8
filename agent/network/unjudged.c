/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/unjudged.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/note.h"
#include "policy/scope.h"

/* 1, 0, or -errno for one of which neither is known. */
static int exists(const char *state_dir, const char *name) {
        char path[PATH_MAX];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", state_dir, name) >= sizeof(path))
                return -ENAMETOOLONG;
        return access(path, F_OK) == 0 ? 1 : errno == ENOENT ? 0 : -errno;
}

static bool was_approved(const char *state_dir, const InterfaceFacts *facts) {
        CLEANUP_FREE char *list = malloc(LINKS_APPROVED_MAX);
        char path[PATH_MAX], line[PATH_MAX + sizeof(facts->mac) + 1], *next;

        if (!list || (size_t)snprintf(path, sizeof(path), "%s/" LINKS_APPROVED, state_dir) >= sizeof(path) ||
            file_read_small(AT_FDCWD, path, list, LINKS_APPROVED_MAX) < 0)
                return false;
        (void)snprintf(line, sizeof(line), "%s %s", facts->device, facts->mac);
        next = list;
        while (next)
                if (strcmp(strsep(&next, "\n"), line) == 0)
                        return true;
        return false;
}

bool unjudged_is_held(const char *state_dir, const InterfaceFacts *facts) {
        if (exists(state_dir, LINKS_NOT_GUARDED) == 1)
                return false;
        if (interface_kind_is_external(facts->kind))
                return true;
        return exists(state_dir, LINKS_APPROVED) != 0 && !was_approved(state_dir, facts);
}

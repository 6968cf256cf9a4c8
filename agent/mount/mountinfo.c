/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mount/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/host.h"
#include "policy/scope.h"

void mount_table_clear(MountTable *table) {
        free(table->entries);
        free(table->text);
        *table = (MountTable){0};
}

/* \040 and the like: what the kernel escapes in these fields (seq_path, mangle in fs/proc_namespace.c). */
static void unescape(char *s) {
        char *to = s;

        for (const char *from = s; *from; to++) {
                if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
                        *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }
        *to = '\0';
}

/* The next word up to a space; *REST moves behind it. NULL if there is none. */
static char *next_word(char **rest) {
        char *word = *rest, *space;

        if (!word || *word == '\0' || *word == ' ')
                return NULL;
        space = strchr(word, ' ');
        if (space)
                *space = '\0';
        *rest = space ? space + 1 : NULL;
        return word;
}

static bool parse_number(const char *text, unsigned long max, char end, unsigned long *ret,
                         const char **ret_rest) {
        char *after;

        if (!text || *text < '0' || *text > '9')
                return false;
        errno = 0;
        *ret = strtoul(text, &after, 10);
        if (errno != 0 || *ret > max || *after != end)
                return false;
        *ret_rest = after;
        return true;
}

int mountinfo_parse_line(char *line, MountEntry *ret) {
        unsigned long id, parent, maj, min;
        const char *rest;
        MountEntry entry = {0};
        char *word;

        if (!parse_number(next_word(&line), INT_MAX, '\0', &id, &rest) ||
            !parse_number(next_word(&line), INT_MAX, '\0', &parent, &rest) ||
            !parse_number(next_word(&line), UINT32_MAX, ':', &maj, &rest) ||
            !parse_number(rest + 1, UINT32_MAX, '\0', &min, &rest))
                return -EBADMSG;
        entry.id = (int)id;
        entry.parent = (int)parent;
        entry.devnum = makedev((unsigned)maj, (unsigned)min);
        entry.root = next_word(&line);
        entry.point = next_word(&line);
        entry.options = next_word(&line);
        do /* optional fields, ended by a hyphen */
                word = next_word(&line);
        while (word && strcmp(word, "-") != 0);
        if (!word)
                return -EBADMSG;
        entry.fstype = next_word(&line);
        entry.source = line && *line == ' ' ? (line++, (char *)"") : next_word(&line); /* may be empty */
        entry.super_options = next_word(&line);
        if (!entry.root || !entry.point || !entry.options || !entry.fstype || !entry.source ||
            !entry.super_options || line)
                return -EBADMSG;
        unescape(entry.root);
        unescape(entry.point);
        unescape(entry.fstype);
        if (*entry.source)
                unescape(entry.source);
        unescape(entry.super_options);
        *ret = entry;
        return 0;
}

int mountinfo_parse(char *text, MountTable *ret) {
        size_t lines = 0, n = 0;
        MountEntry *entries;

        for (const char *p = text; (p = strchr(p, '\n')); p++)
                lines++;
        entries = calloc(lines + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        for (char *line = text, *next; line && *line; line = next) {
                int r;

                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                r = mountinfo_parse_line(line, &entries[n]);
                if (r < 0) {
                        free(entries);
                        return r;
                }
                n++;
        }
        *ret = (MountTable){.entries = entries, .n = n, .text = text};
        return 0;
}

int mountinfo_read(const char *path, MountTable *ret) {
        CLEANUP_CLOSE int fd = open(path ? path : host_mountinfo(), O_RDONLY | O_CLOEXEC);
        CLEANUP_FREE char *text = NULL;
        int r;

        if (fd < 0)
                return -errno;
        r = file_read_whole(fd, SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        r = mountinfo_parse(text, ret);
        if (r == 0)
                text = NULL;
        return r;
}

bool mount_is_writable(const MountEntry *entry) {
        return strcmp(entry->super_options, "rw") == 0 || strncmp(entry->super_options, "rw,", 3) == 0;
}

char *mount_option(const char *options, const char *option) {
        size_t length = strlen(option);

        while (options && *options) {
                const char *end = strchrnul(options, ',');

                if (strncmp(options, option, length) == 0 && options[length] == '=')
                        return strndup(options + length + 1, (size_t)(end - options) - length - 1);
                options = *end ? end + 1 : end;
        }
        return NULL;
}

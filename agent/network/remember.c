/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/remember.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/scope.h"

enum {
        FILE_MAX = 1024 * 1024
};

static void put_name(FILE *f, const NetworkName *name) {
        char text[INET6_ADDRSTRLEN];

        if (name->n_addresses == 0)
                return;
        fputs(name->name, f);
        for (size_t i = 0; i < name->n_addresses; i++) {
                const Address *address = &name->addresses[i];

                if (inet_ntop(address->bits == 32 ? AF_INET : AF_INET6, address->bytes, text, sizeof(text)))
                        fprintf(f, " %s", text);
        }
        fputc('\n', f);
}

int remember_write(const char *path, const NetworkName *names, size_t n) {
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        FILE *f = open_memstream(&text, &length);

        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                put_name(f, &names[i]);
        return fclose(f) == 0 ? file_replace(path, text, length, 0600) : -ENOMEM;
}

int remember_read(const char *path, char **ret) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat st;

        if (fd < 0 && errno == ENOENT) {
                *ret = strdup("");
                return *ret ? 0 : -ENOMEM;
        }
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        return file_read_whole(fd, FILE_MAX, ret, NULL);
}

/* What follows the name in its line. */
static int take_addresses(const char *at, Address *addresses, size_t max) {
        size_t n = 0;

        while (*at == ' ') {
                size_t length = strcspn(++at, " \n");
                Address address = address_parse(at, length);

                if (address.bits == 0 || n == max)
                        return -EBADMSG;
                addresses[n++] = address;
                at += length;
        }
        return *at == '\n' && n > 0 ? (int)n : -EBADMSG;
}

int remember_find(const char *text, const char *name, Address *addresses, size_t max) {
        size_t length = strlen(name);

        while (*text) {
                if (strncasecmp(text, name, length) == 0 && strchr(" \n", text[length]))
                        return take_addresses(text + length, addresses, max);
                text += strcspn(text, "\n");
                text += *text == '\n';
        }
        return 0;
}

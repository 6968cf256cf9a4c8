/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lsm/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "policy/scope.h"

#define LINK "link_" /* a dot is refused in names of pins */

static int join(char path[PATH_MAX], const char *directory, const char *prefix, const char *name) {
        return (size_t)snprintf(path, PATH_MAX, "%s/%s%s", directory, prefix, name) >= PATH_MAX
                       ? -ENAMETOOLONG
                       : 0;
}

int pins_foreach(const char *directory, int (*f)(void *userdata, const char *name), void *userdata) {
        CLEANUP_DIR DIR *dir = opendir(directory);
        const struct dirent *entry;

        if (!dir)
                return -errno;
        while ((entry = readdir(dir))) {
                int r = entry->d_name[0] == '.' ? 0 : f(userdata, entry->d_name);

                if (r < 0)
                        return r;
        }
        return 0;
}

int pins_open(const char *directory, const char *name) {
        char path[PATH_MAX];
        int r = join(path, directory, "", name), fd;

        if (r < 0)
                return r;
        fd = bpf_obj_get(path);
        return fd < 0 ? -errno : fd;
}

/* Where the control groups of all processes begin. */
static int open_root_group(void) {
        static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

        for (size_t i = 0; i < ELEMENTS(places); i++) {
                int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                struct statfs st;

                if (fd >= 0 && fstatfs(fd, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC)
                        return fd;
                if (fd >= 0)
                        close(fd);
        }
        return -ENOENT;
}

/* What a control group asks programs of these names. */
static const struct {
        const char *name; /* what it begins with */
        enum bpf_attach_type type;
} asked[] = {
        {PINS_DEVICE, BPF_CGROUP_DEVICE},
        {"network_socket", BPF_CGROUP_INET_SOCK_CREATE},
        {"network_connect4", BPF_CGROUP_INET4_CONNECT},
        {"network_connect6", BPF_CGROUP_INET6_CONNECT},
        {"network_sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
        {"network_sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
};

/* With no name: the program knows where it belongs. Understood since 5.7, unlike BPF_LINK_CREATE. */
static int make_link(const char *program, int fd, const char *in) {
        CLEANUP_CLOSE int group = -1;
        int link;

        for (size_t i = 0; i < ELEMENTS(asked); i++) {
                if (strncmp(program, asked[i].name, strlen(asked[i].name)) != 0)
                        continue;
                group = in ? open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : open_root_group();
                if (group < 0)
                        return in ? -errno : group;
                link = bpf_link_create(fd, group, asked[i].type, NULL);
                return link < 0 ? -errno : link;
        }
        link = bpf_raw_tracepoint_open(NULL, fd);
        return link < 0 ? -errno : link;
}

int pins_attach(const char *directory, const char *program) {
        return pins_attach_in(directory, program, NULL);
}

int pins_attach_in(const char *directory, const char *program, const char *group) {
        char path[PATH_MAX];
        int r = join(path, directory, LINK, program);

        if (r < 0)
                return r;
        if (access(path, F_OK) == 0)
                return 0;
        CLEANUP_CLOSE int fd = pins_open(directory, program);
        if (fd < 0)
                return fd;
        CLEANUP_CLOSE int link = make_link(program, fd, group);
        if (link < 0)
                return link;
        return bpf_obj_pin(link, path) < 0 ? -errno : 0;
}

int pins_detach(const char *directory, const char *program) {
        char path[PATH_MAX];
        int r = join(path, directory, LINK, program);

        if (r < 0)
                return r;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_pin(void *userdata, const char *name) {
        char path[PATH_MAX];
        int r = join(path, userdata, "", name);

        return r < 0 ? r : unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int pins_remove(const char *directory) {
        char copy[PATH_MAX];
        int r;

        if ((size_t)snprintf(copy, sizeof(copy), "%s", directory) >= sizeof(copy))
                return -ENAMETOOLONG;
        r = pins_foreach(directory, remove_pin, copy);
        if (r == -ENOENT)
                return 0;
        if (r == 0 && rmdir(directory) < 0 && errno != ENOENT)
                r = -errno;
        return r;
}

typedef struct Others {
        const char *root, *version;
        int first_error;
} Others;

static int remove_other(void *userdata, const char *name) {
        Others *others = userdata;
        char path[PATH_MAX];
        int r;

        if (strcmp(name, others->version) == 0)
                return 0;
        r = join(path, others->root, "", name);
        if (r == 0)
                r = pins_remove(path);
        if (r < 0 && others->first_error == 0)
                others->first_error = r;
        return 0;
}

int pins_remove_others(const char *root, const char *version) {
        Others others = {.root = root, .version = version};
        int r = pins_foreach(root, remove_other, &others);

        return r < 0 ? r : others.first_error;
}

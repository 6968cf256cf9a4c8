/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_spaces.c: from inside other namespaces and roots, where process ids, users and paths differ. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/attacks/attacks.h"

static int write_it(Attempt *a) {
        return write_file(a, "file");
}

/* The opener's process id is another one outside. */
static int attack_pid_namespace(Attempt *a) {
        return unshare(CLONE_NEWPID) < 0 ? -errno : in_child(a, write_it);
}

static int attack_mount_namespace(Attempt *a) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        return write_it(a);
}

static int attack_all_namespaces(Attempt *a) {
        if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                    CLONE_NEWNET) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        return in_child(a, write_it);
}

static int attack_root_directory(Attempt *a) {
        if (chroot(at(a, ".").s) < 0 || chdir("/") < 0)
                return -errno;
        return smuggle(a, sys(open("/file", O_WRONLY | O_CLOEXEC)));
}

/* Into the mount namespace of another process. */
static int attack_entered_namespace(Attempt *a) {
        CLEANUP_CLOSE int space = -1;
        int ready[2], r;
        char byte;
        pid_t pid;

        if (pipe2(ready, O_CLOEXEC) < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                    write(ready[1], "", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        close(ready[1]);
        r = pid > 0 && read(ready[0], &byte, 1) == 1 ? 0 : -ECHILD;
        close(ready[0]);
        if (r >= 0) {
                Path path = {0};

                snprintf(path.s, sizeof path.s, "/proc/%d/ns/mnt", (int)pid);
                space = sys(open(path.s, O_RDONLY | O_CLOEXEC));
                r = space < 0 ? space : sys(setns(space, CLONE_NEWNS));
        }
        if (r >= 0)
                r = write_it(a);
        if (pid > 0) {
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
        }
        return r;
}

static int write_text(const char *path, const char *text) {
        CLEANUP_CLOSE int fd = sys(open(path, O_WRONLY | O_CLOEXEC));

        return fd < 0 ? fd : write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* An ordinary user becomes root of a namespace of his own. */
static int become_root_of_namespace(Attempt *a, int spaces) {
        char map[64];
        uid_t uid = geteuid();
        gid_t gid = getegid();

        if (unshare(CLONE_NEWUSER | spaces) < 0)
                return errno == EINVAL || errno == ENOSPC
                               ? impossible(a, "this kernel has no user namespaces")
                               : -errno;
        snprintf(map, sizeof map, "0 %u 1", uid);
        if (write_text("/proc/self/setgroups", "deny") < 0 || write_text("/proc/self/uid_map", map) < 0)
                return -EPERM;
        snprintf(map, sizeof map, "0 %u 1", gid);
        return write_text("/proc/self/gid_map", map);
}

static int attack_user_namespace(Attempt *a) {
        int r = become_root_of_namespace(a, 0);

        return r < 0 ? r : write_it(a);
}

static int attack_user_namespace_names(Attempt *a) {
        int r = become_root_of_namespace(a, CLONE_NEWNS);

        return r < 0 ? r : sys(mkdir(new_name(a).s, 0700));
}

static int attack_user_namespace_bind(Attempt *a) {
        int r = become_root_of_namespace(a, CLONE_NEWNS | CLONE_NEWPID);

        if (r < 0)
                return r;
        if (mkdir(beside(a, "mnt").s, 0700) < 0 ||
            mount(at(a, ".").s, beside(a, "mnt").s, NULL, MS_BIND | MS_REC, NULL) < 0)
                return -errno;
        return smuggle(a, sys(open(beside(a, "mnt/file").s, O_WRONLY | O_CLOEXEC)));
}

static int attack_user_namespace_overlay(Attempt *a) {
        char options[3 * PATH_MAX];
        int r = become_root_of_namespace(a, CLONE_NEWNS);

        if (r < 0)
                return r;
        snprintf(options, sizeof options, "userxattr,lowerdir=%.200s,upperdir=%s,workdir=%s", a->scratch,
                 at(a, "empty").s, at(a, "work").s);
        if (mkdir(beside(a, "mnt").s, 0700) < 0 ||
            mount("none", beside(a, "mnt").s, "overlay", 0, options) < 0)
                return errno == ENODEV ? impossible(a, "this kernel has no overlayfs") : -errno;
        snprintf(options, sizeof options, "%.200s/mnt/%s", a->scratch, a->marker);
        return smuggle(a, sys(open(options, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

static const Attack list[] = {
        {"pid-namespace", NEEDS_ROOT, NULL, attack_pid_namespace},
        {"mount-namespace", NEEDS_ROOT, NULL, attack_mount_namespace},
        {"all-namespaces", NEEDS_ROOT, NULL, attack_all_namespaces},
        {"entered-namespace", NEEDS_ROOT, NULL, attack_entered_namespace},
        {"root-directory", NEEDS_ROOT, NULL, attack_root_directory},
        {"user-namespace", 0, NULL, attack_user_namespace},
        {"user-namespace-names", 0, NULL, attack_user_namespace_names},
        {"user-namespace-bind", 0, NULL, attack_user_namespace_bind},
        {"user-namespace-overlay", 0, NULL, attack_user_namespace_overlay},
};
ATTACK_TABLE(attacks_spaces, list);

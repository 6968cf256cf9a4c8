/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_copy.c: data that moves without a write call of the attacker, and writes that somebody else makes.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/attacks/attacks.h"

enum {
        CORE_SIZE = 4 << 20
};

static int open_to_write(const Attempt *a) {
        return sys(open(at(a, "file").s, O_RDWR | O_CLOEXEC));
}

static int attack_copy_range(Attempt *a) {
        CLEANUP_CLOSE int from = marker_file(a, FILE_SIZE), to = open_to_write(a);

        if (from < 0 || to < 0)
                return from < 0 ? from : to;
        if (copy_file_range(from, NULL, to, NULL, FILE_SIZE, 0) < 0)
                return errno == EXDEV ? impossible(a, "the kernel does not copy between these file systems")
                                      : -errno;
        return opened(STEAL_FD(to));
}

static int attack_copy_range_within(Attempt *a) {
        CLEANUP_CLOSE int from = open_read(a, "other"), to = open_to_write(a);

        if (from < 0 || to < 0)
                return from < 0 ? from : to;
        return copy_file_range(from, NULL, to, NULL, OTHER_SIZE, 0) < 0 ? -errno : opened(STEAL_FD(to));
}

static int attack_sendfile(Attempt *a) {
        CLEANUP_CLOSE int from = marker_file(a, FILE_SIZE), to = open_to_write(a);

        if (from < 0 || to < 0)
                return from < 0 ? from : to;
        return sendfile(to, from, NULL, FILE_SIZE) < 0 ? -errno : opened(STEAL_FD(to));
}

/* From a pipe that holds the marker, or pages that are given away to it. */
static int through_pipe(const Attempt *a, bool gift) {
        CLEANUP_CLOSE int to = open_to_write(a), in = -1, out = -1;
        CLEANUP_FREE void *page = aligned_alloc(4096, 4096);
        struct iovec vector = {page, 4096};
        int ends[2];

        if (to < 0)
                return to;
        if (!page || pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        out = ends[0];
        in = ends[1];
        fill_with_marker(a, page, 4096);
        if ((gift ? vmsplice(in, &vector, 1, 0) : write(in, page, 4096)) != 4096)
                return -EIO;
        return splice(out, NULL, to, NULL, 4096, 0) < 0 ? -errno : opened(STEAL_FD(to));
}

static int attack_splice(Attempt *a) {
        return through_pipe(a, false);
}

static int attack_vmsplice(Attempt *a) {
        return through_pipe(a, true);
}

static int attack_clone(Attempt *a) {
        CLEANUP_CLOSE int from = open_read(a, "other"), to = open_to_write(a);

        if (from < 0 || to < 0)
                return from < 0 ? from : to;
        return ioctl(to, FICLONE, from) < 0 ? unless_unknown(a, -errno, "the file system shares no blocks")
                                            : 0;
}

static int attack_clone_range(Attempt *a) {
        CLEANUP_CLOSE int from = open_read(a, "other"), to = open_to_write(a);
        struct file_clone_range range = {.src_fd = from, .src_length = OTHER_SIZE};

        if (from < 0 || to < 0)
                return from < 0 ? from : to;
        return ioctl(to, FICLONERANGE, &range) < 0
                       ? unless_unknown(a, -errno, "the file system shares no blocks")
                       : 0;
}

/* Two files that are the same may be made to share blocks by their owner, who has neither open for writing.
 */
static int attack_deduplicate(Attempt *a) {
        CLEANUP_CLOSE int from = open_read(a, "other"), to = open_read(a, "twin");
        union {
                struct file_dedupe_range range;
                char room[sizeof(struct file_dedupe_range) + sizeof(struct file_dedupe_range_info)];
        } u = {.range = {.src_length = OTHER_SIZE, .dest_count = 1}};

        if (from < 0 || to < 0)
                return from < 0 ? from : to;
        u.range.info[0].dest_fd = to;
        if (ioctl(from, FIDEDUPERANGE, &u.range) < 0)
                return unless_unknown(a, -errno, "the file system shares no blocks");
        return unless_unknown(a, u.range.info[0].status < 0 ? u.range.info[0].status : 0,
                              "the file system shares no blocks");
}

/* The kernel writes the core of a process that dies into its working directory. */
static int die_there(Attempt *a) {
        struct rlimit some = {CORE_SIZE, CORE_SIZE}; /* a full volume would hold up other attacks */

        if (chdir(at(a, ".").s) < 0 || setrlimit(RLIMIT_CORE, &some) < 0)
                return -errno;
        prctl(PR_SET_DUMPABLE, 1);
        signal(SIGABRT, SIG_DFL);
        abort();
}

static int dump_core(Attempt *a) {
        pid_t pid = fork();
        int status;

        if (pid == 0)
                _exit(-die_there(a));
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return -errno;
        if (WIFEXITED(status))
                return -WEXITSTATUS(status);
        return WCOREDUMP(status) ? 0 : -EACCES; /* the kernel does not tell why there is none */
}

static const char CORE_PATTERN[] = "/proc/sys/kernel/core_pattern";

static int write_core_pattern(const char *pattern) {
        CLEANUP_CLOSE int fd = sys(open(CORE_PATTERN, O_WRONLY | O_CLOEXEC));

        return fd < 0 ? fd : write(fd, pattern, strlen(pattern)) < 0 ? -errno : 0;
}

static int attack_core_dump(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(CORE_PATTERN, O_RDONLY | O_CLOEXEC));
        char first;

        if (fd < 0)
                return impossible(a, "this kernel dumps no cores");
        if (read(fd, &first, 1) == 1 && (first == '|' || first == '/' || first == '\n'))
                return impossible(a, "this machine's core_pattern sends cores elsewhere");
        return dump_core(a);
}

/* By a name of the attacker's choice, which then is part of the smuggled. */
static int attack_core_dump_named(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(CORE_PATTERN, O_RDONLY | O_CLOEXEC));
        char pattern[256] = "";
        int r;

        if (fd < 0)
                return impossible(a, "this kernel dumps no cores");
        if (read(fd, pattern, sizeof pattern - 1) < 1)
                return -EIO;
        r = write_core_pattern(a->marker);
        if (r < 0)
                return r;
        r = dump_core(a);
        if (write_core_pattern(pattern) < 0)
                return -EBUSY;
        return r;
}

/* Process accounting: the kernel appends a record, with the command's name, for each process that ends. */
static int attack_accounting(Attempt *a) {
        pid_t pid;

        if (acct(at(a, "file").s) < 0)
                return unless_unknown(a, -errno, "this kernel keeps no accounts");
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_NAME, a->marker);
                _exit(0);
        }
        if (pid > 0 && waitpid(pid, NULL, 0) < 0)
                pid = -1;
        if (acct(NULL) < 0 || pid < 0)
                return -errno;
        return 0;
}

static const Attack list[] = {
        {"copy-range", 0, NULL, attack_copy_range},
        {"copy-range-within", 0, NULL, attack_copy_range_within},
        {"sendfile", 0, NULL, attack_sendfile},
        {"splice", 0, NULL, attack_splice},
        {"vmsplice", 0, NULL, attack_vmsplice},
        {"clone", 0, NULL, attack_clone},
        {"clone-range", 0, NULL, attack_clone_range},
        {"deduplicate", 0, NULL, attack_deduplicate},
        {"core-dump", 0, NULL, attack_core_dump},
        {"core-dump-named", NEEDS_ROOT | NEEDS_MACHINE, NULL, attack_core_dump_named},
        {"accounting", NEEDS_ROOT | NEEDS_MACHINE, NULL, attack_accounting},
};
ATTACK_TABLE(attacks_copy, list);

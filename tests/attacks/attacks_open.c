/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_open.c: opens that write, create or cut off, by path. */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "tests/attacks/attacks.h"

static int open_file(const Attempt *a, int flags) {
        return sys(open(at(a, "file").s, flags | O_CLOEXEC));
}

static int create(const Attempt *a, int flags, mode_t mode) {
        return sys(open(new_name(a).s, flags | O_CREAT | O_CLOEXEC, mode));
}

static int open_directory(const Attempt *a) {
        return sys(open(at(a, ".").s, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int attack_write(Attempt *a) {
        return write_file(a, "file");
}

static int attack_read_write(Attempt *a) {
        return smuggle(a, open_file(a, O_RDWR));
}

static int attack_append(Attempt *a) {
        return smuggle(a, open_file(a, O_WRONLY | O_APPEND));
}

static int attack_write_sync(Attempt *a) {
        return smuggle(a, open_file(a, O_WRONLY | O_SYNC | O_NONBLOCK | O_NOCTTY));
}

static int attack_write_direct(Attempt *a) {
        return smuggle_sector(a, open_file(a, O_WRONLY | O_DIRECT), 0);
}

static int attack_truncate_open(Attempt *a) {
        return opened(open_file(a, O_WRONLY | O_TRUNC));
}

static int attack_truncate_open_read(Attempt *a) {
        return opened(open_file(a, O_RDONLY | O_TRUNC));
}

static int attack_truncate(Attempt *a) {
        return sys(truncate(at(a, "file").s, 3));
}

static int attack_truncate_longer(Attempt *a) {
        return sys(truncate(at(a, "file").s, 123456));
}

static int attack_ftruncate(Attempt *a) {
        CLEANUP_CLOSE int fd = open_file(a, O_WRONLY);

        return fd < 0 ? fd : sys(ftruncate(fd, 3));
}

static int attack_create_read(Attempt *a) {
        return opened(create(a, O_RDONLY, 0600));
}

static int attack_create_write(Attempt *a) {
        return smuggle(a, create(a, O_WRONLY, 0600));
}

static int attack_create_read_write(Attempt *a) {
        return smuggle(a, create(a, O_RDWR, 0666));
}

static int attack_create_exclusive(Attempt *a) {
        return smuggle(a, create(a, O_WRONLY | O_EXCL, 0600));
}

static int attack_create_append(Attempt *a) {
        return smuggle(a, create(a, O_WRONLY | O_APPEND, 0600));
}

static int attack_create_truncate(Attempt *a) {
        return smuggle(a, create(a, O_WRONLY | O_TRUNC, 0600));
}

static int attack_create_closed_mode(Attempt *a) {
        return smuggle(a, create(a, O_WRONLY, 0));
}

static int attack_create_setuid(Attempt *a) {
        return smuggle(a, create(a, O_WRONLY, 06755));
}

static int attack_creat(Attempt *a) {
        return smuggle(a, sys(creat(new_name(a).s, 0600)));
}

static int attack_creat_existing(Attempt *a) {
        return smuggle(a, sys(creat(at(a, "file").s, 0600)));
}

/* glibc's open() is openat() below: the old calls have numbers of their own. */
static int attack_open_call(Attempt *a) {
#ifdef SYS_open
        return smuggle(a, sys(syscall(SYS_open, at(a, "file").s, O_WRONLY)));
#else
        return impossible(a, "this architecture has no such call");
#endif
}

static int attack_creat_call(Attempt *a) {
#ifdef SYS_creat
        return smuggle(a, sys(syscall(SYS_creat, new_name(a).s, 0600)));
#else
        return impossible(a, "this architecture has no such call");
#endif
}

/* The kernel looks at the low half of the flags' register; who reads it must do so too. */
static int attack_open_high_bits(Attempt *a) {
        return smuggle(a,
                       sys(syscall(SYS_openat, AT_FDCWD, at(a, "file").s, 0xFFFFFFFF00000000UL | O_WRONLY)));
}

static int attack_openat_directory(Attempt *a) {
        CLEANUP_CLOSE int directory = open_directory(a);

        return directory < 0 ? directory : smuggle(a, sys(openat(directory, "file", O_WRONLY | O_CLOEXEC)));
}

static int attack_openat_create(Attempt *a) {
        CLEANUP_CLOSE int directory = open_directory(a);

        return directory < 0
                       ? directory
                       : smuggle(a, sys(openat(directory, a->marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

static int attack_working_directory(Attempt *a) {
        if (chdir(at(a, ".").s) < 0)
                return -errno;
        return smuggle(a, sys(open("file", O_WRONLY | O_CLOEXEC)));
}

static int attack_symbolic_link(Attempt *a) {
        return smuggle(a, sys(open(at(a, "link").s, O_WRONLY | O_CLOEXEC)));
}

static int attack_symbolic_link_from_outside(Attempt *a) {
        if (symlink(at(a, "file").s, beside(a, "way").s) < 0)
                return -errno;
        return smuggle(a, sys(open(beside(a, "way").s, O_WRONLY | O_CLOEXEC)));
}

static int openat2_call(const char *path, int flags, mode_t mode, uint64_t resolve) {
        struct open_how how = {
                .flags = (uint64_t)(unsigned)flags | O_CLOEXEC, .mode = mode, .resolve = resolve};

        return sys(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

static int attack_openat2(Attempt *a) {
        return smuggle(a, openat2_call(at(a, "file").s, O_WRONLY, 0, 0));
}

static int attack_openat2_create(Attempt *a) {
        return smuggle(a, openat2_call(new_name(a).s, O_WRONLY | O_CREAT, 0600, RESOLVE_NO_MAGICLINKS));
}

static int attack_openat2_append(Attempt *a) {
        return smuggle(a, openat2_call(at(a, "file").s, O_WRONLY | O_APPEND, 0, RESOLVE_NO_SYMLINKS));
}

static int attack_openat2_truncate(Attempt *a) {
        return opened(openat2_call(at(a, "file").s, O_RDONLY | O_TRUNC, 0, 0));
}

/* What has no name still reaches the medium. */
static int attack_temporary_file(Attempt *a) {
        return smuggle_much(a, sys(open(at(a, ".").s, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)), MUCH);
}

static int attack_temporary_file_openat2(Attempt *a) {
        return smuggle_much(a, openat2_call(at(a, ".").s, O_TMPFILE | O_RDWR, 0600, 0), MUCH);
}

static int attack_temporary_file_linked(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, ".").s, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
        int r;

        if (fd < 0)
                return fd;
        r = sys(linkat(AT_FDCWD, proc_fd(fd).s, AT_FDCWD, new_name(a).s, AT_SYMLINK_FOLLOW));
        return r < 0 ? r : smuggle(a, STEAL_FD(fd));
}

static int preallocate(Attempt *a, int mode, off_t offset, off_t length) {
        CLEANUP_CLOSE int fd = open_file(a, O_RDWR);

        if (fd < 0)
                return fd;
        return unless_unknown(a, sys(fallocate(fd, mode, offset, length)), "the file system cannot do that");
}

static int attack_preallocate(Attempt *a) {
        return preallocate(a, 0, 0, FILE_SIZE * 4L);
}

static int attack_preallocate_keeping_size(Attempt *a) {
        return preallocate(a, FALLOC_FL_KEEP_SIZE, 0, FILE_SIZE * 4L);
}

static int attack_punch_hole(Attempt *a) {
        return preallocate(a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096);
}

static int attack_zero_range(Attempt *a) {
        return preallocate(a, FALLOC_FL_ZERO_RANGE, 4096, 4096);
}

static int attack_collapse_range(Attempt *a) {
        return preallocate(a, FALLOC_FL_COLLAPSE_RANGE, 4096, 4096);
}

static int attack_insert_range(Attempt *a) {
        return preallocate(a, FALLOC_FL_INSERT_RANGE, 4096, 4096);
}

static int attack_mapping(Attempt *a) {
        CLEANUP_CLOSE int fd = open_file(a, O_RDWR);
        char *map;
        int r;

        if (fd < 0)
                return fd;
        map = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
                return -errno;
        memcpy(map, a->marker, MARKER_LENGTH);
        r = sys(msync(map, FILE_SIZE, MS_SYNC));
        munmap(map, FILE_SIZE);
        return r;
}

static int attack_vectored_write(Attempt *a) {
        CLEANUP_CLOSE int fd = open_file(a, O_WRONLY);
        struct iovec vector = {a->marker, MARKER_LENGTH};

        if (fd < 0)
                return fd;
        return pwritev2(fd, &vector, 1, 0, RWF_DSYNC) < 0 ? -errno : 0;
}

static const Attack list[] = {
        {"write", 0, NULL, attack_write},
        {"read-write", 0, NULL, attack_read_write},
        {"append", 0, NULL, attack_append},
        {"write-sync", 0, NULL, attack_write_sync},
        {"write-direct", 0, NULL, attack_write_direct},
        {"vectored-write", 0, NULL, attack_vectored_write},
        {"mapping", 0, NULL, attack_mapping},
        {"truncate-open", 0, NULL, attack_truncate_open},
        {"truncate-open-read", 0, NULL, attack_truncate_open_read},
        {"truncate", 0, NULL, attack_truncate},
        {"truncate-longer", 0, NULL, attack_truncate_longer},
        {"ftruncate", 0, NULL, attack_ftruncate},
        {"create-read", 0, NULL, attack_create_read},
        {"create-write", 0, NULL, attack_create_write},
        {"create-read-write", 0, NULL, attack_create_read_write},
        {"create-exclusive", 0, NULL, attack_create_exclusive},
        {"create-append", 0, NULL, attack_create_append},
        {"create-truncate", 0, NULL, attack_create_truncate},
        {"create-closed-mode", 0, NULL, attack_create_closed_mode},
        {"create-setuid", 0, NULL, attack_create_setuid},
        {"creat", 0, NULL, attack_creat},
        {"creat-existing", 0, NULL, attack_creat_existing},
        {"open-call", 0, NULL, attack_open_call},
        {"creat-call", 0, NULL, attack_creat_call},
        {"open-high-bits", 0, NULL, attack_open_high_bits},
        {"openat-directory", 0, NULL, attack_openat_directory},
        {"openat-create", 0, NULL, attack_openat_create},
        {"working-directory", 0, NULL, attack_working_directory},
        {"symbolic-link", 0, NULL, attack_symbolic_link},
        {"symbolic-link-from-outside", 0, NULL, attack_symbolic_link_from_outside},
        {"openat2", 0, NULL, attack_openat2},
        {"openat2-create", 0, NULL, attack_openat2_create},
        {"openat2-append", 0, NULL, attack_openat2_append},
        {"openat2-truncate", 0, NULL, attack_openat2_truncate},
        {"temporary-file", TRACES_FADE, NULL, attack_temporary_file},
        {"temporary-file-openat2", TRACES_FADE, NULL, attack_temporary_file_openat2},
        {"temporary-file-linked", 0, NULL, attack_temporary_file_linked},
        {"preallocate", 0, NULL, attack_preallocate},
        {"preallocate-keeping-size", 0, NULL, attack_preallocate_keeping_size},
        {"punch-hole", 0, NULL, attack_punch_hole},
        {"zero-range", 0, NULL, attack_zero_range},
        {"collapse-range", 0, NULL, attack_collapse_range},
        {"insert-range", 0, NULL, attack_insert_range},
};
ATTACK_TABLE(attacks_open, list);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attacks_abi.c: the 32-bit calls, which a 64-bit process can make as well. Their numbers mean something
 * else in the table that a reader of registers would look them up in: 5 is open there and fstat here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/attacks/attacks.h"

#ifdef __x86_64__

/* arch/x86/entry/syscalls/syscall_32.tbl */
enum {
        I386_OPEN = 5,
        I386_CREAT = 8,
        I386_LINK = 9,
        I386_UNLINK = 10,
        I386_MKNOD = 14,
        I386_CHMOD = 15,
        I386_UTIME = 30,
        I386_GETPID = 20,
        I386_RENAME = 38,
        I386_MKDIR = 39,
        I386_RMDIR = 40,
        I386_SYMLINK = 83,
        I386_TRUNCATE = 92,
        I386_TRUNCATE64 = 193,
        I386_SETXATTR = 226,
        I386_OPENAT = 295,
        I386_OPENAT2 = 437
};

static long call32(long number, unsigned long b, unsigned long c, unsigned long d, unsigned long si,
                   unsigned long di) {
        long r = number;

        __asm__ volatile("int $0x80"
                         : "+a"(r)
                         : "b"(b), "c"(c), "d"(d), "S"(si), "D"(di)
                         : "memory", "r8", "r9", "r10", "r11");
        return r;
}

/* Strings where 32 bits reach: five of them, one page each. */
typedef struct Low {
        char s[5][4096];
} Low;

static Low *low_new(void) {
        void *p = mmap(NULL, sizeof(Low), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
                       -1, 0);

        return p == MAP_FAILED ? NULL : p;
}

static int try_the_abi(Attempt *a) {
        (void)a;
        call32(I386_GETPID, 0, 0, 0, 0, 0);
        return 0;
}

/* Makes the call NUMBER with the path FIRST and either the path SECOND or the numbers THIRD and FOURTH. */
static int call_with(Attempt *a, long number, const char *first, const char *second, unsigned long third,
                     unsigned long fourth) {
        Low *low = low_new();

        if (in_child(a, try_the_abi) < 0)
                return impossible(a, "this kernel has no 32-bit calls");
        if (!low)
                return -ENOMEM;
        snprintf(low->s[0], sizeof low->s[0], "%s", first);
        if (second)
                snprintf(low->s[1], sizeof low->s[1], "%s", second);
        return (int)call32(number, (uintptr_t)low->s[0], second ? (uintptr_t)low->s[1] : third,
                           second ? 0 : fourth, 0, 0);
}

static int attack_open(Attempt *a) {
        return smuggle(a, call_with(a, I386_OPEN, at(a, "file").s, NULL, O_WRONLY, 0));
}

static int attack_open_create(Attempt *a) {
        return smuggle(a, call_with(a, I386_OPEN, new_name(a).s, NULL, O_WRONLY | O_CREAT, 0600));
}

static int attack_creat(Attempt *a) {
        return smuggle(a, call_with(a, I386_CREAT, new_name(a).s, NULL, 0600, 0));
}

static int attack_openat(Attempt *a) {
        Low *low = low_new();

        if (in_child(a, try_the_abi) < 0)
                return impossible(a, "this kernel has no 32-bit calls");
        if (!low)
                return -ENOMEM;
        snprintf(low->s[0], sizeof low->s[0], "%s", at(a, "file").s);
        return smuggle(
                a, (int)call32(I386_OPENAT, (unsigned long)AT_FDCWD, (uintptr_t)low->s[0], O_WRONLY, 0, 0));
}

static int attack_openat2(Attempt *a) {
        Low *low = low_new();
        uint64_t how[3] = {O_WRONLY};

        if (in_child(a, try_the_abi) < 0)
                return impossible(a, "this kernel has no 32-bit calls");
        if (!low)
                return -ENOMEM;
        snprintf(low->s[0], sizeof low->s[0], "%s", at(a, "file").s);
        memcpy(low->s[1], how, sizeof how);
        return smuggle(a, (int)call32(I386_OPENAT2, (unsigned long)AT_FDCWD, (uintptr_t)low->s[0],
                                      (uintptr_t)low->s[1], sizeof how, 0));
}

static int attack_truncate(Attempt *a) {
        return call_with(a, I386_TRUNCATE, at(a, "file").s, NULL, 3, 0);
}

static int attack_truncate64(Attempt *a) {
        return call_with(a, I386_TRUNCATE64, at(a, "file").s, NULL, 3, 0);
}

static int attack_mkdir(Attempt *a) {
        return call_with(a, I386_MKDIR, new_name(a).s, NULL, 0700, 0);
}

static int attack_rmdir(Attempt *a) {
        return call_with(a, I386_RMDIR, at(a, "empty").s, NULL, 0, 0);
}

static int attack_symlink(Attempt *a) {
        return call_with(a, I386_SYMLINK, a->marker, new_name(a).s, 0, 0);
}

static int attack_link(Attempt *a) {
        return call_with(a, I386_LINK, at(a, "file").s, new_name(a).s, 0, 0);
}

static int attack_rename(Attempt *a) {
        return call_with(a, I386_RENAME, at(a, "file").s, new_name(a).s, 0, 0);
}

static int attack_unlink(Attempt *a) {
        return call_with(a, I386_UNLINK, at(a, "file").s, NULL, 0, 0);
}

static int attack_mknod(Attempt *a) {
        return call_with(a, I386_MKNOD, new_name(a).s, NULL, S_IFIFO | 0600, 0);
}

static int attack_chmod(Attempt *a) {
        return call_with(a, I386_CHMOD, at(a, "file").s, NULL, 0640, 0);
}

static int attack_utime(Attempt *a) {
        return call_with(a, I386_UTIME, at(a, "file").s, NULL, 0, 0);
}

static int attack_setxattr(Attempt *a) {
        Low *low = low_new();

        if (in_child(a, try_the_abi) < 0)
                return impossible(a, "this kernel has no 32-bit calls");
        if (!low)
                return -ENOMEM;
        snprintf(low->s[0], sizeof low->s[0], "%s", at(a, "file").s);
        memcpy(low->s[1], "user.smuggled", sizeof "user.smuggled");
        memcpy(low->s[2], a->marker, MARKER_LENGTH);
        return (int)call32(I386_SETXATTR, (uintptr_t)low->s[0], (uintptr_t)low->s[1], (uintptr_t)low->s[2],
                           MARKER_LENGTH, 0);
}

/* The flags of the call as 64 bits would have them: registers that look like a harmless call of that table.
 */
static int attack_open_in_disguise(Attempt *a) {
        Low *low = low_new();
        long r = I386_OPEN;

        if (in_child(a, try_the_abi) < 0)
                return impossible(a, "this kernel has no 32-bit calls");
        if (!low)
                return -ENOMEM;
        snprintf(low->s[0], sizeof low->s[0], "%s", at(a, "file").s);
        __asm__ volatile("int $0x80"
                         : "+a"(r)
                         : "b"(low->s[0]), "c"((long)O_WRONLY), "d"(O_RDONLY), "S"(O_RDONLY), "D"(low->s[0])
                         : "memory", "r8", "r9", "r10", "r11");
        return smuggle(a, (int)r);
}

static const Attack list[] = {
        {"abi32-open", 0, NULL, attack_open},
        {"abi32-open-create", 0, NULL, attack_open_create},
        {"abi32-open-in-disguise", 0, NULL, attack_open_in_disguise},
        {"abi32-creat", 0, NULL, attack_creat},
        {"abi32-openat", 0, NULL, attack_openat},
        {"abi32-openat2", 0, NULL, attack_openat2},
        {"abi32-truncate", 0, NULL, attack_truncate},
        {"abi32-truncate64", 0, NULL, attack_truncate64},
        {"abi32-mkdir", 0, NULL, attack_mkdir},
        {"abi32-rmdir", 0, NULL, attack_rmdir},
        {"abi32-symlink", 0, NULL, attack_symlink},
        {"abi32-link", 0, NULL, attack_link},
        {"abi32-rename", 0, NULL, attack_rename},
        {"abi32-unlink", 0, NULL, attack_unlink},
        {"abi32-mknod", 0, NULL, attack_mknod},
        {"abi32-chmod", 0, NULL, attack_chmod},
        {"abi32-utime", 0, NULL, attack_utime},
        {"abi32-setxattr", 0, NULL, attack_setxattr},
};
ATTACK_TABLE(attacks_abi, list);

#else

/* Only x86-64 lets a 64-bit process make 32-bit calls. */
const AttackTable attacks_abi = {NULL, 0};

#endif

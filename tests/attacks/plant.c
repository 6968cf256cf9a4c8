/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plant.c: the tree that the attacks need, one directory for each, so that what differs later has one cause.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "tests/attacks/harness.h"

static const char SIGNATURE[10] = {'S', 'W', 'A', 'P', 'S', 'P', 'A', 'C', 'E', '2'};

typedef struct Planter {
        int directory; /* of the attack */
        const char *name;
        uid_t uid;
        gid_t gid;
        uint64_t id; /* of this planting: a medium may still hold blocks of an older one */
} Planter;

/* Every sector tells what it is, so that it is found on the medium whatever the file system. */
static void fill_sector(const Planter *p, const char *file, size_t number, char sector[SECTOR]) {
        memset(sector, '.', SECTOR);
        int n = snprintf(sector, SECTOR, "%s planted %016llx %s/%s %zu\n", PLANTED,
                         (unsigned long long)p->id, p->name, file, number);

        if (n > 0 && n < SECTOR)
                sector[n] = '.';
}

static int give(const Planter *p, int fd, mode_t mode) {
        if (fchmod(fd, mode) < 0 || fchown(fd, p->uid, p->gid) < 0)
                return -errno;
        return 0;
}

static int plant_file(const Planter *p, const char *file, const char *as, size_t size) {
        CLEANUP_CLOSE int fd =
                sys(openat(p->directory, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
        char sector[SECTOR];

        if (fd < 0)
                return fd;
        for (size_t i = 0; i < size / SECTOR; i++) {
                fill_sector(p, as, i, sector);
                if (write(fd, sector, SECTOR) != SECTOR)
                        return -EIO;
        }
        if (fsetxattr(fd, "user.planted", "planted", 7, 0) < 0 && errno != EOPNOTSUPP)
                return -errno;
        return give(p, fd, 0666);
}

/* An empty swap area of version 1: include/linux/swap.h, union swap_header. */
static int plant_swap(const Planter *p) {
        CLEANUP_CLOSE int fd =
                sys(openat(p->directory, "swap", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        CLEANUP_FREE char *area = calloc(1, SWAP_SIZE);
        uint32_t version = 1, last = SWAP_SIZE / 4096 - 1;

        if (fd < 0)
                return fd;
        if (!area)
                return -ENOMEM;
        memset(area, '.', SWAP_SIZE); /* blocks of zeroes might become holes */
        memset(area + 1024, 0, 512);
        memcpy(area + 1024, &version, sizeof version);
        memcpy(area + 1028, &last, sizeof last);
        memcpy(area + 4096 - 10, SIGNATURE, sizeof SIGNATURE);
        if (write(fd, area, SWAP_SIZE) != SWAP_SIZE)
                return -EIO;
        return give(p, fd, 0600);
}

static int plant_directory(const Planter *p, int parent, const char *name, int *ret) {
        CLEANUP_CLOSE int fd = -1;
        int r;

        if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = give(p, fd, 0777);
        if (r < 0)
                return r;
        if (ret)
                *ret = STEAL_FD(fd);
        return 0;
}

static int plant_attack(Planter *p, int root, const Attack *attack) {
        CLEANUP_CLOSE int directory = -1;
        int r = plant_directory(p, root, attack->name, &directory);

        if (r < 0)
                return r;
        p->name = attack->name;
        p->directory = directory;
        if ((r = plant_directory(p, directory, "empty", NULL)) < 0 ||
            (r = plant_directory(p, directory, "work", NULL)) < 0 ||
            (r = plant_file(p, "file", "file", FILE_SIZE)) < 0 ||
            (r = plant_file(p, "other", "other", OTHER_SIZE)) < 0 ||
            (r = plant_file(p, "twin", "other", OTHER_SIZE)) < 0)
                return r;
        if ((symlinkat("file", directory, "link") < 0 && errno != EEXIST) ||
            fchownat(directory, "link", p->uid, p->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (strcmp(attack->name, "swap-file") == 0)
                return plant_swap(p);
        return 0;
}

int plant(const char *directory, uid_t uid, gid_t gid) {
        CLEANUP_CLOSE int top = sys(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), root = -1;
        Planter p = {.uid = uid, .gid = gid};
        const Attack *attack;
        int r;

        if (top < 0)
                return top;
        if (getrandom(&p.id, sizeof p.id, 0) != (ssize_t)sizeof p.id)
                return -EIO;
        r = plant_directory(&p, top, PLANTED, &root);
        for (size_t i = 0; r >= 0 && (attack = catalogue(i)); i++)
                r = plant_attack(&p, root, attack);
        return r;
}

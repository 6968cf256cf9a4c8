/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_attributes.c: extended attributes and access lists, also through descriptors that only read. */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "tests/attacks/attacks.h"

static const char SMUGGLED[] = "user.smuggled";

static int set(Attempt *a, const char *file, const char *name) {
        return sys(setxattr(at(a, file).s, name, a->marker, MARKER_LENGTH, 0));
}

static int attack_attribute(Attempt *a) {
        return set(a, "file", SMUGGLED);
}

static int attack_attribute_name(Attempt *a) {
        char name[64] = "user.";

        strncat(name, a->marker, sizeof name - strlen(name) - 1);
        return sys(setxattr(at(a, "file").s, name, "", 0, 0));
}

static int attack_attribute_large(Attempt *a) {
        char value[700]; /* fits in a block of 1 KiB */

        fill_with_marker(a, value, sizeof value);
        return sys(setxattr(at(a, "file").s, SMUGGLED, value, sizeof value, XATTR_CREATE));
}

static int attack_attribute_lsetxattr(Attempt *a) {
        return sys(lsetxattr(at(a, "file").s, SMUGGLED, a->marker, MARKER_LENGTH, 0));
}

static int attack_attribute_of_directory(Attempt *a) {
        return set(a, "empty", SMUGGLED);
}

static int of_reader(Attempt *a, const char *file) {
        CLEANUP_CLOSE int fd = open_read(a, file);

        return fd < 0 ? fd : sys(fsetxattr(fd, SMUGGLED, a->marker, MARKER_LENGTH, 0));
}

static int attack_attribute_of_reader(Attempt *a) {
        return of_reader(a, "file");
}

static int attack_attribute_of_directory_reader(Attempt *a) {
        return of_reader(a, "empty");
}

static int attack_attribute_of_path(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_PATH | O_CLOEXEC));

        return fd < 0 ? fd : sys(setxattr(proc_fd(fd).s, SMUGGLED, a->marker, MARKER_LENGTH, 0));
}

static int attack_attribute_setxattrat(Attempt *a) {
        enum {
                CALL_SETXATTRAT = 463 /* Linux 6.13; the same number everywhere */
        };
        struct {
                uint64_t value;
                uint32_t size, flags;
        } args = {(uintptr_t)a->marker, MARKER_LENGTH, 0};

        return unless_unknown(
                a, sys(syscall(CALL_SETXATTRAT, AT_FDCWD, at(a, "file").s, 0, SMUGGLED, &args, sizeof args)),
                "this kernel has no setxattrat");
}

static int attack_attribute_removed(Attempt *a) {
        return sys(removexattr(at(a, "file").s, "user.planted"));
}

static int attack_attribute_removed_by_reader(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");

        return fd < 0 ? fd : sys(fremovexattr(fd, "user.planted"));
}

static int attack_attribute_trusted(Attempt *a) {
        return set(a, "file", "trusted.smuggled");
}

static int attack_attribute_trusted_of_link(Attempt *a) {
        return sys(lsetxattr(at(a, "link").s, "trusted.smuggled", a->marker, MARKER_LENGTH, 0));
}

static int attack_attribute_security(Attempt *a) {
        return set(a, "file", "security.smuggled");
}

static int attack_file_capability(Attempt *a) {
        struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2,
                                    .data = {{.permitted = 1U << CAP_CHOWN}}};

        return sys(setxattr(at(a, "file").s, "security.capability", &data, sizeof data, 0));
}

/* An access list may name any users: 32 bits each. */
static int set_acl(Attempt *a, const char *file, const char *name) {
        struct {
                struct posix_acl_xattr_header header;
                struct posix_acl_xattr_entry entries[5];
        } acl = {.header = {POSIX_ACL_XATTR_VERSION},
                 .entries = {{ACL_USER_OBJ, 6, (uint32_t)-1},
                             {ACL_USER, 6, 123456},
                             {ACL_GROUP_OBJ, 4, (uint32_t)-1},
                             {ACL_MASK, 6, (uint32_t)-1},
                             {ACL_OTHER, 6, (uint32_t)-1}}};

        return unless_unknown(a, sys(setxattr(at(a, file).s, name, &acl, sizeof acl, 0)),
                              "the file system has no access lists");
}

static int attack_access_list(Attempt *a) {
        return set_acl(a, "file", "system.posix_acl_access");
}

static int attack_access_list_default(Attempt *a) {
        return set_acl(a, "empty", "system.posix_acl_default");
}

static const Attack list[] = {
        {"attribute", 0, NULL, attack_attribute},
        {"attribute-name", 0, NULL, attack_attribute_name},
        {"attribute-large", 0, NULL, attack_attribute_large},
        {"attribute-lsetxattr", 0, NULL, attack_attribute_lsetxattr},
        {"attribute-setxattrat", 0, NULL, attack_attribute_setxattrat},
        {"attribute-of-directory", 0, NULL, attack_attribute_of_directory},
        {"attribute-of-reader", 0, NULL, attack_attribute_of_reader},
        {"attribute-of-directory-reader", 0, NULL, attack_attribute_of_directory_reader},
        {"attribute-of-path", 0, NULL, attack_attribute_of_path},
        {"attribute-removed", 0, NULL, attack_attribute_removed},
        {"attribute-removed-by-reader", 0, NULL, attack_attribute_removed_by_reader},
        {"attribute-trusted", NEEDS_ROOT, NULL, attack_attribute_trusted},
        {"attribute-trusted-of-link", NEEDS_ROOT, NULL, attack_attribute_trusted_of_link},
        {"attribute-security", NEEDS_ROOT, NULL, attack_attribute_security},
        {"file-capability", NEEDS_ROOT, NULL, attack_file_capability},
        {"access-list", 0, NULL, attack_access_list},
        {"access-list-default", 0, NULL, attack_access_list_default},
};
ATTACK_TABLE(attacks_attributes, list);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failing: stands between the module and the libraries (the linker's --wrap). */
#include "tests/pam/failing.h"

#include <dirent.h>
#include <fcntl.h>
#include <fido.h>
#include <fido/es256.h>
#include <grp.h>
#include <pwd.h>
#include <security/pam_modules.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>

/* The environment is asked once: PKCS#11 modules see none. */
bool fails(const char *name) {
        static long calls, at = -1;
        const char *wanted = at < 0 ? getenv("SEKISHO_FAIL_AT") : NULL;

        if (at < 0)
                at = wanted ? strtol(wanted, NULL, 10) : 0;
        if (at == 0 || ++calls != at)
                return false;
        printf("failing %s\n", name);
        fflush(stdout);
        return true;
}

WRAP(void *, malloc, NULL, ENOMEM, (size_t n), (n))
WRAP(void *, calloc, NULL, ENOMEM, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, NULL, ENOMEM, (void *p, size_t n), (p, n))
WRAP(void *, reallocarray, NULL, ENOMEM, (void *p, size_t n, size_t size), (p, n, size))
WRAP(char *, strdup, NULL, ENOMEM, (const char *s), (s))
WRAP(void *, sodium_malloc, NULL, ENOMEM, (size_t n), (n))
WRAP(int, sodium_init, -1, EIO, (void), ())
WRAP(ssize_t, write, -1, ENOSPC, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(int, fsync, -1, EIO, (int fd), (fd))
WRAP(int, fdatasync, -1, EIO, (int fd), (fd))
WRAP(int, fstat, -1, EIO, (int fd, struct stat *st), (fd, st))
WRAP(int, renameat, -1, EIO, (int a, const char *f, int b, const char *t), (a, f, b, t))
WRAP(int, unlinkat, -1, EROFS, (int fd, const char *name, int flags), (fd, name, flags))
WRAP(DIR *, fdopendir, NULL, ENOMEM, (int fd), (fd))
WRAP(int, clock_gettime, -1, EINVAL, (clockid_t clock, struct timespec *ret), (clock, ret))
WRAP(struct tm *, localtime_r, NULL, EOVERFLOW, (const time_t *t, struct tm *ret), (t, ret))
WRAP(int, getpwnam_r, EIO, EIO,
     (const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **ret),
     (name, entry, buffer, size, ret))
WRAP(int, getgrnam_r, EIO, EIO,
     (const char *name, struct group *entry, char *buffer, size_t size, struct group **ret),
     (name, entry, buffer, size, ret))
WRAP(int, pam_get_item, PAM_SYSTEM_ERR, 0, (const pam_handle_t *h, int item, const void **ret),
     (h, item, ret))
WRAP(int, pam_get_user, PAM_CONV_ERR, 0, (pam_handle_t * h, const char **ret, const char *prompt),
     (h, ret, prompt))
/* Where the policy of the transaction is not found it is read: nothing hangs on that. */
int __real_pam_get_data(const pam_handle_t *h, const char *name, const void **ret);
int __wrap_pam_get_data(const pam_handle_t *h, const char *name, const void **ret);
int __wrap_pam_get_data(const pam_handle_t *h, const char *name, const void **ret) {
        return strcmp(name, "sekisho-policy") != 0 && fails("pam_get_data")
                       ? PAM_NO_MODULE_DATA
                       : __real_pam_get_data(h, name, ret);
}
WRAP(int, pam_set_data, PAM_BUF_ERR, 0,
     (pam_handle_t * h, const char *name, void *data, void (*cleanup)(pam_handle_t *, void *, int)),
     (h, name, data, cleanup))
WRAP(int, oath_totp_generate2, -2, 0,
     (const char *secret, size_t length, time_t now, unsigned step, time_t start, unsigned digits, int flags,
      char *ret),
     (secret, length, now, step, start, digits, flags, ret))
WRAP(int, crypto_pwhash_str_verify, -1, ENOMEM,
     (const char *hash, const char *password, unsigned long long length), (hash, password, length))

WRAP(fido_dev_info_t *, fido_dev_info_new, NULL, 0, (size_t n), (n))
WRAP(fido_dev_t *, fido_dev_new_with_info, NULL, 0, (const fido_dev_info_t *info), (info))
WRAP(int, fido_dev_open_with_info, FIDO_ERR_INTERNAL, 0, (fido_dev_t * device), (device))
WRAP(fido_assert_t *, fido_assert_new, NULL, 0, (void), ())
WRAP(int, fido_dev_get_assert, FIDO_ERR_RX, 0, (fido_dev_t * device, fido_assert_t *assert, const char *pin),
     (device, assert, pin))
WRAP(int, fido_assert_verify, FIDO_ERR_INVALID_SIG, 0,
     (const fido_assert_t *assert, size_t n, int algorithm, const void *key), (assert, n, algorithm, key))
WRAP(int, fido_dev_set_timeout, FIDO_ERR_INVALID_ARGUMENT, 0, (fido_dev_t * device, int ms), (device, ms))
WRAP(int, fido_assert_set_clientdata_hash, FIDO_ERR_INTERNAL, 0,
     (fido_assert_t * assert, const unsigned char *data, size_t n), (assert, data, n))
WRAP(int, fido_assert_set_rp, FIDO_ERR_INTERNAL, 0, (fido_assert_t * assert, const char *party),
     (assert, party))
WRAP(int, fido_assert_allow_cred, FIDO_ERR_INTERNAL, 0,
     (fido_assert_t * assert, const unsigned char *data, size_t n), (assert, data, n))
WRAP(int, fido_assert_set_up, FIDO_ERR_INTERNAL, 0, (fido_assert_t * assert, fido_opt_t up), (assert, up))
WRAP(int, fido_assert_set_uv, FIDO_ERR_INTERNAL, 0, (fido_assert_t * assert, fido_opt_t uv), (assert, uv))
WRAP(int, fido_assert_set_authdata, FIDO_ERR_INTERNAL, 0,
     (fido_assert_t * assert, size_t i, const unsigned char *data, size_t n), (assert, i, data, n))
WRAP(int, fido_assert_set_sig, FIDO_ERR_INTERNAL, 0,
     (fido_assert_t * assert, size_t i, const unsigned char *data, size_t n), (assert, i, data, n))
WRAP(es256_pk_t *, es256_pk_new, NULL, 0, (void), ())
WRAP(int, es256_pk_from_ptr, FIDO_ERR_INVALID_ARGUMENT, 0, (es256_pk_t * key, const void *data, size_t n),
     (key, data, n))
WRAP(int, inotify_init1, -1, EMFILE, (int flags), (flags))
WRAP(int, sd_bus_new, -ENOMEM, 0, (sd_bus * *ret), (ret))
WRAP(int, sd_bus_set_address, -ENOMEM, 0, (sd_bus * bus, const char *address), (bus, address))
WRAP(int, sd_bus_start, -ECONNREFUSED, 0, (sd_bus * bus), (bus))
WRAP(int, sd_bus_get_name_creds, -ECONNRESET, 0,
     (sd_bus * bus, const char *name, uint64_t mask, sd_bus_creds **ret), (bus, name, mask, ret))
WRAP(int, sd_bus_creds_get_euid, -ENODATA, 0, (sd_bus_creds * creds, uid_t *ret), (creds, ret))
WRAP(int, sd_bus_creds_get_unique_name, -ENODATA, 0, (sd_bus_creds * creds, const char **ret), (creds, ret))
WRAP(int, sd_bus_match_signal, -ENOMEM, 0,
     (sd_bus * bus, sd_bus_slot **slot, const char *sender, const char *path, const char *interface,
      const char *member, sd_bus_message_handler_t callback, void *userdata),
     (bus, slot, sender, path, interface, member, callback, userdata))
WRAP(int, sd_bus_add_match, -ENOMEM, 0,
     (sd_bus * bus, sd_bus_slot **slot, const char *rule, sd_bus_message_handler_t callback, void *userdata),
     (bus, slot, rule, callback, userdata))
WRAP(int, sd_bus_process, -ECONNRESET, 0, (sd_bus * bus, sd_bus_message **ret), (bus, ret))
WRAP(int, sd_bus_wait, -EIO, 0, (sd_bus * bus, uint64_t timeout), (bus, timeout))

int __wrap_sd_bus_call_method(sd_bus *bus, const char *destination, const char *path, const char *interface,
                              const char *member, sd_bus_error *error, sd_bus_message **reply,
                              const char *types, ...);
int __wrap_sd_bus_call_method(sd_bus *bus, const char *destination, const char *path, const char *interface,
                              const char *member, sd_bus_error *error, sd_bus_message **reply,
                              const char *types, ...) {
        va_list arguments;
        int r;

        if (fails(strcmp(member, "VerifyStop") == 0 || strcmp(member, "Release") == 0
                          ? "sd_bus_let_go"
                          : "sd_bus_call_method"))
                return -ECONNRESET;
        va_start(arguments, types);
        r = sd_bus_call_methodv(bus, destination, path, interface, member, error, reply, types, arguments);
        va_end(arguments);
        return r;
}

int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...) {
        va_list arguments;
        mode_t mode;

        va_start(arguments, flags);
        mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
        va_end(arguments);
        if (fails("openat")) {
                errno = EMFILE;
                return -1;
        }
        return __real_openat(directory, path, flags, mode);
}

enum {
        BOOT_ID_LENGTH = 36 /* the one thing that is read in that length */
};

ssize_t __real_read(int fd, void *buffer, size_t n);
ssize_t __wrap_read(int fd, void *buffer, size_t n);
ssize_t __wrap_read(int fd, void *buffer, size_t n) {
        if (fails(n == BOOT_ID_LENGTH ? "read_boot_id" : "read")) {
                errno = EIO;
                return -1;
        }
        return __real_read(fd, buffer, n);
}

enum {
        PLACE = 4096,
        NUMBER = 21 /* what the store reads and writes in place; the rest is the chain's of records */
};

ssize_t __real_pread(int fd, void *buffer, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *buffer, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *buffer, size_t n, off_t at) {
        if (n == PLACE && fails("pread")) {
                errno = EIO;
                return -1;
        }
        return __real_pread(fd, buffer, n, at);
}

ssize_t __real_pwrite(int fd, const void *text, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *text, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *text, size_t n, off_t at) {
        if ((n == PLACE || n == NUMBER) && fails("pwrite")) {
                errno = ENOSPC;
                return -1;
        }
        return __real_pwrite(fd, text, n, at);
}

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __wrap_flock(int fd, int how) {
        if (fails(how == LOCK_UN ? "flock_unlock" : "flock")) {
                errno = ENOLCK;
                return -1;
        }
        return __real_flock(fd, how);
}

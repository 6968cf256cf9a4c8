/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VARIABLE "SEKISHO_LOGIN"
#define KEY_NAME "handover.key"

enum {
        KEY_SIZE = crypto_auth_KEYBYTES,
        MAC_HEX = crypto_auth_BYTES * 2,
        TEXT_SIZE = 512
};

/* When the process PID began, in ticks since the boot (proc(5)): with its number that names one process.
 * Its name, in front, may have any characters. 0 or -errno. */
static int begin_of(pid_t pid, uint64_t *ret) {
        char path[64], text[1024];
        const char *behind;
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (n < 0)
                return -errno;
        text[n] = '\0';
        behind = strrchr(text, ')');
        return behind && sscanf(behind + 1,
                                " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
                                "%*d "
                                "%" SCNu64,
                                ret) == 1
                       ? 0
                       : -EBADMSG;
}

static int read_key(int directory_fd, unsigned char *key) {
        CLEANUP_CLOSE int fd = openat(directory_fd, KEY_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IRWXG | S_IRWXO)))
                return -EPERM;
        return read(fd, key, KEY_SIZE) == KEY_SIZE ? 0 : -EBADMSG;
}

/* Another login may make it at the same moment: the first one's counts. */
static int make_key(int directory_fd, unsigned char *key) {
        char temporary[64];
        int r;

        (void)snprintf(temporary, sizeof(temporary), ".%s.%d", KEY_NAME, getpid());
        CLEANUP_CLOSE int fd =
                openat(directory_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        randombytes_buf(key, KEY_SIZE);
        r = write(fd, key, KEY_SIZE) != KEY_SIZE ? -EIO : 0;
        if (r == 0 && linkat(directory_fd, temporary, directory_fd, KEY_NAME, 0) < 0 && errno != EEXIST)
                r = -errno;
        (void)unlinkat(directory_fd, temporary, 0);
        return r < 0 ? r : read_key(directory_fd, key);
}

static int find_key(const char *store, bool make, unsigned char *key) {
        CLEANUP_CLOSE int fd = open(store, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_uid != 0 || (st.st_mode & (S_IRWXG | S_IRWXO)))
                return -EPERM;
        r = read_key(fd, key);
        return r == -ENOENT && make ? make_key(fd, key) : r;
}

static int authenticate(const char *store, bool make, const char *text, char ret[static MAC_HEX + 1]) {
        unsigned char *key = secret_alloc(KEY_SIZE), mac[crypto_auth_BYTES];
        int r = key ? find_key(store, make, key) : -ENOMEM;

        if (r == 0) {
                (void)crypto_auth(mac, (const unsigned char *)text, strlen(text), key);
                (void)sodium_bin2hex(ret, MAC_HEX + 1, mac, sizeof(mac));
        }
        secret_free(key);
        return r;
}

/* "MAC PID BEGIN UID PROVEN SHARED PERSON" */
static int format(const LoginState *state, pid_t pid, char ret[static TEXT_SIZE]) {
        uint64_t begin = 0;
        int n, r = begin_of(pid, &begin);

        if (r < 0)
                return r;
        n = snprintf(ret, TEXT_SIZE, "%d %" PRIu64 " %" PRIu32 " %u %d %s", pid, begin, (uint32_t)state->uid,
                     state->proven, state->shared, state->person);
        return n < 0 || n >= TEXT_SIZE ? -ENAMETOOLONG : 0;
}

int handover_leave(const Login *login, const LoginState *state) {
        CLEANUP_FREE char *variable = NULL;
        char text[TEXT_SIZE], mac[MAC_HEX + 1];
        int r = format(state, getppid(), text);

        if (r == 0)
                r = authenticate(login->options.store, true, text, mac);
        if (r < 0)
                return r;
        if (asprintf(&variable, VARIABLE "=%s %s", mac, text) < 0)
                return -ENOMEM;
        return pam_putenv(login->pamh, variable) == PAM_SUCCESS ? 0 : -EIO;
}

static int check(const Login *login, uid_t uid, const char *value, LoginState *ret) {
        LoginState state = {.allowed = true};
        char right[MAC_HEX + 1], again[TEXT_SIZE];
        uint32_t whose;
        int r, shared, start = 0;

        if (strlen(value) < MAC_HEX + 1 || strlen(value) >= MAC_HEX + 1 + TEXT_SIZE || value[MAC_HEX] != ' ')
                return -EPERM;
        r = authenticate(login->options.store, false, value + MAC_HEX + 1, right);
        if (r < 0)
                return r;
        if (sodium_memcmp(right, value, MAC_HEX) != 0)
                return -EPERM;
        if (sscanf(value + MAC_HEX + 1, "%*d %*u %" SCNu32 " %u %d %n", &whose, &state.proven, &shared,
                   &start) != 3 ||
            start == 0 || strlen(value + MAC_HEX + 1 + start) >= sizeof(state.person))
                return -EBADMSG;
        state.uid = whose;
        state.shared = shared;
        memcpy(state.person, value + MAC_HEX + 1 + start, strlen(value + MAC_HEX + 1 + start) + 1);
        /* of this process and no other, and about this account */
        r = format(&state, getpid(), again);
        if (r < 0 || state.uid != uid || strcmp(again, value + MAC_HEX + 1) != 0)
                return r < 0 ? r : -EPERM;
        *ret = state;
        return 0;
}

int handover_take(const Login *login, uid_t uid, LoginState *ret) {
        const char *value = pam_getenv(login->pamh, VARIABLE);
        int r;

        if (!value)
                return -ENOENT;
        r = secret_init() < 0 ? -EIO : check(login, uid, value, ret);
        handover_forget(login->pamh);
        return r;
}

/* Nothing of it is for the session. */
void handover_forget(pam_handle_t *pamh) {
        if (pam_getenv(pamh, VARIABLE))
                (void)pam_putenv(pamh, VARIABLE);
}

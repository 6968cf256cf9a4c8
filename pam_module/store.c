/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

enum {
        LOCK_TRIES = 1000,
        LOCK_PAUSE_NS = 10 * 1000 * 1000
};

int store_file_name(const char *user, char ret[static FILE_NAME_SIZE]) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        size_t at = 0;

        if (!*user)
                return -EINVAL;
        for (const unsigned char *p = (const unsigned char *)user; *p; p++) {
                if (at + 4 > NAME_MAX - 8) /* leaves room for ".new" */
                        return -ENAMETOOLONG;
                if (strchr(plain, *p))
                        ret[at++] = (char)*p;
                else
                        at += (size_t)snprintf(ret + at, FILE_NAME_SIZE - at, "%%%02X", *p);
        }
        ret[at] = '\0';
        return 0;
}

bool person_is_id(const char *text) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
        size_t length = strlen(text);

        return length > 0 && length <= PERSON_ID_MAX && strspn(text, allowed) == length;
}

int store_key(const char *account, const char *person, char ret[static STORE_KEY_SIZE]) {
        bool own = strcmp(account, person) == 0;
        int n;

        if (!own && !person_is_id(person))
                return -EINVAL;
        n = own ? snprintf(ret, STORE_KEY_SIZE, "%s", account)
                : snprintf(ret, STORE_KEY_SIZE, "%s:%s", account, person);
        return n < 0 || n >= STORE_KEY_SIZE ? -ENAMETOOLONG : 0;
}

int store_check_owner(int fd, mode_t type, mode_t forbidden) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if ((st.st_mode & S_IFMT) != type || (st.st_mode & forbidden) != 0 ||
            (st.st_uid != 0 && st.st_uid != geteuid()))
                return -EPERM;
        return 0;
}

static int open_directory(int at, const char *name, int *ret) {
        CLEANUP_CLOSE int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = store_check_owner(fd, S_IFDIR, S_IRWXG | S_IRWXO);
        if (r < 0)
                return r;
        *ret = STEAL_FD(fd);
        return 0;
}

static int make_directory(int at, const char *name, int *ret) {
        if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
                return -errno;
        return open_directory(at, name, ret);
}

static Store steal(Store *store) {
        Store stolen = *store;

        *store = STORE_CLOSED;
        return stolen;
}

/* A store of an earlier version has none. */
static int open_progress(int store_fd, int *ret) {
        int r = open_directory(store_fd, "progress", ret);

        if (r != -ENOENT)
                return r;
        r = make_directory(store_fd, "progress", ret);
        return r < 0 ? r : fsync(store_fd) < 0 ? -errno : 0;
}

int store_open(const char *directory, Store *ret) {
        CLEANUP_STORE Store store = STORE_CLOSED;
        CLEANUP_CLOSE int fd = -1;
        int r = open_directory(AT_FDCWD, directory, &fd);

        if (r < 0 || (r = open_directory(fd, "factors", &store.factors_fd)) < 0 ||
            (r = open_directory(fd, "generations", &store.generations_fd)) < 0 ||
            (r = open_progress(fd, &store.progress_fd)) < 0)
                return r;
        store.lock_fd = openat(fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (store.lock_fd < 0)
                return -errno;
        r = store_check_owner(store.lock_fd, S_IFREG, S_IRWXG | S_IRWXO);
        if (r < 0)
                return r;
        *ret = steal(&store);
        return 0;
}

int store_create(const char *directory) {
        CLEANUP_CLOSE int fd = -1, factors = -1, generations = -1, progress = -1, lock = -1;
        int r = make_directory(AT_FDCWD, directory, &fd);

        if (r < 0 || (r = make_directory(fd, "factors", &factors)) < 0 ||
            (r = make_directory(fd, "generations", &generations)) < 0 ||
            (r = make_directory(fd, "progress", &progress)) < 0)
                return r;
        lock = openat(fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return lock < 0 || fsync(fd) < 0 ? -errno : 0;
}

void store_close(Store *store) {
        scope_close(&store->factors_fd);
        scope_close(&store->generations_fd);
        scope_close(&store->progress_fd);
        scope_close(&store->lock_fd);
        *store = STORE_CLOSED;
}

int store_lock(Store *store) {
        const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

        /* flock() knows no deadline, and a signal for one belongs to the program that we are a guest of */
        for (int i = 0; i < LOCK_TRIES; i++) {
                if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
                        return 0;
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return -errno;
                (void)nanosleep(&pause, NULL);
        }
        return -ETIMEDOUT;
}

void store_unlock(Store *store) {
        (void)flock(store->lock_fd, LOCK_UN);
}

/* All of NAME, which fits into SIZE with a NUL behind. */
static int read_file(int directory_fd, const char *name, char *text, size_t size, size_t *ret_length) {
        CLEANUP_CLOSE int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        size_t length = 0;
        ssize_t n;
        int r;

        if (fd < 0)
                return errno == ELOOP ? -EPERM : -errno;
        r = store_check_owner(fd, S_IFREG, S_IRWXG | S_IRWXO);
        if (r < 0)
                return r;
        while ((n = read(fd, text + length, size - 1 - length)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                length += (size_t)n;
                if (length == size - 1)
                        return -EBADMSG;
        }
        text[length] = '\0';
        *ret_length = length;
        return 0;
}

static int write_all(int fd, const char *text, size_t length) {
        while (length > 0) {
                ssize_t n = write(fd, text, length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text += n;
                length -= (size_t)n;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

static int write_new(int directory_fd, const char *name, const char *text, size_t length) {
        CLEANUP_CLOSE int fd =
                openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        return fd < 0 ? -errno : write_all(fd, text, length);
}

/* The lock is held, so that a temporary file which is there is one of a process that died. */
static int swap_file(int directory_fd, const char *name, const char *text, size_t length) {
        char temporary[FILE_NAME_SIZE];
        int r;

        if ((size_t)snprintf(temporary, sizeof(temporary), ".%s.new", name) >= sizeof(temporary))
                return -ENAMETOOLONG;
        if (unlinkat(directory_fd, temporary, 0) < 0 && errno != ENOENT)
                return -errno;
        r = write_new(directory_fd, temporary, text, length);
        if (r == 0 && renameat(directory_fd, temporary, directory_fd, name) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlinkat(directory_fd, temporary, 0);
                return r;
        }
        return 0;
}

int store_replace_file(int directory_fd, const char *name, const char *text, size_t length) {
        int r = swap_file(directory_fd, name, text, length);

        return r < 0 ? r : fsync(directory_fd) < 0 ? -errno : 0;
}

int store_load_number(const Store *store, const char *name, uint64_t *ret) {
        char text[32] = "", *end;
        size_t length = 0;
        int r = read_file(store->generations_fd, name, text, sizeof(text), &length);

        if (r == -ENOENT) {
                *ret = 0;
                return 0;
        }
        if (r < 0)
                return r;
        errno = 0;
        *ret = strtoull(text, &end, 10);
        return errno || end == text || text[0] < '0' || text[0] > '9' || strcmp(end, "\n") != 0 ||
                               (size_t)(end + 1 - text) != length
                       ? -EBADMSG
                       : 0;
}

int store_write_number(const Store *store, const char *name, uint64_t generation) {
        char text[NUMBER_SIZE + 1];

        store_number_text(generation, text);
        return store_replace_file(store->generations_fd, name, text, NUMBER_SIZE);
}

static int load_text(const Store *store, const char *name, Enrolment *ret) {
        CLEANUP_SECRET Secret text = {.text = secret_alloc(ENROLMENT_SIZE_MAX + 2)};
        int r;

        if (!text.text)
                return -ENOMEM;
        r = read_file(store->factors_fd, name, text.text, ENROLMENT_SIZE_MAX + 2, &text.length);
        return r < 0 ? r : enrolment_parse(text.text, text.length, ret);
}

int store_load(const Store *store, const char *user, uid_t uid, Enrolment *ret) {
        char name[FILE_NAME_SIZE];
        uint64_t last;
        int r = store_file_name(user, name);

        if (r < 0 || (r = store_load_number(store, name, &last)) < 0)
                return r;
        r = load_text(store, name, ret);
        if (r == -ENOENT && last > 0)
                return -ESTALE;
        if (r < 0)
                return r;
        /* one more is a write that was cut off between the two files */
        if (ret->generation > last + 1)
                return -ESTALE;
        r = store_load_progress(store, name, last, ret);
        if (r < 0)
                return r;
        if (ret->generation < last)
                return -ESTALE;
        return ret->uid != uid ? -EKEYREJECTED : 0;
}

/* TAKE gets what follows START in each name that begins with it. What it returns, if that is not 0, ends it
 * and is returned. */
typedef int (*TakeName)(const char *rest, void *userdata);

static int each_name(int directory_fd, const char *start, TakeName take, void *userdata) {
        int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
        CLEANUP_DIR DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!directory) {
                r = -errno;
                if (fd >= 0)
                        close(fd);
                return r;
        }
        while ((errno = 0, entry = readdir(directory)))
                if (strncmp(entry->d_name, start, strlen(start)) == 0 &&
                    (r = take(entry->d_name + strlen(start), userdata)) != 0)
                        return r;
        return -errno;
}

/* How the files of those begin who share ACCOUNT. */
static int shared_start(const char *account, char ret[static FILE_NAME_SIZE]) {
        char key[STORE_KEY_SIZE];
        int n = snprintf(key, sizeof(key), "%s:", account);

        return n < 0 || n >= STORE_KEY_SIZE ? -ENAMETOOLONG : store_file_name(key, ret);
}

static int is_one(const char *rest, void *userdata) {
        (void)rest;
        (void)userdata;
        return 1;
}

int store_is_shared(const Store *store, const char *account) {
        char start[FILE_NAME_SIZE];
        int r = shared_start(account, start);

        if (r < 0)
                return r;
        /* both: the one is written before the other, and either may have been taken away */
        r = each_name(store->factors_fd, start, is_one, NULL);
        return r != 0 ? r : each_name(store->generations_fd, start, is_one, NULL);
}

typedef struct People {
        StorePerson take;
        void *userdata;
} People;

/* Of what store_file_name() writes otherwise a staff number has nothing but dots. */
static int take_person(const char *rest, void *userdata) {
        const People *people = userdata;
        char person[PERSON_ID_MAX + 1];
        size_t at = 0;

        while (*rest && at < PERSON_ID_MAX) {
                bool dot = strncmp(rest, "%2E", 3) == 0;

                person[at++] = (char)(dot ? '.' : *rest);
                rest += dot ? 3 : 1;
        }
        person[at] = '\0';
        return *rest || !person_is_id(person) ? 0 : people->take(person, people->userdata);
}

int store_each_person(const Store *store, const char *account, StorePerson take, void *userdata) {
        People people = {take, userdata};
        char start[FILE_NAME_SIZE];
        int r = shared_start(account, start);

        return r < 0 ? r : each_name(store->factors_fd, start, take_person, &people);
}

int store_begin_anew(const Store *store, const char *user, Enrolment *ret) {
        char name[FILE_NAME_SIZE];
        uint64_t last;
        int r = store_file_name(user, name);

        if (r < 0 || (r = store_load_number(store, name, &last)) < 0)
                return r;
        /* what is there may be a write that was cut off, one ahead of the number; saving adds another */
        ret->generation = last + 1;
        return 0;
}

/* The number may lag behind by a write that was cut off, but never by two: it catches up first. */
static int catch_up(const Store *store, const char *name, uint64_t generation) {
        uint64_t last;
        int r = store_load_number(store, name, &last);

        return r < 0 || last >= generation ? r : store_write_number(store, name, generation);
}

int store_save(const Store *store, const char *user, Enrolment *enrolment) {
        CLEANUP_SECRET Secret text = {0};
        char name[FILE_NAME_SIZE];
        int r = store_file_name(user, name);

        if (r < 0 || (r = catch_up(store, name, enrolment->generation)) < 0)
                return r;
        enrolment->base = ++enrolment->generation;
        r = enrolment_format(enrolment, &text);
        if (r < 0)
                return r;
        r = store_replace_file(store->factors_fd, name, text.text, text.length);
        return r < 0 ? r : store_write_number(store, name, enrolment->generation);
}

const char *store_error(int r) {
        switch (-r) {
        case ENOENT:
                return "there is no store of enrolments";
        case EPERM:
                return "a file of the store has another owner or mode than root and 0600";
        case EBADMSG:
                return "the enrolment is not whole";
        case ESTALE:
                return "the enrolment is an older edition, or gone";
        case EKEYREJECTED:
                return "the enrolment is another account's of the same name";
        case ETIMEDOUT:
                return "the store was locked for too long";
        default:
                return strerrordesc_np(-r) ? strerrordesc_np(-r) : "unknown error";
        }
}

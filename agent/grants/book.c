/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/grants/book.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ctl/json.h"
#include "agent/file.h"
#include "policy/scope.h"
#include "policy/utf8.h"

enum {
        BOOK_VERSION = 1
};

DEFINE_ENUM_STRINGS(PermitState, permit_state, PERMIT_STATE_LIST)

int permit_set(char field[static PERMIT_TEXT_MAX + 1], const char *text) {
        size_t length = strlen(text);

        if (length > PERMIT_TEXT_MAX)
                return -EINVAL;
        for (size_t i = 0; i < length;) {
                uint32_t c;
                size_t n = utf8_next(text + i, length - i, &c);

                if (n == 0 || utf8_is_control(c))
                        return -EINVAL;
                i += n;
        }
        memcpy(field, text, length + 1);
        return 0;
}

static bool is_over(const Permit *permit) {
        return permit->state == PERMIT_CLOSED || permit->state == PERMIT_REFUSED;
}

static int make_room(Book *book) {
        size_t i = 0;

        if (book->n < PERMITS_MAX)
                return 0;
        while (i < book->n && !is_over(&book->permits[i]))
                i++;
        if (i == book->n)
                return -ENOSPC;
        memmove(&book->permits[i], &book->permits[i + 1], (book->n - i - 1) * sizeof(*book->permits));
        book->n--;
        return 0;
}

int book_add(Book *book, Permit **ret) {
        Permit *grown;
        int r = make_room(book);

        if (r < 0)
                return r;
        if (book->next == UINT32_MAX)
                return -ENOSPC;
        grown = reallocarray(book->permits, book->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        book->permits = grown;
        if (book->next == 0)
                book->next = 1;
        grown[book->n] = (Permit){.id = book->next++, .approver_uid = -1};
        *ret = &grown[book->n++];
        return 0;
}

Permit *book_find(const Book *book, uint32_t id) {
        for (size_t i = 0; i < book->n; i++)
                if (book->permits[i].id == id)
                        return &book->permits[i];
        return NULL;
}

void book_clear(Book *book) {
        free(book->permits);
        *book = (Book){0};
}

static struct json_object *permit_object(const Permit *permit) {
        struct json_object *object = json_object_new_object();

        if (!object)
                return NULL;
        json_put_number(object, "id", permit->id);
        json_put_text(object, "state", permit_state_to_string(permit->state));
#define PUT_TEXT_(field, key) json_put_text(object, key, permit->field);
        PERMIT_TEXT_LIST(PUT_TEXT_)
#define PUT_NUMBER_(field, key) json_put_number(object, key, permit->field);
        PERMIT_NUMBER_LIST(PUT_NUMBER_)
        PERMIT_LATER_TEXT_LIST(PUT_TEXT_)
        PERMIT_LATER_NUMBER_LIST(PUT_NUMBER_)
        return object;
}

static char *text_of(struct json_object *object) {
        const char *text = object ? json_object_to_json_string_ext(
                                            object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                                  : NULL;
        char *copy = text ? strdup(text) : NULL;

        json_object_put(object);
        return copy;
}

char *permit_text(const Permit *permit) {
        return text_of(permit_object(permit));
}

char *book_text(const Book *book) {
        struct json_object *object = json_object_new_object(), *permits = json_object_new_array();

        if (!object || !permits) {
                json_object_put(object);
                json_object_put(permits);
                return NULL;
        }
        json_put_number(object, "version", BOOK_VERSION);
        json_put_number(object, "next", book->next);
        json_put_number(object, "wrong", book->wrong);
        json_put_number(object, "wrong-at", book->wrong_at);
        for (size_t i = 0; i < book->n; i++)
                (void)json_object_array_add(permits, permit_object(&book->permits[i]));
        json_object_object_add(object, "permits", permits);
        return text_of(object);
}

static bool take_text(const struct json_object *object, const char *key,
                      char field[static PERMIT_TEXT_MAX + 1]) {
        const char *text = json_text(object, key);

        return text && permit_set(field, text) == 0;
}

static bool has(const struct json_object *object, const char *key) {
        return json_object_object_get_ex(object, key, NULL);
}

static bool is_uid(int64_t value) {
        return value >= 0 && value < UINT32_MAX;
}

/* What could hold has to be whole: a person, a medium by its serial, and an end. */
static bool is_sound(const Permit *permit) {
        return is_uid(permit->uid) && permit->serial[0] && permit->minutes > 0 && permit->until >= 0 &&
               permit->boot_until >= 0 && permit->begun >= 0 && permit->wrong >= 0 &&
               is_uid(permit->session) && is_uid(permit->asked_in) &&
               (permit->state != PERMIT_RUNNING || (permit->until > 0 && permit->boot[0]));
}

static bool take_permit(const struct json_object *object, Permit *permit) {
        int64_t id;
        int state = json_text(object, "state") ? permit_state_from_string(json_text(object, "state")) : -1;

        if (!json_number(object, "id", &id) || id <= 0 || id >= UINT32_MAX || state < 0)
                return false;
        permit->id = (uint32_t)id;
        permit->state = (PermitState)state;
#define TAKE_TEXT_(field, key)                                                                              \
        if (!take_text(object, key, permit->field))                                                         \
                return false;
        PERMIT_TEXT_LIST(TAKE_TEXT_)
#define TAKE_NUMBER_(field, key)                                                                            \
        if (!json_number(object, key, &permit->field))                                                      \
                return false;
        PERMIT_NUMBER_LIST(TAKE_NUMBER_)
#define TAKE_LATER_TEXT_(field, key)                                                                        \
        if (has(object, key) && !take_text(object, key, permit->field))                                     \
                return false;
        PERMIT_LATER_TEXT_LIST(TAKE_LATER_TEXT_)
#define TAKE_LATER_NUMBER_(field, key)                                                                      \
        if (has(object, key) && !json_number(object, key, &permit->field))                                  \
                return false;
        PERMIT_LATER_NUMBER_LIST(TAKE_LATER_NUMBER_)
        return is_sound(permit);
}

static void hand_over(Book *from, Book *to) {
        *to = *from;
        *from = (Book){0};
}

int book_parse(const char *text, size_t length, Book *ret) {
        CLEANUP_JSON struct json_object *object = NULL;
        CLEANUP(book_clear) Book book = {0};
        struct json_object *permits;
        int64_t version, next;
        int r = json_parse(text, length, &object);

        if (r < 0)
                return r;
        permits = json_list(object, "permits");
        if (!json_number(object, "version", &version) || version != BOOK_VERSION ||
            !json_number(object, "next", &next) || next < 0 || next > UINT32_MAX || !permits ||
            !json_number(object, "wrong", &book.wrong) || !json_number(object, "wrong-at", &book.wrong_at) ||
            book.wrong < 0 || json_object_array_length(permits) > PERMITS_MAX)
                return -EBADMSG;
        book.next = (uint32_t)next;
        book.permits = calloc(json_object_array_length(permits) + 1, sizeof(*book.permits));
        if (!book.permits)
                return -ENOMEM;
        for (; book.n < json_object_array_length(permits); book.n++)
                if (!take_permit(json_object_array_get_idx(permits, book.n), &book.permits[book.n]) ||
                    book.permits[book.n].id >= book.next ||
                    (book.n > 0 && book.permits[book.n].id <= book.permits[book.n - 1].id))
                        return -EBADMSG;
        hand_over(&book, ret);
        return 0;
}

static char *make_path(const char *state_dir) {
        char *path;

        return asprintf(&path, "%s/grants", state_dir) < 0 ? NULL : path;
}

int book_read(const char *state_dir, Book *ret) {
        CLEANUP_FREE char *path = make_path(state_dir), *text = NULL;
        CLEANUP_CLOSE int fd = -1;
        size_t length;
        struct stat st;
        int r;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT) {
                *ret = (Book){0};
                return 0;
        }
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        r = file_read_whole(fd, BOOK_BYTES_MAX, &text, &length);
        return r < 0 ? r : book_parse(text, length, ret);
}

int book_write(const char *state_dir, const Book *book) {
        CLEANUP_FREE char *path = make_path(state_dir), *text = book_text(book);

        if (!path || !text)
                return -ENOMEM;
        return file_replace(path, text, strlen(text), 0600);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/cmdline.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/thread.h"
#include "policy/scope.h"

enum {
        STUCK_MAX = 4,
        STACK_SIZE = 64 * 1024
};

/* One reading thread and the place where it is asked and answers. Freed by whoever lets go last. */
typedef struct Reader {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        unsigned holders;
        pid_t asked; /* 0: nothing asked; -1: end */
        bool answered;
        int result;
        char text[CMDLINE_MAX];
} Reader;

struct CmdlineReader {
        Reader *reader;          /* NULL: none running */
        Reader *left[STUCK_MAX]; /* behind, each until its read ends */
};

static void reader_release(Reader *reader) {
        bool last;

        pthread_mutex_lock(&reader->lock);
        last = --reader->holders == 0;
        pthread_mutex_unlock(&reader->lock);
        if (!last)
                return;
        pthread_cond_destroy(&reader->changed);
        pthread_mutex_destroy(&reader->lock);
        free(reader);
}

static int read_raw(pid_t pid, char text[static CMDLINE_MAX]) {
        char path[64];
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, text, CMDLINE_MAX - 1);
        if (n < 0)
                return -errno;
        while (n > 0 && text[n - 1] == '\0')
                n--;
        for (ssize_t i = 0; i < n; i++)
                if (text[i] == '\0')
                        text[i] = ' ';
                else if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
                        text[i] = '?';
        text[n] = '\0';
        return 0;
}

static void *reader_thread(void *userdata) {
        Reader *reader = userdata;
        char text[CMDLINE_MAX];

        for (;;) {
                pid_t pid;
                int r;

                pthread_mutex_lock(&reader->lock);
                while (reader->asked == 0)
                        pthread_cond_wait(&reader->changed, &reader->lock);
                pid = reader->asked;
                reader->asked = 0;
                pthread_mutex_unlock(&reader->lock);
                if (pid < 0)
                        break;

                r = read_raw(pid, text);

                pthread_mutex_lock(&reader->lock);
                if (r == 0)
                        memcpy(reader->text, text, sizeof(text));
                reader->result = r;
                reader->answered = true;
                pthread_cond_broadcast(&reader->changed);
                pthread_mutex_unlock(&reader->lock);
        }
        reader_release(reader);
        return NULL;
}

static int reader_start(Reader **ret) {
        Reader *reader = calloc(1, sizeof(*reader));
        pthread_condattr_t condition;
        int r;

        if (!reader)
                return -ENOMEM;
        reader->holders = 2;
        pthread_mutex_init(&reader->lock, NULL);
        pthread_condattr_init(&condition);
        pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
        pthread_cond_init(&reader->changed, &condition);
        pthread_condattr_destroy(&condition);
        r = thread_start(STACK_SIZE, reader_thread, reader);
        if (r < 0) {
                reader->holders = 1;
                reader_release(reader);
                return r;
        }
        *ret = reader;
        return 0;
}

static void reader_end(Reader *reader) {
        pthread_mutex_lock(&reader->lock);
        reader->asked = -1;
        pthread_cond_broadcast(&reader->changed);
        pthread_mutex_unlock(&reader->lock);
}

static bool thread_has_ended(Reader *reader) {
        bool ended;

        pthread_mutex_lock(&reader->lock);
        ended = reader->holders == 1;
        pthread_mutex_unlock(&reader->lock);
        return ended;
}

/* A place for one that has to be left behind; NULL while as many as may be are. */
static Reader **find_place(CmdlineReader *reader) {
        Reader **place = NULL;

        for (size_t i = 0; i < STUCK_MAX; i++) {
                if (reader->left[i] && thread_has_ended(reader->left[i]))
                        reader_release(STEAL_PTR(reader->left[i]));
                if (!reader->left[i])
                        place = &reader->left[i];
        }
        return place;
}

int cmdline_reader_new(CmdlineReader **ret) {
        CmdlineReader *reader = calloc(1, sizeof(*reader));

        if (!reader)
                return -ENOMEM;
        *ret = reader;
        return 0;
}

CmdlineReader *cmdline_reader_free(CmdlineReader *reader) {
        if (!reader)
                return NULL;
        if (reader->reader) {
                reader_end(reader->reader);
                reader_release(reader->reader);
        }
        for (size_t i = 0; i < STUCK_MAX; i++)
                if (reader->left[i])
                        reader_release(reader->left[i]);
        free(reader);
        return NULL;
}

int cmdline_read(CmdlineReader *reader, pid_t pid, char **ret) {
        Reader **place = find_place(reader), *r;
        struct timespec until;
        int result = 0;

        if (!place)
                return -EHOSTDOWN;
        if (!reader->reader) {
                result = reader_start(&reader->reader);
                if (result < 0)
                        return result;
        }
        r = reader->reader;
        if (!r)
                return -ENOMEM;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += CMDLINE_DEADLINE_MSEC * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000L;
        }
        pthread_mutex_lock(&r->lock);
        r->answered = false;
        r->asked = pid;
        pthread_cond_broadcast(&r->changed);
        while (!r->answered && result == 0)
                result = -pthread_cond_timedwait(&r->changed, &r->lock, &until);
        if (r->answered) {
                result = r->result;
                if (result == 0 && !(*ret = strdup(r->text)))
                        result = -ENOMEM;
        }
        pthread_mutex_unlock(&r->lock);
        if (result == -ETIMEDOUT) { /* left behind: it ends when its read does */
                *place = STEAL_PTR(reader->reader);
                reader_end(r);
        }
        return result;
}

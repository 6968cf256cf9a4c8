/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/cmdline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/timed.h"
#include "policy/scope.h"

enum {
        STACK_SIZE = 64 * 1024
};

typedef struct Job {
        pid_t pid;
        char text[CMDLINE_MAX];
} Job;

static int read_raw(void *userdata) {
        Job *job = userdata;
        char path[64], *text = job->text;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)job->pid);
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

static const TimedWork reading = {.size = sizeof(Job), .stack_size = STACK_SIZE, .run = read_raw};

struct CmdlineReader {
        Timed *timed;
};

int cmdline_reader_new(CmdlineReader **ret) {
        CmdlineReader *reader = calloc(1, sizeof(*reader));
        int r = reader ? timed_new(&reading, &reader->timed) : -ENOMEM;

        if (r < 0)
                return cmdline_reader_free(reader), r;
        *ret = reader;
        return 0;
}

CmdlineReader *cmdline_reader_free(CmdlineReader *reader) {
        if (reader)
                timed_free(reader->timed);
        free(reader);
        return NULL;
}

int cmdline_read(CmdlineReader *reader, pid_t pid, char **ret) {
        Job job = {.pid = pid};
        int r = timed_run(reader->timed, &job, CMDLINE_DEADLINE_MSEC);

        if (r < 0)
                return r;
        *ret = strdup(job.text);
        return *ret ? 0 : -ENOMEM;
}

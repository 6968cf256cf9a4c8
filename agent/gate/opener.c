/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

#include "agent/file.h"
#include "policy/scope.h"

enum {
        STATUS_SIZE = 16384,
        NAME_SIZE = 64
};

/* The text after "NAME:" of a line of /proc/TID/status, NULL if there is no such line. */
static const char *find_line(const char *text, const char *name) {
        size_t length = strlen(name);

        while (text) {
                if (strncmp(text, name, length) == 0 && text[length] == ':')
                        return text + length + 1;
                text = strchr(text, '\n');
                if (text)
                        text++;
        }
        return NULL;
}

/* The INDEX-th number (from 0) of a line; false if it is not there. */
static bool number_at(const char *line, unsigned index, unsigned long *ret) {
        char *end;

        if (!line)
                return false;
        for (;;) {
                line += strspn(line, " \t");
                if (*line < '0' || *line > '9')
                        return false;
                errno = 0;
                *ret = strtoul(line, &end, 10);
                if (errno != 0 || *ret > UINT32_MAX)
                        return false;
                if (index-- == 0)
                        return true;
                line = end;
        }
}

static void set_nobody(Opener *opener, pid_t tid) {
        opener->tid = tid;
        opener->tgid = tid;
        opener->core_dumping = false;
        opener->subject = (Subject){.uid = (uid_t)-1, .loginuid = (uid_t)-1, .gid = (gid_t)-1};
}

int opener_from_status(const char *text, Opener *ret) {
        const char *groups = find_line(text, "Groups");
        unsigned long tgid, uid, gid, group, dumping = 0;
        size_t n = 0;

        set_nobody(ret, 0);
        /* Uid: real, effective, saved, file system */
        if (!number_at(find_line(text, "Tgid"), 0, &tgid) || tgid > INT_MAX ||
            !number_at(find_line(text, "Uid"), 3, &uid) || !number_at(find_line(text, "Gid"), 3, &gid))
                return -EBADMSG;
        number_at(find_line(text, "CoreDumping"), 0, &dumping);
        if (groups) {
                const char *p = groups;

                while (n < OPENER_GROUPS_MAX && number_at(p, 0, &group)) {
                        ret->groups[n++] = (gid_t)group;
                        p += strspn(p, " \t");
                        p += strspn(p, "0123456789");
                }
        }
        ret->tgid = (pid_t)tgid;
        ret->core_dumping = dumping != 0;
        ret->subject.uid = (uid_t)uid;
        ret->subject.gid = (gid_t)gid;
        ret->subject.groups = ret->groups;
        ret->subject.n_groups = n;
        return 0;
}

static ssize_t read_proc(pid_t tid, const char *name, char *buffer, size_t size) {
        char path[NAME_SIZE];

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
        return file_read_small(AT_FDCWD, path, buffer, size);
}

/* (uint32_t) -1 if there is none, or it cannot be read. */
static uint32_t read_number(pid_t tid, const char *name) {
        char text[32];
        unsigned long value;

        if (read_proc(tid, name, text, sizeof(text)) < 0 || !number_at(text, 0, &value))
                return UINT32_MAX;
        return (uint32_t)value;
}

uint32_t opener_session(pid_t pid) {
        uint32_t session = read_number(pid, "sessionid");

        return session == UINT32_MAX ? 0 : session;
}

bool opener_is(pid_t pid, uint64_t started) {
        enum {
                STARTTIME = 22,
                COMM_END = 2
        };
        char text[STATUS_SIZE];
        uint64_t tick = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
        const char *p;

        if (read_proc(pid, "stat", text, sizeof(text)) < 0 || !(p = strrchr(text, ')')))
                return false;
        for (int field = COMM_END; field < STARTTIME && p; field++)
                if ((p = strchr(p, ' ')))
                        p++;
        return p && strtoull(p, NULL, 10) == started / tick;
}

int opener_read(pid_t tid, Opener *ret) {
        char text[STATUS_SIZE];
        ssize_t n = read_proc(tid, "status", text, sizeof(text));
        int r;

        set_nobody(ret, tid);
        if (n < 0)
                return (int)n;
        r = opener_from_status(text, ret);
        ret->tid = tid;
        if (r < 0) {
                set_nobody(ret, tid);
                return r;
        }
        ret->subject.loginuid = read_number(tid, "loginuid");
        ret->subject.session = opener_session(tid);
        return 0;
}

void opener_describe(const Opener *opener, Record *record) {
        char path[NAME_SIZE], exe[PATH_MAX];
        CLEANUP_FREE char *session = NULL;
        ssize_t n;

        record->pid = opener->tgid;
        record->uid = opener->subject.uid;
        record->loginuid = opener->subject.loginuid;
        snprintf(path, sizeof(path), "/proc/%d/exe", (int)opener->tid);
        n = readlink(path, exe, sizeof(exe) - 1);
        if (n > 0) {
                exe[n] = '\0';
                record_set(record, TEXT_EXE, exe);
        }
        if (sd_pid_get_session(opener->tgid, &session) >= 0)
                record_set(record, TEXT_SESSION, session);
}

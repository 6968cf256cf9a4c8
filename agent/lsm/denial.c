/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lsm/denial.h"

#include <errno.h>
#include <string.h>

#include "agent/lsm/verdict.h"

static Operation operation_of(unsigned code) {
        static const Operation operations[LSM_OPS] = {
                [LSM_OP_READ] = OPERATION_OPEN_READ,    [LSM_OP_WRITE] = OPERATION_OPEN_WRITE,
                [LSM_OP_CREATE] = OPERATION_CREATE,     [LSM_OP_TRUNCATE] = OPERATION_TRUNCATE,
                [LSM_OP_MKDIR] = OPERATION_MKDIR,       [LSM_OP_MKNOD] = OPERATION_MKNOD,
                [LSM_OP_SYMLINK] = OPERATION_SYMLINK,   [LSM_OP_LINK] = OPERATION_LINK,
                [LSM_OP_RENAME] = OPERATION_RENAME,     [LSM_OP_UNLINK] = OPERATION_UNLINK,
                [LSM_OP_RMDIR] = OPERATION_RMDIR,       [LSM_OP_SETATTR] = OPERATION_SETATTR,
                [LSM_OP_SETXATTR] = OPERATION_SETXATTR, [LSM_OP_IOCTL] = OPERATION_IOCTL,
                [LSM_OP_RECEIVE] = OPERATION_RECEIVE,   [LSM_OP_SIGNAL] = OPERATION_SIGNAL,
                [LSM_OP_TRACE] = OPERATION_TRACE,       [LSM_OP_LIMIT] = OPERATION_LIMIT,
                [LSM_OP_UNMOUNT] = OPERATION_UNMOUNT,   [LSM_OP_MAP] = OPERATION_BPF,
        };

        return code < LSM_OPS ? operations[code] : OPERATION_UNKNOWN;
}

void lsm_join_entries(const char *entries, size_t length, char *to, size_t size) {
        size_t end = size - 1, at = end;

        for (size_t i = 0; i < length;) {
                size_t n = strnlen(entries + i, length - i);

                if (n + 1 > at)
                        break;
                at -= n;
                memcpy(to + at, entries + i, n);
                to[--at] = '/';
                i += n + 1;
        }
        if (at == end) {
                to[0] = '\0';
                return;
        }
        memmove(to, to + at, end - at);
        to[end - at] = '\0';
}

static void copy_name(const char *name, size_t length, char *to, size_t size) {
        size_t n = strnlen(name, length < size ? length : size - 1);

        memcpy(to, name, n);
        to[n] = '\0';
}

int lsm_denial_from_event(const void *data, size_t size, LsmDenial *ret) {
        const struct lsm_event *event = data;

        if (size < sizeof(*event) || event->path_length > sizeof(event->path) ||
            event->base_length > sizeof(event->base) || event->exe_length > sizeof(event->exe))
                return -EBADMSG;
        *ret = (LsmDenial){.kind = event->kind,
                           .operation = operation_of(event->operation),
                           .monitor = event->monitor,
                           .count = 1,
                           .devnum = lsm_devnum_back(event->dev),
                           .tid = (pid_t)event->tid,
                           .pid = (pid_t)event->pid,
                           .uid = event->uid,
                           .loginuid = event->loginuid,
                           .started = event->started,
                           .request = event->ioctl,
                           .base_devnum = lsm_devnum_back(event->base_dev),
                           .exe_devnum = lsm_devnum_back(event->exe_dev)};
        if (event->kind == LSM_EVENT_NAME)
                copy_name(event->path, event->path_length, ret->path, sizeof(ret->path));
        else
                lsm_join_entries(event->path, event->path_length, ret->path, sizeof(ret->path));
        lsm_join_entries(event->base, event->base_length, ret->base, sizeof(ret->base));
        lsm_join_entries(event->exe, event->exe_length, ret->exe, sizeof(ret->exe));
        return 0;
}

void lsm_denial_from_count(const struct lsm_lost *lost, uint64_t count, LsmDenial *ret) {
        *ret = (LsmDenial){.kind = lost->kind,
                           .operation = operation_of(lost->operation),
                           .monitor = lost->monitor,
                           .count = count,
                           .devnum = lsm_devnum_back(lost->dev),
                           .uid = (uid_t)-1,
                           .loginuid = (uid_t)-1};
}

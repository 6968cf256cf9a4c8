/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/record.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        VALUE_SIZE = 1024
};

void record_add(LoginRecord *record, const char *field, const char *format, ...) {
        char value[VALUE_SIZE];
        va_list arguments;
        size_t name = strlen(field), length;
        uint64_t framed;
        int n;

        va_start(arguments, format);
        n = vsnprintf(value, sizeof(value), format, arguments);
        va_end(arguments);
        if (n < 0)
                return;
        length = (size_t)n < sizeof(value) ? (size_t)n : sizeof(value) - 1;
        if (record->length + name + 1 + sizeof(framed) + length + 1 > sizeof(record->text))
                return;
        framed = htole64(length);
        memcpy(record->text + record->length, field, name);
        record->text[record->length + name] = '\n';
        memcpy(record->text + record->length + name + 1, &framed, sizeof(framed));
        memcpy(record->text + record->length + name + 1 + sizeof(framed), value, length);
        record->length += name + 1 + sizeof(framed) + length + 1;
        record->text[record->length - 1] = '\n';
}

void record_add_text(LoginRecord *record, const char *field, const char *text) {
        if (text && *text)
                record_add(record, field, "%s", text);
}

void record_begin(LoginRecord *record, EventKind kind, const char *identifier) {
        record_add(record, "PRIORITY", "%d", event_priority(kind));
        record_add(record, "SYSLOG_FACILITY", "%d", LOG_FAC(LOG_AUTHPRIV));
        record_add(record, "SYSLOG_IDENTIFIER", "%s", identifier);
        record_add(record, "MESSAGE_ID", "%s", event_message_id(kind));
        record_add(record, FIELD_EVENT, "%s", event_to_string(kind));
}

const char *factors_text(unsigned factors, char text[static FACTORS_TEXT_SIZE]) {
        size_t at = 0;

        text[0] = '\0';
        for (unsigned i = 0; i <= FACTOR_SUBSTITUTE; i++)
                if (factors & FACTOR_BIT(i))
                        at += (size_t)snprintf(text + at, FACTORS_TEXT_SIZE - at, "%s%s", at ? "," : "",
                                               factor_to_string((Factor)i));
        return text;
}

void record_digest(const LoginRecord *record, ChainDigest *digest) {
        for (size_t at = 0; at < record->length;) {
                const char *name = record->text + at, *end = memchr(name, '\n', record->length - at);
                uint64_t framed;
                size_t length;

                if (!end)
                        return; /* record_add() writes none such */
                memcpy(&framed, end + 1, sizeof(framed));
                length = (size_t)le64toh(framed);
                chain_digest_add(digest, name, (size_t)(end - name), end + 1 + sizeof(framed), length);
                at = (size_t)(end - record->text) + 1 + sizeof(framed) + length + 1;
        }
}

int record_post(const LoginRecord *record) {
        const struct sockaddr_un journal = {.sun_family = AF_UNIX,
                                            .sun_path = "/run/systemd/journal/socket"};
        const struct ucred who = {.pid = getpid(), .uid = geteuid(), .gid = getegid()};
        const struct timeval patience = {.tv_sec = 2};
        union {
                char buffer[CMSG_SPACE(sizeof(who))];
                struct cmsghdr align;
        } control = {.buffer = {0}};
        struct iovec text = {.iov_base = (void *)(uintptr_t)record->text, .iov_len = record->length};
        struct msghdr message = {.msg_name = (void *)(uintptr_t)&journal,
                                 .msg_namelen = sizeof(journal),
                                 .msg_iov = &text,
                                 .msg_iovlen = 1,
                                 .msg_control = control.buffer,
                                 .msg_controllen = sizeof(control.buffer)};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
                return -errno;
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_CREDENTIALS;
        header->cmsg_len = CMSG_LEN(sizeof(who));
        memcpy(CMSG_DATA(header), &who, sizeof(who));
        return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

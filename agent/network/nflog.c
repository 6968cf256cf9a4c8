/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/nflog.h"

#include <errno.h>
#include <fcntl.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/network/table.h"
#include "policy/scope.h"

enum {
        BUFFER = 64 * 1024,
        COPY = 128,
        TIMEOUT = 5, /* hundredths of a second that one waits for others */
        RECEIVE_BUFFER = 4 * 1024 * 1024
};

struct Nflog {
        struct nflog_handle *handle;
        struct nflog_g_handle *group;
        sd_event_source *source;
        NflogTold told;
        void *userdata;
};

static NetworkFate fate_of(const char *prefix) {
        if (prefix && strcmp(prefix, NETWORK_LOG_PASSED) == 0)
                return NETWORK_PASSED;
        return prefix && strcmp(prefix, NETWORK_LOG_FORWARDED) == 0 ? NETWORK_FORWARD_REFUSED
                                                                    : NETWORK_REFUSED;
}

static int on_packet(struct nflog_g_handle *group, struct nfgenmsg *message, struct nflog_data *data,
                     void *userdata) {
        Nflog *nflog = userdata;
        NetworkAttempt attempt = {.fate = fate_of(nflog_get_prefix(data)), .uid = (uid_t)-1};
        char *payload = NULL;
        int length = nflog_get_payload(data, &payload);
        unsigned device = nflog_get_outdev(data);
        uint32_t uid;

        (void)group;
        (void)message;
        if (length < 0 || packet_parse((const unsigned char *)payload, (size_t)length, &attempt.packet) < 0)
                return 0;
        if (nflog_get_uid(data, &uid) == 0)
                attempt.uid = uid;
        if (device == 0 || !if_indextoname(device, attempt.interface))
                attempt.interface[0] = '\0';
        nflog->told(nflog->userdata, &attempt);
        return 0;
}

void nflog_drain(Nflog *nflog) {
        CLEANUP_FREE char *buffer = malloc(BUFFER);

        while (buffer) {
                ssize_t n = recv(nflog_fd(nflog->handle), buffer, BUFFER, MSG_DONTWAIT);

                if (n < 0 && errno == ENOBUFS)
                        continue; /* they are in the counter */
                if (n <= 0)
                        break;
                (void)nflog_handle_packet(nflog->handle, buffer, (int)n);
        }
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void)source;
        (void)fd;
        (void)revents;
        nflog_drain(userdata);
        return 0;
}

static int bind_group(Nflog *nflog) {
        int size = RECEIVE_BUFFER;

        nflog->group = nflog_bind_group(nflog->handle, NETWORK_LOG_GROUP);
        if (!nflog->group)
                return errno ? -errno : -EIO;
        if (nflog_set_mode(nflog->group, NFULNL_COPY_PACKET, COPY) < 0 ||
            nflog_set_timeout(nflog->group, TIMEOUT) < 0)
                return -errno;
        (void)setsockopt(nflog_fd(nflog->handle), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        (void)fcntl(nflog_fd(nflog->handle), F_SETFD, FD_CLOEXEC);
        (void)nflog_callback_register(nflog->group, on_packet, nflog);
        return 0;
}

int nflog_new(sd_event *event, NflogTold told, void *userdata, Nflog **ret) {
        Nflog *nflog = calloc(1, sizeof(*nflog));
        int r;

        if (!nflog)
                return -ENOMEM;
        nflog->told = told;
        nflog->userdata = userdata;
        nflog->handle = nflog_open();
        r = nflog->handle ? bind_group(nflog) : -errno;
        if (r >= 0)
                r = sd_event_add_io(event, &nflog->source, nflog_fd(nflog->handle), EPOLLIN, on_readable,
                                    nflog);
        if (r < 0) {
                nflog_free(nflog);
                return r;
        }
        *ret = nflog;
        return 0;
}

Nflog *nflog_free(Nflog *nflog) {
        if (!nflog)
                return NULL;
        sd_event_source_disable_unref(nflog->source);
        if (nflog->group)
                (void)nflog_unbind_group(nflog->group);
        if (nflog->handle)
                (void)nflog_close(nflog->handle);
        free(nflog);
        return NULL;
}

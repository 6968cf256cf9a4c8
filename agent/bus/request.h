/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request.h: calls that wait until it is known who calls and what polkit says. Both are asked
 * asynchronously; an answer that does not come, or is no answer, means no.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

enum {
        REQUESTS_MAX = 128,           /* waiting for polkit at a time ... */
        REQUESTS_PER_UID_MAX = 16,    /* ... and of one uid; root does not wait for it */
        REQUESTS_PER_CALLER_MAX = 16, /* waiting for anything, of one connection */
};

typedef struct Caller {
        const char *name; /* the connection's unique name */
        int error;        /* negative: the caller is gone or not known, or, -ENOBUFS, has too many calls that
                           * wait for polkit; nothing else holds */
        uid_t uid;
        pid_t pid;      /* who made the connection; 0 unless it was asked for */
        bool allowed;   /* root, or polkit says yes to the action that was asked about */
        bool challenge; /* polkit would ask for a password, had the caller let it */
} Caller;

/* Replies to CALL, or not. A negative result, or ERROR set, is sent as the reply. */
typedef int (*RequestAnswer)(void *userdata, sd_bus_message *call, const Caller *caller,
                             sd_bus_error *error);

typedef struct Request Request;

typedef struct Requests {
        Request *first;
} Requests;

/* Find out who sent CALL, and whether ACTION is allowed to it (NULL: ask only who it is; only root is
 * allowed), then ANSWER. Returns 1 (the answer comes later), or a negative value, with ERROR set if too many
 * calls of this connection are waiting already. */
int request_begin(Requests *requests, sd_bus_message *call, const char *action, RequestAnswer answer,
                  void *userdata, sd_bus_error *error);

/* The same; also find out which process it is. */
int request_begin_with_process(Requests *requests, sd_bus_message *call, const char *action,
                               RequestAnswer answer, void *userdata, sd_bus_error *error);

/* Drops all that wait, unanswered: their connection is gone. */
void requests_clear(Requests *requests);

/* The error for a caller that is not allowed. */
int request_refuse(const Caller *caller, sd_bus_error *error);

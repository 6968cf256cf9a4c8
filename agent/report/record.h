/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h: one thing that happened, on its way from an enforcer to the journal. Plain data; who makes it
 * owns it until it is submitted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/event.h"
#include "policy/object.h"
#include "policy/verdict.h"

/* The text fields of a record and the journal fields they become. */
#define RECORD_TEXT_LIST(X)                                                                                 \
        X(TEXT_VERDICT, FIELD_VERDICT)                                                                      \
        X(TEXT_RULE, FIELD_RULE)                                                                            \
        X(TEXT_RULE_ORIGIN, FIELD_RULE_ORIGIN)                                                              \
        X(TEXT_REASON, FIELD_REASON)                                                                        \
        X(TEXT_PATH, FIELD_PATH)                                                                            \
        X(TEXT_EXE, FIELD_EXE)                                                                              \
        X(TEXT_CMDLINE, FIELD_CMDLINE)                                                                      \
        X(TEXT_TERMINAL, FIELD_TERMINAL)                                                                    \
        X(TEXT_SESSION, FIELD_SESSION)                                                                      \
        X(TEXT_DEVICE, FIELD_DEVICE)                                                                        \
        X(TEXT_DEVICE_VENDOR, FIELD_DEVICE_VENDOR)                                                          \
        X(TEXT_DEVICE_PRODUCT, FIELD_DEVICE_PRODUCT)                                                        \
        X(TEXT_DEVICE_SERIAL, FIELD_DEVICE_SERIAL)                                                          \
        X(TEXT_DEVICE_BUS, FIELD_DEVICE_BUS)                                                                \
        X(TEXT_INTERFACE, FIELD_INTERFACE)                                                                  \
        X(TEXT_FSTYPE, FIELD_FSTYPE)                                                                        \
        X(TEXT_MOUNT, FIELD_MOUNT)                                                                          \
        X(TEXT_MODE, FIELD_MODE)                                                                            \
        X(TEXT_ERROR, FIELD_ERROR)                                                                          \
        X(TEXT_EXPIRES, FIELD_EXPIRES)                                                                      \
        X(TEXT_PURPOSE, FIELD_PURPOSE)                                                                      \
        X(TEXT_MINUTES, FIELD_MINUTES)                                                                      \
        X(TEXT_CAUSE, FIELD_CAUSE)                                                                          \
        X(TEXT_PERSON, FIELD_PERSON)                                                                        \
        X(TEXT_PERSON_BEFORE, FIELD_PERSON_BEFORE)                                                          \
        X(TEXT_LABEL, FIELD_LABEL)                                                                          \
        X(TEXT_FACTORS, FIELD_FACTORS)                                                                      \
        X(TEXT_DESTINATION, FIELD_DESTINATION)                                                              \
        X(TEXT_PORT, FIELD_PORT)                                                                            \
        X(TEXT_PROTOCOL, FIELD_PROTOCOL)                                                                    \
        X(TEXT_NETWORK_INTERFACE, FIELD_NETWORK_INTERFACE)                                                  \
        X(TEXT_INTERFACE_KIND, FIELD_INTERFACE_KIND)                                                        \
        X(TEXT_INTERFACE_DRIVER, FIELD_INTERFACE_DRIVER)                                                    \
        X(TEXT_INTERFACE_MAC, FIELD_INTERFACE_MAC)                                                          \
        X(TEXT_GRANT, FIELD_GRANT)                                                                          \
        X(TEXT_USER, FIELD_USER)                                                                            \
        X(TEXT_BY, FIELD_BY)                                                                                \
        X(TEXT_SIZE, FIELD_SIZE)                                                                            \
        X(TEXT_SHA256, FIELD_SHA256)

#define RECORD_TEXT_CONSTANT_(constant, field) constant,
typedef enum RecordText {
        RECORD_TEXT_LIST(RECORD_TEXT_CONSTANT_) RECORD_TEXTS
} RecordText;

typedef struct Record {
        EventKind kind;
        Operation operation; /* OPERATION_UNKNOWN is written only for events that are about an operation */
        uint64_t count;      /* how many times it happened */
        uint64_t policy_serial;
        pid_t pid;         /* 0: no process */
        uid_t uid;         /* (uid_t) -1: not known */
        uid_t loginuid;    /* (uid_t) -1: nobody logged in */
        bool names_hidden; /* nor may journald add what it knows of the process */
        bool for_seat; /* nobody's deed: who sits at the terminal is told, and it is no denial to count */
        char *text[RECORD_TEXTS]; /* owned; NULL: the field is left out */
} Record;

/* A record of KIND that happened once. NULL if memory is short. */
Record *record_new(EventKind kind);
Record *record_free(Record *record); /* returns NULL */
/* A copy of everything. NULL if memory is short. */
Record *record_copy(const Record *record);

/* Set a text field to a copy of VALUE (NULL clears it). If memory is short the field is left out: a record
 * with a gap is better than none. */
void record_set(Record *record, RecordText which, const char *value);
void record_setf(Record *record, RecordText which, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void record_set_device(Record *record, const DeviceIdentity *device);

/* The journal field of a text. */
const char *record_text_field(RecordText which);

/* Whether the event is a denial, which is what is folded and counted. */
int record_is_denial(const Record *record);

/* The sentence of the record (journal field MESSAGE), in English. Returns 0 and an owned string, or -ENOMEM.
 */
int record_message(const Record *record, char **ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inspect.h: the parts of "inspect". Facts are gathered first (inspect_facts.c); the checks turn them into
 * lines, and are pure but for what is said in which language; then the lines are told.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "agent/ctl/options.h"
#include "agent/ctl/status_file.h"
#include "policy/enum.h"
#include "policy/model.h"

#define INSPECT_RESULT_LIST(X)                                                                              \
        X(INSPECT_UNKNOWN, "cannot-tell")                                                                   \
        X(INSPECT_OK, "ok")                                                                                 \
        X(INSPECT_FINDING, "finding")
DECLARE_ENUM(InspectResult, inspect_result, INSPECT_RESULT_LIST);

enum {
        INSPECT_LINES_MAX = 96
};

typedef struct InspectLine {
        const char *id;     /* for programs; static */
        const char *clause; /* of the basic policy on information security; static */
        const char *what;   /* in the reader's language; static */
        InspectResult result;
        char *evidence;
} InspectLine;

typedef struct Inspection {
        InspectLine lines[INSPECT_LINES_MAX];
        size_t n;
        bool incomplete; /* there was no room or no memory for a line */
} Inspection;

/* How long records are kept, and whether they can be changed unseen. */
typedef struct JournalFacts {
        bool known;                  /* the settings could be read */
        bool volatile_or_none;       /* Storage= says so */
        bool directory, seals, keys; /* /var/log/journal of this machine; Seal=; a key for it */
        size_t files, sealed;        /* journal files, and how many of them are sealed */
        bool has_retention;
        char retention[64]; /* MaxRetentionSec= as it is written; "" without bound */
        uint64_t oldest;    /* the oldest entry, microseconds; 0: not known */
} JournalFacts;

/* What inspect_guard(), inspect_policy() and inspect_machine() go by. */
typedef struct InspectFacts {
        uint64_t now; /* microseconds since 1970 */
        const StatusFile *status;
        const Policy *policy; /* what the files say now; NULL: they cannot be read, or have faults */
        const char *policy_error;
        bool builtin;            /* there are no files */
        uint64_t policy_changed; /* when the newest of them was; 0: not known */
        struct json_object
                *exposed;         /* paths that others than root can read or change; NULL: not looked at */
        struct json_object *unit; /* settings of the service by their names; NULL: the service manager does
                                     not tell */
        int clock_error;          /* -errno of adjtimex(2) */
        bool clock_synchronised;
        int64_t clock_max_error; /* microseconds */
        JournalFacts journal;
        int pam; /* 1: every login passes pam_sekisho; 0: not; negative: cannot tell */
        struct json_object *pam_findings;
} InspectFacts;

/* Adds a line. What comes from elsewhere is made safe when it is told. */
void inspect_add(Inspection *inspection, const char *id, const char *clause, const char *what,
                 InspectResult result, const char *format, ...) __attribute__((format(printf, 6, 7)));
size_t inspect_count(const Inspection *inspection, InspectResult result);
void inspect_clear(Inspection *inspection);

/* The checks, by what they look at. */
void inspect_self_test(const struct json_object *root, Inspection *ret);
void inspect_guard(const InspectFacts *facts, Inspection *ret);
void inspect_policy(const InspectFacts *facts, Inspection *ret);
void inspect_machine(const InspectFacts *facts, Inspection *ret);

/* Settings of journald as "systemd-analyze cat-config" has them: the last one counts. */
void inspect_journal_settings(const char *text, JournalFacts *journal);
/* "NAME=VALUE" a line, as "systemctl show" has it, as an object; NULL if the unit is not loaded. */
struct json_object *inspect_unit_settings(const char *text);

typedef struct InspectGathered {
        InspectFacts facts;
        StatusFile status;
        Policy *policy;
        char *policy_error;
} InspectGathered;

/* Looks at the machine. 0, or 2 after one line on stderr. Clear it in either case. */
int inspect_gather(const Options *options, InspectGathered *ret);
void inspect_gathered_clear(InspectGathered *gathered);

/* Telling. */
void inspect_print(const InspectFacts *facts, const Inspection *inspection, FILE *to);
struct json_object *inspect_json(const InspectFacts *facts, const Inspection *inspection);
/* A page by itself, for the screen and for paper. */
void inspect_html(const InspectFacts *facts, const Inspection *inspection, FILE *to);
/* TEXT in HTML, whatever is in it. */
void inspect_html_text(const char *text, FILE *to);
/* "[ok]" and so on, for people. */
const char *inspect_result_for_person(InspectResult result);

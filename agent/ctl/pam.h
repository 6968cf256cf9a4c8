/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pam.h: the parts of "pam check". What is found is collected as JSON, which people are told from as well.
 */
#pragma once

#include "agent/ctl/json.h"
#include "agent/ctl/options.h"
#include "pam_module/stack/stack.h"
#include "policy/model.h"

enum {
        PAM_MODULE_DIRECTORIES = 2
};

typedef struct PamCheck {
        const StackSource *source;
        const char *modules[PAM_MODULE_DIRECTORIES]; /* where libpam looks for modules; NULL: nowhere else */
        const Policy *policy;
        bool strict; /* what is accepted otherwise, is a finding */
        bool open;   /* there is a finding */
        struct json_object *services, *findings, *notes;
        struct json_object *looked_at; /* paths whose owners are known */
} PamCheck;

/* Checks what OPTIONS ask for (all services without arguments), and hands it to TELL. What that returns, or
 * 2 after one line on stderr. */
int pam_check_all(const Options *options, int (*tell)(void *userdata, const PamCheck *check),
                  void *userdata);

/* Adds a finding, or with NOTE one that changes nothing. FILE may be NULL, LINE 0. */
void pam_find(PamCheck *check, bool note, const char *file, unsigned line, const char *format, ...)
        __attribute__((format(printf, 5, 6)));

/* What is said of a fault of a PAM file. */
const char *pam_fault_text(StackFaultKind kind);

/* Proves a service, or adds the ways that pass it by. 0, or 2 after one line on stderr. */
int pam_check_service(PamCheck *check, const char *service);

/* Whether others than root can change what CONFIG was read from, or its modules; and what the arguments of
 * pam_sekisho take away from it. */
void pam_check_files(PamCheck *check, const StackConfig *config);

/* Who else than root can change what is at PATH. 0: nobody; 1 with the file or directory that is at fault,
 * the caller's; -errno. Follows symbolic links, each of which is looked at like what it lies in. */
int pam_trust(const char *path, char **ret_culprit);

/* What sshd says of its settings (sshd -T), judged: TEXT. */
void pam_judge_sshd(PamCheck *check, const char *text);
/* The same, of the sshd of this machine. */
void pam_check_sshd(PamCheck *check);

/* What was found, for people. */
void pam_print(const PamCheck *check);

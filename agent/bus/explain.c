/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/ctl/json.h"
#include "agent/mount/classify.h"

enum {
        GIDS_MAX = 256
};

#define ARGUMENT_LIST(X)                                                                                    \
        X(ARGUMENT_BUS, "bus")                                                                              \
        X(ARGUMENT_VENDOR, "vendor")                                                                        \
        X(ARGUMENT_PRODUCT, "product")                                                                      \
        X(ARGUMENT_SERIAL, "serial")                                                                        \
        X(ARGUMENT_EXTERNAL, "external")                                                                    \
        X(ARGUMENT_CLASS, "class")                                                                          \
        X(ARGUMENT_FSTYPE, "fstype")                                                                        \
        X(ARGUMENT_SOURCE, "source")                                                                        \
        X(ARGUMENT_UID, "uid")                                                                              \
        X(ARGUMENT_GIDS, "gids")                                                                            \
        X(ARGUMENT_OPERATION, "operation")
#define ARGUMENT_CONSTANT_(constant, word) constant,
#define ARGUMENT_WORD_(constant, word)     word,
enum {
        ARGUMENT_LIST(ARGUMENT_CONSTANT_) ARGUMENTS
};
static const char *const words[] = {ARGUMENT_LIST(ARGUMENT_WORD_)};

enum {
        OF_DEVICE = 1 << ARGUMENT_BUS | 1 << ARGUMENT_VENDOR | 1 << ARGUMENT_PRODUCT | 1 << ARGUMENT_SERIAL |
                    1 << ARGUMENT_EXTERNAL | 1 << ARGUMENT_CLASS,
        OF_OPEN = (1 << ARGUMENTS) - 1 - (1 << ARGUMENT_CLASS)
};

typedef struct Question {
        const Policy *policy;
        const PolicyTime *now;
        const char *value[ARGUMENTS]; /* NULL: not given */
        DeviceIdentity device;        /* strings are borrowed from the arguments */
        const char *why;
} Question;

static int amiss(Question *question, const char *why) {
        question->why = why;
        return -EINVAL;
}

static int sort(Question *question, const BusExplainArgument *arguments, size_t n, int known) {
        for (size_t i = 0; i < n; i++) {
                size_t at = 0;

                while (at < ARGUMENTS && strcmp(words[at], arguments[i].name) != 0)
                        at++;
                if (at == ARGUMENTS || !(known & 1 << at))
                        return amiss(question, "There is no such argument");
                if (*arguments[i].value)
                        question->value[at] = arguments[i].value;
        }
        return 0;
}

/* The interface only reads identities: what is borrowed stays as it is. */
static char *lend(const char *text) {
        return (char *)text;
}

static int describe(Question *question) {
        const char *const *value = question->value;
        int bus = device_bus_from_string(value[ARGUMENT_BUS] ? value[ARGUMENT_BUS] : "usb");

        if (bus < 0)
                return amiss(question, "There is no such bus");
        question->device = (DeviceIdentity){
                .bus = (DeviceBus)bus,
                .hotplug = bus == DEVICE_BUS_USB || bus == DEVICE_BUS_MMC || bus == DEVICE_BUS_THUNDERBOLT ||
                           bus == DEVICE_BUS_FIREWIRE,
                .marked_external = value[ARGUMENT_EXTERNAL] && strcmp(value[ARGUMENT_EXTERNAL], "yes") == 0,
                .vendor = lend(value[ARGUMENT_VENDOR]),
                .product = lend(value[ARGUMENT_PRODUCT]),
                .serial = lend(value[ARGUMENT_SERIAL])};
        return 0;
}

/* A whole number from 0 up to below the one that stands for nobody. */
static bool parse_id(const char *text, char **ret_end, uint32_t *ret) {
        unsigned long long value;

        if (*text < '0' || *text > '9')
                return false;
        errno = 0;
        value = strtoull(text, ret_end, 10);
        if (errno != 0 || value >= UINT32_MAX)
                return false;
        *ret = (uint32_t)value;
        return true;
}

static bool parse_gids(const char *text, gid_t gids[static GIDS_MAX], size_t *ret_n) {
        size_t n = 0;
        char *end;

        for (;; text = end + 1) {
                if (n == GIDS_MAX || !parse_id(text, &end, &gids[n]))
                        return false;
                n++;
                if (*end != ',')
                        break;
        }
        *ret_n = n;
        return *end == '\0';
}

static void put_reason(struct json_object *object, Reason reason, const char *rule, const char *origin) {
        json_put_text(object, "reason", reason_to_string(reason));
        json_put_text(object, "sentence", reason_for_person(reason));
        json_put_text(object, "rule", rule);
        json_put_text(object, "origin", origin);
}

static void put_decision(struct json_object *object, const Decision *decision) {
        json_put_text(object, "access", access_to_string(decision->access));
        json_put_flag(object, "conditional", decision->conditional);
        json_put_flag(object, "external", decision->external);
}

static int explain_device(Question *question, struct json_object *object) {
        const char *class = question->value[ARGUMENT_CLASS];
        Decision decision;
        int code = -1;

        if (class) {
                code = usb_class_from_string(class);
                if (code < 0 || question->device.bus != DEVICE_BUS_USB)
                        return amiss(question, "There is no such class of USB interfaces");
                decide_usb_interface(question->policy, &question->device, (uint8_t)code, question->now,
                                     &decision);
        }
        if (!class || (code == USB_CLASS_MASS_STORAGE_ && decision.access != ACCESS_DENY))
                decide_device(question->policy, &question->device, question->now, &decision);
        json_put_flag(object, "allowed", decision.access == ACCESS_WRITE);
        put_decision(object, &decision);
        put_reason(object, decision.reason, decision.rule, decision.origin);
        return 0;
}

static int explain_open(Question *question, struct json_object *object) {
        const char *const *value = question->value;
        const char *fstype = value[ARGUMENT_FSTYPE],
                   *operation = value[ARGUMENT_OPERATION] ? value[ARGUMENT_OPERATION] : "write";
        bool device = value[ARGUMENT_BUS] || value[ARGUMENT_VENDOR] || value[ARGUMENT_PRODUCT] ||
                      value[ARGUMENT_SERIAL],
             writing = strcmp(operation, "write") == 0;
        SuperblockIdentity id = {.fstype = fstype,
                                 .source = value[ARGUMENT_SOURCE],
                                 .device = device ? &question->device : NULL};
        gid_t gids[GIDS_MAX];
        Subject subject = {.loginuid = (uid_t)-1, .gid = (gid_t)-1, .groups = gids};
        OpenDecision decision;
        Decision whole;
        char *end;

        if (!writing && strcmp(operation, "read") != 0)
                return amiss(question, "The operation is write or read");
        if (!device && !fstype)
                return amiss(question, "A device or a file system has to be described");
        if (!value[ARGUMENT_UID] || !parse_id(value[ARGUMENT_UID], &end, &subject.uid) || *end != '\0')
                return amiss(question, "A uid has to be given, as a number");
        if (value[ARGUMENT_GIDS] && !parse_gids(value[ARGUMENT_GIDS], gids, &subject.n_groups))
                return amiss(question, "Groups are numbers with commas between them");
        subject.loginuid = subject.uid;
        if (subject.n_groups > 0)
                subject.gid = gids[0];
        /* any number that a disk could have, or one that none has */
        id.kind = fstype ? superblock_classify(fstype, device ? makedev(8, 0) : makedev(0, 1))
                         : SUPERBLOCK_BLOCK;
        decide_superblock(question->policy, &id, question->now, &whole);
        decide_open(question->policy, &id, &subject, writing, question->now, &decision);
        json_put_flag(object, "allowed", decision.verdict == VERDICT_ALLOW);
        json_put_text(object, "verdict", verdict_to_string(decision.verdict));
        json_put_text(object, "operation", operation);
        json_put_number(object, "uid", subject.uid);
        put_decision(object, &whole);
        put_reason(object, decision.reason, decision.rule, decision.origin);
        return 0;
}

int bus_explain(const Policy *policy, const PolicyTime *now, const char *kind,
                const BusExplainArgument *arguments, size_t n, char **ret, const char **ret_why) {
        bool open = strcmp(kind, "open") == 0;
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        Question question = {.policy = policy, .now = now};
        const char *text;
        int r;

        if (!object)
                return -ENOMEM;
        r = open || strcmp(kind, "device") == 0 ? sort(&question, arguments, n, open ? OF_OPEN : OF_DEVICE)
                                                : amiss(&question, "The kind is device or open");
        if (r >= 0)
                r = describe(&question);
        if (r >= 0)
                r = open ? explain_open(&question, object) : explain_device(&question, object);
        if (r < 0) {
                *ret_why = question.why;
                return r;
        }
        json_object_object_add(object, "policy_serial", json_object_new_uint64(policy->serial));
        json_put_text(object, "mode", policy_mode_to_string(policy->mode));
        text = json_object_to_json_string_ext(object,
                                              JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        *ret = text ? strdup(text) : NULL;
        return *ret ? 0 : -ENOMEM;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h: the command line, whole: options may stand before, between and behind the words of the command.
 * Which option goes with which command is in one list; what none of its commands knows is refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Commands, as bits: COMMAND_STATUS and so on. */
#define COMMAND_LIST(X)                                                                                     \
        X(STATUS)                                                                                           \
        X(DEVICES)                                                                                          \
        X(EVENTS)                                                                                           \
        X(POLICY_CHECK)                                                                                     \
        X(EXPLAIN_DEVICE)                                                                                   \
        X(EXPLAIN_OPEN)                                                                                     \
        X(RELOAD)                                                                                           \
        X(DEVICES_ADD)                                                                                      \
        X(DEVICES_REMOVE)                                                                                   \
        X(DEVICES_LIST)                                                                                     \
        X(POLICY_RESTORE)                                                                                   \
        X(POLICY_BUNDLE)                                                                                    \
        X(POLICY_UNPACK)                                                                                    \
        X(POLICY_INSTALL)                                                                                   \
        X(POLICY_SIGN)                                                                                      \
        X(POLICY_FETCH)                                                                                     \
        X(POLICY_HISTORY)                                                                                   \
        X(ENROL)                                                                                            \
        X(ENROL_FIDO2)                                                                                      \
        X(ENROL_FINGERPRINT)                                                                                \
        X(ENROL_CARD)                                                                                       \
        X(UNENROL)                                                                                          \
        X(FACTORS)                                                                                          \
        X(RECOVERY_CODES)                                                                                   \
        X(SUBSTITUTE)                                                                                       \
        X(MAINTENANCE) /* show it or end it */                                                              \
        X(MAINTENANCE_ON)                                                                                   \
        X(PAM_CHECK)                                                                                        \
        X(EXPLAIN_LOGIN)                                                                                    \
        X(EXPLAIN_DESTINATION)                                                                              \
        X(POLICY_DIFF)                                                                                      \
        X(POLICY_REPLAY)                                                                                    \
        X(AUDIT_VERIFY)                                                                                     \
        X(REVIEW)                                                                                           \
        X(LOCKDOWN)     /* show it */                                                                       \
        X(LOCKDOWN_SET) /* begin or lift it */                                                              \
        X(INSPECT)                                                                                          \
        X(NETWORK_EXPLAIN)                                                                                  \
        X(GRANT)        /* give or request one */                                                           \
        X(GRANT_ID)     /* about one, by its number or code */                                              \
        X(GRANT_ANSWER) /* by the fleet's key ... */                                                        \
        X(GRANT_KEY)    /* ... and what is made from it */                                                  \
        X(GRANT_TERMINAL)                                                                                   \
        X(GRANTS_LIST)                                                                                      \
        X(GRANTS_CLOSE)

#define COMMAND_NUMBER_(name) COMMAND_NUMBER_##name,
enum {
        COMMAND_LIST(COMMAND_NUMBER_) COMMANDS
};

#define COMMAND_BIT_(name) COMMAND_##name = UINT64_C(1) << COMMAND_NUMBER_##name,
enum {
        COMMAND_LIST(COMMAND_BIT_)
};

enum {
        COMMAND_EXPLAIN_OBJECT = COMMAND_EXPLAIN_DEVICE | COMMAND_EXPLAIN_OPEN,
        COMMAND_EXPLAIN_WAY = COMMAND_EXPLAIN_DESTINATION | COMMAND_NETWORK_EXPLAIN,
        COMMAND_EXPLAIN = COMMAND_EXPLAIN_OBJECT | COMMAND_EXPLAIN_LOGIN | COMMAND_EXPLAIN_WAY,
        COMMAND_REGISTER = COMMAND_DEVICES_ADD | COMMAND_DEVICES_REMOVE,
        COMMAND_ENROL_DEVICE = COMMAND_ENROL_FIDO2 | COMMAND_ENROL_FINGERPRINT | COMMAND_ENROL_CARD,
        COMMAND_GIVING = COMMAND_ENROL | COMMAND_ENROL_DEVICE | COMMAND_UNENROL | COMMAND_RECOVERY_CODES |
                         COMMAND_SUBSTITUTE,
        COMMAND_ANY = (UINT64_C(1) << COMMANDS) - 1,
};
_Static_assert(COMMANDS < 64, "a bit for each command");

/* X(constant, "name", short form or 0, takes a value, commands that know it) */
#define OPTION_LIST(X)                                                                                      \
        X(OPTION_HELP, "help", 'h', false, COMMAND_ANY)                                                     \
        X(OPTION_VERSION, "version", 0, false, COMMAND_ANY)                                                 \
        X(OPTION_JSON, "json", 0, false, COMMAND_ANY)                                                       \
        X(OPTION_RUNTIME_DIR, "runtime-dir", 0, true,                                                       \
          COMMAND_STATUS | COMMAND_DEVICES | COMMAND_REGISTER | COMMAND_POLICY_RESTORE |                    \
                  COMMAND_MAINTENANCE | COMMAND_MAINTENANCE_ON | COMMAND_EXPLAIN | COMMAND_POLICY_DIFF |    \
                  COMMAND_POLICY_REPLAY | COMMAND_LOCKDOWN | COMMAND_LOCKDOWN_SET | COMMAND_INSPECT)        \
        X(OPTION_ALL, "all", 'a', false, COMMAND_DEVICES)                                                   \
        X(OPTION_DIRECTORY, "directory", 'D', true,                                                         \
          COMMAND_EVENTS | COMMAND_PAM_CHECK | COMMAND_POLICY_REPLAY | COMMAND_AUDIT_VERIFY |               \
                  COMMAND_REVIEW | COMMAND_INSPECT)                                                         \
        X(OPTION_TERMINAL, "terminal", 0, true, COMMAND_EVENTS | COMMAND_AUDIT_VERIFY | COMMAND_REVIEW)     \
        X(OPTION_VERIFY_KEY, "verify-key", 0, true, COMMAND_AUDIT_VERIFY)                                   \
        X(OPTION_MONTH, "month", 0, true, COMMAND_REVIEW)                                                   \
        X(OPTION_HTML, "html", 0, false, COMMAND_REVIEW)                                                    \
        X(OPTION_CSV, "csv", 0, false, COMMAND_REVIEW | COMMAND_GRANTS_LIST)                                \
        X(OPTION_USER, "user", 'u', true,                                                                   \
          COMMAND_EVENTS | (COMMAND_EXPLAIN & ~COMMAND_EXPLAIN_DEVICE) | COMMAND_GRANT |                    \
                  COMMAND_GRANT_ANSWER)                                                                     \
        X(OPTION_DEVICE, "device", 'd', true, COMMAND_EVENTS | COMMAND_DEVICES_ADD | COMMAND_GRANT)         \
        X(OPTION_RULE, "rule", 'r', true, COMMAND_EVENTS)                                                   \
        X(OPTION_NAME, "name", 0, true, COMMAND_EVENTS)                                                     \
        X(OPTION_DESTINATION, "destination", 0, true, COMMAND_EVENTS)                                       \
        X(OPTION_EVENT, "event", 'e', true, COMMAND_EVENTS)                                                 \
        X(OPTION_SINCE, "since", 'S', true, COMMAND_EVENTS | COMMAND_POLICY_REPLAY | COMMAND_AUDIT_VERIFY)  \
        X(OPTION_UNTIL, "until", 'U', true, COMMAND_EVENTS | COMMAND_POLICY_REPLAY)                         \
        X(OPTION_LINES, "lines", 'n', true, COMMAND_EVENTS)                                                 \
        X(OPTION_FOLLOW, "follow", 'f', false, COMMAND_EVENTS)                                              \
        X(OPTION_UNTRUSTED, "untrusted", 0, false, COMMAND_EVENTS)                                          \
        X(OPTION_POLICY, "policy", 0, true,                                                                 \
          COMMAND_EXPLAIN | COMMAND_POLICY_RESTORE | COMMAND_POLICY_INSTALL | COMMAND_POLICY_FETCH |        \
                  COMMAND_ENROL_DEVICE | COMMAND_PAM_CHECK | COMMAND_REVIEW | COMMAND_INSPECT)              \
        X(OPTION_BUS, "bus", 0, true, COMMAND_EXPLAIN_OBJECT | COMMAND_GRANT)                               \
        X(OPTION_VENDOR, "vendor", 0, true, COMMAND_EXPLAIN_OBJECT | COMMAND_GRANT | COMMAND_GRANT_ANSWER)  \
        X(OPTION_PRODUCT, "product", 0, true,                                                               \
          COMMAND_EXPLAIN_OBJECT | COMMAND_GRANT | COMMAND_GRANT_ANSWER)                                    \
        X(OPTION_SERIAL, "serial", 0, true, COMMAND_EXPLAIN_OBJECT | COMMAND_GRANT | COMMAND_GRANT_ANSWER)  \
        X(OPTION_EXTERNAL, "external", 0, false, COMMAND_EXPLAIN_OBJECT)                                    \
        X(OPTION_CLASS, "class", 0, true, COMMAND_EXPLAIN_DEVICE)                                           \
        X(OPTION_FSTYPE, "fstype", 0, true, COMMAND_EXPLAIN_OPEN)                                           \
        X(OPTION_SOURCE, "source", 0, true, COMMAND_EXPLAIN_OPEN)                                           \
        X(OPTION_WRITE, "write", 0, false, COMMAND_EXPLAIN_OPEN)                                            \
        X(OPTION_READ, "read", 0, false, COMMAND_EXPLAIN_OPEN)                                              \
        X(OPTION_REGISTER, "register", 0, true, COMMAND_REGISTER | COMMAND_DEVICES_LIST)                    \
        X(OPTION_HOLDER, "holder", 0, true, COMMAND_DEVICES_ADD)                                            \
        X(OPTION_USERS, "users", 0, true, COMMAND_DEVICES_ADD)                                              \
        X(OPTION_GROUPS, "groups", 0, true, COMMAND_DEVICES_ADD)                                            \
        X(OPTION_HOURS, "hours", 0, true, COMMAND_DEVICES_ADD)                                              \
        X(OPTION_EXPIRES, "expires", 0, true, COMMAND_DEVICES_ADD)                                          \
        X(OPTION_ACCESS, "access", 0, true, COMMAND_DEVICES_ADD)                                            \
        X(OPTION_ENCRYPTED, "encrypted", 0, true, COMMAND_DEVICES_ADD)                                      \
        X(OPTION_WITHOUT_SERIAL, "without-serial", 0, false, COMMAND_DEVICES_ADD)                           \
        X(OPTION_ALGORITHM, "algorithm", 0, true, COMMAND_ENROL)                                            \
        X(OPTION_DIGITS, "digits", 0, true, COMMAND_ENROL)                                                  \
        X(OPTION_PERSON, "person", 0, true,                                                                 \
          (COMMAND_GIVING & ~COMMAND_ENROL_FINGERPRINT) | COMMAND_FACTORS | COMMAND_EVENTS)                 \
        X(OPTION_LABEL, "label", 0, true, COMMAND_ENROL_FIDO2 | COMMAND_ENROL_CARD)                         \
        X(OPTION_SLOT, "slot", 0, true, COMMAND_ENROL_CARD)                                                 \
        X(OPTION_CERTIFICATE, "certificate", 0, true, COMMAND_ENROL_CARD)                                   \
        X(OPTION_NUMBER, "number", 0, true, COMMAND_RECOVERY_CODES)                                         \
        X(OPTION_FOR_HOURS, "for-hours", 0, true, COMMAND_SUBSTITUTE)                                       \
        X(OPTION_BY, "by", 0, true, COMMAND_GIVING)                                                         \
        X(OPTION_STATE_DIR, "state-dir", 0, true,                                                           \
          COMMAND_EVENTS | COMMAND_POLICY_RESTORE | COMMAND_POLICY_HISTORY | COMMAND_FACTORS |              \
                  COMMAND_GIVING | COMMAND_AUDIT_VERIFY | COMMAND_INSPECT)                                  \
        X(OPTION_OUTPUT, "output", 0, true, COMMAND_POLICY_BUNDLE | COMMAND_POLICY_SIGN | COMMAND_INSPECT)  \
        X(OPTION_KEY, "key", 0, true, COMMAND_POLICY_SIGN | COMMAND_GRANT_ANSWER | COMMAND_GRANT_KEY)       \
        X(OPTION_CA, "ca", 0, true, COMMAND_POLICY_FETCH)                                                   \
        X(OPTION_CACHE_DIR, "cache-dir", 0, true, COMMAND_POLICY_FETCH)                                     \
        X(OPTION_DRY_RUN, "dry-run", 0, false, COMMAND_POLICY_INSTALL | COMMAND_POLICY_FETCH)               \
        X(OPTION_REASON, "reason", 0, true, COMMAND_MAINTENANCE_ON | COMMAND_LOCKDOWN_SET | COMMAND_GRANT)  \
        X(OPTION_MINUTES, "minutes", 0, true, COMMAND_MAINTENANCE_ON | COMMAND_GRANT)                       \
        X(OPTION_DATA_CLASS, "data-class", 0, true, COMMAND_GRANT)                                          \
        X(OPTION_CARRIER, "carrier", 0, true, COMMAND_GRANT)                                                \
        X(OPTION_PURPOSE, "purpose", 0, true, COMMAND_GRANT)                                                \
        X(OPTION_RETURNED, "returned", 0, false, COMMAND_GRANTS_CLOSE)                                      \
        X(OPTION_ERASED, "erased", 0, false, COMMAND_GRANTS_CLOSE)                                          \
        X(OPTION_STRICT, "strict", 0, false, COMMAND_PAM_CHECK)                                             \
        X(OPTION_MODULE_DIR, "module-dir", 0, true, COMMAND_PAM_CHECK)                                      \
        X(OPTION_SERVICE, "service", 0, true, COMMAND_EXPLAIN_LOGIN)                                        \
        X(OPTION_FROM, "from", 0, true, COMMAND_EXPLAIN_LOGIN)                                              \
        X(OPTION_FACTORS, "factors", 0, true, COMMAND_EXPLAIN_LOGIN)                                        \
        X(OPTION_ENROLLED, "enrolled", 0, true, COMMAND_EXPLAIN_LOGIN)                                      \
        X(OPTION_PROTOCOL, "protocol", 0, true, COMMAND_EXPLAIN_WAY)                                        \
        X(OPTION_PORT, "port", 0, true, COMMAND_EXPLAIN_WAY)                                                \
        X(OPTION_PROGRAM, "program", 0, true, COMMAND_EXPLAIN_WAY)                                          \
        X(OPTION_INTERFACE, "interface", 0, true, COMMAND_EXPLAIN_WAY)                                      \
        X(OPTION_FILE, "file", 0, true,                                                                     \
          COMMAND_EVENTS | COMMAND_POLICY_REPLAY | COMMAND_AUDIT_VERIFY | COMMAND_REVIEW)                   \
        X(OPTION_LIMIT, "limit", 0, true, COMMAND_POLICY_DIFF)                                              \
        X(OPTION_AT, "at", 0, true, COMMAND_EXPLAIN | COMMAND_POLICY_DIFF)

#define OPTION_CONSTANT_(constant, name, letter, value, commands) constant,
typedef enum Option {
        OPTION_LIST(OPTION_CONSTANT_) OPTIONS
} Option;

enum {
        OPTION_REPEATS_MAX = 32
};

typedef struct Options {
        const char *value[OPTIONS]; /* NULL: not given; "" for one without a value. The last one counts. */
        struct {
                const char *values[OPTION_REPEATS_MAX];
                size_t n;
        } events, classes;            /* every --event, every --class */
        const char *const *arguments; /* what is no option; from options_parse() the command's words, too */
        size_t n_arguments;
} Options;

/* Parse ARGV, which is reordered. Returns 0, or 2 after one line on stderr. Strings are borrowed. */
int options_parse(int argc, char **argv, Options *ret);

/* Whether every option given goes with COMMAND (a bit), called NAME. 0, or 2 after one line on stderr. */
int options_check(const Options *options, uint64_t command, const char *name);

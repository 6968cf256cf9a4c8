/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.h: the event vocabulary, spoken by the agent, the PAM module and whoever reads the journal. A
 * MESSAGE_ID, once published, never changes its meaning (sd_journal_print(3), systemd.journal-fields(7)).
 */
#pragma once

#include "policy/enum.h"

/* X(constant, word in SEKISHO_EVENT, MESSAGE_ID, priority as syslog(3)) */
#define EVENT_LIST(X)                                                                                       \
        X(EVENT_NONE, "none", "00000000000000000000000000000000", 7)                                        \
        X(EVENT_WRITE_DENIED, "write-denied", "6601ec7f17b44a1a88fb7cb3bb75a96e", 4)                        \
        X(EVENT_READ_DENIED, "read-denied", "8d686bcc5ffb491b99dc76f860125a54", 4)                          \
        X(EVENT_RAW_WRITE_DENIED, "raw-write-denied", "161670469e8f4f54aa988cbea86eb5e0", 4)                \
        X(EVENT_LATE_WRITER, "late-writer", "01c0f2bfdfd9461fa1ad07568658fc8d", 4)                          \
        X(EVENT_DEVICE_ATTACHED, "device-attached", "bdffd0d4763946d785e39045f9684219", 5)                  \
        X(EVENT_DEVICE_VERDICT, "device-verdict", "9cb6e383ace74c0c84777362459b6ab4", 5)                    \
        X(EVENT_DEVICE_DETACHED, "device-detached", "79da2cca7d43441484dd4f348cb5b1df", 5)                  \
        X(EVENT_INTERFACE_VERDICT, "interface-verdict", "28964a07d88c4a0397fcaa2c7288625a", 5)              \
        X(EVENT_SUPERBLOCK_GUARDED, "superblock-guarded", "c5c173cb2adc40608a13263556332f63", 5)            \
        X(EVENT_SUPERBLOCK_RELEASED, "superblock-released", "49253feda71b48239ee1dd01e24a974f", 5)          \
        X(EVENT_POLICY_LOADED, "policy-loaded", "cda46f58e8014bf7a93d4cf67844081c", 5)                      \
        X(EVENT_POLICY_REFUSED, "policy-refused", "1de3451db9404b1fb59f99b833d038f2", 3)                    \
        X(EVENT_POLICY_RESTORED, "policy-restored", "6969702d80954008943789cf13e49c65", 4)                  \
        X(EVENT_SERIAL_WITNESSED, "serial-witnessed", "0aef20cc44594ea196804cd6d8113f40", 4)                \
        X(EVENT_SERIAL_LOWERED, "serial-lowered", "3d2f6a7c81b44f0f9a5e2c60d7b4e913", 2)                    \
        X(EVENT_AGENT_STARTED, "agent-started", "5724eef373e04493b9ce014912202907", 5)                      \
        X(EVENT_AGENT_STOPPED, "agent-stopped", "b4daa4ed363e4ee799923266c8c8b66a", 5)                      \
        X(EVENT_AGENT_LOST, "agent-lost", "9b15c1db57df4456bdde57e7e91ba826", 2)                            \
        X(EVENT_ENFORCEMENT_FAILED, "enforcement-failed", "4efb88d6c5b149efaf05a7ae13941f42", 2)            \
        X(EVENT_LOGIN_ALLOWED, "login-allowed", "2a527c785f02443084b969c87993ac5c", 5)                      \
        X(EVENT_LOGIN_DENIED, "login-denied", "677a7578e417483abbae895477f3202a", 4)                        \
        X(EVENT_FACTOR_FAILED, "factor-failed", "0f01e7c5218446478cb22ddbfc6ae8dc", 4)                      \
        X(EVENT_FACTOR_ENROLLED, "factor-enrolled", "30315b481ed848e5b565e1fecf2d10b3", 5)                  \
        X(EVENT_FACTOR_REMOVED, "factor-removed", "22bf3f63459e40919ff22c24bfed4701", 5)                    \
        X(EVENT_SUBSTITUTE_ISSUED, "substitute-issued", "6523fa1038064fcd8c07f61acb53c1f7", 5)              \
        X(EVENT_MAINTENANCE_STARTED, "maintenance-started", "b55a58f2076d4ee69db03d327dbd9744", 4)          \
        X(EVENT_MAINTENANCE_ENDED, "maintenance-ended", "b1161a7f9741449f9bc2be597d3dcab0", 4)              \
        X(EVENT_GUARD_TOUCHED, "guard-touched", "9526115eec0446938e9ff768cefaf9e4", 2)                      \
        X(EVENT_BREAK_GLASS_USED, "break-glass-used", "5d85628666b644eca60fbd9ec30b75b7", 2)                \
        X(EVENT_PERSON_CHANGED, "person-changed", "d7e56f3595d14ce1a70b349f28ec2ff7", 5)                    \
        X(EVENT_SESSION_LOCKED, "session-locked", "e098924b421a434da944ed0f27e42e7e", 5)                    \
        X(EVENT_SESSION_LOCK_FAILED, "session-lock-failed", "e9dc9815d36343469e644a7220cd9b44", 2)          \
        X(EVENT_LOCKDOWN_STARTED, "lockdown-started", "b8fcd24f7e014909ad50d733c9433178", 2)                \
        X(EVENT_LOCKDOWN_ENDED, "lockdown-ended", "74af797517be4757ad606c4158b4c6d7", 2)                    \
        X(EVENT_SELF_TEST_PASSED, "self-test-passed", "167f4bfae799458cae2b58a9563387c4", 5)                \
        X(EVENT_SELF_TEST_FAILED, "self-test-failed", "51c9e5f5062e4aa1b3c7c580c9f87214", 1)                \
        X(EVENT_SELF_TEST_NOT_RUN, "self-test-not-run", "bbf83b0213cd47dfa88c0f9c9c087530", 4)              \
        X(EVENT_MONITOR_STARTED, "monitor-started", "c3a2f0e94f6d4be0a1f7d2b58e6190d4", 4)                  \
        X(EVENT_MONITOR_ENDED, "monitor-ended", "5be0d7f1a94c4f63b9c8e2417a3fd605", 5)                      \
        X(EVENT_CONNECTION_DENIED, "connection-denied", "5e01d6eb3d63444bbd3e73c5c0f834c2", 4)              \
        X(EVENT_CONNECTION_SEEN, "connection-seen", "10f1e11b117a4ff0915ce7a532ed01d2", 6)                  \
        X(EVENT_NETWORK_INTERFACE_VERDICT, "network-interface-verdict", "d13e65fdd5fc47e29caf6249d883243a", \
          5)                                                                                                \
        X(EVENT_NETWORK_GUARD_LOST, "network-guard-lost", "e4b1e9be670b4023b5a7572f0f90f3c6", 2)            \
        X(EVENT_NETWORK_FAILED, "network-failed", "90f95adcef554444bcc0bd5f6466715a", 2)                    \
        X(EVENT_LABELLED_WRITE, "labelled-write", "8f6d1c27e0b94ad2a35f7c9040be61d8", 5)                    \
        X(EVENT_GRANT_BEGUN, "grant-begun", "0b4570dbc901456dbb3174793de854c8", 4)                          \
        X(EVENT_GRANT_ENDED, "grant-ended", "251b973e3d0c44c99016002357998000", 4)                          \
        X(EVENT_GRANT_REFUSED, "grant-refused", "ebb6bc0097d14246a7ac77b97d078dc3", 4)                      \
        X(EVENT_GRANT_WRITE, "grant-write", "7b0fee786132474d9aea6bbc59ca3bfe", 5)

#define EVENT_CONSTANT_(constant, word, id, priority) constant,
typedef enum EventKind {
        EVENT_LIST(EVENT_CONSTANT_)
} EventKind;

#define EVENT_ONE_(constant, word, id, priority) +1
enum {
        EVENT_KINDS = 0 EVENT_LIST(EVENT_ONE_)
};

const char *event_to_string(EventKind kind);
int event_from_string(const char *word); /* -1 if there is no such event */
const char *event_message_id(EventKind kind);
int event_priority(EventKind kind);

/* Journal fields. */
#define FIELD_EVENT             "SEKISHO_EVENT"
#define FIELD_VERDICT           "SEKISHO_VERDICT"
#define FIELD_RULE              "SEKISHO_RULE"
#define FIELD_RULE_ORIGIN       "SEKISHO_RULE_ORIGIN"
#define FIELD_REASON            "SEKISHO_REASON"
#define FIELD_OPERATION         "SEKISHO_OPERATION"
#define FIELD_PATH              "SEKISHO_PATH"
#define FIELD_EXE               "SEKISHO_EXE"
#define FIELD_CMDLINE           "SEKISHO_CMDLINE"
#define FIELD_PID               "SEKISHO_PID"
#define FIELD_UID               "SEKISHO_UID"
#define FIELD_LOGINUID          "SEKISHO_LOGINUID"
#define FIELD_SESSION           "SEKISHO_SESSION"
#define FIELD_TERMINAL          "SEKISHO_TERMINAL"
#define FIELD_DEVICE            "SEKISHO_DEVICE"
#define FIELD_DEVICE_VENDOR     "SEKISHO_DEVICE_VENDOR"
#define FIELD_DEVICE_PRODUCT    "SEKISHO_DEVICE_PRODUCT"
#define FIELD_DEVICE_SERIAL     "SEKISHO_DEVICE_SERIAL"
#define FIELD_DEVICE_BUS        "SEKISHO_DEVICE_BUS"
#define FIELD_INTERFACE         "SEKISHO_USB_INTERFACE"
#define FIELD_FSTYPE            "SEKISHO_FSTYPE"
#define FIELD_MOUNT             "SEKISHO_MOUNT"
#define FIELD_POLICY_SERIAL     "SEKISHO_POLICY_SERIAL"
#define FIELD_COUNT             "SEKISHO_COUNT"
#define FIELD_MODE              "SEKISHO_MODE"
#define FIELD_ERROR             "SEKISHO_ERROR"
#define FIELD_USER              "SEKISHO_USER"
#define FIELD_SERVICE           "SEKISHO_SERVICE"
#define FIELD_REMOTE_HOST       "SEKISHO_REMOTE_HOST"
#define FIELD_FACTOR            "SEKISHO_FACTOR"
#define FIELD_FACTORS           "SEKISHO_FACTORS"
#define FIELD_PERSON            "SEKISHO_PERSON"
#define FIELD_PERSON_BEFORE     "SEKISHO_PERSON_BEFORE"
#define FIELD_RESULT            "SEKISHO_RESULT"
#define FIELD_EXPIRES           "SEKISHO_EXPIRES"
#define FIELD_BY                "SEKISHO_BY"
#define FIELD_PURPOSE           "SEKISHO_PURPOSE"
#define FIELD_MINUTES           "SEKISHO_MINUTES"
#define FIELD_CAUSE             "SEKISHO_CAUSE"
#define FIELD_GRANT             "SEKISHO_GRANT"
#define FIELD_SIZE              "SEKISHO_SIZE"
#define FIELD_SHA256            "SEKISHO_SHA256"
#define FIELD_DESTINATION       "SEKISHO_DESTINATION"
#define FIELD_PORT              "SEKISHO_PORT"
#define FIELD_PROTOCOL          "SEKISHO_PROTOCOL"
#define FIELD_NETWORK_INTERFACE "SEKISHO_NETWORK_INTERFACE"
#define FIELD_INTERFACE_KIND    "SEKISHO_INTERFACE_KIND"
#define FIELD_INTERFACE_DRIVER  "SEKISHO_INTERFACE_DRIVER"
#define FIELD_INTERFACE_MAC     "SEKISHO_INTERFACE_MAC"
#define FIELD_LABEL             "SEKISHO_LABEL"

/* What was tried: SEKISHO_OPERATION. */
#define OPERATION_LIST(X)                                                                                   \
        X(OPERATION_UNKNOWN, "unknown") /* could not be told: counts as a write */                          \
        X(OPERATION_OPEN_READ, "open-read")                                                                 \
        X(OPERATION_OPEN_WRITE, "open-write")                                                               \
        X(OPERATION_CREATE, "create")                                                                       \
        X(OPERATION_TRUNCATE, "truncate")                                                                   \
        X(OPERATION_RAW_WRITE, "raw-write")                                                                 \
        X(OPERATION_MKDIR, "mkdir")                                                                         \
        X(OPERATION_MKNOD, "mknod")                                                                         \
        X(OPERATION_SYMLINK, "symlink")                                                                     \
        X(OPERATION_LINK, "link")                                                                           \
        X(OPERATION_RENAME, "rename")                                                                       \
        X(OPERATION_UNLINK, "unlink")                                                                       \
        X(OPERATION_RMDIR, "rmdir")                                                                         \
        X(OPERATION_SETATTR, "setattr")                                                                     \
        X(OPERATION_SETXATTR, "setxattr")                                                                   \
        X(OPERATION_IOCTL, "ioctl")                                                                         \
        X(OPERATION_RECEIVE, "receive-descriptor")                                                          \
        X(OPERATION_SIGNAL, "signal")                                                                       \
        X(OPERATION_TRACE, "trace")                                                                         \
        X(OPERATION_LIMIT, "set-limit")                                                                     \
        X(OPERATION_UNMOUNT, "unmount")                                                                     \
        X(OPERATION_BPF, "change-map")                                                                      \
        X(OPERATION_OPENED_BEFORE, "opened-before-guard")                                                   \
        X(OPERATION_MAPPED_BEFORE, "mapped-before-guard")                                                   \
        X(OPERATION_CONNECT, "connect")                                                                     \
        X(OPERATION_SEND, "send")                                                                           \
        X(OPERATION_FORWARD, "forward") /* for another machine, a container or a guest */                   \
        X(OPERATION_RAW_SOCKET, "raw-socket")                                                               \
        X(OPERATION_PACKET_SOCKET, "packet-socket")                                                         \
        X(OPERATION_NETWORK_NAMESPACE, "network-namespace")                                                 \
        X(OPERATION_TUNNEL, "tunnel")
DECLARE_ENUM(Operation, operation, OPERATION_LIST);

/* Why a session was locked, or was to be: SEKISHO_REASON. */
#define LOCK_REASON_LIST(X)                                                                                 \
        X(LOCK_FOR_NOTHING, "none")                                                                         \
        X(LOCK_TOKEN_REMOVED, "token-removed") /* the key or card that it was opened with */                \
        X(LOCK_IDLE, "idle")                                                                                \
        X(LOCK_IN_EMERGENCY, "lockdown")
DECLARE_ENUM(LockReason, lock_reason, LOCK_REASON_LIST);

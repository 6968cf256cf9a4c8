/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/report/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/scope.h"

#define RECORD_TEXT_FIELD_(constant, field) [constant] = (field),
static const char *const text_fields[] = {RECORD_TEXT_LIST(RECORD_TEXT_FIELD_)};

Record *record_new(EventKind kind) {
        Record *record = calloc(1, sizeof(*record));

        if (!record)
                return NULL;
        record->kind = kind;
        record->count = 1;
        record->uid = (uid_t)-1;
        record->loginuid = (uid_t)-1;
        return record;
}

Record *record_free(Record *record) {
        if (!record)
                return NULL;
        for (size_t i = 0; i < RECORD_TEXTS; i++)
                free(record->text[i]);
        free(record);
        return NULL;
}

Record *record_copy(const Record *record) {
        Record *copy = malloc(sizeof(*copy));

        if (!copy)
                return NULL;
        *copy = *record;
        for (size_t i = 0; i < RECORD_TEXTS; i++)
                copy->text[i] = NULL;
        for (size_t i = 0; i < RECORD_TEXTS; i++) {
                if (!record->text[i])
                        continue;
                copy->text[i] = strdup(record->text[i]);
                if (!copy->text[i])
                        return record_free(copy);
        }
        return copy;
}

void record_set(Record *record, RecordText which, const char *value) {
        free(record->text[which]);
        record->text[which] = value ? strdup(value) : NULL;
}

void record_setf(Record *record, RecordText which, const char *format, ...) {
        va_list arguments;
        char *value = NULL;

        va_start(arguments, format);
        if (vasprintf(&value, format, arguments) < 0)
                value = NULL;
        va_end(arguments);
        free(record->text[which]);
        record->text[which] = value;
}

void record_set_device(Record *record, const DeviceIdentity *device) {
        if (!device)
                return;
        record_set(record, TEXT_DEVICE, device->name);
        record_set(record, TEXT_DEVICE_VENDOR, device->vendor);
        record_set(record, TEXT_DEVICE_PRODUCT, device->product);
        record_set(record, TEXT_DEVICE_SERIAL, device->serial);
        record_set(record, TEXT_DEVICE_BUS, device_bus_to_string(device->bus));
}

const char *record_text_field(RecordText which) {
        return text_fields[which];
}

int record_is_denial(const Record *record) {
        return record->kind == EVENT_WRITE_DENIED || record->kind == EVENT_READ_DENIED ||
               record->kind == EVENT_RAW_WRITE_DENIED || record->kind == EVENT_GUARD_TOUCHED ||
               record->kind == EVENT_CONNECTION_DENIED;
}

static const char * or (const char *value, const char *otherwise) {
        return value ? value : otherwise;
}

static void print_device(FILE *f, const Record *r) {
        fputs(or (r->text[TEXT_DEVICE], "device"), f);
        if (r->text[TEXT_DEVICE_BUS])
                fprintf(f, " (%s", r->text[TEXT_DEVICE_BUS]);
        if (r->text[TEXT_DEVICE_VENDOR] || r->text[TEXT_DEVICE_PRODUCT])
                fprintf(f, " %s:%s", or (r->text[TEXT_DEVICE_VENDOR], "-"),
                        or (r->text[TEXT_DEVICE_PRODUCT], "-"));
        if (r->text[TEXT_DEVICE_SERIAL])
                fprintf(f, " serial %s", r->text[TEXT_DEVICE_SERIAL]);
        if (r->text[TEXT_DEVICE_BUS])
                fputc(')', f);
}

static void print_who(FILE *f, const Record *r) {
        if (r->text[TEXT_PERSON] && r->kind != EVENT_PERSON_CHANGED)
                fprintf(f, " by %s", r->text[TEXT_PERSON]);
        if (r->uid != (uid_t)-1)
                fprintf(f, r->text[TEXT_PERSON] ? " as uid %" PRIu32 : " by uid %" PRIu32, (uint32_t)r->uid);
        if (r->text[TEXT_EXE])
                fprintf(f, " with %s", r->text[TEXT_EXE]);
        if (r->pid > 0)
                fprintf(f, " (pid %d)", (int)r->pid);
}

static void print_lockdown(FILE *f, const Record *r) {
        const char *cause = r->text[TEXT_CAUSE];

        print_who(f, r);
        if (cause && strcmp(cause, "command") != 0)
                fprintf(f, " (%s)", cause);
        if (r->text[TEXT_PURPOSE])
                fprintf(f, ": %s", r->text[TEXT_PURPOSE]);
}

static void print_grant(FILE *f, const Record *r) {
        const char *id = or (r->text[TEXT_GRANT], "?");

        if (r->kind == EVENT_GRANT_WRITE) {
                fprintf(f, "Written under grant %s: %s on ", id, or (r->text[TEXT_PATH], "(a file)"));
                print_device(f, r);
                if (r->text[TEXT_SIZE])
                        fprintf(f, ", %s bytes", r->text[TEXT_SIZE]);
                if (r->text[TEXT_SHA256])
                        fprintf(f, ", SHA-256 %s", r->text[TEXT_SHA256]);
                print_who(f, r);
                if (r->text[TEXT_ERROR])
                        fprintf(f, ": %s", r->text[TEXT_ERROR]);
                return;
        }
        if (r->text[TEXT_GRANT])
                fprintf(f, "Grant %s ", id);
        else
                fputs("A grant ", f);
        fprintf(f, "%s: %s may write to ",
                r->kind == EVENT_GRANT_BEGUN   ? "begins"
                : r->kind == EVENT_GRANT_ENDED ? "ends"
                                               : "is refused",
                or (r->text[TEXT_USER], "?"));
        print_device(f, r);
        if (r->kind == EVENT_GRANT_BEGUN)
                fprintf(f, " for %s minutes", or (r->text[TEXT_MINUTES], "?"));
        if (r->text[TEXT_BY])
                fprintf(f, ", asked by %s", r->text[TEXT_BY]);
        if (r->text[TEXT_CAUSE])
                fprintf(f, " (%s)", r->text[TEXT_CAUSE]);
        if (r->text[TEXT_PURPOSE])
                fprintf(f, ": %s", r->text[TEXT_PURPOSE]);
}

static void print_rule(FILE *f, const Record *r) {
        if (r->text[TEXT_RULE])
                fprintf(f, ", rule %s", r->text[TEXT_RULE]);
        if (r->text[TEXT_REASON])
                fprintf(f, " (%s)", r->text[TEXT_REASON]);
}

static bool is_monitor(const Record *r) {
        return r->text[TEXT_MODE] && strcmp(r->text[TEXT_MODE], "monitor") == 0;
}

static void print_verdict(FILE *f, const Record *r) {
        fprintf(f, ": %s%s", is_monitor(r) ? "only watched, would be " : "",
                or (r->text[TEXT_VERDICT], "deny"));
}

static void print_denial(FILE *f, const Record *r) {
        const char *what = r->kind == EVENT_READ_DENIED          ? "Read"
                           : r->kind != EVENT_RAW_WRITE_DENIED   ? "Write"
                           : r->operation == OPERATION_OPEN_READ ? "Raw read"
                                                                 : "Raw write";
        fprintf(f, "%s %s: %s", what, is_monitor(r) ? "would be denied" : "denied",
                or (r->text[TEXT_PATH], "(path not known)"));
        print_who(f, r);
        if (r->text[TEXT_DEVICE]) {
                fputs(" on ", f);
                print_device(f, r);
        } else if (r->text[TEXT_FSTYPE])
                fprintf(f, " on %s", r->text[TEXT_FSTYPE]);
        print_rule(f, r);
        if (r->count > 1)
                fprintf(f, ", %" PRIu64 " times", r->count);
}

/* "tcp to 10.9.0.1 port 443 by eth0"; for what leads nowhere yet, what was tried. */
static void print_way(FILE *f, const Record *r) {
        if (r->text[TEXT_PROTOCOL])
                fprintf(f, "%s ", r->text[TEXT_PROTOCOL]);
        if (r->text[TEXT_DESTINATION])
                fprintf(f, "to %s", r->text[TEXT_DESTINATION]);
        else
                fputs(operation_to_string(r->operation), f);
        if (r->text[TEXT_PORT])
                fprintf(f, " port %s", r->text[TEXT_PORT]);
        if (r->text[TEXT_NETWORK_INTERFACE])
                fprintf(f, " by %s", r->text[TEXT_NETWORK_INTERFACE]);
}

static void print_connection(FILE *f, const Record *r) {
        bool monitor = r->text[TEXT_MODE] && strcmp(r->text[TEXT_MODE], "monitor") == 0;

        if (r->kind == EVENT_CONNECTION_SEEN)
                fputs("First connection to a destination that no rule names: ", f);
        else
                fprintf(f, "Connection %s: ", monitor ? "would be denied" : "denied");
        print_way(f, r);
        print_who(f, r);
        print_rule(f, r);
        if (r->count > 1)
                fprintf(f, ", %" PRIu64 " times", r->count);
}

static void print_network_interface(FILE *f, const Record *r) {
        fprintf(f, "Network interface %s (%s", or (r->text[TEXT_NETWORK_INTERFACE], "?"),
                or (r->text[TEXT_INTERFACE_KIND], "unknown"));
        if (r->text[TEXT_INTERFACE_DRIVER])
                fprintf(f, ", %s", r->text[TEXT_INTERFACE_DRIVER]);
        if (r->text[TEXT_INTERFACE_MAC])
                fprintf(f, ", %s", r->text[TEXT_INTERFACE_MAC]);
        fputc(')', f);
        if (r->text[TEXT_DEVICE]) {
                fputs(" of ", f);
                print_device(f, r);
        }
        fprintf(f, ": %s", or (r->text[TEXT_VERDICT], "deny"));
        print_rule(f, r);
}

static void print_record(FILE *f, const Record *r) {
        switch (r->kind) {
        case EVENT_WRITE_DENIED:
        case EVENT_READ_DENIED:
        case EVENT_RAW_WRITE_DENIED:
                print_denial(f, r);
                return;
        case EVENT_LABELLED_WRITE:
                fprintf(f, "Write of what may be %s: %s", or (r->text[TEXT_LABEL], "?"),
                        or (r->text[TEXT_PATH], "(path not known)"));
                print_who(f, r);
                print_rule(f, r);
                return;
        case EVENT_LATE_WRITER:
                fprintf(f, "File was open for writing before the guard came: %s",
                        or (r->text[TEXT_PATH], "(path not known)"));
                print_who(f, r);
                return;
        case EVENT_DEVICE_ATTACHED:
                fputs("Device attached: ", f);
                print_device(f, r);
                return;
        case EVENT_DEVICE_VERDICT:
                fputs("Device ", f);
                print_device(f, r);
                print_verdict(f, r);
                print_rule(f, r);
                return;
        case EVENT_DEVICE_DETACHED:
                fputs("Device detached: ", f);
                print_device(f, r);
                return;
        case EVENT_INTERFACE_VERDICT:
                fprintf(f, "USB interface %s of ", or (r->text[TEXT_INTERFACE], "?"));
                print_device(f, r);
                print_verdict(f, r);
                print_rule(f, r);
                return;
        case EVENT_SUPERBLOCK_GUARDED:
        case EVENT_SUPERBLOCK_RELEASED:
                fprintf(f, "File system %s on %s %s", or (r->text[TEXT_FSTYPE], "?"),
                        or (r->text[TEXT_MOUNT], "?"),
                        r->kind == EVENT_SUPERBLOCK_GUARDED ? "guarded" : "released");
                print_verdict(f, r);
                print_rule(f, r);
                return;
        case EVENT_POLICY_LOADED:
                fprintf(f, "Policy in force: serial %" PRIu64 " from %s", r->policy_serial,
                        or (r->text[TEXT_PATH], "built-in"));
                return;
        case EVENT_POLICY_REFUSED:
                fprintf(f, "Policy refused, the last good one (serial %" PRIu64 ") stays in force: %s",
                        r->policy_serial, or (r->text[TEXT_PATH], "?"));
                return;
        case EVENT_POLICY_RESTORED:
                fprintf(f,
                        "Policies put aside at the console (%s): they are in %s, the built-in default is in "
                        "force",
                        or (r->text[TEXT_TERMINAL], "?"), or (r->text[TEXT_PATH], "?"));
                print_who(f, r);
                return;
        case EVENT_SERIAL_WITNESSED:
                fprintf(f,
                        "The note of the highest serial is lost; by the journal it was %" PRIu64
                        ": no lower one comes into force",
                        r->policy_serial);
                return;
        case EVENT_SERIAL_LOWERED:
                fprintf(f,
                        "The note of the highest serial was lower than what the TPM holds, %" PRIu64
                        ": no lower one comes into force",
                        r->policy_serial);
                return;
        case EVENT_AGENT_STARTED:
                fputs("Guard is in force", f);
                return;
        case EVENT_AGENT_STOPPED:
                fputs("Guard stops; external devices stay read-only", f);
                return;
        case EVENT_AGENT_LOST:
                fputs("Guard was killed or crashed; writes are refused until it is back", f);
                return;
        case EVENT_ENFORCEMENT_FAILED:
                fputs("Could not enforce", f);
                if (r->text[TEXT_VERDICT])
                        fprintf(f, " %s", r->text[TEXT_VERDICT]);
                if (r->text[TEXT_DEVICE]) {
                        fputs(" on ", f);
                        print_device(f, r);
                }
                if (r->text[TEXT_MOUNT])
                        fprintf(f, " on %s", r->text[TEXT_MOUNT]);
                return;
        case EVENT_MAINTENANCE_STARTED:
                fprintf(f,
                        "Maintenance begins at the console (%s) for %s minutes: nothing protects the guard "
                        "itself",
                        or (r->text[TEXT_TERMINAL], "?"), or (r->text[TEXT_MINUTES], "?"));
                print_who(f, r);
                fprintf(f, ": %s", or (r->text[TEXT_PURPOSE], "?"));
                return;
        case EVENT_MAINTENANCE_ENDED:
                fputs("Maintenance is over", f);
                if (r->text[TEXT_CAUSE] && strcmp(r->text[TEXT_CAUSE], "command") == 0)
                        print_who(f, r);
                fprintf(f, ": %s", or (r->text[TEXT_PURPOSE], "?"));
                return;
        case EVENT_SELF_TEST_PASSED:
                fprintf(f, "Self-test passed: what nobody may write to was refused (%s)",
                        or (r->text[TEXT_CAUSE], "?"));
                return;
        case EVENT_SELF_TEST_FAILED:
                fprintf(f, "SELF-TEST FAILED: the guard does not hold what it should (%s)",
                        or (r->text[TEXT_CAUSE], "?"));
                return;
        case EVENT_SELF_TEST_NOT_RUN:
                fprintf(f, "Not probed whether writes are refused (%s)", or (r->text[TEXT_CAUSE], "?"));
                return;
        case EVENT_LOCKDOWN_STARTED:
                fputs("EMERGENCY LOCKDOWN: nothing external may be used, and nobody but break-glass "
                      "accounts "
                      "logs in",
                      f);
                print_lockdown(f, r);
                return;
        case EVENT_LOCKDOWN_ENDED:
                fputs("The emergency lockdown is lifted", f);
                print_lockdown(f, r);
                return;
        case EVENT_MONITOR_STARTED:
                fprintf(f, "Only recorded from now on, and not refused: %s, until %s",
                        or (r->text[TEXT_RULE], "?"), or (r->text[TEXT_EXPIRES], "somebody changes it"));
                return;
        case EVENT_MONITOR_ENDED:
                fprintf(f, "No longer only recorded: %s", or (r->text[TEXT_RULE], "?"));
                return;
        case EVENT_GRANT_BEGUN:
        case EVENT_GRANT_ENDED:
        case EVENT_GRANT_REFUSED:
        case EVENT_GRANT_WRITE:
                print_grant(f, r);
                return;
        case EVENT_GUARD_TOUCHED:
                fputs("Somebody laid hands on the guard and was refused: ", f);
                fputs(operation_to_string(r->operation), f);
                if (r->text[TEXT_PATH])
                        fprintf(f, " %s", r->text[TEXT_PATH]);
                print_who(f, r);
                if (r->count > 1)
                        fprintf(f, ", %" PRIu64 " times", r->count);
                return;
        case EVENT_PERSON_CHANGED:
                fprintf(f, "%s takes over from %s", or (r->text[TEXT_PERSON], "?"),
                        or (r->text[TEXT_PERSON_BEFORE], "?"));
                print_who(f, r);
                return;
        case EVENT_SESSION_LOCKED:
        case EVENT_SESSION_LOCK_FAILED:
                fprintf(f, "Session %s %s, of %s", or (r->text[TEXT_SESSION], "(without a number)"),
                        r->kind == EVENT_SESSION_LOCKED ? "locked" : "could not be locked",
                        or (r->text[TEXT_PERSON], "?"));
                if (r->uid != (uid_t)-1)
                        fprintf(f, " as uid %" PRIu32, (uint32_t)r->uid);
                print_rule(f, r);
                return;
        case EVENT_CONNECTION_DENIED:
        case EVENT_CONNECTION_SEEN:
                print_connection(f, r);
                return;
        case EVENT_NETWORK_INTERFACE_VERDICT:
                print_network_interface(f, r);
                return;
        case EVENT_NETWORK_GUARD_LOST:
                fputs("Somebody took the packet filter of the guard away; it is in place again", f);
                print_who(f, r);
                return;
        case EVENT_NETWORK_FAILED:
                fputs("The network guard could not do its work", f);
                if (r->text[TEXT_NETWORK_INTERFACE])
                        fprintf(f, " on %s", r->text[TEXT_NETWORK_INTERFACE]);
                if (r->text[TEXT_DESTINATION])
                        fprintf(f, " for %s", r->text[TEXT_DESTINATION]);
                return;
        case EVENT_LOGIN_ALLOWED: /* the PAM module's and sekishoctl's own records */
        case EVENT_LOGIN_DENIED:
        case EVENT_FACTOR_FAILED:
        case EVENT_FACTOR_ENROLLED:
        case EVENT_FACTOR_REMOVED:
        case EVENT_SUBSTITUTE_ISSUED:
        case EVENT_BREAK_GLASS_USED:
        case EVENT_NONE:
                return;
        }
}

int record_message(const Record *record, char **ret) {
        CLEANUP_FREE char *message = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&message, &size);

        if (!f)
                return -ENOMEM;
        print_record(f, record);
        if (record->text[TEXT_ERROR])
                fprintf(f, ": %s", record->text[TEXT_ERROR]);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = STEAL_PTR(message);
        return 0;
}

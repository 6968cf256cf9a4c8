/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine around the guard does, judged: the service's settings, the clock, the journal. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/inspect.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"

#define YEAR_USEC (UINT64_C(365) * 86400 * USEC_PER_SEC)

/* Settings of packaging/systemd/sekishod.service by which the guard stays, and others stay out of it. */
static const struct {
        const char *name, *expected;
} settings[] = {
        {"Restart", "always"},
        {"NoNewPrivileges", "yes"},
        {"ProtectSystem", "strict"},
        {"ProtectHome", "yes"},
        {"ProtectKernelModules", "yes"},
        {"ProtectClock", "yes"},
        {"MemoryDenyWriteExecute", "yes"},
        {"RestrictSUIDSGID", "yes"},
        {"LockPersonality", "yes"},
        {"DevicePolicy", "closed"},
        {"KeyringMode", "private"},
        {"UMask", "0077"},
};

struct json_object *inspect_unit_settings(const char *text) {
        struct json_object *object = json_object_new_object();

        while (*text) {
                size_t length = strcspn(text, "\n");
                const char *equals = memchr(text, '=', length);

                if (equals) {
                        CLEANUP_FREE char *name = strndup(text, (size_t)(equals - text)),
                                          *value = strndup(equals + 1, length - (size_t)(equals + 1 - text));

                        if (name && value)
                                json_put_text(object, name, value);
                }
                text += length + (text[length] == '\n');
        }
        if (json_text(object, "LoadState") && strcmp(json_text(object, "LoadState"), "loaded") == 0)
                return object;
        json_object_put(object);
        return NULL;
}

static void check_unit(const struct json_object *unit, Inspection *ret) {
        const char *what = _("The service of the guard is hardened, enabled, and started anew if it ends");
        const char *state = json_text(unit, "UnitFileState");
        size_t bad = 0;

        if (!unit) {
                inspect_add(ret, "unit", "6(6)", what, INSPECT_UNKNOWN, "%s",
                            _("the service manager does not tell"));
                return;
        }
        for (size_t i = 0; i < ELEMENTS(settings); i++) {
                const char *found = json_text(unit, settings[i].name);

                if (found && strcmp(found, settings[i].expected) == 0)
                        continue;
                bad++;
                inspect_add(ret, "unit", "6(6)", what, INSPECT_FINDING, _("%s=%s; expected: %s"),
                            settings[i].name, found ? found : "", settings[i].expected);
        }
        if (!state || strcmp(state, "enabled") != 0) {
                bad++;
                inspect_add(ret, "unit", "6(6)", what, INSPECT_FINDING, _("%s=%s; expected: %s"),
                            "UnitFileState", state ? state : "", "enabled");
        }
        if (bad == 0)
                inspect_add(ret, "unit", "6(6)", what, INSPECT_OK, _("%zu settings of sekishod.service"),
                            ELEMENTS(settings) + 1);
}

static void check_clock(const InspectFacts *facts, Inspection *ret) {
        const char *what = _("The clock is synchronised, so that records can be compared");

        if (facts->clock_error < 0)
                inspect_add(ret, "clock", "6(7)", what, INSPECT_UNKNOWN, "%s",
                            strerror(-facts->clock_error));
        else
                inspect_add(ret, "clock", "6(7)", what,
                            facts->clock_synchronised ? INSPECT_OK : INSPECT_FINDING,
                            facts->clock_synchronised
                                    ? _("the kernel calls it synchronised, to %" PRId64 " microseconds")
                                    : _("the kernel calls it unsynchronised (%" PRId64 " microseconds)"),
                            facts->clock_max_error);
}

/* the journal */

static bool is_false(const char *value) {
        return strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0 ||
               strcasecmp(value, "off") == 0 || strcasecmp(value, "n") == 0 || strcasecmp(value, "f") == 0 ||
               strcmp(value, "0") == 0;
}

static void take_setting(const char *name, const char *value, JournalFacts *journal) {
        if (strcmp(name, "Storage") == 0)
                journal->volatile_or_none =
                        strcasecmp(value, "volatile") == 0 || strcasecmp(value, "none") == 0;
        else if (strcmp(name, "Seal") == 0)
                journal->seals = !is_false(value);
        else if (strcmp(name, "MaxRetentionSec") == 0) {
                journal->has_retention = *value && strcmp(value, "0") != 0;
                snprintf(journal->retention, sizeof(journal->retention), "%s",
                         journal->has_retention ? value : "");
        }
}

void inspect_journal_settings(const char *text, JournalFacts *journal) {
        journal->known = true;
        journal->volatile_or_none = false;
        journal->seals = true; /* as journald.conf(5) has it */
        journal->has_retention = false;
        journal->retention[0] = '\0';
        while (*text) {
                size_t length = strcspn(text, "\n");
                char line[256];

                if (length < sizeof(line)) {
                        char *value, *end;

                        memcpy(line, text, length);
                        line[length] = '\0';
                        for (end = line + length; end > line && isspace((unsigned char)end[-1]); end--)
                                end[-1] = '\0';
                        value = strchr(line, '=');
                        if (value && line[0] != '#' && line[0] != ';') {
                                *value++ = '\0';
                                take_setting(line, value + strspn(value, " \t"), journal);
                        }
                }
                text += length + (text[length] == '\n');
        }
}

/* Of one number with one unit, as people write it: "365day", "12month", "1year", seconds. 0 where it cannot
 * be told. */
static uint64_t retention_days(const char *text) {
        char *unit;
        uint64_t n = strtoull(text, &unit, 10);

        while (*unit == ' ')
                unit++;
        if (unit == text)
                return 0;
        if (strncmp(unit, "y", 1) == 0)
                return n * 365;
        if (strncmp(unit, "mon", 3) == 0 || strcmp(unit, "M") == 0)
                return n * 30 + n / 2; /* twelve of them are a year */
        if (strncmp(unit, "w", 1) == 0)
                return n * 7;
        if (strncmp(unit, "d", 1) == 0)
                return n;
        if (strncmp(unit, "h", 1) == 0)
                return n / 24;
        return *unit == '\0' || strcmp(unit, "s") == 0 || strncmp(unit, "sec", 3) == 0 ? n / 86400 : 0;
}

/* journald deletes by size as well: that records are kept shows only once there are such old ones. */
static void check_retention(const InspectFacts *facts, Inspection *ret) {
        const JournalFacts *journal = &facts->journal;
        const char *what = _("Records are kept for a year");
        uint64_t days = journal->has_retention ? retention_days(journal->retention) : 0;
        bool old = journal->oldest != 0 && facts->now > journal->oldest + YEAR_USEC;
        char buffer[TIMESPEC_TEXT_MAX];
        const char *oldest = journal->oldest ? timespec_for_person(journal->oldest, buffer) : "?";

        if (!journal->known)
                inspect_add(ret, "retention", "6(7)", what, INSPECT_UNKNOWN, "%s",
                            _("the settings of journald cannot be read"));
        else if (!journal->has_retention)
                inspect_add(ret, "retention", "6(7)", what, old ? INSPECT_OK : INSPECT_UNKNOWN,
                            _("journald deletes by size alone; the oldest record is of %s"), oldest);
        else
                inspect_add(ret, "retention", "6(7)", what,
                            days > 0 && days < 365 ? INSPECT_FINDING
                            : old                  ? INSPECT_OK
                                                   : INSPECT_UNKNOWN,
                            _("MaxRetentionSec=%s; the oldest record is of %s"), journal->retention, oldest);
}

static void check_journal(const InspectFacts *facts, Inspection *ret) {
        const JournalFacts *journal = &facts->journal;
        const char *kept = _("Records outlive the terminal's restart"),
                   *sealed = _("A change of the records would show");

        if (!journal->known)
                inspect_add(ret, "journal", "6(7)", kept, INSPECT_UNKNOWN, "%s",
                            _("the settings of journald cannot be read"));
        else
                inspect_add(ret, "journal", "6(7)", kept,
                            journal->directory && !journal->volatile_or_none ? INSPECT_OK : INSPECT_FINDING,
                            "%s",
                            journal->volatile_or_none ? _("Storage= keeps them in memory alone")
                            : journal->directory      ? _("they are in /var/log/journal")
                                                 : _("there is no directory for them in /var/log/journal"));
        if (!journal->known)
                inspect_add(ret, "sealed", "7", sealed, INSPECT_UNKNOWN, "%s",
                            _("the settings of journald cannot be read"));
        else if (!journal->seals || !journal->keys || !journal->directory)
                inspect_add(ret, "sealed", "7", sealed, INSPECT_FINDING, "%s",
                            !journal->seals ? _("Seal= is off")
                                            : _("there is no sealing key: journalctl --setup-keys"));
        else /* what was written before there was a key stays as it is */
                inspect_add(ret, "sealed", "7", sealed, journal->sealed > 0 ? INSPECT_OK : INSPECT_FINDING,
                            _("there is a sealing key, and %zu of %zu journal files are sealed: "
                              "sekishoctl audit verify --verify-key"),
                            journal->sealed, journal->files);
        check_retention(facts, ret);
}

void inspect_machine(const InspectFacts *facts, Inspection *ret) {
        check_unit(facts->unit, ret);
        check_clock(facts, ret);
        check_journal(facts, ret);
}

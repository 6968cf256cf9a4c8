/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/ctl/text.h"
#include "agent/file.h"
#include "policy/scope.h"

#define DAY         UINT64_C(86400)
#define DEFAULT_MAX (UINT64_C(4) << 30)
#define PERSISTENT  "/var/log/journal"

enum {
        CONFIG_MAX = 64 * 1024
};

static const struct {
        const char *name;
        uint64_t seconds;
} units[] = {
        {"s", 1},        {"sec", 1},         {"second", 1},
        {"seconds", 1},  {"m", 60},          {"min", 60},
        {"minute", 60},  {"minutes", 60},    {"h", 3600},
        {"hr", 3600},    {"hour", 3600},     {"hours", 3600},
        {"d", DAY},      {"day", DAY},       {"days", DAY},
        {"w", 7 * DAY},  {"week", 7 * DAY},  {"weeks", 7 * DAY},
        {"M", 2629800},  {"month", 2629800}, {"months", 2629800},
        {"y", 31557600}, {"year", 31557600}, {"years", 31557600},
        {"", 1},
};

/* "1year", "4week 2day", "2592000". */
static bool parse_span(const char *text, uint64_t *ret) {
        uint64_t sum = 0;

        text += strspn(text, " \t");
        if (!*text)
                return false;
        while (*text) {
                char *end;
                unsigned long long number;
                size_t length, i;

                if (*text < '0' || *text > '9')
                        return false;
                errno = 0;
                number = strtoull(text, &end, 10);
                if (errno != 0 || number > UINT32_MAX)
                        return false;
                end += strspn(end, " \t");
                length = strcspn(end, " \t0123456789");
                for (i = 0; i < ELEMENTS(units); i++)
                        if (strlen(units[i].name) == length && strncmp(units[i].name, end, length) == 0)
                                break;
                if (i == ELEMENTS(units))
                        return false;
                sum += number * units[i].seconds;
                text = end + length + strspn(end + length, " \t");
        }
        *ret = sum;
        return true;
}

/* "500M", "4G", by 1024. */
static bool parse_size(const char *text, uint64_t *ret) {
        static const char suffixes[] = "KMGTPE";
        unsigned long long number;
        const char *suffix;
        unsigned shift = 0;
        char *end;

        if (*text < '0' || *text > '9')
                return false;
        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno != 0)
                return false;
        if (*end && *end != 'B') {
                suffix = strchr(suffixes, *end++);
                if (!suffix)
                        return false;
                shift = 10 * (unsigned)(suffix - suffixes + 1);
        }
        if (*end == 'B')
                end++;
        if (*end || number > UINT64_MAX >> shift)
                return false;
        *ret = (uint64_t)number << shift;
        return true;
}

static void take_setting(JournalLimits *limits, const char *key, const char *value) {
        uint64_t number;

        if (strcmp(key, "Storage") == 0)
                limits->is_volatile = strcmp(value, "volatile") == 0 || strcmp(value, "none") == 0;
        else if (strcmp(key, "MaxRetentionSec") == 0 && parse_span(value, &number))
                limits->max_retention = number;
        else if (strcmp(key, "SystemMaxUse") == 0 && parse_size(value, &number))
                limits->max_use = number;
}

void journal_limits_take(JournalLimits *limits, const char *text) {
        CLEANUP_FREE char *copy = strdup(text);
        char *rest = copy, *line;

        while (rest && (line = strsep(&rest, "\n"))) {
                char *equals, *end;

                line += strspn(line, " \t");
                equals = strchr(line, '=');
                if (*line == '#' || *line == ';' || !equals)
                        continue;
                for (end = equals; end > line && strchr(" \t", end[-1]);)
                        end--;
                *end = '\0';
                equals += 1 + strspn(equals + 1, " \t");
                for (end = equals + strlen(equals); end > equals && strchr(" \t\r", end[-1]);)
                        end--;
                *end = '\0';
                take_setting(limits, line, equals);
        }
}

static void take_file(JournalLimits *limits, const char *path) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        CLEANUP_FREE char *text = NULL;

        if (fd >= 0 && file_read_whole(fd, CONFIG_MAX, &text, NULL) == 0)
                journal_limits_take(limits, text);
}

static int is_conf(const struct dirent *entry) {
        size_t length = strlen(entry->d_name);

        return length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0;
}

/* By name, wherever they are, and of one name the first: as systemd takes them. */
static const char *const drop_ins[] = {"/etc/systemd/journald.conf.d", "/run/systemd/journald.conf.d",
                                       "/usr/lib/systemd/journald.conf.d"};

typedef struct DropIns {
        struct dirent **list[ELEMENTS(drop_ins)];
        int n[ELEMENTS(drop_ins)], at[ELEMENTS(drop_ins)];
} DropIns;

static void drop_ins_clear(DropIns *found) {
        for (size_t i = 0; i < ELEMENTS(drop_ins); i++) {
                for (int k = 0; k < found->n[i]; k++)
                        free(found->list[i][k]);
                free(found->list[i]);
        }
}

void journal_limits_read(JournalLimits *ret) {
        CLEANUP(drop_ins_clear) DropIns found = {.n = {0}};
        JournalLimits limits = {.max_use = 0};

        take_file(&limits, "/etc/systemd/journald.conf");
        for (size_t i = 0; i < ELEMENTS(drop_ins); i++) {
                int n = scandir(drop_ins[i], &found.list[i], is_conf, alphasort);

                found.n[i] = n < 0 ? 0 : n;
        }
        for (;;) {
                const char *next = NULL;
                size_t where = 0;

                for (size_t i = 0; i < ELEMENTS(drop_ins); i++)
                        if (found.at[i] < found.n[i] &&
                            (!next || strcmp(found.list[i][found.at[i]]->d_name, next) < 0)) {
                                next = found.list[i][found.at[i]]->d_name;
                                where = i;
                        }
                if (!next)
                        break;
                CLEANUP_FREE char *path = text_format("%s/%s", drop_ins[where], next);
                if (path)
                        take_file(&limits, path);
                for (size_t i = 0; i < ELEMENTS(drop_ins); i++)
                        if (i != where && found.at[i] < found.n[i] &&
                            strcmp(found.list[i][found.at[i]]->d_name, next) == 0)
                                found.at[i]++;
                found.at[where]++;
        }
        if (access(PERSISTENT, F_OK) < 0) /* Storage=auto keeps it in memory then */
                limits.is_volatile = true;
        *ret = limits;
}

uint64_t journal_limits_max_use(const JournalLimits *limits) {
        struct statvfs fs;
        uint64_t tenth;

        if (limits->max_use > 0)
                return limits->max_use;
        if (statvfs(PERSISTENT, &fs) < 0)
                return 0;
        tenth = (uint64_t)fs.f_blocks * fs.f_frsize / 10;
        return tenth < DEFAULT_MAX ? tenth : DEFAULT_MAX;
}

Retention retention_judge(const JournalLimits *limits, unsigned keep_days, uint64_t bytes, uint64_t age,
                          uint64_t max_use, uint64_t *ret_days) {
        if (limits->is_volatile)
                return RETENTION_VOLATILE;
        if (limits->max_retention > 0 && limits->max_retention < keep_days * DAY) {
                *ret_days = limits->max_retention / DAY;
                return RETENTION_BY_TIME;
        }
        if (bytes == 0 || max_use == 0 || age < DAY || age >= keep_days * DAY)
                return RETENTION_ENOUGH; /* it has kept that long, or there is nothing to go by */
        *ret_days = (uint64_t)((long double)max_use / (long double)bytes * (long double)age / DAY);
        return *ret_days < keep_days ? RETENTION_BY_SIZE : RETENTION_ENOUGH;
}

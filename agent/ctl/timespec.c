/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/timespec.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/i18n.h"
#include "policy/scope.h"

static const char why_form[] =
        N_("expected YYYY-MM-DD, \"YYYY-MM-DD HH:MM[:SS]\", HH:MM[:SS], now, today, yesterday, or back from "
           "now such as -30min, -2h, -3d");
static const char why_date[] = N_("there is no such day; expected YYYY-MM-DD from 1970-01-02 on");
static const char why_time[] = N_("there is no such time; expected HH:MM[:SS] from 00:00 to 23:59:59");
static const char why_unit[] = N_("expected a unit of s, sec, m, min, h, d or w behind the number");
static const char why_far[] = N_("that is too long ago");

/* Exactly N digits. */
static bool take_digits(const char **p, int n, int *ret) {
        int value = 0;

        for (int i = 0; i < n; i++) {
                if ((*p)[i] < '0' || (*p)[i] > '9')
                        return false;
                value = value * 10 + ((*p)[i] - '0');
        }
        *p += n;
        *ret = value;
        return true;
}

static bool take(const char **p, char c) {
        if (**p != c)
                return false;
        (*p)++;
        return true;
}

static int days_in_month(int year, int month) {
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Seconds since the epoch of a local time; the years of four digits from 1970 on. */
static int from_local(struct tm tm, uint64_t *ret) {
        time_t t;

        tm.tm_isdst = -1;
        t = mktime(&tm);
        if (t < 0)
                return -EINVAL;
        *ret = (uint64_t)t * USEC_PER_SEC;
        return 0;
}

/* The first or the last microsecond of the day that is DAYS after TM's. */
static int day_edge(struct tm tm, int days, TimespecEdge edge, uint64_t *ret) {
        uint64_t usec;

        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_mday += days + (edge == TIMESPEC_END ? 1 : 0);
        if (from_local(tm, &usec) < 0 || usec == 0)
                return -EINVAL;
        *ret = edge == TIMESPEC_END ? usec - 1 : usec;
        return 0;
}

static int parse_back(const char *p, uint64_t now, uint64_t *ret, const char **ret_why) {
        static const struct {
                const char *word;
                uint64_t seconds;
        } units[] = {
                {"s", 1},
                {"sec", 1},
                {"m", 60},
                {"min", 60},
                {"h", 3600},
                {"d", 24L * 3600},
                {"w", 7L * 24 * 3600},
        };
        unsigned long long n;
        char *unit;

        if (*p < '0' || *p > '9') {
                *ret_why = why_form;
                return -EINVAL;
        }
        errno = 0;
        n = strtoull(p, &unit, 10);
        for (size_t i = 0; i < ELEMENTS(units); i++) {
                if (strcmp(unit, units[i].word) != 0)
                        continue;
                if (errno != 0 || n > now / USEC_PER_SEC / units[i].seconds) {
                        *ret_why = why_far;
                        return -EINVAL;
                }
                *ret = now - n * units[i].seconds * USEC_PER_SEC;
                return 0;
        }
        *ret_why = why_unit;
        return -EINVAL;
}

/* "HH:MM[:SS]" up to the end of the text. */
static int parse_clock(const char *p, struct tm *tm, const char **ret_why) {
        int hour, minute, second = 0;

        *ret_why = why_form;
        if (!take_digits(&p, 2, &hour) || !take(&p, ':') || !take_digits(&p, 2, &minute))
                return -EINVAL;
        if (take(&p, ':') && !take_digits(&p, 2, &second))
                return -EINVAL;
        if (*p != '\0')
                return -EINVAL;
        *ret_why = why_time;
        if (hour > 23 || minute > 59 || second > 59)
                return -EINVAL;
        tm->tm_hour = hour;
        tm->tm_min = minute;
        tm->tm_sec = second;
        return 0;
}

static int parse_date(const char *p, TimespecEdge edge, uint64_t *ret, const char **ret_why) {
        struct tm tm = {0};
        int year, month, day;

        *ret_why = why_form;
        if (!take_digits(&p, 4, &year) || !take(&p, '-') || !take_digits(&p, 2, &month) || !take(&p, '-') ||
            !take_digits(&p, 2, &day))
                return -EINVAL;
        if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
                *ret_why = why_date;
                return -EINVAL;
        }
        tm.tm_year = year - 1900;
        tm.tm_mon = month - 1;
        tm.tm_mday = day;
        if (*p == '\0') {
                *ret_why = why_date;
                return day_edge(tm, 0, edge, ret);
        }
        if (!take(&p, ' ') && !take(&p, 'T'))
                return -EINVAL;
        if (parse_clock(p, &tm, ret_why) < 0)
                return -EINVAL;
        *ret_why = why_date;
        return from_local(tm, ret);
}

int timespec_parse(const char *text, uint64_t now, TimespecEdge edge, uint64_t *ret, const char **ret_why) {
        time_t seconds = (time_t)(now / USEC_PER_SEC);
        struct tm today;

        *ret_why = why_form;
        if (strcmp(text, "now") == 0) {
                *ret = now;
                return 0;
        }
        if (text[0] == '-')
                return parse_back(text + 1, now, ret, ret_why);
        if (!localtime_r(&seconds, &today))
                return -EINVAL;
        if (strcmp(text, "today") == 0)
                return day_edge(today, 0, edge, ret);
        if (strcmp(text, "yesterday") == 0)
                return day_edge(today, -1, edge, ret);
        if (strlen(text) > 2 && text[2] == ':') {
                if (parse_clock(text, &today, ret_why) < 0)
                        return -EINVAL;
                return from_local(today, ret);
        }
        return parse_date(text, edge, ret, ret_why);
}

const char *timespec_for_person(uint64_t usec, char buffer[static TIMESPEC_TEXT_MAX]) {
        time_t seconds = (time_t)(usec / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&seconds, &tm) ||
            strftime(buffer, TIMESPEC_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                snprintf(buffer, TIMESPEC_TEXT_MAX, "?");
        return buffer;
}

const char *timespec_iso(uint64_t usec, char buffer[static TIMESPEC_TEXT_MAX]) {
        time_t seconds = (time_t)(usec / USEC_PER_SEC);
        char date[24];
        struct tm tm;
        unsigned minutes;

        if (!localtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
                snprintf(buffer, TIMESPEC_TEXT_MAX, "?");
                return buffer;
        }
        minutes = (unsigned)labs(tm.tm_gmtoff) / 60 % (100 * 60);
        snprintf(buffer, TIMESPEC_TEXT_MAX, "%s.%06u%c%02u:%02u", date, (unsigned)(usec % USEC_PER_SEC),
                 tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
        return buffer;
}

uint64_t timespec_now(void) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

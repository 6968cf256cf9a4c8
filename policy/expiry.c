/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/expiry.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "policy/translate.h"

enum {
        OFFSET_LOOK = 2 * 24 * 60 * 60 /* no zone is that far from UTC */
};

static const char why_form[] = N_("expected YYYY-MM-DD or YYYY-MM-DD HH:MM");
static const char why_date[] = N_("there is no such date; expected one from 2000-01-01 on");
static const char why_time[] = N_("there is no such time; expected 00:00 to 23:59");

/* PATTERN's 0 stands for a digit, everything else for itself. */
static bool has_form(const char *text, const char *pattern) {
        for (; *pattern; text++, pattern++)
                if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
                        return false;
        return !*text;
}

static int number(const char *text, int digits) {
        int n = 0;

        for (int i = 0; i < digits; i++)
                n = n * 10 + (text[i] - '0');
        return n;
}

static int days_in_month(int year, int month) {
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* What TEXT says, as far as the calendar goes. */
static int take(const char *text, struct tm *ret, const char **ret_why) {
        bool with_time = has_form(text, "0000-00-00 00:00");
        struct tm tm = {.tm_isdst = -1};
        int year, month, day;

        if (!with_time && !has_form(text, "0000-00-00")) {
                *ret_why = why_form;
                return -EINVAL;
        }
        year = number(text, 4);
        month = number(text + 5, 2);
        day = number(text + 8, 2);
        if (year < 2000 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
                *ret_why = why_date;
                return -EINVAL;
        }
        tm.tm_year = year - 1900;
        tm.tm_mon = month - 1;
        tm.tm_mday = day;
        if (with_time) {
                tm.tm_hour = number(text + 11, 2);
                tm.tm_min = number(text + 14, 2);
                if (tm.tm_hour > 23 || tm.tm_min > 59) {
                        *ret_why = why_time;
                        return -EINVAL;
                }
        } else
                tm.tm_mday++; /* the midnight after; it is carried over into the next month */
        *ret_why = NULL;
        *ret = tm;
        return 0;
}

static bool offset_at(time_t at, long *ret) {
        struct tm local;

        if (!localtime_r(&at, &local))
                return false;
        *ret = local.tm_gmtoff;
        return true;
}

/* mktime(3) looks at the file of the time zone at each call, and costs a system call. Where the clocks do
 * not change for days around, the offset is all there is to know; where they do, it is asked. */
static time_t from_local(struct tm *tm) {
        struct tm copy = *tm;
        time_t utc = timegm(&copy);
        long before, at, after;

        if (offset_at(utc - OFFSET_LOOK, &before) && offset_at(utc + OFFSET_LOOK, &after) &&
            offset_at(utc - before, &at) && before == at && at == after)
                return utc - at;
        return mktime(tm);
}

int expiry_check(const char *text, const char **ret_why) {
        struct tm tm;

        return take(text, &tm, ret_why);
}

int expiry_parse(const char *text, time_t *ret, const char **ret_why) {
        struct tm tm;
        time_t at;
        int r = take(text, &tm, ret_why);

        if (r < 0)
                return r;
        at = from_local(&tm);
        if (at <= 0) {
                *ret_why = why_date;
                return -EINVAL;
        }
        *ret = at;
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/expiry.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "policy/translate.h"

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

int expiry_parse(const char *text, time_t *ret, const char **ret_why) {
        bool with_time = has_form(text, "0000-00-00 00:00");
        struct tm tm = {.tm_isdst = -1};
        int year, month, day;
        time_t at;

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
                tm.tm_mday++; /* the midnight after; mktime carries over into the next month */
        at = mktime(&tm);
        if (at <= 0) {
                *ret_why = why_date;
                return -EINVAL;
        }
        *ret_why = NULL;
        *ret = at;
        return 0;
}

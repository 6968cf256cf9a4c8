/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/hours.h"

#include <errno.h>
#include <string.h>

#include "policy/translate.h"

enum {
        DAYS = 7,
        EVERY_DAY = 0x7f,
        MINUTES_PER_DAY = 24 * 60
};

static const char day_words[DAYS][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static const char why_form[] = N_("expected [DAYS ]HH:MM-HH:MM, such as Mon-Fri 08:30-17:15");
static const char why_day[] =
        N_("expected days as Sun, Mon, Tue, Wed, Thu, Fri, Sat, or ranges such as Mon-Fri");
static const char why_time[] = N_("expected times from 00:00 to 23:59; the end may be 24:00");
static const char why_empty[] =
        N_("expected an end that differs from the start; the whole day is 00:00-24:00");

static bool take_day(const char **p, int *ret) {
        for (int i = 0; i < DAYS; i++)
                if (strncmp(*p, day_words[i], 3) == 0) {
                        *p += 3;
                        *ret = i;
                        return true;
                }
        return false;
}

static bool take_days(const char **p, uint8_t *ret) {
        uint8_t days = 0;

        for (;;) {
                int first, last;

                if (!take_day(p, &first))
                        return false;
                last = first;
                if (**p == '-') {
                        (*p)++;
                        if (!take_day(p, &last))
                                return false;
                }
                for (int day = first;; day = (day + 1) % DAYS) {
                        days |= (uint8_t)(1U << day);
                        if (day == last)
                                break;
                }
                if (**p != ',')
                        break;
                (*p)++;
        }
        if (**p != ' ')
                return false;
        (*p)++;
        *ret = days;
        return true;
}

static int digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : -1;
}

/* Takes "HH:MM"; the minute of the day, -1 if the form is wrong, -2 if there is no such time. */
static int take_time(const char **p) {
        int d[4], hour, minute;

        for (int i = 0, at = 0; i < 4; i++, at++) {
                if (i == 2 && (*p)[at++] != ':')
                        return -1;
                if ((d[i] = digit((*p)[at])) < 0)
                        return -1;
        }
        *p += 5;
        hour = d[0] * 10 + d[1];
        minute = d[2] * 10 + d[3];
        return minute > 59 || hour * 60 + minute > MINUTES_PER_DAY ? -2 : hour * 60 + minute;
}

int hours_parse(const char *text, Hours *ret, const char **ret_why) {
        uint8_t days = EVERY_DAY;
        int from, to;

        *ret_why = why_form;
        if (digit(*text) < 0 && !take_days(&text, &days)) {
                *ret_why = why_day;
                return -EINVAL;
        }
        if ((from = take_time(&text)) == -1 || *text++ != '-' || (to = take_time(&text)) == -1 || *text)
                return -EINVAL;
        if (from < 0 || to < 0 || from == MINUTES_PER_DAY) {
                *ret_why = why_time;
                return -EINVAL;
        }
        if (from == to) {
                *ret_why = why_empty;
                return -EINVAL;
        }
        *ret_why = NULL;
        *ret = (Hours){.set = true, .days = days, .from = (uint16_t)from, .to = (uint16_t)to};
        return 0;
}

static bool has_day(const Hours *hours, int weekday) {
        return hours->days & (1U << weekday);
}

bool hours_cover(const Hours *hours, int weekday, int minute) {
        if (!hours->set)
                return true;
        if (weekday < 0 || weekday >= DAYS || minute < 0 || minute >= MINUTES_PER_DAY)
                return false;
        if (hours->from < hours->to)
                return has_day(hours, weekday) && minute >= hours->from && minute < hours->to;
        if (minute >= hours->from)
                return has_day(hours, weekday);
        return minute < hours->to && has_day(hours, (weekday + DAYS - 1) % DAYS);
}

int hours_next_change(const Hours *hours, int weekday, int minute) {
        bool covered = hours_cover(hours, weekday, minute);

        for (int after = 1; after <= DAYS * MINUTES_PER_DAY; after++) {
                int then = minute + after;

                if (hours_cover(hours, (weekday + then / MINUTES_PER_DAY) % DAYS, then % MINUTES_PER_DAY) !=
                    covered)
                        return after;
        }
        return 0;
}

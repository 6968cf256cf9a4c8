/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table in force, with a kernel and a run of the program that are told what to do. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/network/apply.h"
#include "agent/network/filter.h"
#include "agent/network/watch.h"
#include "policy/scope.h"

enum {
        RUN = 4711 /* the number of every run */
};

struct Watch {
        WatchChanged changed;
        void *userdata;
        pid_t own;
};

/* The kernel's side. */
static struct {
        Watch watch;
        uint32_t generation;
        int table; /* as watch_table_exists() says */
        bool mute; /* the next that is read are messages that were not told */
        bool reaped_with_a_name;
        int runs, result;
        char text[64]; /* of the last run */
} kernel;

/* What came of it. */
static struct { int done, lost, error; } heard;

int watch_new(sd_event *event, WatchChanged changed, void *userdata, Watch **ret) {
        (void)event;
        kernel.watch = (Watch){.changed = changed, .userdata = userdata};
        *ret = &kernel.watch;
        return 0;
}

Watch *watch_free(Watch *watch) {
        (void)watch;
        return NULL;
}

void watch_set_own(Watch *watch, pid_t pid) {
        watch->own = pid;
}

void watch_drain(Watch *watch) {
        cr_expect_eq(watch->own, RUN, "what a run did is known for its own while it is heard of");
        if (kernel.mute)
                watch->changed(watch->userdata, 0, NULL);
        kernel.mute = false;
}

int watch_generation(uint32_t *ret) {
        *ret = kernel.generation;
        return 0;
}

int watch_table_exists(void) {
        return kernel.table;
}

int apply_start(const char *text, Apply *ret) {
        (void)snprintf(kernel.text, sizeof(kernel.text), "%s", text);
        kernel.runs++;
        *ret = (Apply){.pid = RUN, .pidfd = eventfd(0, EFD_CLOEXEC), .errors = -1};
        return 0;
}

bool apply_ends_within(const Apply *apply, int msec) {
        (void)msec;
        return apply->pid > 0;
}

int apply_wait(const Apply *apply) {
        (void)apply;
        return 0;
}

/* Its transaction is the last one, unless it failed. */
int apply_finish(Apply *apply, char *why, size_t size) {
        kernel.reaped_with_a_name = kernel.reaped_with_a_name || kernel.watch.own != 0;
        (void)snprintf(why, size, "%s", kernel.result < 0 ? "no" : "");
        close(apply->pidfd);
        *apply = (Apply){.pidfd = -1, .errors = -1};
        if (kernel.result == 0)
                kernel.generation++;
        return kernel.result;
}

static void on_replacing(void *userdata) {
        (void)userdata;
}

static void on_done(void *userdata, int error, const char *why) {
        (void)userdata;
        (void)why;
        heard.done++;
        heard.error = error;
}

static void on_lost(void *userdata, pid_t pid, const char *program) {
        (void)userdata;
        (void)pid;
        (void)program;
        heard.lost++;
}

/* A filter with the text "one" in force. */
static Filter *filter_of_one(sd_event **event) {
        const FilterCallbacks callbacks = {.replacing = on_replacing, .done = on_done, .lost = on_lost};
        Filter *filter = NULL;

        kernel.table = 1;
        cr_assert_geq(sd_event_new(event), 0);
        cr_assert_eq(filter_new(*event, &callbacks, NULL, &filter), 0);
        cr_assert_eq(filter_put(filter, "one"), 0);
        cr_assert_eq(kernel.watch.own, RUN);
        return filter;
}

static void end(Filter *filter, sd_event *event) {
        filter_free(filter);
        sd_event_unref(event);
}

static void tell(pid_t pid, const char *program) {
        kernel.watch.changed(kernel.watch.userdata, pid, program);
}

Test(network_filter, the_number_of_a_run_is_nobodys_before_it_can_be_anothers) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_expect_not(kernel.reaped_with_a_name);
        cr_expect_eq(kernel.watch.own, 0);
        cr_expect_eq(heard.done, 1);
        end(filter, event);
}

Test(network_filter, who_changes_the_table_is_told_and_it_is_put_again) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        cr_assert_eq(filter_wait(filter, 0), 0);
        tell(RUN, "nft");
        cr_expect_eq(heard.lost, 1);
        cr_expect_eq(kernel.runs, 2);
        kernel.generation++;
        tell(5, "nft");
        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_expect_eq(kernel.runs, 3, "what came while it was put may have undone it");
        cr_expect_eq(heard.lost, 2);
        end(filter, event);
}

Test(network_filter, the_only_transaction_of_a_run_is_its_own_whatever_number_is_told) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        tell(RUN + 20000, "sekisho-network"); /* as it is called outside of our PID namespace */
        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_expect_eq(kernel.runs, 1);
        cr_expect_eq(heard.lost, 0);
        end(filter, event);
}

Test(network_filter, what_was_not_told_is_ours_only_where_nobody_else_did_anything) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        cr_assert_eq(filter_wait(filter, 0), 0);
        tell(0, NULL);
        cr_expect_eq(kernel.runs, 1);
        kernel.generation++; /* the table is there still, and may be another */
        tell(0, NULL);
        cr_expect_eq(kernel.runs, 2);
        cr_expect_eq(heard.lost, 0, "nobody knows of anything lost");
        cr_assert_eq(filter_wait(filter, 0), 0);
        tell(0, NULL);
        cr_expect_eq(kernel.runs, 2);
        kernel.generation++;
        kernel.table = 0;
        tell(0, NULL);
        cr_expect_eq(kernel.runs, 3);
        cr_expect_eq(heard.lost, 1);
        end(filter, event);
}

Test(network_filter, a_table_too_large_to_be_told_is_put_once) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        tell(0, NULL);
        kernel.mute = true;
        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_expect_eq(kernel.runs, 1);
        tell(0, NULL);
        cr_expect_eq(kernel.runs, 1);
        end(filter, event);
}

Test(network_filter, what_others_did_untold_while_it_was_put_has_it_put_again) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        kernel.mute = true;
        kernel.generation++;
        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_expect_eq(kernel.runs, 2);
        cr_expect_eq(heard.done, 1);
        end(filter, event);
}

Test(network_filter, others_that_were_told_do_not_have_it_put_again_before_something_is_not) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        kernel.generation++; /* in another table */
        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_expect_eq(kernel.runs, 1);
        tell(0, NULL);
        cr_expect_eq(kernel.runs, 2, "whose the last transaction was is not known");
        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_expect_eq(kernel.runs, 2);
        end(filter, event);
}

Test(network_filter, a_failed_run_is_told_once_and_not_repeated_for_what_was_not_told) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        kernel.mute = true;
        kernel.result = -EBADMSG;
        kernel.generation++;
        cr_assert_eq(filter_wait(filter, 0), -EBADMSG);
        cr_expect_eq(kernel.runs, 1);
        cr_expect(heard.done == 1 && heard.error == -EBADMSG);
        end(filter, event);
}

Test(network_filter, the_same_text_is_done_without_a_run) {
        sd_event *event = NULL;
        Filter *filter = filter_of_one(&event);

        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_assert_eq(filter_put(filter, "one"), 0);
        cr_expect_eq(kernel.runs, 1);
        cr_expect_eq(heard.done, 2, "who asks is told what is in force, also after a failure of its own");
        cr_expect_eq(heard.error, 0);
        cr_assert_eq(filter_put(filter, "two"), 0);
        cr_assert_eq(filter_wait(filter, 0), 0);
        cr_expect_str_eq(kernel.text, "two");
        end(filter, event);
}

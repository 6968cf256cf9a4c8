/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of the self-test: for the journal, the status, and the service manager. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "agent/self_test.h"
#include "policy/scope.h"

#define PROBE_WORD_(constant, word) [constant] = word,
static const char *const probe_words[PROBES] = {PROBE_LIST(PROBE_WORD_)};

static const char *probed_word(Probed state) {
        switch (state) {
        case PROBED_NOT:
                return "not-probed";
        case PROBED_PASSED:
                return "passed";
        case PROBED_FAILED:
                return "failed";
        }
        return "not-probed";
}

Probed self_test_overall(const SelfTest *test) {
        for (size_t i = 0; i < PROBES; i++)
                if (test->results[i].state == PROBED_FAILED)
                        return PROBED_FAILED;
        return test->results[PROBE_RAW_WRITE].state;
}

static void print_result(FILE *f, size_t probe, const Result *result) {
        fprintf(f, "%s", probe_words[probe]);
        if (result->name[0])
                fprintf(f, " (%s)", result->name);
        if (result->what)
                fprintf(f, ": %s", result->what);
        if (result->error > 0)
                fprintf(f, ": %s", strerror(result->error));
}

/* What came out as STATE, a line each; NULL if nothing did, or memory is short. */
static char *text_of(const SelfTest *test, Probed state) {
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        bool any = false;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (size_t i = 0; i < PROBES; i++)
                if (test->results[i].state == state) {
                        fputs(any ? "\n" : "", f);
                        print_result(f, i, &test->results[i]);
                        any = true;
                }
        return fclose(f) == 0 && any ? STEAL_PTR(text) : NULL;
}

static bool is_by_interval(const SelfTest *test) {
        return strcmp(test->cause, "interval") == 0;
}

/* Each time it fails; what passed is told once for a start or a change, and after a failure. */
void self_test_tell(Agent *agent, SelfTest *test) {
        Probed state = self_test_overall(test);
        EventKind kind = state == PROBED_FAILED   ? EVENT_SELF_TEST_FAILED
                         : state == PROBED_PASSED ? EVENT_SELF_TEST_PASSED
                                                  : EVENT_SELF_TEST_NOT_RUN;
        CLEANUP_FREE char *text = NULL;
        Record *record;

        if (state != PROBED_FAILED && is_by_interval(test) && test->told_passed == (state == PROBED_PASSED))
                return;
        test->told_passed = state == PROBED_PASSED;
        record = agent_record(agent, kind);
        text = state == PROBED_PASSED ? NULL : text_of(test, state);
        if (record) {
                record_set(record, TEXT_CAUSE, test->cause);
                record_set(record, TEXT_ERROR, text);
        }
        report_submit(agent->report, record);
}

void self_test_notify(const Agent *agent, const SelfTest *test) {
        CLEANUP_FREE char *text =
                self_test_overall(test) == PROBED_FAILED ? text_of(test, PROBED_FAILED) : NULL;
        char *line = text ? strchr(text, '\n') : NULL;

        if (line)
                *line = '\0'; /* a status is one line */
        (void)sd_notifyf(false, "STATUS=Policy serial %llu in force%s%s",
                         (unsigned long long)agent->store.policy->serial,
                         self_test_overall(test) == PROBED_FAILED ? "; SELF-TEST FAILED: " : "",
                         text ? text : "");
}

struct json_object *agent_self_test_object(const Agent *agent) {
        const SelfTest *test = agent->self_test;
        struct json_object *object, *probes;

        if (!test || test->done == 0)
                return NULL;
        object = json_object_new_object();
        probes = json_object_new_array();
        json_object_object_add(object, "state",
                               json_object_new_string(probed_word(self_test_overall(test))));
        json_object_object_add(object, "time", json_object_new_int64(test->done));
        json_object_object_add(object, "every", json_object_new_int64(agent->store.policy->self_test_every));
        for (size_t i = 0; i < PROBES; i++) {
                const Result *result = &test->results[i];
                struct json_object *probe = json_object_new_object();

                json_object_object_add(probe, "name", json_object_new_string(probe_words[i]));
                json_object_object_add(probe, "state", json_object_new_string(probed_word(result->state)));
                json_object_object_add(probe, "on",
                                       result->name[0] ? json_object_new_string(result->name) : NULL);
                json_object_object_add(probe, "what",
                                       result->what ? json_object_new_string(result->what) : NULL);
                json_object_object_add(probe, "error",
                                       result->error > 0 ? json_object_new_string(strerror(result->error))
                                                         : NULL);
                json_object_array_add(probes, probe);
        }
        json_object_object_add(object, "probes", probes);
        return object;
}

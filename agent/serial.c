/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/serial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/agent_private.h"
#include "policy/translate.h"

enum {
        START_MSEC = 3000, /* a start waits for this at most; TPMs need 100 ms, or 1 s after a reset */
        RAISE_USEC = 30 * 1000000
};

static void tell_failed(Agent *agent, const char *why) {
        Record *record = agent_record(agent, EVENT_ENFORCEMENT_FAILED);

        if (record) {
                record_set(record, TEXT_VERDICT, N_("highest serial in the TPM"));
                record_set(record, TEXT_ERROR, why);
        }
        report_submit(agent->report, record);
}

static void tell_answer(Agent *agent) {
        if (agent->tpm.answer.state == TPM_FAILED)
                tell_failed(agent, agent->tpm.answer.why);
        else if (agent->tpm.answer.state == TPM_RUBBISH)
                tell_failed(agent, N_("what it holds makes no sense"));
}

/* That the state directory knew of lower serials alone: it was lost, or put back as it once was. */
static void tell_lowered(Agent *agent, uint64_t serial) {
        Record *record = agent_record(agent, EVENT_SERIAL_LOWERED);

        if (record) {
                record->policy_serial = serial;
                record_set(record, TEXT_PATH, agent->store.path);
        }
        report_submit(agent->report, record);
}

static void fail(TpmMemory *tpm, int error) {
        tpm->answer = (TpmAnswer){.state = TPM_FAILED};
        (void)snprintf(tpm->answer.why, sizeof(tpm->answer.why), "%s", strerror(-error));
}

/* start */

void agent_ask_tpm(Agent *agent) {
        const char *tcti = agent->settings.tpm;
        TpmMemory *tpm = &agent->tpm;
        int r;

        /* one that is started by hand does not raise the machine's serial to that of some other policy */
        tpm->tcti = tcti ? (*tcti ? tcti : NULL) : lsm_is_unit() ? TPM_DEVICE : NULL;
        if (!tpm->tcti)
                return;
        r = tpm_call_begin(tpm->tcti, NULL, &tpm->call);
        if (r < 0)
                fail(tpm, r);
}

uint64_t agent_hear_tpm(Agent *agent) {
        TpmMemory *tpm = &agent->tpm;

        if (tpm->call.pid != 0)
                tpm_call_finish(&tpm->call, START_MSEC, &tpm->answer);
        return tpm->tcti && tpm->answer.state == TPM_SERIAL ? tpm->answer.serial : 0;
}

void agent_tell_tpm(Agent *agent) {
        if (!agent->tpm.tcti)
                return;
        tell_answer(agent);
        if (agent->store.was_behind)
                tell_lowered(agent, agent->tpm.answer.serial);
}

/* after a policy */

static void begin(Agent *agent);

static void end(Agent *agent) {
        TpmMemory *tpm = &agent->tpm;
        const TpmAnswer before = tpm->answer;

        tpm->ended = sd_event_source_disable_unref(tpm->ended);
        tpm->deadline = sd_event_source_disable_unref(tpm->deadline);
        tpm_call_finish(&tpm->call, 0, &tpm->answer);
        if (tpm->answer.state == TPM_SERIAL && tpm->answer.serial < tpm->asked)
                fail(tpm, -EIO);
        if (tpm->answer.state != before.state || strcmp(tpm->answer.why, before.why) != 0)
                tell_answer(agent);
        if (tpm->answer.state == TPM_SERIAL &&
            policy_store_learn_serial(&agent->store, tpm->answer.serial) == 1)
                tell_lowered(agent, tpm->answer.serial);
        if (tpm->wanted > tpm->asked) /* another policy came meanwhile */
                begin(agent);
        agent_settle_soon(agent);
}

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void)source;
        (void)fd;
        (void)revents;
        end(userdata);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        end(userdata);
        return 0;
}

static void begin(Agent *agent) {
        TpmMemory *tpm = &agent->tpm;
        int r = tpm_call_begin(tpm->tcti, &tpm->wanted, &tpm->call);

        tpm->asked = tpm->wanted;
        if (r >= 0)
                r = sd_event_add_io(agent->event, &tpm->ended, tpm->call.pidfd, EPOLLIN, on_ended, agent);
        if (r >= 0)
                r = sd_event_add_time_relative(agent->event, &tpm->deadline, CLOCK_BOOTTIME, RAISE_USEC, 0,
                                               on_deadline, agent);
        if (r >= 0)
                return;
        agent_stop_tpm(agent);
        fail(tpm, r);
        tell_answer(agent);
}

void agent_raise_tpm(Agent *agent) {
        const uint64_t serial = policy_store_kept_serial(&agent->store);
        TpmMemory *tpm = &agent->tpm;

        if (!tpm->tcti || serial == 0 || (tpm->answer.state == TPM_SERIAL && tpm->answer.serial >= serial))
                return;
        tpm->wanted = serial;
        if (tpm->call.pid == 0)
                begin(agent);
}

void agent_stop_tpm(Agent *agent) {
        TpmMemory *tpm = &agent->tpm;

        tpm->ended = sd_event_source_disable_unref(tpm->ended);
        tpm->deadline = sd_event_source_disable_unref(tpm->deadline);
        tpm_call_leave(&tpm->call);
}

const char *agent_tpm_word(const Agent *agent, char buffer[static TPM_WORD_MAX]) {
        const TpmMemory *tpm = &agent->tpm;

        if (!tpm->tcti)
                return N_("left alone: as the agent was started");
        switch (tpm->answer.state) {
        case TPM_ABSENT:
                return N_("none: this machine has no TPM, or its driver is not there");
        case TPM_EMPTY:
                return N_("ok: holds no serial yet");
        case TPM_RUBBISH:
                return N_("failed: what it holds makes no sense");
        case TPM_SERIAL:
                return N_("ok: holds the highest serial, which no copy of files takes back");
        case TPM_FAILED:
                break;
        }
        (void)snprintf(buffer, TPM_WORD_MAX, "failed: %s", tpm->answer.why);
        return buffer;
}

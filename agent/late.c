/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whoever had a disk's node open for writing before it became one that only some may write to. */
#include <errno.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/device/partitions.h"
#include "agent/mount/writers.h"
#include "policy/scope.h"

typedef struct RawWriters {
        Agent *agent;
        const Device *device;
        const Volume *volume;
} RawWriters;

/* Had the disk open for writing before it was for some only: nothing else takes that away again. */
static void on_raw_writer(void *userdata, const Writer *writer) {
        const RawWriters *late = userdata;
        OpenDecision decision;
        Opener opener;
        Record *record;
        int r;

        r = opener_read(writer->pid, &opener); /* who is unknown is nobody, for whom there is no rule */
        if (r == -ENOENT || r == -ESRCH)
                return; /* gone by now, and what it had open with it */
        volume_judge(late->volume, &opener.subject, true, &decision);
        if (writer->pid == getpid() || decision.verdict == VERDICT_ALLOW)
                return;
        record = agent_record(late->agent, EVENT_LATE_WRITER);
        if (record) {
                volume_describe(late->volume, &decision, record);
                opener_describe(&opener, record);
                record->pid = writer->pid;
                record->operation = OPERATION_OPENED_BEFORE;
                record_set(record, TEXT_PATH, writer->path);
        }
        report_submit(late->agent->report, record);
        r = writer_end(writer->pid);
        if (r < 0)
                agent_tell_failure(late->agent, &late->device->id, NULL, N_("ending a late writer"), r);
}

void agent_end_raw_writers(Agent *agent, const Device *device) {
        RawWriters late = {
                .agent = agent, .device = device, .volume = nodes_volume(agent->nodes, device->id.devnum)};
        dev_t numbers[PARTITIONS_MAX];
        int n = disk_numbers(device->syspath, numbers, ELEMENTS(numbers));

        if (n > 0 && late.volume)
                n = writers_foreach_node(numbers, (size_t)n, on_raw_writer, &late);
        if (n < 0 && n != -ENODEV)
                agent_tell_failure(agent, &device->id, NULL, N_("ending a late writer"), n);
}

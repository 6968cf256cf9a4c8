# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's journal, as it comes through a virtio-serial port: asked like that of the integration tests."""

import threading
import uuid

from sekisho_journal import Journal
from sekisho_vm_guest import Lines


class VmJournal(Journal):
    def __init__(self, path, guest):
        self.records = []   # those of Sekisho
        self.all = []       # every message, as (unit or program, text)
        self._guest = guest
        self._come = threading.Condition()
        self._seen = 0
        self._follower = Lines(path, self._take)

    def close(self):
        self._follower.close()

    def _take(self, record):
        with self._come:
            self.all.append((record.get("_SYSTEMD_UNIT") or record.get("SYSLOG_IDENTIFIER"), record.get("MESSAGE")))
            if any(name.startswith("SEKISHO_") for name in record):
                self.records.append(record)
            self._come.notify_all()

    def said(self):
        """All of it so far, for told()."""
        with self._come:
            return {"records": list(self.records), "all": list(self.all)}

    def told(self, records, all):
        """What was said before this one listened."""
        with self._come:
            self.records[:0] = records
            self.all[:0] = all

    def _read(self, seconds):
        with self._come:
            self._come.wait_for(lambda: len(self.records) > self._seen, seconds)
            self._seen = len(self.records)

    def barrier(self):
        mark = uuid.uuid4().hex
        self._guest.run("logger", "--journald", input=f"MESSAGE=up to here\nSEKISHO_TEST_MARK={mark}\n")
        self.wait(None, TEST_MARK=mark)

    def forget(self):
        """Everything so far; what comes from now on is waited for."""
        self.barrier()
        with self._come:
            self.records.clear()
            self._seen = 0


def time_of(record):
    """When journald took it in, by the guest's clock."""
    return int(record["__REALTIME_TIMESTAMP"]) / 1e6

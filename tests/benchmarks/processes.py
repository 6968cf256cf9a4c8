# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes as /proc has them. Needs nothing else, so that a guest can run it: `processes.py PID SECONDS` prints, as
JSON, what a process and its children take while they are left alone for that long."""

import contextlib
import json
import os
import sys
import time


def status_field(pid, name, task=None):
    path = f"/proc/{pid}/status" if task is None else f"/proc/{pid}/task/{task}/status"
    with open(path) as status:
        for line in status:
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0])
    raise KeyError(name)


def rss_kib(pid):
    """Without the pages of BPF maps, which are the kernel's (maps_kib)."""
    total = 0
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            first = line.split(maxsplit=1)[0]
            if not first.endswith(":"):
                of_map = line.rstrip().endswith("anon_inode:bpf-map")
            elif first == "Rss:" and not of_map:
                total += int(line.split()[1])
    return total


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            found += [int(child) for child in file.read().split()]
    return found


def maps_kib(pid):
    """Of the BPF maps that it has open."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{name}") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        if "map_id" in fields:
            found[int(fields["map_id"])] = int(fields["memlock"])
    return sum(found.values()) / 1024


def by_thread(pids):
    """Of each thread: how often it went to sleep, and how many ns it had a processor."""
    found = {}
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    took = int(file.read().split()[0])
                found[pid, task] = (status_field(pid, "voluntary_ctxt_switches", task), took)
    return found


def left_alone(pids, seconds):
    """How often their threads were woken, and the ms that they had a processor, in a minute of SECONDS; here the time
    itself is what is waited for."""
    before = by_thread(pids)
    time.sleep(seconds)
    pairs = [(now, before.get(thread, (0, 0))) for thread, now in by_thread(pids).items()]
    per_minute = 60 / seconds
    return (sum(now[0] - then[0] for now, then in pairs) * per_minute,
            sum(now[1] - then[1] for now, then in pairs) / 1e6 * per_minute)


def footprint(pid, seconds):
    """Of the agent PID and its children."""
    keepers = children(pid)
    found = {"rss_mib": rss_kib(pid) / 1024, "keeper_rss_mib": sum(map(rss_kib, keepers)) / 1024,
             "maps_mib": maps_kib(pid) / 1024}
    found["wakeups"], found["cpu_ms"] = left_alone([pid, *keepers], seconds)
    return found


if __name__ == "__main__":
    print(json.dumps(footprint(int(sys.argv[1]), float(sys.argv[2]))))

# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of one run: by name, with a spread, a goal where there is one; as a table and as JSON."""

import math
import statistics
import sys

# What is measured, in words, and the goal: ("<=", most) or (">=", least), or None where none is set. Names with `lsm` are
# figures of an emulated guest.
KNOWN = {
    "open_internal_ratio": ("open of an internal file, guard running to not running", ("<=", 1.01)),
    "open_internal_with_stick_ratio": ("the same while an unapproved stick is mounted", ("<=", 1.01)),
    "open_internal_us": ("open of an internal file without the guard", None),
    "open_unguarded_us": ("open on a stick's file system without the guard", None),
    "open_guarded_gate_us": ("open for reading where each open is asked", None),
    "open_guarded_gate_write_us": ("open for writing where each open is asked", None),
    "open_guarded_gate_ratio": ("open for reading, asked to not asked", None),
    "open_fapolicyd_us": ("open for reading under fapolicyd, same file system", None),
    "open_guarded_vs_fapolicyd_ratio": ("open for reading, our gate to fapolicyd", ("<=", 1.0)),
    "create_approved_ratio": ("making a small file on an approved stick, guard to none", None),
    "create_approved_gate_ratio": ("the same on a stick where each open is asked", None),
    "write_approved_ratio": ("throughput to an approved stick, guard to none", (">=", 0.98)),
    "write_approved_gate_ratio": ("the same on a stick where each open is asked", (">=", 0.98)),
    "deny_us": ("refusal by the gate", None),
    "denial_to_journal_p99_ms": ("refused call, by the gate, until its record can be read", ("<=", 50)),
    "denial_read_only_to_journal_p99_ms": ("the same on a read-only volume", ("<=", 50)),
    "denied_connect_to_journal_p99_ms": ("refused connect until its record can be read", ("<=", 1000)),
    "uevent_to_enforced_p99_ms": ("a stick is there until it is read-only", ("<=", 20)),
    "start_to_ready_ms": ("the agent's start until it is in force", None),
    "agent_rss_mib": ("resident memory of the agent", ("<=", 8)),
    "keeper_rss_mib": ("resident memory of the keeper", None),
    "attach_200_rss_growth_kib": ("growth of the agent over 200 sticks", None),
    "agent_idle_wakeups_per_min": ("wakeups of the idle agent and keeper, no watchdog", ("<=", 0)),
    "agent_idle_cpu_ms_per_min": ("processor time of both in that minute", None),
    "policy_load_5000_ms": ("loading a policy of 5000 devices and 500 destinations", ("<=", 50)),
    "decide_5000_us": ("deciding for the last of these devices", ("<=", 2)),
    "decide_ns": ("the same in ns", None),
    "connect_us": ("connect to an approved destination without the guard", None),
    "connect_added_us": ("what the guard adds to it, with 10,000 approved prefixes in force", None),
    "connect_ratio": ("connect with the guard to without, at the same moments", ("<=", 1.05)),
    "network_throughput_ratio": ("throughput to that destination, guard to none", (">=", 0.98)),
    "connect_lan_us": ("connect over 1 Gbit/s and a round trip of 0.2 ms without the guard", None),
    "connect_lan_ratio": ("the same with the guard to without, at the same moments", ("<=", 1.05)),
    "network_throughput_lan_mbit": ("throughput there without the guard", None),
    "network_throughput_lan_ratio": ("throughput there, guard to none", (">=", 0.98)),
    "pam_unix_ms": ("a login with a password, by pam_unix alone", None),
    "pam_totp_added_ms": ("what a one-time password adds to it, and the guard's word", ("<=", 5)),
    "open_internal_lsm_ratio": ("open of an internal file for reading, LSM to no guard", ("<=", 1.01)),
    "open_internal_with_stick_lsm_ratio": ("the same while an unapproved stick is mounted", ("<=", 1.01)),
    "write_open_internal_lsm_ratio": ("open of an internal file for writing, LSM to no guard", None),
    "open_guarded_lsm_ratio": ("open for reading on a stick approved for others, LSM to no guard", ("<=", 1.1)),
    "create_approved_lsm_ratio": ("making a small file on a stick approved for the caller, LSM to no guard", None),
    "write_approved_lsm_ratio": ("throughput to that stick, LSM to no guard", (">=", 0.98)),
    "denial_lsm_us": ("refusal by the LSM", None),
    "denial_to_journal_lsm_p99_ms": ("refused call, by the LSM, until its record can be read", ("<=", 50)),
    "uevent_to_enforced_lsm_p99_ms": ("an unapproved USB stick is there until writing is refused", ("<=", 20)),
    "uevent_to_read_only_lsm_p99_ms": ("a stick is there until it is read-only underneath", None),
    "uevent_to_approved_lsm_ms": ("an approved USB stick is there until it can be written", None),
    "uevent_to_authorised_usbguard_ms": ("an approved USB stick is there until usbguard lets it in", None),
    "start_to_ready_lsm_ms": ("the agent's start until it is in force, programs not in the kernel yet", None),
    "restart_to_ready_lsm_ms": ("the same, programs in the kernel already", None),
    "agent_rss_lsm_mib": ("resident memory of the agent", ("<=", 8)),
    "keeper_rss_lsm_mib": ("resident memory of the keeper", None),
    "maps_lsm_mib": ("memory of the maps in the kernel", None),
    "agent_idle_wakeups_lsm_per_min": ("wakeups of the idle agent and keeper, watchdog of 20 s", ("<=", 6)),
    "agent_idle_cpu_lsm_ms_per_min": ("processor time of both in that minute", None),
}


def complain(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def percentile(values, share):
    """The smallest value that at least SHARE of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Figures:
    def __init__(self):
        self._values = {}

    def put_rounds(self, name, values):
        """One value per round: the median, and the distance from the least to the greatest."""
        assert name in KNOWN, name
        self._values[name] = (statistics.median(values), max(values) - min(values))

    def put_p99(self, name, rounds):
        """The 99th percentile of all values of all rounds; the spread is that of the rounds' own, or of all values
        where there is one round."""
        assert name in KNOWN, name
        own = [percentile(values, 0.99) for values in rounds] if len(rounds) > 1 else rounds[0]
        self._values[name] = (percentile([v for values in rounds for v in values], 0.99), max(own) - min(own))

    def put_once(self, name, value):
        """Measured once: without a spread."""
        assert name in KNOWN, name
        self._values[name] = (value, None)

    def select(self, names):
        if names:
            self._values = {name: value for name, value in self._values.items() if name in names}

    def as_object(self):
        found = {}
        for name in KNOWN:
            if name in self._values:
                value, spread = self._values[name]
                found[name] = round_off(value)
                if spread is not None:
                    found[name + "_spread"] = round_off(spread)
        return found

    def missed(self):
        """The names of the figures that do not reach their goal."""
        return [name for name, (value, _) in self._values.items() if not meets(value, KNOWN[name][1])]

    def as_table(self):
        rows = [("figure", "value", "spread", "goal", "")]
        for name, (meaning, goal) in KNOWN.items():
            if name not in self._values:
                continue
            value, spread = self._values[name]
            wanted = "" if goal is None else f"{goal[0]} {goal[1]:g} {'met' if meets(value, goal) else 'NOT MET'}"
            rows.append((name, f"{round_off(value):g}", "" if spread is None else f"{round_off(spread):g}", wanted,
                         meaning))
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join(line(row, widths) for row in rows)


def meets(value, goal):
    if goal is None:
        return True
    relation, limit = goal
    return value <= limit if relation == "<=" else value >= limit


def line(row, widths):
    name, value, spread, goal, meaning = row
    return (f"{name:<{widths[0]}}  {value:>{widths[1]}}  {spread:>{widths[2]}}  {goal:<{widths[3]}}  "
            f"{meaning}").rstrip()


def round_off(value):
    """Four digits: more are noise."""
    return float(f"{value:.4g}") if not isinstance(value, int) else value

# SPDX-License-Identifier: GPL-2.0-or-later
"""A policy as large as a big city's: loading and checking it, and deciding for the device that is named last."""

import os
import tempfile

from sekisho_wait import run
from tools import LONG, MEASURE_POLICY

DEVICES, DESTINATIONS, ROUNDS = 5000, 500, 15


def rule(number):
    return (f"    - name: 課税課 暗号化USB {number:04}\n"
            f'      match: {{vendor: "0951", product: "1666", serial: "E0D55EA574{number:06}"}}\n'
            "      access: write\n      hours: Mon-Fri 08:30-17:15\n      expires: 2099-03-31\n")


def destination(number):
    return (f"    - {{name: 宛先 {number:03}, to: 10.{number // 256}.{number % 256}.0/24, protocol: tcp, "
            "ports: [443, 8000-8010]}\n")


def large(_machine, figures):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as policy:
        policy.write("version: 1\nserial: 1\nremovable:\n  default: read-only\n  devices:\n")
        policy.writelines(rule(number) for number in range(DEVICES))
        policy.write("network:\n  default: deny\n  allow:\n")
        policy.writelines(destination(number) for number in range(DESTINATIONS))
        policy.flush()
        os.chmod(policy.name, 0o600)
        last = DEVICES - 1
        printed = run([MEASURE_POLICY, policy.name, f"E0D55EA574{last:06}", f"課税課 暗号化USB {last:04}", ROUNDS],
                      deadline=LONG).stdout
    rounds = [[float(word) for word in line.split()] for line in printed.splitlines()]
    figures.put_rounds("policy_load_5000_ms", [load for load, _ in rounds])
    figures.put_rounds("decide_ns", [decide for _, decide in rounds])
    figures.put_rounds("decide_5000_us", [decide / 1000 for _, decide in rounds])

# SPDX-License-Identifier: GPL-2.0-or-later
"""The catalogue of attacks (tests/attacks) against a stick in the guest."""

import json
import os
import subprocess
import tempfile

from sekisho_vm_lab import BUILD

PROGRAM = "sekisho-attacks"


def plant(medium, uid):
    """What the attacks need, on the medium, from this side: before any guard sees it."""
    with tempfile.TemporaryDirectory() as point:
        subprocess.run(["mount", "-o", "loop", medium.image, point], check=True)
        try:
            subprocess.run([os.path.join(BUILD, "tests", PROGRAM), "--plant", point, "--uid", str(uid)], check=True)
        finally:
            subprocess.run(["umount", point], check=True)


class Attacks:
    def __init__(self, lab):
        self.lab = lab
        self.program = lab.install(PROGRAM)

    def stick(self, uid, **more):
        medium = self.lab.medium("usb-storage", "ext4", plug=False, **more)
        plant(medium, uid)
        return medium

    def run(self, medium, point, uid, *options, deadline=400):
        """The names of the attacks by what became of them."""
        done = self.lab.guest.run(self.program, "--json", "--uid", uid, "--node", medium.node, *options, point,
                                  check=False, deadline=deadline)
        assert done.status in (0, 1), done.stderr
        outcomes = {}
        for attack in json.loads(done.stdout)["attacks"]:
            outcomes.setdefault(attack["verdict"], []).append(attack)
        return outcomes

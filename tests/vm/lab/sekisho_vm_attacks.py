# SPDX-License-Identifier: GPL-2.0-or-later
"""The catalogue of attacks (tests/attacks) against a stick in the guest."""

import json
import os
import subprocess
import tempfile

from sekisho_vm_lab import BUILD, UNIT

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
        return self._outcomes(self.lab.guest.run(*self._command(medium, point, uid, options), check=False, deadline=deadline))

    def run_as_it_starts(self, medium, point, uid, *options, deadline=400):
        """The same with a guard that begins now, for one that closes the disk to who would read it afterwards. What an
        earlier one has left in the kernel is taken away for that moment."""
        begin = ('systemctl stop "$2" && rm -rf /sys/fs/bpf/sekisho && exec 9<"$1" && systemctl start "$2" && shift 2 && '
                 'exec "$@"')
        return self._outcomes(self.lab.guest.sh(begin, medium.node, UNIT, *self._command(
            medium, point, uid, ["--medium", "9", *options]), check=False, deadline=deadline))

    def _command(self, medium, point, uid, options):
        return [self.program, "--json", "--uid", uid, "--node", medium.node, *options, point]

    @staticmethod
    def _outcomes(done):
        assert done.status in (0, 1), done.stderr
        outcomes = {}
        for attack in json.loads(done.stdout)["attacks"]:
            outcomes.setdefault(attack["verdict"], []).append(attack)
        return outcomes

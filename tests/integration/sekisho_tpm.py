# SPDX-License-Identifier: GPL-2.0-or-later
"""A TPM in software (swtpm), reached over the loopback interface, and its owner (tpm2-tools)."""

import os
import socket
import subprocess

from sekisho_wait import run, start, stop, wait_until
from sekisho_world import BUILD

INDEX = "0x01805345"
FORM = "authread|authwrite|no_da"  # of the index, as the agent makes it
HELPER = os.path.join(BUILD, "libexec", "sekisho-tpm")


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    listener.listen()
    return listener


def listen_twice():
    """Commands and control, on two ports in a row: libtss2 takes them to be."""
    while True:
        first = listen(0)
        try:
            return first, listen(first.getsockname()[1] + 1)
        except OSError:
            first.close()


def is_listening(*ports):
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return set(ports) <= {int(row[1].split(":")[1], 16) for row in rows[1:] if row[3] == "0A"}


class Tpm:
    def __init__(self, world, name="tpm"):
        self.directory = world.new_path(name)
        os.mkdir(self.directory, 0o700)
        self.silent = listen_twice()
        self.port = self.silent[0].getsockname()[1]
        self.tcti = f"swtpm:host=127.0.0.1,port={self.port}"
        self.process = None
        world.undo(self.unplug)
        self.plug()

    def plug(self):
        self.unplug()
        ports = self.port, self.port + 1
        self.process = start(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}", "--server", f"type=tcp,port={ports[0]}",
                              "--ctrl", f"type=tcp,port={ports[1]}", "--flags", "not-need-init,startup-clear"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: is_listening(*ports), "swtpm listens")

    def hang(self):
        """It takes connections, and never answers."""
        self.unplug()
        self.silent = listen(self.port), listen(self.port + 1)

    def unplug(self):
        """Nothing is there any more."""
        if self.process and self.process.poll() is None:
            stop(self.process)
        for listener in self.silent:
            listener.close()
        self.silent = ()

    def tell(self, *arguments):
        """The line of the program that the agent runs."""
        return run([HELPER, *arguments[:1], self.tcti, *arguments[1:]], environment={"TSS2_LOG": "all+NONE"}).stdout.strip()

    def owner(self, tool, *arguments, **options):
        return run([f"tpm2_{tool}", "-T", self.tcti, *arguments], **options).stdout

    def define(self, size=16, *arguments):
        self.owner("nvdefine", INDEX, "-C", "o", "-s", str(size), "-a", FORM, *arguments)

    def write(self, content, path):
        with open(path, "wb") as file:
            file.write(content)
        self.owner("nvwrite", INDEX, "-C", INDEX, "-i", path)

    def read(self):
        return run(["tpm2_nvread", "-T", self.tcti, INDEX, "-C", INDEX, "-o", "/dev/stderr"], errors="replace").stderr

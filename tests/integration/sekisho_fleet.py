# SPDX-License-Identifier: GPL-2.0-or-later
"""Many terminals, as their journals say they are: records with chains like the guard's own, and what collects them:
the real systemd-journal-upload and systemd-journal-remote over TLS, on loopback."""

import contextlib
import hashlib
import os
import re
import signal
import socket
import ssl

from sekisho_export import Entry
from sekisho_ports import reserve_ports
from sekisho_wait import Late, run, start, stop, wait_until
from sekisho_world import ROOT

COUNTED = ("MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_IDENTIFIER")
IDS = {"write-denied": "6601ec7f17b44a1a88fb7cb3bb75a96e", "agent-started": "5724eef373e04493b9ce014912202907"}


def digest(data):
    return hashlib.blake2b(data, digest_size=32).digest()


class Terminal:
    """One terminal and its agent's chain."""

    def __init__(self, number):
        self.name = f"madoguchi-{number:04}"
        self.machine = f"{number + 1:016x}" + "0" * 16
        self.chain = hashlib.md5(self.name.encode()).hexdigest()
        self._boot = hashlib.md5(self.machine.encode()).hexdigest()
        self._link, self._sequence = bytes(32), 0

    def record(self, usec, event="write-denied", **fields):
        """The next record, handed to the journal at USEC."""
        self._sequence += 1
        said = {"MESSAGE": f"{event} on {self.name}", "MESSAGE_ID": IDS[event], "PRIORITY": "4",
                "SYSLOG_IDENTIFIER": "sekishod", "SEKISHO_EVENT": event, "SEKISHO_CHAIN_ID": self.chain,
                "SEKISHO_CHAIN_WRITER": "agent", "SEKISHO_SEQUENCE": str(self._sequence), "SEKISHO_WRITTEN": str(usec),
                **{"SEKISHO_" + name.upper(): str(value) for name, value in fields.items()}}
        if self._sequence == 1:
            said["SEKISHO_CHAIN_BEGIN"] = "new"
        counted = sorted(digest(f"{name}={value}".encode()) for name, value in said.items()
                         if name in COUNTED or name.startswith("SEKISHO_"))
        self._link = digest(self._link + digest(b"".join(counted)))
        trusted = {"_UID": "0", "_COMM": "sekishod", "_EXE": "/usr/sbin/sekishod", "_TRANSPORT": "journal",
                   "_MACHINE_ID": self.machine, "_HOSTNAME": self.name}
        return Entry([("__REALTIME_TIMESTAMP", str(usec).encode()),
                      ("__MONOTONIC_TIMESTAMP", str(usec % 10**12).encode()), ("_BOOT_ID", self._boot.encode()),
                      *((name, value.encode()) for name, value in {**trusted, **said, "SEKISHO_CHAIN": self._link.hex()}.items())])


class Authority:
    """Certificates as docs/fleet.md has them made."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory)
        self.certificate = self._path("ca.pem")
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=Sekisho fleet", "-keyout", self._path("ca.key"), "-out", self.certificate])

    def _path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, names="DNS:collector"):
        """The paths of a key and its certificate."""
        key, request, certificate = (self._path(f"{name}.{what}") for what in ("key", "csr", "pem"))
        run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
             "-keyout", key, "-out", request])
        with open(self._path(f"{name}.ext"), "w") as to:
            to.write(f"subjectAltName={names}\n")
        run(["openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._path("ca.key"), "-CAcreateserial",
             "-days", "2", "-extfile", self._path(f"{name}.ext"), "-out", certificate])
        return key, certificate


EXAMPLES = os.path.join(ROOT, "packaging", "fleet")


def example(name, **changed):
    """The text of an example, with other values of these settings."""
    with open(os.path.join(EXAMPLES, name)) as file:
        text = file.read()
    for setting, value in changed.items():
        text, times = re.subn(rf"^{setting} =.*$", f"{setting} = {value}", text, flags=re.MULTILINE)
        assert times == 1, setting
    return text


def command(name):
    """What the ExecStart= of an example runs, as a list."""
    return re.findall(r"^ExecStart=(/.*)$", example(name), re.MULTILINE)[0].split()


def instead(arguments, **values):
    """ARGUMENTS with other values of these options, each of which has to be there."""
    for option, value in values.items():
        name = f"--{option.replace('_', '-')}="
        assert sum(argument.startswith(name) for argument in arguments) == 1, name
        arguments = [name + str(value) if argument.startswith(name) else argument for argument in arguments]
    return arguments


class Collector:
    """stunnel, which lets in whom the authority knows, and journal-remote behind it."""

    def __init__(self, world, authority):
        self._world, self._authority = world, authority
        self.directory = world.new_path("collected")
        os.mkdir(self.directory)
        (self.port,), (self._inner,), self.process = reserve_ports(world), reserve_ports(world), None
        self._client = authority.issue("asks")
        self.log = world.new_path("collector.log")
        world.undo(self.kill)
        self._start_stunnel(*authority.issue("collector", "IP:127.0.0.1"))

    def _start_stunnel(self, key, certificate):
        path = self._world.new_path("stunnel.conf")
        with open(path, "w") as to:
            to.write(example("stunnel.conf", accept=f"127.0.0.1:{self.port}", connect=f"127.0.0.1:{self._inner}",
                             key=key, cert=certificate, CAfile=self._authority.certificate))
        with open(self.log, "ab") as log:
            self._world.undo(stop, start(["stunnel4", path], stdout=log, stderr=log))

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def start(self):
        with open(self.log, "ab") as log:
            self.process = start(instead(command("remote.conf"), listen_http=f"127.0.0.1:{self._inner}", output=self.directory),
                                 stdout=log, stderr=log)
        wait_until(self._answers, "the collector takes connections")
        return self

    def _answers(self):
        assert self.process.poll() is None, self.tell()
        context = ssl.create_default_context(cafile=self._authority.certificate)
        context.load_cert_chain(self._client[1], self._client[0])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain, \
                context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            secure.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return secure.recv(4).startswith(b"HTTP")
        return False

    def stop(self):
        stop(self.process, signal.SIGTERM)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def tell(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-4000:]

    def size(self):
        """How much it has written: the bytes of its files that are in use."""
        total = 0
        for name in os.listdir(self.directory):
            shown = run(["journalctl", "--header", f"--file={os.path.join(self.directory, name)}"], check=False).stdout
            total += int((re.search(r"Entry objects: (\d+)", shown) or re.search(r"Entry Objects: (\d+)", shown) or [0, 0])[1])
        return total


class Uploader:
    """What a terminal runs; begun again by systemd (Restart=) when it fails."""

    def __init__(self, world, authority, collector, source, name="terminal"):
        self._world, self._collector = world, collector
        key, certificate = authority.issue(name)
        arguments = instead(command("upload.conf"), url=collector.url, key=key, cert=certificate, trust=authority.certificate)
        arguments[arguments.index("--save-state")] = f"--save-state={world.new_path('upload.state')}"
        self._arguments = [*arguments, f"--file={source}"]
        self.log = world.new_path("upload.log")
        self.process = None
        world.undo(self.end)

    def start(self, *arguments):
        with open(self.log, "ab") as log:
            self.process = start([*self._arguments, *arguments], stdout=log, stderr=log)
        return self

    def end(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(Late):
                stop(self.process, signal.SIGKILL)

    def tell(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-4000:]



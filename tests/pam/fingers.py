# SPDX-License-Identifier: GPL-2.0-or-later
"""The real fprintd and polkitd on a message bus of the tests' own, with libfprint's virtual reader."""

import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from jeepney import DBusAddress, HeaderFields, MatchRule, MessageType, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

FPRINTD, POLKITD = "/usr/libexec/fprintd", "/usr/lib/polkit-1/polkitd"
NAME, DEVICE = "net.reactivated.Fprint", "net.reactivated.Fprint.Device"
DEADLINE = 30
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
"""


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < end, f"too late: {what}"
        time.sleep(0.01)  # sockets that appear tell nobody
    return found


class Reader:
    def __init__(self, directory):
        os.chmod(directory, 0o755)
        self.directory, self.processes = directory, []
        self.scanner = directory / "reader.socket"
        self.address = f"unix:path={directory}/bus.socket"
        (directory / "prints").mkdir()
        configuration = directory / "bus.conf"
        configuration.write_text(CONFIGURATION.format(socket=directory / "bus.socket"), encoding="utf-8")
        bus = self.start("dbus-daemon", "--nofork", "--nopidfile", "--print-address=1", f"--config-file={configuration}",
                         stdout=subprocess.PIPE)
        assert bus.stdout.readline(), "dbus-daemon did not come up"
        os.chmod(directory / "bus.socket", 0o777)
        self.connection = open_dbus_connection(self.address)
        self.start(POLKITD, "--no-debug")
        self.wait_for_name("org.freedesktop.PolicyKit1")

    def start(self, *command, **more):
        more.setdefault("stdout", subprocess.DEVNULL)
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **more,
                                   env={"PATH": "/usr/bin:/bin", "DBUS_SYSTEM_BUS_ADDRESS": self.address, "LC_ALL": "C.UTF-8",
                                        "FP_VIRTUAL_DEVICE": str(self.scanner), "STATE_DIRECTORY": str(self.directory / "prints")})
        self.processes.append(process)
        return process

    def wait_for_name(self, name):
        wait_for(lambda: self.connection.send_and_get_reply(message_bus.NameHasOwner(name), timeout=DEADLINE).body[0], name)

    def start_fprintd(self):
        self.fprintd = self.start(FPRINTD, "--no-timeout")
        self.wait_for_name(NAME)
        return self

    def call(self, method, *arguments, path=None, interface=DEVICE, signature=None):
        to = DBusAddress(path or self.device(), bus_name=NAME, interface=interface)
        reply = self.connection.send_and_get_reply(new_method_call(to, method, signature or "s" * len(arguments), arguments),
                                                   timeout=DEADLINE)
        assert reply.header.message_type is MessageType.method_return, (method, reply.body)
        return reply.body

    def device(self):
        return self.call("GetDefaultDevice", path="/net/reactivated/Fprint/Manager", interface=NAME + ".Manager")[0]

    def send(self, command):
        """To the reader, which listens while somebody has claimed it."""
        def sent():
            with socket.socket(socket.AF_UNIX) as to:
                try:
                    to.connect(str(self.scanner))
                except OSError:
                    return False
                to.sendall(command.encode())
                return True
        wait_for(sent, "the reader listens")

    def enrol(self, user, print_name, finger="right-index-finger"):
        """What fprintd-enroll does."""
        rule = MatchRule(type="signal", interface=DEVICE, member="EnrollStatus")
        self.connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=DEADLINE)
        self.call("Claim", user)
        with self.connection.filter(rule) as statuses:
            self.call("EnrollStart", finger)
            done = False
            while not done:
                self.send(f"SCAN {print_name}")
                status, done = self.connection.recv_until_filtered(statuses, timeout=DEADLINE).body
        assert status == "enroll-completed", status
        self.call("EnrollStop")
        self.call("Release")

    def finger(self, *commands):
        """What a person does at the reader while a program asks for it."""
        rule = MatchRule(type="signal", interface=DEVICE, member="VerifyFingerSelected")
        self.connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=DEADLINE)

        def put():
            with self.connection.filter(rule) as started:
                self.connection.recv_until_filtered(started, timeout=DEADLINE)
            for command in commands:
                self.send(command)
        thread = threading.Thread(target=put if commands else lambda: None)
        thread.start()
        return thread

    def impostor(self, uid, *statuses):
        """Somebody else under fprintd's name, who says STATUSES of each finger, in the end yes. Ends with the bus."""
        code = f"import os, sys; os.setuid({uid}); sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r}); " \
               f"import fingers; fingers.impersonate({self.address!r}, {statuses!r})"
        self.start("/usr/bin/python3", "-B", "-c", code)
        self.wait_for_name(NAME)

    def close(self):
        self.connection.close()
        for process in reversed(self.processes):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def impersonate(address, statuses):
    from jeepney import new_method_return, new_signal

    connection = open_dbus_connection(address)
    connection.send_and_get_reply(message_bus.RequestName(NAME), timeout=DEADLINE)
    device = DBusAddress("/net/reactivated/Fprint/Device/0", interface=DEVICE)
    answers = {"GetDefaultDevice": ("o", ("/net/reactivated/Fprint/Device/0",)),
               "ListEnrolledFingers": ("as", (["right-index-finger"],))}
    while True:
        call = connection.receive()
        if call.header.message_type is MessageType.method_call:
            member = call.header.fields[HeaderFields.member]
            connection.send(new_method_return(call, *answers.get(member, (None, ()))))
            if member == "VerifyStart":
                for status in statuses + (("verify-match", True),):
                    connection.send(new_signal(device, "VerifyStatus", "sb", status))

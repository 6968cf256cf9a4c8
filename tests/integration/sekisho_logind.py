# SPDX-License-Identifier: GPL-2.0-or-later
"""A fake systemd-logind: python-dbusmock's, on a test's bus, with what the system's configuration lets people say to
the real one. Its sessions are what the test makes them, and lock when the test says so."""

import subprocess

from jeepney import DBusAddress, new_method_call
from jeepney.bus_messages import message_bus
from sekisho_bus import CONFIGURATION
from sekisho_wait import DEADLINE, start, stop, wait_until

LOGIN1 = "org.freedesktop.login1"
MANAGER, SESSION, MOCK = f"{LOGIN1}.Manager", f"{LOGIN1}.Session", "org.freedesktop.DBus.Mock"
ROOT = "/org/freedesktop/login1"
# As Debian's systemd installs it: whether root may lock sessions is for it to say.
BUS_POLICY = "/usr/share/dbus-1/system.d/org.freedesktop.login1.conf"
BUS_WITH_LOGIND = CONFIGURATION.replace("</busconfig>", f"<include>{BUS_POLICY}</include></busconfig>")


class FakeLogind:
    def __init__(self, world, bus):
        self._world, self._bus, self.process = world, bus, None
        self._peer = bus.connect()
        self._log = world.new_path("logind.log")
        world.undo(self.stop)

    def start(self):
        environment = {"DBUS_SYSTEM_BUS_ADDRESS": self._bus.address, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        with open(self._log, "ab") as log:
            self.process = start(["/usr/bin/python3", "-m", "dbusmock", "--system", "--template", "logind"],
                                 env=environment, stdout=log, stderr=subprocess.STDOUT)
        wait_until(lambda: self._peer.ask_bus(message_bus.NameHasOwner(LOGIN1))[0], "the fake logind is on the bus")
        self._templated()
        return self

    def _templated(self):
        """The name comes before the methods."""
        def there():
            try:
                self._mock(ROOT, "GetMethodCalls", "s", ("LockSession",))
                return self._call(ROOT, MANAGER, "GetSession", "s", ("x",))
            except Exception:  # noqa: BLE001 (whichever error it is: not yet)
                return False

        wait_until(there, "the fake logind is ready")

    def stop(self):
        if self.process:
            self.process.send_signal(18)  # it may be frozen
            stop(self.process)
            self.process = None

    def _call(self, path, interface, method, signature="", arguments=()):
        return self._peer.ask_bus(new_method_call(DBusAddress(path, LOGIN1, interface), method, signature, arguments))

    def _mock(self, path, method, signature, arguments):
        return self._call(path, MOCK, method, signature, arguments)

    def path(self, session):
        return f"{ROOT}/session/{session}"

    def add(self, session, uid=0, name="root"):
        self._mock(ROOT, "AddSession", "ssusb", (session, "seat0", uid, name, True))
        return session

    def update(self, session, **properties):
        """New values, and the signal that tells of them. (type, value) each."""
        self._mock(self.path(session), "UpdateProperties", "sa{sv}", (SESSION, properties))

    def on_lock(self, code):
        """What LockSession does from now on: Python, where args[0] is the session."""
        self._mock(ROOT, "AddMethod", "sssss", (MANAGER, "LockSession", "s", "", code))

    def lock_by_screen_lock(self):
        """As a desktop's: it hears of the wish and says when it is done."""
        self.on_lock(f'objects["{ROOT}/session/" + args[0]].UpdateProperties("{SESSION}", {{"LockedHint": dbus.Boolean(True, variant_level=1)}})')

    def refuse(self, name="org.freedesktop.DBus.Error.AccessDenied"):
        self.on_lock(f'raise dbus.exceptions.DBusException("not now", name="{name}")')

    def asked(self):
        """The sessions that were to be locked, in order."""
        calls, = self._mock(ROOT, "GetMethodCalls", "s", ("LockSession",))
        return [arguments[0][1] for _, arguments in calls]

    def wait_asked(self, count, deadline=DEADLINE):
        return wait_until(lambda: len(self.asked()) >= count and self.asked(), f"{count} sessions were to be locked", deadline)

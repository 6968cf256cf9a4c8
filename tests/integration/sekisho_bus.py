# SPDX-License-Identifier: GPL-2.0-or-later
"""A private message bus, and who speaks on it: callers of any uid, a fake polkit, a fake notification server."""

import contextlib
import os
import queue
import signal
import subprocess
import threading

from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_call, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection
from sekisho_wait import DEADLINE, Late, start, stop, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
GUARD_POLICY = os.path.join(os.path.dirname(os.path.dirname(HERE)), "packaging", "dbus", "org.sekisho.Guard1.conf")
GUARD = DBusAddress("/org/sekisho/Guard1", bus_name="org.sekisho.Guard1", interface="org.sekisho.Guard1")
POLKIT = "org.freedesktop.PolicyKit1"
NOTIFICATIONS = "org.freedesktop.Notifications"
ALLOW_INTERACTIVE = 4  # of a message's flags: the D-Bus specification, Message Format

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="{polkit}"/>
  </policy>
  <policy user="root">
    <allow own="{polkit}"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Monitoring"/>
  </policy>
  <include>{guard}</include>
</busconfig>
"""
# What a session's bus is: everything goes.
SESSION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@contextlib.contextmanager
def as_user(uid):
    """This process speaks for UID: a bus goes by the uid that connects."""
    before = os.getresuid()
    os.setresuid(uid, uid, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresuid(*before)


def connect(address, uid=0, deadline=DEADLINE):
    """A connection of UID's. The library waits for the bus's greeting without an end of its own."""
    def late(*_):
        raise Late(f"the bus does not let uid {uid} in")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, deadline)
    try:
        with as_user(uid):
            return open_dbus_connection(address, auth_timeout=deadline)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Refused(Exception):
    """An error instead of an answer; its name is the argument, what it says the text."""

    text = ""


class Bus:
    def __init__(self, world, configuration=CONFIGURATION, name="bus"):
        directory = world.new_path(name)
        os.mkdir(directory, 0o755)
        self.socket = os.path.join(directory, "socket")
        self.address = f"unix:path={self.socket}"
        self._configuration = os.path.join(directory, "bus.conf")
        with open(self._configuration, "w") as to:
            to.write(configuration.format(socket=self.socket, polkit=POLKIT, guard=GUARD_POLICY))
        self._world, self.process = world, None
        world.undo(self.close)

    def start(self):
        self.process = start(["dbus-daemon", "--nofork", "--nopidfile", "--print-address=1",
                              f"--config-file={self._configuration}"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout.readline(), "dbus-daemon did not come up"
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        if self.process:
            self.thaw()
            stop(self.process)
            self.process.stdout.close()
            self.process = None

    def connect(self, uid=0):
        peer = Peer(self.address, uid)
        self._world.undo(peer.close)
        return peer

    def wait_for_guard(self):
        peer = self.connect()

        def there():
            return peer.ask_bus(message_bus.NameHasOwner("org.sekisho.Guard1"))[0]

        wait_until(there, "the guard is on the bus")
        peer.close()


class Peer:
    """Somebody on a bus. Signals that come in are kept."""

    def __init__(self, address, uid=0):
        self._connection = connect(address, uid)
        self.signals, self._calls = [], []

    def close(self):
        self._connection.close()

    def ask_bus(self, message, deadline=DEADLINE):
        return self._exchange(message, deadline)

    def call(self, method, signature=None, *arguments, interactive=False, deadline=DEADLINE):
        message = new_method_call(GUARD, method, signature, arguments)
        if interactive:
            message.header.flags = message.header.flags | ALLOW_INTERACTIVE
        return self._exchange(message, deadline)

    def send(self, message):
        self._connection.send(message)

    def _exchange(self, message, deadline):
        serial = next(self._connection.outgoing_serial)
        self._connection.send(message, serial=serial)
        while True:
            try:
                reply = self._connection.receive(timeout=deadline)
            except TimeoutError as error:
                raise Late(f"no answer to {message.header.fields.get(HeaderFields.member)}") from error
            if reply.header.fields.get(HeaderFields.reply_serial) != serial:
                self._keep(reply)
                continue
            if reply.header.message_type == MessageType.error:
                refused = Refused(reply.header.fields[HeaderFields.error_name])
                refused.text = reply.body[0] if reply.body else ""
                raise refused
            return reply.body

    def _keep(self, message):
        if message.header.message_type == MessageType.signal:
            self.signals.append(message)

    def denials(self):
        """What this peer was told so far: (uid, details) each."""
        return [(message.body[0], {name: value for name, (_, value) in message.body[1].items()})
                for message in self.signals if message.header.fields.get(HeaderFields.member) == "Denied"]

    def wait_denials(self, enough=lambda found: found, deadline=DEADLINE):
        def asked():
            found = self.denials()
            if enough(found):
                return found
            with contextlib.suppress(TimeoutError):
                self._keep(self._connection.receive(timeout=0.2))
            return None

        return wait_until(asked, "the signal Denied", deadline)


class Witness(Peer):
    """Sees everything that goes over the bus from now on."""

    def __init__(self, world, bus):
        super().__init__(bus.address)
        world.undo(self.close)
        monitoring = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus.Monitoring")
        self._exchange(new_method_call(monitoring, "BecomeMonitor", "asu", ([], 0)), DEADLINE)

    def wait_answered(self, method, deadline=DEADLINE):
        """A call of METHOD has got its answer."""
        calls = set()

        def answered():
            with contextlib.suppress(TimeoutError):
                header = self._connection.receive(timeout=0.2).header
                if header.fields.get(HeaderFields.member) == method:
                    calls.add((header.fields.get(HeaderFields.sender), header.serial))
                return header.message_type == MessageType.method_return and (
                    header.fields.get(HeaderFields.destination), header.fields[HeaderFields.reply_serial]) in calls
            return False

        wait_until(answered, f"{method} is answered", deadline)


class FakeService(threading.Thread):
    """Answers calls on a bus, in a thread of its own, until the bus or the test ends."""

    def __init__(self, world, bus, name, uid=0):
        super().__init__(daemon=True)
        self._connection = connect(bus.address, uid)
        serial = next(self._connection.outgoing_serial)
        self._connection.send(message_bus.RequestName(name), serial=serial)
        while self._connection.receive(timeout=DEADLINE).header.fields.get(HeaderFields.reply_serial) != serial:
            pass
        self._ending = threading.Event()
        self.calls = queue.Queue()
        self.all_calls = []
        world.undo(self.close)
        self.start()

    def close(self):
        self._ending.set()
        self.join()
        self._connection.close()

    def run(self):
        while not self._ending.is_set():
            try:
                call = self._connection.receive(timeout=0.05)
            except TimeoutError:
                continue
            except (OSError, EOFError):
                return
            if call.header.message_type != MessageType.method_call:
                continue
            member = call.header.fields[HeaderFields.member]
            answer = self.answer(member, call.body)
            self.all_calls.append((member, call.body))
            self.calls.put((member, call.body))
            if answer == "silence":
                continue
            reply = (new_error(call, "org.freedesktop.DBus.Error.UnknownMethod") if answer is None
                     else new_method_return(call, *answer))
            with contextlib.suppress(OSError):
                self._connection.send(reply)

    def answer(self, member, body):
        raise NotImplementedError


class FakePolkit(FakeService):
    """Says yes to the actions in ALLOWED for anybody, no to others; or nothing at all."""

    def __init__(self, world, bus, allowed=(), challenge=False, silent=False):
        self.allowed, self.challenge, self.silent = set(allowed), challenge, silent
        super().__init__(world, bus, POLKIT)

    def answer(self, member, body):
        if member != "CheckAuthorization" or self.silent:
            return "silence" if self.silent else None
        _, action, _, _, _ = body
        return "(bba{ss})", ((action in self.allowed, self.challenge, {}),)

    def asked(self):
        return [(body[1], body[3]) for member, body in self.all_calls if member == "CheckAuthorization"]


class FakeNotificationServer(FakeService):
    """Keeps what it was to show."""

    def __init__(self, world, bus, uid=0, markup=True):
        self.markup, self.shown, self._last = markup, [], 0
        super().__init__(world, bus, NOTIFICATIONS, uid)

    def answer(self, member, body):
        if member == "GetCapabilities":
            return "as", (["body", "body-markup"] if self.markup else ["body"],)
        if member != "Notify":
            return None
        _, replaces, _, summary, text, _, hints, _ = body
        if not replaces:
            self._last += 1
        identity = replaces or self._last
        self.shown.append({"id": identity, "replaces": replaces, "summary": summary, "body": text,
                           "hints": {name: value for name, (_, value) in hints.items()}})
        return "u", (identity,)

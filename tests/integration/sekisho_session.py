# SPDX-License-Identifier: GPL-2.0-or-later
"""People who log in: only they write under a grant."""

import subprocess

from jeepney import DBusAddress, new_method_call
from sekisho_machine import Person

LOGINS = DBusAddress("/org/sekisho/Guard1", bus_name="org.sekisho.Guard1", interface="org.sekisho.Guard1.Logins")
ROOT = Person("root")


class Login:
    """A session of an account: of audit, as pam_loginuid begins one, and told as pam_sekisho does."""

    def __init__(self, world, bus, account, person=None, name="c1", audit=True, told=True):
        begin = f"echo {account.uid} >/proc/self/loginuid && " if audit else ""
        drop = f"exec setpriv --reuid={account.uid} --regid={account.gid} --clear-groups sh"
        self.world, self.bus, self.uid, self.name = world, bus, account.uid, name
        self.process = world.start_as(ROOT, ["sh", "-c", begin + drop], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.run("true"), "it has begun"
        if told:
            self.tell("OpenSession", "susssbssu", name, account.uid, person or account.name, "password,totp", "tty1", False, "", "login", self.process.pid)

    def tell(self, method, signature, *values):
        self.bus.connect(0).ask_bus(new_method_call(LOGINS, method, signature, values))

    def run(self, command):
        self.process.stdin.write(f"{command}\necho $?\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() == "0\n"

    def change(self, person):
        self.tell("ChangePerson", "susssbs", self.name, self.uid, person, "password,totp", "tty1", False, "")

    def end(self, tell=True):
        self.process.kill()
        self.process.wait()
        if tell:
            self.tell("CloseSession", "u", self.process.pid)

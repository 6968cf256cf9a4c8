# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that people have, against the network guard: real servers with their clients, and a way out of a network
namespace."""

import os
import socket
import subprocess

import pytest
from sekisho_network import PAYLOAD, Net
from sekisho_wait import run, start, stop, wait_until
from sekisho_world import read
from test_callers import KNOCK, PYTHON, word

INSIDE, OUTSIDE = "10.99.1.1", "10.99.2.1"
SMB = """[global]
server role = standalone server
security = user
map to guest = Bad User
guest account = nobody
disable netbios = yes
smb ports = 445
load printers = no
disable spoolss = yes
private dir = {directory}
lock directory = {directory}
state directory = {directory}
cache directory = {directory}
pid directory = {directory}
ncalrpc dir = {directory}/ncalrpc
[kyoyu]
path = {share}
guest ok = yes
read only = no
"""


@pytest.fixture
def net(world):
    net = Net()
    world.undo(net.close)
    world.agent_prefix = net.term.prefix
    net.wait_up()
    return net


def wait_listening(port):
    def listens():
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, f"somebody listens at port {port}")


def guard(world, port):
    allow = [{"name": "住民記録", "to": "10.99.1.0/24", "protocol": "tcp", "ports": [port]}]
    world.start_agent("--network", zone="mynumber", network={"allow": allow})


def as_person(net, person):
    """The beginning of a command of PERSON's, in the terminal's network."""
    options = person.options()
    return [*net.term.prefix, "setpriv", f"--reuid={options['user']}", f"--regid={options['group']}", "--clear-groups"]


class FileServer:
    """Samba, with a share that whoever reaches it may write to."""

    def __init__(self, world, area):
        directory, self.share = world.new_path("samba"), world.new_path("share")
        os.mkdir(directory, 0o700)
        os.mkdir(self.share)
        os.chmod(self.share, 0o777)
        settings = os.path.join(directory, "smb.conf")
        with open(settings, "w") as to:
            to.write(SMB.format(directory=directory, share=self.share))
        # a session of its own: at its end it ends everybody in its process group
        with open(os.path.join(directory, "log"), "w") as log:
            process = start([*area.prefix, "smbd", "--foreground", "--no-process-group", "--debug-stdout",
                             f"--configfile={settings}"], stdout=log, stderr=log, start_new_session=True)
        world.undo(stop, process)
        wait_until(lambda: area.within(self._answers), f"smbd answers\n{read(os.path.join(directory, 'log'))}")

    @staticmethod
    def _answers():
        return run(["smbclient", "--configfile=/dev/null", "--list=127.0.0.1", "-U", "nobody%"], check=False).returncode == 0


def test_a_file_server_is_reached_where_it_is_approved_and_nowhere_else(world, net):
    approved, other = (FileServer(world, area) for area in (net.inside, net.outside))
    guard(world, 445)
    wire, stranger = net.wire(), world.machine.stranger
    file = world.new_path("file")
    with open(file, "wb") as to:
        to.write(PAYLOAD)
    os.chmod(file, 0o644)

    def put(server):
        return run([*as_person(net, stranger), "env", "HOME=/", "smbclient", "--configfile=/dev/null", f"//{server}/kyoyu",
                    "-U", "nobody%", "-c", f"put {file} taken"], check=False)

    assert put(INSIDE).returncode == 0
    with open(os.path.join(approved.share, "taken"), "rb") as taken:
        assert taken.read() == PAYLOAD
    assert put(OUTSIDE).returncode != 0
    assert os.listdir(other.share) == [] and wire.telling() == []
    record = world.journal.wait("connection-denied", destination=OUTSIDE, port=445)
    if word(world).startswith("ok"):
        assert record["SEKISHO_EXE"] == "/usr/bin/smbclient" and record["SEKISHO_UID"] == str(stranger.uid)


def test_a_web_server_is_reached_where_it_is_approved_and_nowhere_else(world, net):
    directory = world.new_path("pages")
    os.mkdir(directory)
    with open(os.path.join(directory, "page"), "wb") as to:
        to.write(PAYLOAD)
    for area in (net.inside, net.outside):
        server = start([*area.prefix, PYTHON, "-m", "http.server", f"--directory={directory}", "80"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        world.undo(stop, server)
        area.within(wait_listening, 80)
    stranger = world.machine.stranger

    def get(server):
        return run([*as_person(net, stranger), "env", "HOME=/", "curl", "--silent", "--show-error", "--noproxy", "*",
                    f"http://{server}/page"], check=False)

    assert get(OUTSIDE).stdout == PAYLOAD.decode(), "without a guard"
    guard(world, 80)
    wire = net.wire()
    assert get(INSIDE).stdout == PAYLOAD.decode()
    assert get(OUTSIDE).returncode != 0 and wire.telling() == []
    record = world.journal.wait("connection-denied", destination=OUTSIDE, port=80)
    if word(world).startswith("ok"):
        assert record["SEKISHO_EXE"] == "/usr/bin/curl" and record["SEKISHO_UID"] == str(stranger.uid)


# Its users' keys are in their homes: root's is another one there.
SSHD = """set -eu
mount -t tmpfs -o mode=700 none /root
mkdir -m 700 /root/.ssh
cp "$1/authorized_keys" /root/.ssh/
exec dropbear -F -E -s -p 22 -r "$1/host" -P ''
"""


def test_a_copy_by_ssh_arrives_where_it_is_approved_and_nowhere_else(world, net):
    directory, taken = world.new_path("ssh"), world.new_path("taken")
    os.mkdir(directory, 0o700)
    for name in ("host", "user"):
        run(["dropbearkey", "-t", "ed25519", "-f", os.path.join(directory, name)])
    public = run(["dropbearkey", "-y", "-f", os.path.join(directory, "user")]).stdout
    with open(os.path.join(directory, "authorized_keys"), "w") as to:
        to.write(next(line for line in public.splitlines() if line.startswith("ssh-")) + "\n")
    for area in (net.inside, net.outside):
        with open(os.path.join(directory, "log"), "w") as log:
            server = start([*area.prefix, "unshare", "--mount", "sh", "-c", SSHD, "sh", directory], stdout=log, stderr=log)
        world.undo(stop, server)
        area.within(wait_listening, 22)

    def put(server):
        return run([*net.term.prefix, "dbclient", "-y", "-y", "-i", os.path.join(directory, "user"), f"root@{server}",
                    f"cat >'{taken}'"], check=False, input=PAYLOAD.decode())

    assert put(OUTSIDE).returncode == 0, "without a guard"
    os.unlink(taken)
    guard(world, 22)
    wire = net.wire()
    assert put(INSIDE).returncode == 0, read(os.path.join(directory, "log"))
    assert read(taken) == PAYLOAD.decode()
    os.unlink(taken)
    assert put(OUTSIDE).returncode != 0
    assert not os.path.exists(taken) and wire.telling() == []
    record = world.journal.wait("connection-denied", destination=OUTSIDE, port=22)
    if word(world).startswith("ok"):
        assert record["SEKISHO_EXE"] == "/usr/bin/dbclient"


def test_a_persons_own_network_namespace_leads_where_the_person_may_go(world, net):
    """slirp4netns is what containers of ordinary users reach the network by."""
    stranger = world.machine.stranger
    servers = [net.server(area, 443) for area in (net.inside, net.outside)]
    guard(world, 443)
    wire = net.wire()
    holder = start([*as_person(net, stranger), "unshare", "--user", "--map-root-user", "--net", "sleep", "infinity"])
    world.undo(stop, holder)
    wait_until(lambda: read(f"/proc/{holder.pid}/comm") == "sleep\n", "the namespace is there")
    slirp = start([*as_person(net, stranger), "slirp4netns", "--configure", "--ready-fd=1", holder.pid, "tap0"],
                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    world.undo(slirp.stdout.close)
    world.undo(stop, slirp)
    assert slirp.stdout.read(1) == b"1"

    def knock(to, port, kind="tcp"):
        there = ["nsenter", f"--target={holder.pid}", "--user", "--net", "--preserve-credentials"]
        return run([*as_person(net, stranger), *there, PYTHON, "-c", KNOCK, to, str(port), kind, "1"]).stdout.strip()

    assert knock(INSIDE, 443) == "reached"
    assert knock(OUTSIDE, 443) in ("ENETUNREACH", "ECONNREFUSED")  # what slirp4netns makes of a refusal
    knock(OUTSIDE, 443, "udp-send")  # nobody tells the sender
    knock("203.0.113.9", 53, "udp-send")
    record = world.journal.wait("connection-denied", destination="203.0.113.9", port=53)
    if word(world).startswith("ok"):
        assert record["SEKISHO_EXE"].endswith("/slirp4netns") and record["SEKISHO_UID"] == str(stranger.uid)
    assert servers[1].heard == [] and wire.telling() == []

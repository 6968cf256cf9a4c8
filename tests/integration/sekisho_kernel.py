# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel that lacks something, for one program: a command that runs another, which is then refused some system calls."""

import errno
import platform

NUMBERS = {"x86_64": {"socket": 41, "bpf": 321}, "aarch64": {"socket": 198, "bpf": 280}}
REFUSE = """
import ctypes, os, struct, sys
call, error, *arguments = map(int, sys.argv[1].split(","))
wanted = [(0, call)] + [(16 + 8 * i, value) for i, value in enumerate(arguments) if value >= 0]
program = b""
for number, (at, value) in enumerate(wanted):
    program += struct.pack("=HBBI", 0x20, 0, 0, at)  # load it; if it is another, go to the last but one
    program += struct.pack("=HBBI", 0x15, 0, 2 * (len(wanted) - number) - 1, value)
program += struct.pack("=HBBI", 0x06, 0, 0, 0x50000 | error) + struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000)
code = ctypes.create_string_buffer(program, len(program))
filter = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter):  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
    raise OSError(ctypes.get_errno(), "seccomp")
os.execvp(sys.argv[2], sys.argv[2:])
"""


def refusing(call, error, *arguments):
    """What stands before a program that is to get ERROR from CALL with these arguments; -1 stands for any."""
    number = NUMBERS[platform.machine()][call]
    return ["/usr/bin/python3", "-c", REFUSE, ",".join(map(str, (number, error, *arguments)))]


def without_packet_filter():
    netlink, netfilter = 16, 12
    return refusing("socket", errno.EPROTONOSUPPORT, netlink, -1, netfilter)


def without_bpf_programs():
    load = 5
    return refusing("bpf", errno.EPERM, load)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's fapolicyd in a mount namespace of its own, as a baseline: one rule that allows everything, so that what
remains is the price of asking. The machine's configuration is neither read nor changed; fapolicyd marks the
mounts of its own namespace, so what it is to intercept runs in there."""

import os
import shutil

from sekisho_wait import Late, start, stop, wait_until

DIRECTORIES = ("/etc/fapolicyd", "/var/lib/fapolicyd", "/run/fapolicyd")
CONFIGURATION = """\
permissive = 1
nice_val = 14
q_size = 640
uid = root
gid = root
do_stat_report = 0
detailed_report = 0
db_max_size = 50
subj_cache_size = 1549
obj_cache_size = 8191
watch_fs = ext4
trust = file
integrity = none
syslog_format = rule,dec,perm,auid,pid,exe,:,path,ftype,trust
"""
RULE = "allow perm=any all : all\n"
# $1 is where the private copies are; the rest are directories to be covered by them.
ENTER = """\
set -eu
copies=$1
shift
for directory in "$@"; do
        mount --bind "$copies$directory" "$directory"
done
fagenrules >/dev/null
exec fapolicyd --permissive --debug-deny --no-details
"""
READY = "Starting to listen for events"


class Unavailable(Exception):
    """Why there is no fapolicyd to compare with."""


class Fapolicyd:
    def __init__(self, world):
        for program in ("fapolicyd", "fagenrules", "unshare", "nsenter"):
            if not shutil.which(program):
                raise Unavailable(f"{program} is not installed")
        self._copies = world.new_path("fapolicyd")
        self._log = world.new_path("fapolicyd.log")
        for directory in DIRECTORIES:
            if not os.path.isdir(directory):
                raise Unavailable(f"there is no {directory}")
            os.makedirs(self._copies + directory)
        self._write("/etc/fapolicyd/fapolicyd.conf", CONFIGURATION)
        self._write("/etc/fapolicyd/fapolicyd.trust", "")
        os.mkdir(self._copies + "/etc/fapolicyd/trust.d")
        os.mkdir(self._copies + "/etc/fapolicyd/rules.d")
        self._write("/etc/fapolicyd/rules.d/10-bench.rules", RULE)
        self._process = None

    def _write(self, path, text):
        with open(self._copies + path, "w") as to:
            to.write(text)

    def __enter__(self):
        with open(self._log, "wb") as log:
            self._process = start(["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh",
                                   self._copies, *DIRECTORIES], stdout=log, stderr=log)
        try:
            wait_until(self._listens, "fapolicyd listens")
        except Late as late:
            self.__exit__()
            raise Unavailable(f"{late}\n{self._tell()}") from late
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        stop(self._process)

    def _listens(self):
        if self._process.poll() is not None:
            raise Unavailable(f"it ended with {self._process.returncode}\n{self._tell()}")
        return READY in self._tell()

    def _tell(self):
        with open(self._log, errors="replace") as log:
            return log.read()[-2000:]

    @property
    def prefix(self):
        """What has a command run where fapolicyd sees it."""
        return ["nsenter", f"--target={self._process.pid}", "--mount"]



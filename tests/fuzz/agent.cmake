# SPDX-License-Identifier: GPL-2.0-or-later
sekisho_fuzzer(fuzz_mountinfo SOURCES fuzz_mountinfo.c LIBS sekisho-mount CORPUS corpus/mountinfo)
sekisho_fuzzer(fuzz_proc SOURCES fuzz_proc.c LIBS sekisho-gate CORPUS corpus/proc)
sekisho_fuzzer(fuzz_audit SOURCES fuzz_audit.c LIBS sekisho-audit CORPUS corpus/audit)
sekisho_fuzzer(fuzz_grants SOURCES fuzz_grants.c LIBS sekisho-grants CORPUS corpus/grants)

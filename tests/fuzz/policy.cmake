# SPDX-License-Identifier: GPL-2.0-or-later
sekisho_fuzzer(fuzz_policy SOURCES fuzz_policy.c LIBS sekisho-policy CORPUS corpus/policy)

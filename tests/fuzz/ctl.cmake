# SPDX-License-Identifier: GPL-2.0-or-later
sekisho_fuzzer(fuzz_timespec SOURCES fuzz_timespec.c LIBS sekisho-ctl CORPUS corpus/timespec)

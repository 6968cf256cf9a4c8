# SPDX-License-Identifier: GPL-2.0-or-later
sekisho_fuzzer(fuzz_enrolment SOURCES fuzz_enrolment.c LIBS sekisho-factors CORPUS corpus/enrolment)
sekisho_fuzzer(fuzz_stack SOURCES fuzz_stack.c LIBS sekisho-stack CORPUS corpus/stack DICTIONARY stack.dict)

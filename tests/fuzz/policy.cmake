# SPDX-License-Identifier: GPL-2.0-or-later
sekisho_fuzzer(fuzz_policy SOURCES fuzz_policy.c LIBS sekisho-policy CORPUS corpus/policy)
sekisho_fuzzer(fuzz_bundle SOURCES fuzz_bundle.c LIBS sekisho-policy CORPUS corpus/bundle)
sekisho_fuzzer(fuzz_chain SOURCES fuzz_chain.c LIBS sekisho-chain CORPUS corpus/chain)

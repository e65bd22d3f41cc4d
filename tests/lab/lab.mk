# SPDX-License-Identifier: BSD-2-Clause
#
# The emulated lab: what it fetches, and the commands that use it.

LAB := $(B)/lab
export B

.PHONY: lab-fetch lab-fetch-peer
lab-fetch:
	tests/lab/fetch $(LAB) dom0

lab-fetch-peer: lab-fetch
	tests/lab/fetch $(LAB) peer

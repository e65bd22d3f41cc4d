# SPDX-License-Identifier: BSD-2-Clause
#
# The emulated lab: what it fetches, the commands that use it, and the checks of the whole tree
# that belong to no area.

LAB := $(B)/lab
export B

.PHONY: lab-install lab-fetch lab-fetch-test lab-fetch-peer lab-fetch-model lab-fetch-media
.PHONY: lab-fetch-vmx lab
lab-install:
	@tests/lab/install build host

lab-fetch: lab-install
	@tests/lab/fetch $(LAB) dom0

lab-fetch-test: lab-fetch
	@tests/lab/fetch $(LAB) test

lab-fetch-peer: lab-fetch-test
	@tests/lab/fetch $(LAB) peer

lab-fetch-model: lab-fetch
	@tests/lab/fetch $(LAB) model

lab-fetch-media: lab-fetch-model
	@tests/lab/fetch $(LAB) media

lab-fetch-vmx: lab-fetch
	@tests/lab/install vmx

# What every run of the lab needs. Packages first: the fragments' own rules use them.
lab: lab-fetch
	@echo "Building (about a minute the first time) ..."
	@$(MAKE) -s -j$(JOBS) all

.PHONY: demo shell iso bench
demo: lab lab-fetch-model
	@tests/lab/demo

shell: lab
	@tests/lab/run

iso: lab
	@tests/lab/iso $(B)/zendo.iso

bench: lab lab-fetch-peer lab-fetch-model $(B)/tests/bench/ops
	@tests/bench/bench $(BENCHFLAGS)

# One static program for the guest's ramdisk: no library differs between two runs.
$(B)/tests/bench/ops: tests/bench/ops.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -Wmissing-prototypes -static -o $@ $<

# PV kernels of a few instructions, for the system tests.
tiny-guests := $(patsubst tests/system/tiny/%.S,$(B)/tests/system/%,$(wildcard tests/system/tiny/*.S))
all-targets += $(tiny-guests)
$(B)/tests/system/%: tests/system/tiny/%.S tests/system/tiny/notes.h
	@mkdir -p $(@D)
	$(CC) -nostdlib -static -no-pie -Wl,-Ttext=0x100000 -Wl,--build-id=none -Itests/system/tiny \
		-o $@ $<

# Looks at guests' screens, from dom0.
all-targets += $(B)/tests/lab/vnc
$(B)/tests/lab/vnc: tests/lab/vnc/vnc.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(CC) -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -Wmissing-prototypes -o $@ $<

.PHONY: check-tree check-clang test-system
check-tree:
	@tests/lab/check-tree "$(CC) $(HYP_CPPFLAGS) $(HYP_CFLAGS)" "$(CC) $(tools-cflags)"

# Everything also builds with clang, with the same warnings as errors.
check-clang:
	@if $(MAKE) -s -j$(JOBS) CC=clang B=$(B)/clang $(wildcard hypervisor) tools; \
		then echo "ok - clang builds everything"; \
		else echo "not ok - clang builds everything"; fi

test-system: lab-fetch-test lab-fetch-media
	@tests/system/run

# What QEMU does not emulate: Intel's virtualization.
.PHONY: test-vmx
test-vmx: lab-fetch-test lab-fetch-vmx
	@$(MAKE) -s -j$(JOBS) all
	@tests/lab/tally $(MAKE) -k -j$(JOBS) test-vmx-run

# Side by side: a machine that Bochs emulates takes one CPU, however many it has. The short one is
# part of `make test`, after all that is sensitive to timing.
test-vmx-scripts := $(patsubst tests/vmx/%.sh,test-vmx-%,$(wildcard tests/vmx/*.sh))
.PHONY: test-vmx-run $(test-vmx-scripts)
test-vmx-run: $(filter-out test-vmx-short,$(test-vmx-scripts))
test-vmx-short: lab-fetch-test lab-fetch-vmx
$(test-vmx-scripts): test-vmx-%:
	@tests/system/run --folder tests/vmx $*

check-targets += check-tree check-clang
test-targets += test-system test-vmx-short

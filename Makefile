# SPDX-License-Identifier: BSD-2-Clause
#
# Zendo: the one entry point. Each area brings its own rules in a fragment;
# this file owns only the lists they add to and the names a newcomer types.
#
#   make          build everything        make check   quick tests (< 3 min)
#   make demo     show it all working     make test    every test
#   make shell    a dom0 prompt           make bench   compare with stock Xen
#   make iso      a bootable ISO          make test-vmx  Intel's VMX, in Bochs
#   make install DESTDIR=...

B ?= build
CC ?= gcc
PREFIX ?= /usr
JOBS ?= $(shell nproc)
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:

# make's own default for CC is cc, which would hide ours.
ifeq ($(origin CC),default)
CC := gcc
endif

all-targets :=
check-targets :=
test-targets :=
install-targets :=

.PHONY: default
default: all

include $(wildcard hypervisor/hypervisor.mk dom0-tools/tools.mk tests/unit/unit.mk \
	tests/guests/guests.mk tests/fuzz/fuzz.mk tests/lab/lab.mk)

.PHONY: all install clean
all: $(all-targets)

install: $(install-targets)

clean:
	rm -rf $(B)

# Building may use every CPU; tests run one after the other. tally adds up what they print.
.PHONY: check test check-run test-run
check:
	@tests/lab/tally $(MAKE) check-run

test:
	@tests/lab/tally $(MAKE) test-run

check-run:
	@$(MAKE) -j$(JOBS) all
	@$(MAKE) -k -j1 $(check-targets)

test-run:
	@$(MAKE) -j$(JOBS) all
	@$(MAKE) -k -j1 $(check-targets) $(test-targets)

# Zendo: the one entry point. Each area brings its own rules in a fragment;
# this file owns only the lists they add to and the names a newcomer types.
#
#   make          build everything        make check   quick tests (< 3 min)
#   make demo     show it all working     make test    every test
#   make shell    a dom0 prompt           make bench   compare with stock Xen
#   make iso      a bootable ISO          make install DESTDIR=...

B ?= build
CC ?= gcc
PREFIX ?= /usr
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

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

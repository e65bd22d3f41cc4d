# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzzers (libFuzzer, so clang; ASan and UBSan): one file fuzz_<name>.c each.
#  * Tools: builder/kernel.c lib/config   what of dom0-tools it links; a folder: all its .c
#  * Libs: -lelf -lz                      system libraries, if any
#  * Hypervisor: hvm/decode.c lib/bits.c what of hypervisor/, over the fake CPU of tests/unit/fake
#  * Skip: stored/main.c                  files of those folders to leave out
#  * Also: tests/unit/x/fixture.c         files from elsewhere
# seeds_<name> (.c or .sh, called with a folder) makes the inputs to start from; none are stored.
# `make fuzz-<name> FUZZ_SECONDS=600` runs one for long; what it finds is left in
# $(B)/fuzz/<name>/ and its inputs in $(B)/fuzz/<name>/corpus.

FUZZ_B := $(B)/fuzz
FUZZ_SECONDS ?= 12
FUZZ_CC ?= clang
FUZZ_CFLAGS := -std=gnu11 -O1 -g -D_GNU_SOURCE -D__XEN_TOOLS__=1 -Idom0-tools -Idom0-tools/lib \
	-Iinclude-public -Itests/unit/builder -Wall -Wextra -Werror -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

fuzzers := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz-line = $(shell sed -n 's/^ \* $(2): //p' tests/fuzz/$(1).c)
fuzz-named = $(foreach n,$(call fuzz-line,$(1),Tools),$(if $(filter %.c,$(n)),dom0-tools/$(n),\
	$(wildcard dom0-tools/$(n)/*.c)))
fuzz-hypervisor = $(addprefix hypervisor/,$(call fuzz-line,$(1),Hypervisor))
fuzz-sources = tests/fuzz/$(1).c $(call fuzz-line,$(1),Also) $(call fuzz-hypervisor,$(1)) \
	$(filter-out $(addprefix dom0-tools/,$(call fuzz-line,$(1),Skip)),$(call fuzz-named,$(1)))
# Everything one could include: fuzzers are few and build in seconds.
fuzz-headers := $(shell find dom0-tools hypervisor tests/unit -name '*.h')

# The hypervisor's files are built as for the unit tests.
FUZZ_HYP_CFLAGS := -std=gnu11 -O1 -g -DZENDO_HOST -D__XEN_INTERFACE_VERSION__=0x00040e00 \
	-Itests/unit/fake -Ihypervisor -Iinclude-public -Itests/unit -Wall -Wextra -Werror \
	-Wno-unused-parameter -Wno-unused-result -fno-omit-frame-pointer -fno-strict-aliasing \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz-flags = $(if $(call fuzz-hypervisor,$(1)),$(FUZZ_HYP_CFLAGS),$(FUZZ_CFLAGS))

# One compiler call for all sources: parsers are small, and their flags are no one else's.
define fuzz-program
$(FUZZ_B)/$(1)/fuzz: $(call fuzz-sources,fuzz_$(1)) $(fuzz-headers)
	@mkdir -p $$(@D)
	@echo "  CC  $$@"
	@$$(FUZZ_CC) $(call fuzz-flags,fuzz_$(1)) -fsanitize=fuzzer -o $$@ $$(filter %.c,$$^) \
		$(call fuzz-line,fuzz_$(1),Libs)
endef
$(foreach f,$(fuzzers),$(eval $(call fuzz-program,$(f))))

define fuzz-seeds
$(FUZZ_B)/$(1)/seeds: $(call fuzz-sources,seeds_$(1))
	@mkdir -p $$(@D)
	@$$(CC) $$(filter-out -fsanitize%,$$(filter-out -fno-sanitize%,$$(FUZZ_CFLAGS))) -o $$@ \
		$$^ $(call fuzz-line,seeds_$(1),Libs)
endef
$(foreach f,$(patsubst tests/fuzz/seeds_%.c,%,$(wildcard tests/fuzz/seeds_*.c)),\
	$(eval $(call fuzz-seeds,$(f))))
fuzz-seeder = $(if $(wildcard tests/fuzz/seeds_$(1).c),$(FUZZ_B)/$(1)/seeds,\
	$(wildcard tests/fuzz/seeds_$(1).sh))

fuzz-run-targets := $(addprefix fuzz-,$(fuzzers))
.PHONY: fuzz $(fuzz-run-targets)
$(foreach f,$(fuzzers),$(eval fuzz-$(f): $(FUZZ_B)/$(f)/fuzz $(call fuzz-seeder,$(f))))
$(fuzz-run-targets): fuzz-%:
	@tests/fuzz/run $* $(FUZZ_B)/$* $(FUZZ_SECONDS) $(call fuzz-seeder,$*)

fuzz: $(fuzz-run-targets)

test-targets += fuzz

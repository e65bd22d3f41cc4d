# SPDX-License-Identifier: BSD-2-Clause
#
# Unit tests: the hypervisor's core compiled for this machine, with ASan and
# UBSan, over the fake CPU of tests/unit/fake.
#
# Each tests/unit/<area>/test_<name>.c is one program.  It names the files of
# the hypervisor it needs in a comment line of its own:
#  * Links: mm/page_type.c pv/pagetable.c lib/bits.c
# and files of tests/unit it shares with others in another, ` * Helpers: pv/guest.c`;
# fake.c and fake_hvm.c it gets besides.  `make check-unit` runs all; `make unit-<area>-<name>` one;
# `make unit-coverage` prints how much of the linked files they reach.

UNIT_B := $(B)/unit
UNIT_CFLAGS := -std=gnu11 -O1 -g -DZENDO_HOST -D__XEN_INTERFACE_VERSION__=0x00040e00 \
	-Itests/unit/fake -Ihypervisor -Iinclude-public -Itests/unit -Wall -Wextra -Werror -Wmissing-prototypes -Wno-unused-parameter -Wno-clobbered -Wno-unused-result \
	-fno-omit-frame-pointer -fno-strict-aliasing -MMD -MP
UNIT_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
# Several threads play CPUs: counters that they race for come out negative, which gcovr cannot read.
UNIT_COVERAGE := --coverage -fprofile-update=atomic
UNIT_LIBS := -lcmocka -lpthread

# The tools have unit tests too, with rules of their own: tests/unit/tools.mk
unit-tests := $(patsubst tests/unit/%.c,%,$(shell grep -ls '^ \* Links: ' tests/unit/*/test_*.c))
# A test's hypervisor files, as paths below hypervisor/ without .c
unit-links = $(patsubst %.c,%,$(shell sed -n 's/^ \* Links: //p' tests/unit/$(1).c))

unit-helpers = $(patsubst %.c,%,$(shell sed -n 's/^ \* Helpers: //p' tests/unit/$(1).c))

# $(1): output folder, $(2): test, $(3): extra flags
define unit-program
$(1)/$(2): $(1)/tests/$(2).o $(1)/tests/fake/fake.o $(1)/tests/fake/fake_hvm.o $(addprefix $(1)/tests/,$(addsuffix .o,$(call unit-helpers,$(2)))) $(addprefix $(1)/hyp/,$(addsuffix .o,$(call unit-links,$(2))))
	@mkdir -p $$(@D)
	@$$(CC) $(3) -o $$@ $$^ $$(UNIT_LIBS)
endef

$(foreach t,$(unit-tests),$(eval $(call unit-program,$(UNIT_B),$(t),$(UNIT_SANITIZE))))
$(foreach t,$(unit-tests),$(eval $(call unit-program,$(UNIT_B)-cov,$(t),--coverage)))

$(UNIT_B)/tests/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(CC) $(UNIT_CFLAGS) $(UNIT_SANITIZE) -c -o $@ $<

$(UNIT_B)/hyp/%.o: hypervisor/%.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(CC) $(UNIT_CFLAGS) $(UNIT_SANITIZE) -c -o $@ $<

$(UNIT_B)-cov/tests/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(CC) $(UNIT_CFLAGS) -c -o $@ $<

$(UNIT_B)-cov/hyp/%.o: hypervisor/%.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(CC) $(UNIT_CFLAGS) $(UNIT_COVERAGE) -c -o $@ $<

-include $(shell find $(UNIT_B) $(UNIT_B)-cov -name '*.d' 2>/dev/null)

# One program, its name without the test_ prefix: unit-pv-pagetable
unit-run-targets := $(foreach t,$(unit-tests),unit-$(subst /test_,-,$(t)))
.PHONY: check-unit unit-coverage $(unit-run-targets)
$(foreach t,$(unit-tests),$(eval unit-$(subst /test_,-,$(t)): $(UNIT_B)/$(t)))
$(unit-run-targets):
	@tests/unit/run $<

check-unit: $(addprefix $(UNIT_B)/,$(unit-tests))
	@tests/unit/run $^

unit-coverage: $(addprefix $(UNIT_B)-cov/,$(unit-tests))
	@find $(UNIT_B)-cov -name '*.gcda' -delete
	@tests/unit/run $^
	@gcovr --root . --filter hypervisor/ --object-directory $(UNIT_B)-cov $(UNIT_B)-cov

check-targets += check-unit
test-targets += unit-coverage

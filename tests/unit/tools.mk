# SPDX-License-Identifier: BSD-2-Clause
#
# SPDX-License-Identifier: BSD-2-Clause
#
# Unit tests of the tools: tests/unit/<area>/test_<name>.c with the areas below,
# each one program with ASan and UBSan.  A test names the folders (or files) of
# dom0-tools it needs in a comment line of its own:
#  * Tools: stored
# A daemon's main.c and what needs devices is left out unless named: see TOOLS_UNIT_SKIP.
# tests/unit/<area>/fixture.c, where there is one, is linked in, and what a test names itself:
#  * Also: tests/unit/builder/fixture_machine.c

TOOLS_UNIT_AREAS := stored consoled config builder zl hyp model
# Libraries besides cmocka that an area needs.
TOOLS_UNIT_LIBS_builder = $(tools-image-libs)
TOOLS_UNIT_LIBS_zl = -ljson-c -lncurses -ltinfo
TOOLS_UNIT_LIBS_model = -ljson-c
TOOLS_UNIT_B := $(B)/unit-tools
TOOLS_UNIT_CFLAGS := -std=gnu11 -O1 -g -D_GNU_SOURCE -D__XEN_TOOLS__=1 -Idom0-tools -Idom0-tools/lib \
	-Iinclude-public -Wall -Wextra -Werror -Wmissing-prototypes -Wno-clobbered \
	-fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -MMD -MP
TOOLS_UNIT_SKIP := %/main.c stored/server.c stored/socket.c stored/xen.c consoled/hyplog.c \
	consoled/xen.c consoled/server.c consoled/domains.c

tools-unit-tests := $(foreach a,$(TOOLS_UNIT_AREAS),$(patsubst tests/unit/%.c,%,$(wildcard tests/unit/$(a)/test_*.c)))
tools-unit-also = $(shell sed -n 's/^ \* Also: //p' tests/unit/$(1).c)
tools-unit-named = $(shell sed -n 's/^ \* Tools: //p' tests/unit/$(1).c)
# Folders stand for their .c files but those of TOOLS_UNIT_SKIP.
tools-unit-sources = $(foreach n,$(call tools-unit-named,$(1)),$(if $(filter %.c,$(n)),$(n),\
	$(filter-out $(TOOLS_UNIT_SKIP),$(patsubst dom0-tools/%,%,$(wildcard dom0-tools/$(n)/*.c)))))

define tools-unit-program
$(TOOLS_UNIT_B)/$(1): $(TOOLS_UNIT_B)/tests/$(1).o \
		$(patsubst tests/unit/%.c,$(TOOLS_UNIT_B)/tests/%.o,$(wildcard tests/unit/$(dir $(1))fixture.c) \
		$(call tools-unit-also,$(1))) \
		$(patsubst %.c,$(TOOLS_UNIT_B)/tools/%.o,$(call tools-unit-sources,$(1)))
	@mkdir -p $$(@D)
	@$$(CC) -fsanitize=address,undefined -o $$@ $$^ -lcmocka $(TOOLS_UNIT_LIBS_$(patsubst %/,%,$(dir $(1))))
endef
$(foreach t,$(tools-unit-tests),$(eval $(call tools-unit-program,$(t))))

$(TOOLS_UNIT_B)/tests/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(CC) $(TOOLS_UNIT_CFLAGS) -c -o $@ $<

$(TOOLS_UNIT_B)/tools/%.o: dom0-tools/%.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(CC) $(TOOLS_UNIT_CFLAGS) -c -o $@ $<

-include $(shell find $(TOOLS_UNIT_B) -name '*.d' 2>/dev/null)

.PHONY: check-unit-tools
check-unit-tools: $(addprefix $(TOOLS_UNIT_B)/,$(tools-unit-tests))
	@tests/unit/run $^

check-targets += check-unit-tools

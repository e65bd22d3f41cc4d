# SPDX-License-Identifier: BSD-2-Clause
#
# The hypervisor: build/hypervisor/zendo is the flat image for a Multiboot
# loader, zendo.elf the same with symbols.  Linked twice: the second link
# carries the table of function names that backtraces print.

HYP := $(B)/hypervisor
hyp-c := $(wildcard hypervisor/*/*.c hypervisor/*/*/*.c)
hyp-S := $(wildcard hypervisor/*/*.S hypervisor/*/*/*.S)
hyp-o := $(hyp-c:hypervisor/%.c=$(HYP)/%.o) $(hyp-S:hypervisor/%.S=$(HYP)/%.S.o)

ABI_CFLAGS := -D__XEN_INTERFACE_VERSION__=0x00040e00
HYP_CPPFLAGS := $(ABI_CFLAGS) -Ihypervisor -Iinclude-public -I$(HYP)/gen
HYP_WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wvla -Wno-unused-parameter
HYP_CFLAGS := -std=gnu11 -O2 -g $(HYP_WARN) -ffreestanding -fpie -fvisibility=hidden \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-strict-aliasing -fno-common -fcf-protection=none -fno-omit-frame-pointer \
	-fno-optimize-sibling-calls -ffunction-sections -fdata-sections \
	-include hypervisor/lib/visibility.h
HYP_LDFLAGS := -nostdlib -static -no-pie -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments --gc-sections \
	--build-id=sha1 -T $(HYP)/zendo.lds

all-targets += $(HYP)/zendo

.PHONY: hypervisor
hypervisor: $(HYP)/zendo

$(HYP)/gen/offsets.h: hypervisor/cpu/offsets.c.in hypervisor/cpu/offsets.sh
	@mkdir -p $(@D)
	$(CC) $(HYP_CPPFLAGS) $(filter-out -Werror,$(HYP_CFLAGS)) -x c -S -MD -MF $(HYP)/gen/offsets.d -MT $@ \
		-o $(HYP)/gen/offsets.s $<
	sh hypervisor/cpu/offsets.sh $(HYP)/gen/offsets.s > $@

$(HYP)/%.o: hypervisor/%.c
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(HYP_CPPFLAGS) $(HYP_CFLAGS) -MD -MP -c -o $@ $<

$(HYP)/%.S.o: hypervisor/%.S $(HYP)/gen/offsets.h
	@mkdir -p $(@D)
	@echo '  AS      $<'
	@$(CC) $(HYP_CPPFLAGS) -D__ASSEMBLER__ -Wa,--noexecstack -g -MD -MP -c -o $@ $<

$(HYP)/zendo.lds: hypervisor/boot/zendo.lds.in hypervisor/cpu/layout.h
	@mkdir -p $(@D)
	$(CC) -E -P -x c -D__ASSEMBLER__ -D__LINKER__ -Ihypervisor -o $@ $<

# A link with no names, one with a table of the right size, which moves what lies
# behind it, and the real one.
define link-with-names
	sh hypervisor/boot/symbols.sh < $(1) > $(HYP)/symbols.S
	$(CC) -c -o $(HYP)/symbols.o $(HYP)/symbols.S
	$(LD) $(HYP_LDFLAGS) -o $(2) $(hyp-o) $(HYP)/symbols.o
	$(NM) -n $(2) > $(2).names
endef
$(HYP)/zendo.elf: $(hyp-o) $(HYP)/zendo.lds hypervisor/boot/symbols.sh
	$(call link-with-names,/dev/null,$(HYP)/pass1.elf)
	$(call link-with-names,$(HYP)/pass1.elf.names,$(HYP)/pass2.elf)
	$(call link-with-names,$(HYP)/pass2.elf.names,$@)

$(HYP)/zendo: $(HYP)/zendo.elf
	$(OBJCOPY) -O binary $< $@
	@$(SIZE) $< | tail -1 | awk '{ printf "zendo: %d bytes of text and read-only data, %d of data, %d of bss\n", $$1, $$2, $$3 }'

NM ?= nm
OBJCOPY ?= objcopy
SIZE ?= size

-include $(hyp-o:.o=.d) $(HYP)/gen/offsets.d

install-targets += install-hypervisor
.PHONY: install-hypervisor
install-hypervisor: $(HYP)/zendo
	install -D -m 644 $(HYP)/zendo $(DESTDIR)/boot/zendo
	install -D -m 644 $(HYP)/zendo.elf $(DESTDIR)$(PREFIX)/lib/debug/boot/zendo.elf

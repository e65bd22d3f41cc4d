# SPDX-License-Identifier: BSD-2-Clause
#
# Test guests: each folder but lib/ and lib-hvm/ is one, a small kernel, which
# tests/system/attack.sh starts: as PVH those named hvm-*, the others as PV.
# Those named crash-* must be ended by the hypervisor; the others say what held
# and power off.

GUESTS_B := $(B)/guests
GUEST_CFLAGS := -std=gnu11 -O1 -g -D__XEN_INTERFACE_VERSION__=0x00040e00 -Itests/guests/lib -Itests/guests/lib-hvm \
	-Wall -Wextra -Werror -Wmissing-prototypes -ffreestanding -fno-pic -mcmodel=kernel \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-strict-aliasing
guests := $(sort $(patsubst tests/guests/%/,%,$(filter-out tests/guests/lib/ tests/guests/lib-hvm/,$(dir $(wildcard tests/guests/*/*.c)))))
guest-lib = $(if $(filter hvm-%,$(1)),lib-hvm,lib)
guest-lib-o = $(GUESTS_B)/lib/say.o $(if $(filter hvm-%,$(1)),$(addprefix $(GUESTS_B)/lib-hvm/,start.o hvm.o),$(addprefix $(GUESTS_B)/lib/,start.o guest.o))

all-targets += $(guests:%=$(GUESTS_B)/%.elf)

$(GUESTS_B)/%/start.o: tests/guests/%/start.S
	@mkdir -p $(@D)
	@$(CC) -c -o $@ $<

$(GUESTS_B)/%.o: tests/guests/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

define guest-program
$(GUESTS_B)/$(1).elf: $(patsubst tests/guests/%.c,$(GUESTS_B)/%.o,$(wildcard tests/guests/$(1)/*.c)) \
		$(call guest-lib-o,$(1)) tests/guests/$(call guest-lib,$(1))/guest.lds
	@$$(LD) -nostdlib -static -z max-page-size=4096 --no-warn-rwx-segments \
		-T tests/guests/$(call guest-lib,$(1))/guest.lds -o $$@ $$(filter %.o,$$^)
endef
$(foreach g,$(guests),$(eval $(call guest-program,$(g))))

-include $(wildcard $(GUESTS_B)/*/*.d)

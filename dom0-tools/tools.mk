# SPDX-License-Identifier: BSD-2-Clause
#
# The tools of dom0: shared libraries and programs, under $(B)/dom0-tools/; objects under $(B)/obj/.
# A folder is a library or a program; its sources are all its .c files, its
# objects lie in a folder of the same name. Adding a file needs no change here;
# adding a folder needs one line. Includes read "hyp/hyp.h", "builder/build.h".

tools-dir := dom0-tools
tools-out := $(B)/dom0-tools

TOOLS_CFLAGS ?= -O2 -g
tools-cflags := -std=gnu11 -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-fPIC -fvisibility=default -fno-strict-aliasing -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-D__XEN_TOOLS__=1 -I$(tools-dir) -I$(tools-dir)/lib -Iinclude-public
tools-ldflags := -Wl,--as-needed -Wl,-z,relro -Wl,-z,now -Wl,--no-undefined
tools-objs = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(tools-dir)/$(1)/*.c))

$(B)/obj/$(tools-dir)/%.o: $(tools-dir)/%.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	@$(CC) $(tools-cflags) $(TOOLS_CFLAGS) -MMD -MP -c -o $@ $<

# $(call tool-library,NAME,FOLDER,libraries of ours,system libraries)
define tool-library
ifneq ($$(wildcard $(tools-dir)/$(2)/*.c),)
$(tools-out)/lib$(1).so: $$(call tools-objs,$(2)) $(patsubst %,$(tools-out)/lib%.so,$(3))
	@mkdir -p $$(@D)
	@echo "  CC  $$@"
	@$$(CC) -shared -Wl,-soname,lib$(1).so $(tools-ldflags) -Wl,-rpath,'$$$$ORIGIN' -o $$@ $$(call tools-objs,$(2)) \
		-L$(tools-out) $(patsubst %,-l%,$(3)) $(4)
all-targets += $(tools-out)/lib$(1).so
tools-libs += $(tools-out)/lib$(1).so
-include $$(patsubst %.o,%.d,$$(call tools-objs,$(2)))
endif
endef

# $(call tool-program,NAME,FOLDER,libraries of ours,system libraries,sources: all of FOLDER,
#        directory to install in)
define tool-program
ifneq ($$(wildcard $(or $(5),$(tools-dir)/$(2)/*.c)),)
$(tools-out)/$(1): $$(patsubst %.c,$(B)/obj/%.o,$$(wildcard $(or $(5),$(tools-dir)/$(2)/*.c))) \
		$(patsubst %,$(tools-out)/lib%.so,$(3))
	@mkdir -p $$(@D)
	@echo "  CC  $$@"
	@$$(CC) $(tools-ldflags) -Wl,-rpath,'$$$$ORIGIN:$$$$ORIGIN/../lib/zendo' -o $$@ \
		$$(filter %.o,$$^) -L$(tools-out) $(patsubst %,-l%,$(3)) $(4)
all-targets += $(tools-out)/$(1)
tools-programs-$(6) += $(tools-out)/$(1)
-include $$(patsubst %.c,$(B)/obj/%.d,$$(wildcard $(or $(5),$(tools-dir)/$(2)/*.c)))
endif
endef

tools-image-libs := -lelf -lz -llzma -lzstd -llz4 -lbz2 -llzo2

$(eval $(call tool-library,zhyp,lib/hyp))
$(eval $(call tool-library,zconfig,lib/config))
$(eval $(call tool-library,zdaemon,lib/daemon))
$(eval $(call tool-library,zevtchn,lib/evtchn))
$(eval $(call tool-library,zstore,lib/store,,-lpthread))
$(eval $(call tool-library,zbuild,builder,zhyp,$(tools-image-libs)))
$(eval $(call tool-library,zdevice,device,zstore zconfig zhyp))
$(eval $(call tool-library,zmodel,model,zdevice zconfig,-ljson-c))

$(eval $(call tool-program,zkernel,,zbuild,-ljson-c,$(tools-dir)/builder/zkernel/*.c,bin))
$(eval $(call tool-program,zstored,stored,zdaemon zevtchn zhyp,,,sbin))
$(eval $(call tool-program,zconsoled,consoled,zdaemon zevtchn zstore zhyp,,,sbin))
$(eval $(call tool-program,zl,zl,zbuild zconfig zmodel $(if $(wildcard $(tools-dir)/device/*.c),zdevice) $(if $(wildcard $(tools-dir)/lib/store/*.c),zstore) zhyp,-ljson-c -lncurses -ltinfo,,sbin))

.PHONY: tools install-tools
tools: $(tools-libs) $(tools-programs-bin) $(tools-programs-sbin)

install-targets += install-tools
install-tools: tools
	install -d $(DESTDIR)$(PREFIX)/lib/zendo $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	install -m 0755 $(tools-libs) $(DESTDIR)$(PREFIX)/lib/zendo
	$(if $(tools-programs-bin),install -m 0755 $(tools-programs-bin) $(DESTDIR)$(PREFIX)/bin)
	$(if $(tools-programs-sbin),install -m 0755 $(tools-programs-sbin) $(DESTDIR)$(PREFIX)/sbin)
	for section in 1 5 8; do \
		set -- $(tools-dir)/man/*.$$section; \
		[ -e "$$1" ] || continue; \
		install -d $(DESTDIR)$(PREFIX)/share/man/man$$section; \
		install -m 0644 "$$@" $(DESTDIR)$(PREFIX)/share/man/man$$section; \
	done

include $(wildcard tests/unit/tools.mk)

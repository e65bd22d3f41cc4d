/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What interrupts a vCPU: the order of sources, windows, upcalls in their three
 * forms; wires to the PIC and the I/O APIC, PCI links, MSIs; both controllers'
 * registers.  A random walk checks that wires and counts never part.
 *
 * Links: hvm/interrupt.c hvm/lines.c hvm/vpic.c hvm/vioapic.c hvm/vpit.c hvm/vrtc.c hvm/vpm.c
 * Links: hvm/vhpet.c hvm/platform.c hvm/vdebug.c hvm/vlapic.c hvm/vlapic_regs.c hvm/vlapic_timer.c
 * Links: hvm/vlapic_ipi.c dev/cmos_time.c time/timer.c time/scale.c lib/bits.c
 * Helpers: hvm/fake_vendor.c hvm/fake_platform.c
 */
#include "fake_platform.h"

#include "hvm/hvm.h"

#define RFLAGS_IF	   0x200
#define VIA(type, val)	   ((uint64_t)(type) << 56 | (val))
#define VIA_VECTOR(vector) VIA(HVM_PARAM_CALLBACK_TYPE_VECTOR, vector)

static struct domain *d;
static struct vcpu *v;

static void begin(void)
{
	d = fake_platform_domain(2, FAKE_EMU_HVM);
	v = d->vcpus[0];
	guest_regs()->rflags = RFLAGS_IF;
}

static void end(void)
{
	fake_platform_free(d);
}

static void x2apic_on(struct vcpu *w)
{
	CHECK_EQ(vlapic_msr_write(w, 0x1b, w->hvm->apic_base | APIC_BASE_EXTD), 0);
	CHECK_EQ(vlapic_msr_write(w, 0x80f, 0x1ff), 0);
}

static void eoi(struct vcpu *w)
{
	CHECK_EQ(vlapic_msr_write(w, 0x80b, 0), 0);
}

static void event_set(struct vcpu *w, bool on)
{
	w->info->evtchn_upcall_pending = on;
	if (on)
		hvm_upcall_raise(w);
}

/* What the next entry injects, -1: nothing; it is gone then. */
static int entry(void)
{
	int vector;

	hvm_interrupts_prepare(v);
	vector = v->hvm->event.is_set ? v->hvm->event.vector : -1;
	v->hvm->event.is_set = false;
	return vector;
}

/* --- upcalls and order --- */

TEST(an_upcall_by_vector_asks_for_no_window_once_told)
{
	begin();
	CHECK_EQ(hvm_callback_set(d, VIA_VECTOR(0xf3)), 0);
	event_set(v, true);
	CHECK_EQ(fake_kicked[0], 1);
	CHECK_EQ(hvm_interrupt_pending(v).source, HVM_INT_UPCALL);
	guest_regs()->rflags = 0;
	CHECK_EQ(entry(), -1);
	CHECK_EQ(fake_window, HVM_WINDOW_ANY);
	guest_regs()->rflags = RFLAGS_IF;
	fake_shadow = HVM_SHADOW_STI;
	CHECK_EQ(entry(), -1);
	CHECK_EQ(fake_window, HVM_WINDOW_ANY);
	fake_shadow = 0;
	CHECK_EQ(entry(), 0xf3);
	CHECK_EQ(fake_window, 0);
	event_set(v, false);
	CHECK_EQ(entry(), -1);
	end();
}

TEST(an_event_that_is_there_already_goes_first)
{
	begin();
	CHECK_EQ(hvm_callback_set(d, VIA_VECTOR(0xf3)), 0);
	event_set(v, true);
	v->hvm->event =
		(struct hvm_event){.is_set = true, .type = HVM_EVENT_EXCEPTION, .vector = 13};
	CHECK_EQ(entry(), 13);
	CHECK_EQ(fake_window, HVM_WINDOW_ANY);
	CHECK_EQ(entry(), 0xf3);
	end();
}

TEST(sources_in_order)
{
	begin();
	x2apic_on(v);
	CHECK_EQ(vlapic_msr_write(v, 0x835, 0x700), 0); /* LVT0: ExtINT */
	fake_pic_start(d);
	CHECK_EQ(hvm_callback_set(d, VIA_VECTOR(0xf3)), 0);
	vlapic_raise(v, 0x91, false);
	hvm_isa_irq_set(d, 3, true);
	event_set(v, true);
	v->hvm->is_nmi_pending = true;
	CHECK_EQ(entry(), 2);
	CHECK(v->hvm->is_nmi_masked);
	v->hvm->is_nmi_pending = true; /* another: not before the first's IRET */
	CHECK_EQ(entry(), 0xf3);
	CHECK(fake_nmi_window);
	CHECK_EQ(fake_window, HVM_WINDOW_ANY); /* for the PIC's */
	event_set(v, false);
	CHECK_EQ(entry(), 0x23);
	CHECK_EQ(fake_window, 9);
	CHECK_EQ(entry(), 0x91);
	CHECK_EQ(fake_window, 0);
	CHECK_EQ(entry(), -1);
	end();
}

TEST(the_tpr_goes_to_the_vendor_and_back)
{
	begin();
	x2apic_on(v);
	vlapic_cr8_set(v, 9);
	vlapic_raise(v, 0x91, false);
	CHECK_EQ(entry(), -1);
	CHECK_EQ(fake_window, 9);
	CHECK_EQ(fake_tpr, 9);
	fake_tpr = 8;
	hvm_interrupts_finish(v);
	CHECK_EQ(entry(), 0x91);
	end();
}

/* As hvmloader leaves the machine: LINT0 masked, the PIC behind pin 0 of the I/O APIC. */
TEST(the_pic_is_heard_through_the_io_apic)
{
	begin();
	x2apic_on(v);
	x2apic_on(d->vcpus[1]);
	fake_pic_start(d);
	fake_ioapic_route(d, 0, 0x700 | 1UL << 56); /* to nobody: ids are even */
	hvm_isa_irq_set(d, 1, true);
	CHECK_EQ(hvm_interrupt_pending(v).source, HVM_INT_NONE);
	fake_ioapic_route(d, 0, 0x700 | 1UL << 16);
	CHECK_EQ(hvm_interrupt_pending(v).source, HVM_INT_NONE); /* masked */
	fake_ioapic_route(d, 0, 0x700 | 1UL << 11);
	CHECK_EQ(hvm_interrupt_pending(v).source, HVM_INT_NONE); /* to logical ids */
	fake_ioapic_route(d, 0, 0);
	CHECK_EQ(hvm_interrupt_pending(v).source, HVM_INT_NONE); /* fixed */
	fake_ioapic_route(d, 0, 0x700);
	CHECK_EQ(hvm_interrupt_pending(v).source, HVM_INT_PIC);
	CHECK_EQ(hvm_interrupt_pending(d->vcpus[1]).source, HVM_INT_NONE);
	fake_ioapic_route(d, 0, 0x700 | 2UL << 56);
	CHECK_EQ(hvm_interrupt_pending(d->vcpus[1]).source, HVM_INT_PIC);
	end();
}

TEST(a_vcpus_own_upcall_vector_is_the_local_apics)
{
	begin();
	x2apic_on(d->vcpus[1]);
	CHECK_EQ(hvm_callback_set(d, VIA_VECTOR(0xf3)), 0);
	d->vcpus[1]->hvm->upcall_vector = 0x71;
	event_set(d->vcpus[1], true);
	CHECK_EQ(hvm_interrupt_pending(d->vcpus[1]).source, HVM_INT_LAPIC);
	CHECK_EQ(vlapic_take(d->vcpus[1]), 0x71);
	end();
}

TEST(callbacks_that_are_none)
{
	begin();
	CHECK_EQ(hvm_callback_set(d, VIA_VECTOR(15)), -EINVAL);
	CHECK_EQ(hvm_callback_set(d, VIA(HVM_PARAM_CALLBACK_TYPE_GSI, HVM_GSIS)), -EINVAL);
	CHECK_EQ(hvm_callback_set(d, VIA(3, 0x20)), -EINVAL);
	CHECK_EQ(d->hvm->callback, 0);
	event_set(v, true);
	CHECK_EQ(entry(), -1);
	CHECK_EQ(hvm_callback_set(d, VIA(HVM_PARAM_CALLBACK_TYPE_GSI, HVM_GSIS - 1)), 0);
	CHECK_EQ(hvm_callback_set(d, VIA(HVM_PARAM_CALLBACK_TYPE_GSI, 0)), 0);
	end();
}

TEST(a_callback_by_wire_follows_the_events)
{
	begin();
	x2apic_on(v);
	/* INTA# of device 3: GSI 28, level, low-active, to vCPU 0 */
	fake_ioapic_route(d, 28, 0x61 | 1UL << 15 | 1UL << 13);
	event_set(v, true); /* before it is set: it is found then */
	CHECK_EQ(hvm_callback_set(d, VIA(HVM_PARAM_CALLBACK_TYPE_PCI_INTX, 3U << 11)), 0);
	CHECK_EQ(entry(), 0x61);
	CHECK_EQ(entry(), -1);
	eoi(v); /* still up */
	CHECK_EQ(entry(), 0x61);
	v->info->evtchn_upcall_pending = 0;
	eoi(v);
	CHECK_EQ(entry(), -1);
	event_set(v, true);
	CHECK_EQ(entry(), 0x61);
	event_set(d->vcpus[1], true); /* nobody hears vCPU 1's */
	CHECK_EQ(hvm_interrupt_pending(d->vcpus[1]).source, HVM_INT_NONE);
	/* Moved to a vector, the wire falls. */
	CHECK_EQ(hvm_callback_set(d, VIA_VECTOR(0xf3)), 0);
	eoi(v);
	CHECK_EQ(entry(), 0xf3);
	v->info->evtchn_upcall_pending = 0;
	CHECK_EQ(entry(), -1);
	end();
}

/* --- wires --- */

static unsigned int wires_of(unsigned int gsi)
{
	const struct hvm_lines *l = &d->hvm->platform->lines;
	unsigned int n = bit_test(&l->gsi, gsi), links[HVM_PCI_LINKS] = {0};

	for (unsigned int irq = 0; irq < 16; irq++)
		n += bit_test(&l->isa, irq) && (irq ? irq : 2) == gsi;
	for (unsigned int wire = 0; wire < 128; wire++) {
		unsigned int device = wire / 4, pin = wire % 4;

		if (!bit_test(l->pci, wire))
			continue;
		n += ((device * 4 + (device >> 3) + pin) & 31) + 16 == gsi;
		links[(device + pin) & 3]++;
	}
	for (unsigned int link = 0; link < HVM_PCI_LINKS; link++)
		n += links[link] && l->route[link] && l->route[link] == gsi;
	return n;
}

TEST(counts_follow_the_wires)
{
	begin();
	srand(1);
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int r = rand();

		switch (rand() % 4) {
		case 0:
			hvm_gsi_set(d, r % 50, r & 64);
			break;
		case 1:
			hvm_isa_irq_set(d, r % 18, r & 64);
			break;
		case 2:
			hvm_pci_intx_set(d, r % 33, r >> 8 & 7, r & 1 << 12);
			break;
		default:
			CHECK_EQ(hvm_pci_link_set(d, r % 5, r / 8 % 18),
				 r % 5 < 4 && r / 8 % 18 < 16 ? 0 : -EINVAL);
		}
		if (i % 16)
			continue;
		for (unsigned int gsi = 0; gsi < HVM_GSIS; gsi++)
			CHECK_EQ(d->hvm->platform->lines.count[gsi], wires_of(gsi));
	}
	end();
}

TEST(a_pvh_domain_has_no_wires)
{
	struct hvm_io io = {.addr = 0x20, .size = 1, .is_port = true};

	d = fake_platform_domain(1, XEN_X86_EMU_LAPIC);
	v = d->vcpus[0];
	hvm_gsi_set(d, 1, true);
	hvm_isa_irq_set(d, 1, true);
	hvm_pci_intx_set(d, 1, 0, true);
	CHECK_EQ(hvm_acpi_button(d, false), -ENODEV);
	CHECK_EQ(hvm_pci_link_set(d, 0, 5), -EINVAL);
	CHECK(!hvm_platform_access(v, &io));
	io = (struct hvm_io){.addr = 0xfec00000, .size = 4};
	CHECK(!hvm_platform_access(v, &io));
	CHECK_EQ(fake_io(d, false, 0xfee00030, 4, -1), 0x50014);
	x2apic_on(v);
	vlapic_raise(v, 0x41, true);
	CHECK_EQ(vlapic_take(v), 0x41);
	eoi(v); /* no I/O APIC hears of it */
	end();
}

TEST(an_nmi_that_is_gone)
{
	struct hvm_interrupt i = {.source = HVM_INT_NMI};

	begin();
	CHECK(!hvm_interrupt_take(v, &i));
	CHECK(!v->hvm->is_nmi_masked);
	end();
}

TEST(messages)
{
	begin();
	x2apic_on(v);
	x2apic_on(d->vcpus[1]);
	CHECK_EQ(hvm_msi_send(d, 0xfee02000, 0x55), 0);
	CHECK_EQ(vlapic_take(d->vcpus[1]), 0x55);
	CHECK_EQ(hvm_msi_send(d, 0xfef02000, 0x55), -EINVAL);
	CHECK_EQ(hvm_msi_send(d, 0x1fee02000, 0x55), -EINVAL);
	CHECK_EQ(hvm_msi_send(d, 0xfee03000, 0x55), -EINVAL);  /* nobody's */
	CHECK_EQ(hvm_msi_send(d, 0xfee02000, 0x555), -EINVAL); /* INIT */
	CHECK_EQ(hvm_msi_send(d, 0xfee02000, 0x8066), 0);      /* de-assert */
	CHECK_EQ(vlapic_take(d->vcpus[1]), -1);
	CHECK_EQ(hvm_msi_send(d, 0xfeeff000, 0x66), 0);
	CHECK_EQ(vlapic_take(v), 0x66);
	end();
}

/* --- the I/O APIC --- */

TEST(ioapic_edges_and_levels)
{
	begin();
	x2apic_on(v);
	fake_ioapic_route(d, 4, 0x44);
	hvm_isa_irq_set(d, 4, true);
	hvm_isa_irq_set(d, 4, true);
	CHECK_EQ(entry(), 0x44);
	eoi(v);
	CHECK_EQ(entry(), -1);
	fake_ioapic_route(d, 9, 0x49 | 1UL << 15);
	hvm_isa_irq_set(d, 9, true);
	CHECK_EQ(entry(), 0x49);
	CHECK_EQ(fake_ioapic_read(d, 0x10 + 2 * 9) & 1U << 14, 1U << 14);
	hvm_isa_irq_set(d, 9, false);
	hvm_isa_irq_set(d, 9, true); /* not before its end */
	CHECK_EQ(entry(), -1);
	eoi(v);
	CHECK_EQ(entry(), 0x49);
	hvm_isa_irq_set(d, 9, false);
	eoi(v);
	CHECK_EQ(entry(), -1);
	CHECK_EQ(fake_ioapic_read(d, 0x10 + 2 * 9) & 1U << 14, 0);
	/* A level that is up when its pin is unmasked is delivered. */
	fake_ioapic_route(d, 10, 1U << 16 | 0x4a | 1UL << 15);
	hvm_isa_irq_set(d, 10, true);
	CHECK_EQ(entry(), -1);
	fake_ioapic_write(d, 0x10 + 2 * 10, 0x4a | 1UL << 15);
	CHECK_EQ(entry(), 0x4a);
	/* One that nobody has accepted is offered again when it is rewritten. */
	fake_ioapic_route(d, 11, 0x4b | 1UL << 15 | 0x33UL << 56);
	hvm_isa_irq_set(d, 11, true);
	CHECK_EQ(fake_ioapic_read(d, 0x10 + 2 * 11) & 1U << 14, 0);
	fake_ioapic_route(d, 11, 0x5b | 1UL << 15);
	CHECK_EQ(entry(), 0x5b);
	end();
}

TEST(ioapic_registers)
{
	begin();
	CHECK_EQ(fake_ioapic_read(d, 1), 0x2f0011);
	fake_ioapic_write(d, 0, ~0U);
	CHECK_EQ(fake_ioapic_read(d, 0), 0x0f000000);
	CHECK_EQ(fake_ioapic_read(d, 2), 0x0f000000);
	fake_ioapic_write(d, 0x10, ~0U);
	CHECK_EQ(fake_ioapic_read(d, 0x10), 0x1afff);
	fake_ioapic_write(d, 0x11, ~0U);
	CHECK_EQ(fake_ioapic_read(d, 0x11), 0xff000000);
	CHECK_EQ(fake_ioapic_read(d, 0x10 + 2 * HVM_GSIS), 0); /* beyond the last */
	fake_ioapic_write(d, 0x10 + 2 * HVM_GSIS, 0);
	fake_ioapic_write(d, 0xff, 0);
	fake_ioapic_write(d, 0x05, 0);
	CHECK_EQ(fake_ioapic_read(d, 0x05), 0);
	CHECK_EQ(fake_io(d, false, 0xfec00008, 4, -1), 0);
	end();
}

/* --- the PIC --- */

static int pic_ack(void)
{
	struct hvm_interrupt i = {.source = HVM_INT_PIC};

	return hvm_interrupt_take(v, &i) ? i.vector : -1;
}

TEST(pic_priorities_cascade_and_eoi)
{
	begin();
	fake_pic_start(d);
	hvm_isa_irq_set(d, 12, true);
	hvm_isa_irq_set(d, 1, true);
	CHECK_EQ(pic_ack(), 0x21);
	CHECK_EQ(pic_ack(), -1); /* IRQ 1 is in service */
	fake_io(d, true, 0x20, 1, 0x20);
	CHECK_EQ(pic_ack(), 0x2c);
	hvm_isa_irq_set(d, 3, true); /* below the cascade */
	CHECK_EQ(pic_ack(), -1);
	hvm_isa_irq_set(d, 1, false);
	hvm_isa_irq_set(d, 1, true); /* above: nests */
	CHECK_EQ(pic_ack(), 0x21);
	fake_io(d, true, 0x20, 1, 0x20);
	fake_io(d, true, 0xa0, 1, 0x60 | 4); /* specific */
	fake_io(d, true, 0x20, 1, 0x60 | 2);
	CHECK_EQ(pic_ack(), 0x23);
	fake_io(d, true, 0x20, 1, 0x0b);
	CHECK_EQ(fake_io(d, true, 0x20, 1, -1), 8);
	fake_io(d, true, 0x20, 1, 0x20);
	CHECK_EQ(fake_io(d, true, 0x20, 1, -1), 0);
	end();
}

TEST(pic_masks_and_levels)
{
	begin();
	fake_pic_start(d);
	fake_io(d, true, 0x21, 1, 0xff);
	hvm_isa_irq_set(d, 5, true);
	CHECK_EQ(pic_ack(), -1);
	fake_io(d, true, 0x21, 1, 0xdf);
	CHECK_EQ(fake_io(d, true, 0x21, 1, -1), 0xdf);
	CHECK_EQ(pic_ack(), 0x25);
	fake_io(d, true, 0x20, 1, 0x20);
	CHECK_EQ(pic_ack(), -1); /* an edge is once */
	fake_io(d, true, 0x4d0, 2, 0xffff);
	CHECK_EQ(fake_io(d, true, 0x4d0, 2, -1), 0xdef8);
	hvm_isa_irq_set(d, 5, false);
	hvm_isa_irq_set(d, 5, true);
	for (unsigned int i = 0; i < 3; i++) { /* a level as long as it stands */
		CHECK_EQ(pic_ack(), 0x25);
		fake_io(d, true, 0x20, 1, 0x20);
	}
	hvm_isa_irq_set(d, 5, false);
	CHECK_EQ(pic_ack(), -1);
	end();
}

TEST(pic_rotation_and_poll)
{
	begin();
	fake_pic_start(d);
	fake_io(d, true, 0x20, 1, 0xc0 | 3); /* IRQ 3 is the lowest: 4 the highest */
	hvm_isa_irq_set(d, 1, true);
	hvm_isa_irq_set(d, 4, true);
	CHECK_EQ(pic_ack(), 0x24);
	fake_io(d, true, 0x20, 1, 0x0c);
	CHECK_EQ(fake_io(d, true, 0x20, 1, -1), 0);
	fake_io(d, true, 0x20, 1, 0xa0); /* rotate on EOI: 5 is the highest now */
	fake_io(d, true, 0x20, 1, 0x0c);
	CHECK_EQ(fake_io(d, true, 0x20, 1, -1), 0x81);
	end();
}

TEST(pic_end_of_nothing)
{
	begin();
	fake_pic_start(d);
	fake_io(d, true, 0x20, 1, 0xa0); /* rotates nothing */
	hvm_isa_irq_set(d, 7, true);
	hvm_isa_irq_set(d, 1, true);
	CHECK_EQ(pic_ack(), 0x21);
	end();
}

TEST(pic_reaches_only_who_takes_extint)
{
	begin();
	fake_pic_start(d);
	hvm_isa_irq_set(d, 4, true);
	CHECK_EQ(hvm_interrupt_pending(v).source, HVM_INT_NONE); /* LVT0 is masked */
	CHECK_EQ(vlapic_msr_write(v, 0x1b, v->hvm->apic_base & ~APIC_BASE_ENABLE), 0);
	CHECK_EQ(hvm_interrupt_pending(v).source, HVM_INT_PIC);
	CHECK_EQ(entry(), 0x24);
	end();
}

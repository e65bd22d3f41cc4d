/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An HVM vCPU's modes: every pair of old and new CR0, CR4 and EFER that
 * matters, against the manuals' rules; what two exceptions at once make; INIT
 * and SIPI; MSRs that take some values and not others.
 *
 * Links: hvm/vcpu.c hvm/event.c hvm/msr.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fake_vendor.h"

#include <xen/sched.h>

#include "cpu/asm.h"
#include "cpu/features.h"
#include "cpu/softirq.h"
#include "cpu/trap.h"
#include "hvm/hvm.h"
#include "hvm/policy.h"
#include "hvm/vcpu.h"
#include "hvm/vlapic.h"

#define PE  BIT(0)
#define NW  BIT(29)
#define CD  BIT(30)
#define PG  BIT(31)
#define PAE BIT(5)
#define SCE BIT(0)
#define LME BIT(8)
#define LMA BIT(10)
#define NXE BIT(11)

static struct domain *d;
static struct vcpu *v;
static unsigned int updates, resets, init_resets, cancels, wakes, kicks, scheds;
static uint64_t vendor_msr, written[512];
static unsigned int nr_written;
static uint64_t dr6, dr7;
static uint8_t end_code;
static unsigned int ends;

/* --- surroundings --- */

uint64_t hvm_cr4_allowed(const struct vcpu *w)
{
	return 0x7ff | X86_CR4_PCIDE;
}

uint64_t hvm_efer_allowed(const struct vcpu *w)
{
	return SCE | LME | NXE;
}

void vlapic_reset(struct vcpu *w)
{
	resets++;
}

void vlapic_init_reset(struct vcpu *w)
{
	init_resets++;
}

int vlapic_msr_read(struct vcpu *w, uint32_t msr, uint64_t *val)
{
	*val = 0xa11c;
	return 0;
}

int vlapic_msr_write(struct vcpu *w, uint32_t msr, uint64_t val)
{
	return val ? -EPERM : 0;
}

void hvm_io_cancel(struct vcpu *w)
{
	cancels++;
}

void vcpu_kick(struct vcpu *w)
{
	kicks++;
}

void vcpu_wake(struct vcpu *w)
{
	wakes++;
}

void softirq_raise(enum softirq nr)
{
	scheds += nr == SOFTIRQ_SCHED;
}

void vtime_update(struct vcpu *w)
{
}

void domain_end(struct domain *e, uint8_t code, const char *fmt, ...)
{
	ends++;
	end_code = code;
}

size_t hvm_phys_write(struct domain *e, uint64_t gpa, const void *src, size_t n)
{
	if (gpa >= 0x100000)
		return n;
	if (nr_written < ARRAY_SIZE(written))
		memcpy(&written[nr_written++], src, 8);
	return 0;
}

int msr_read_safe(uint32_t msr, uint64_t *val)
{
	*val = 0;
	return 0;
}

static void controls_update(struct vcpu *w)
{
	updates++;
}

static void debug_set(struct vcpu *w, uint64_t six, uint64_t seven)
{
	dr6 = six;
	dr7 = seven;
}

static void shadow_set(struct vcpu *w, unsigned int shadow)
{
}

static void tsc_offset_set(struct vcpu *w, uint64_t offset)
{
}

static bool msr_get(const struct vcpu *w, uint32_t msr, uint64_t *val)
{
	*val = vendor_msr;
	return msr == MSR_PAT || msr == MSR_LSTAR || msr == MSR_STAR;
}

static bool msr_set(struct vcpu *w, uint32_t msr, uint64_t val)
{
	if (msr != MSR_PAT && msr != MSR_LSTAR && msr != MSR_STAR)
		return false;
	vendor_msr = val;
	return true;
}

static void begin(void)
{
	fake_vendor.controls_update = controls_update;
	fake_vendor.debug_set = debug_set;
	fake_vendor.shadow_set = shadow_set;
	fake_vendor.tsc_offset_set = tsc_offset_set;
	fake_vendor.msr_get = msr_get;
	fake_vendor.msr_set = msr_set;
	memcpy(fake_vendor.hypercall_insn, "\x0f\x01\xd9", 3);
	d = fake_hvm_domain(3, 2);
	v = d->vcpus[0];
	fake_vcpu_run(v, 0);
	hvm_vcpu_reset(v);
	updates = resets = init_resets = cancels = wakes = kicks = scheds = ends = nr_written = 0;
	vendor_msr = 0;
}

static void end(void)
{
	fake_hvm_free(d);
}

/* Code of that kind, in long mode if `lma`. */
static void mode_set(uint64_t cr0, uint64_t cr4, uint64_t efer, bool is_64bit)
{
	v->hvm->cr0 = cr0;
	v->hvm->cr4 = cr4;
	v->hvm->efer = efer;
	fake_segments[HVM_CS].attr = is_64bit ? HVM_SEG_L : HVM_SEG_DB;
}

/* --- reset --- */

TEST(reset_is_the_manuals)
{
	begin();
	CHECK_EQ(v->hvm->cr0, CD | NW | 0x10);
	CHECK_EQ(v->hvm->cr4, 0);
	CHECK_EQ(v->hvm->efer, 0);
	CHECK_EQ(guest_regs()->rip, 0xfff0);
	CHECK_EQ(guest_regs()->rflags, 2);
	CHECK_EQ(fake_segments[HVM_CS].sel, 0xf000);
	CHECK_EQ(fake_segments[HVM_CS].base, 0xffff0000);
	CHECK_EQ(fake_segments[HVM_TR].attr, 0x8b);
	CHECK_EQ(dr6, 0xffff0ff0);
	CHECK_EQ(dr7, 0x400);
	end();
}

/* --- control registers --- */

TEST(cr0_refuses_what_no_cpu_takes)
{
	begin();
	mode_set(PE, 0, 0, false);
	CHECK_EQ(hvm_cr0_set(v, PG), -EINVAL);
	CHECK_EQ(hvm_cr0_set(v, PE | NW), -EINVAL);
	CHECK_EQ(hvm_cr0_set(v, PE | BIT(32)), -EINVAL);
	CHECK_EQ(hvm_cr0_set(v, PE | BIT(63)), -EINVAL);
	CHECK_EQ(v->hvm->cr0, PE);
	CHECK_EQ(updates, 0);
	CHECK_EQ(hvm_cr0_set(v, PE | CD), 0);
	CHECK_EQ(hvm_cr0_set(v, PE | CD | NW), 0);
	CHECK_EQ(hvm_cr0_set(v, PE | PG), 0);
	CHECK_EQ(updates, 3);
	end();
}

TEST(cr0_keeps_reserved_bits_clear_and_et_set)
{
	begin();
	mode_set(PE, 0, 0, false);
	CHECK_EQ(hvm_cr0_set(v, 0x1ffaffc1), 0);
	CHECK_EQ(v->hvm->cr0, 0x11);
	end();
}

TEST(long_mode_starts_with_pae_and_code_that_is_not_64_bit)
{
	begin();
	mode_set(PE, 0, LME, false);
	CHECK_EQ(hvm_cr0_set(v, PE | PG), -EINVAL);
	mode_set(PE, PAE, LME, true);
	CHECK_EQ(hvm_cr0_set(v, PE | PG), -EINVAL);
	mode_set(PE, PAE, LME, false);
	CHECK_EQ(hvm_cr0_set(v, PE | PG), 0);
	CHECK_EQ(v->hvm->efer, LME | LMA);
	CHECK(hvm_is_long(v));
	CHECK(!hvm_is_64bit(v));
	/* and ends by PG, but not from 64-bit code */
	mode_set(PE | PG, PAE, LME | LMA, true);
	CHECK_EQ(hvm_cr0_set(v, PE), -EINVAL);
	CHECK_EQ(v->hvm->efer, LME | LMA);
	mode_set(PE | PG, PAE, LME | LMA, false);
	CHECK_EQ(hvm_cr0_set(v, PE), 0);
	CHECK_EQ(v->hvm->efer, LME);
	end();
}

TEST(paging_stays_on_under_pcids)
{
	begin();
	mode_set(PE | PG, PAE | X86_CR4_PCIDE, LME | LMA, false);
	CHECK_EQ(hvm_cr0_set(v, PE), -EINVAL);
	end();
}

TEST(cr4_refuses_bits_that_the_policy_does_not_have)
{
	begin();
	mode_set(PE, 0, 0, false);
	for (unsigned int bit = 11; bit < 64; bit++)
		CHECK_EQ(hvm_cr4_set(v, BIT(bit)), -EINVAL);
	CHECK_EQ(v->hvm->cr4, 0);
	CHECK_EQ(updates, 0);
	CHECK_EQ(hvm_cr4_set(v, 0x7ff), 0);
	CHECK_EQ(v->hvm->cr4, 0x7ff);
	CHECK_EQ(updates, 1);
	end();
}

TEST(cr4_keeps_pae_in_long_mode)
{
	begin();
	mode_set(PE | PG, PAE, LME | LMA, true);
	CHECK_EQ(hvm_cr4_set(v, 0), -EINVAL);
	CHECK_EQ(v->hvm->cr4, PAE);
	end();
}

TEST(pcids_start_in_long_mode_with_number_0)
{
	begin();
	mode_set(PE | PG, PAE, 0, false);
	CHECK_EQ(hvm_cr4_set(v, PAE | X86_CR4_PCIDE), -EINVAL);
	mode_set(PE | PG, PAE, LME | LMA, true);
	v->hvm->cr3 = 0x1001;
	CHECK_EQ(hvm_cr4_set(v, PAE | X86_CR4_PCIDE), -EINVAL);
	v->hvm->cr3 = 0x1000;
	CHECK_EQ(hvm_cr4_set(v, PAE | X86_CR4_PCIDE), 0);
	v->hvm->cr3 = 0x1001; /* it is on already: its other bits may be set */
	CHECK_EQ(hvm_cr4_set(v, PAE | X86_CR4_PCIDE | 1), 0);
	end();
}

TEST(efer_refuses_unknown_bits_and_lme_under_paging)
{
	begin();
	mode_set(PE, PAE, 0, false);
	for (unsigned int bit = 0; bit < 64; bit++)
		CHECK_EQ(hvm_efer_set(v, BIT(bit)),
			 BIT(bit) & (SCE | LME | NXE | LMA) ? 0 : -EINVAL);
	CHECK_EQ(hvm_efer_set(v, 0), 0);
	mode_set(PE | PG, PAE, 0, false);
	CHECK_EQ(hvm_efer_set(v, LME), -EINVAL);
	mode_set(PE | PG, PAE, LME | LMA, true);
	CHECK_EQ(hvm_efer_set(v, 0), -EINVAL);
	CHECK_EQ(v->hvm->efer, LME | LMA);
	/* LMA follows, whatever is written */
	CHECK_EQ(hvm_efer_set(v, LME | NXE), 0);
	CHECK_EQ(v->hvm->efer, LME | LMA | NXE);
	mode_set(PE, PAE, 0, false);
	CHECK_EQ(hvm_efer_set(v, LMA), 0);
	CHECK_EQ(v->hvm->efer, 0);
	end();
}

TEST(cr3_is_a_physical_address_in_long_mode)
{
	begin();
	mode_set(PE | PG, PAE, LME | LMA, true);
	CHECK_EQ(hvm_cr3_set(v, BIT(cpu_features.phys_bits)), -EINVAL);
	CHECK_EQ(hvm_cr3_set(v, 0x5000), 0);
	CHECK_EQ(v->hvm->cr3, 0x5000);
	end();
}

/* --- exceptions --- */

TEST(two_exceptions_make_what_the_manuals_table_says)
{
	static const struct {
		uint8_t first, second, makes;
	} table[] = {
		{TRAP_GP, TRAP_GP, TRAP_DF}, {TRAP_GP, TRAP_PF, TRAP_PF},
		{TRAP_PF, TRAP_PF, TRAP_DF}, {TRAP_PF, TRAP_GP, TRAP_DF},
		{TRAP_DB, TRAP_GP, TRAP_GP}, {TRAP_GP, TRAP_DB, TRAP_DB},
		{TRAP_DE, TRAP_NP, TRAP_DF}, {TRAP_TS, TRAP_SS, TRAP_DF},
		{TRAP_UD, TRAP_PF, TRAP_PF}, {TRAP_PF, TRAP_UD, TRAP_UD},
		{TRAP_DF, TRAP_DB, TRAP_DB},
	};

	begin();
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		v->hvm->event.is_set = false;
		hvm_inject_exception(v, table[i].first, 1);
		hvm_inject_exception(v, table[i].second, 2);
		CHECK_EQ(v->hvm->event.vector, table[i].makes);
		CHECK_EQ(v->hvm->event.error, table[i].makes == TRAP_DF ? 0 : 2);
	}
	CHECK_EQ(ends, 0);
	end();
}

TEST(a_fault_of_a_double_fault_ends_the_domain)
{
	static const uint8_t faults[] = {TRAP_GP, TRAP_PF, TRAP_DE, TRAP_TS, TRAP_NP, TRAP_SS};

	begin();
	d->hvm->params[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_crash;
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		v->hvm->event.is_set = false;
		hvm_inject_exception(v, TRAP_DF, 0);
		hvm_inject_exception(v, faults[i], 0);
		CHECK_EQ(ends, i + 1);
		CHECK_EQ(end_code, SHUTDOWN_crash);
	}
	end();
}

TEST(a_page_fault_brings_its_address_and_an_exception_without_error_has_none)
{
	begin();
	hvm_inject_page_fault(v, 0xdead000, 6);
	CHECK_EQ(v->hvm->cr2, 0xdead000);
	CHECK_EQ(updates, 1);
	CHECK(v->hvm->event.has_error);
	CHECK_EQ(v->hvm->event.error, 6);
	v->hvm->event.is_set = false;
	hvm_inject_exception(v, TRAP_UD, -1);
	CHECK(!v->hvm->event.has_error);
	CHECK_EQ(v->hvm->event.type, HVM_EVENT_EXCEPTION);
	end();
}

/* --- INIT and SIPI --- */

TEST(sipi_starts_only_who_waits_for_it)
{
	struct vcpu *w;

	begin();
	w = d->vcpus[1];
	fake_vcpu_run(w, 0);
	hvm_vcpu_sipi(w, 0x9a); /* it runs */
	CHECK_EQ(w->hvm->start_signals, 0);
	hvm_vcpu_init_signal(w);
	CHECK_EQ(kicks, 1);
	hvm_vcpu_signals_handle(w);
	CHECK(bit_test(&w->flags, VCPU_F_DOWN));
	CHECK_EQ(init_resets, 1);
	CHECK_EQ(scheds, 1);
	hvm_vcpu_sipi(w, 0x9a);
	hvm_vcpu_sipi(w, 0x55); /* the first counts */
	CHECK(!bit_test(&w->flags, VCPU_F_DOWN));
	CHECK_EQ(wakes, 1);
	hvm_vcpu_signals_handle(w);
	CHECK(!bit_test(&w->flags, VCPU_F_DOWN));
	CHECK(w->initialised);
	CHECK_EQ(fake_segments[HVM_CS].base, 0x9a000);
	CHECK_EQ(fake_segments[HVM_CS].sel, 0x9a00);
	CHECK_EQ(guest_regs()->rip, 0);
	CHECK_EQ(w->hvm->start_signals, 0);
	end();
}

TEST(sipi_right_behind_init_is_not_lost)
{
	struct vcpu *w;

	begin();
	w = d->vcpus[1];
	fake_vcpu_run(w, 0);
	hvm_vcpu_init_signal(w);
	hvm_vcpu_sipi(w, 0x12);
	hvm_vcpu_signals_handle(w);
	CHECK(!bit_test(&w->flags, VCPU_F_DOWN));
	CHECK_EQ(fake_segments[HVM_CS].base, 0x12000);
	end();
}

TEST(init_of_the_first_vcpu_is_a_reset_that_goes_on)
{
	begin();
	guest_regs()->rip = 0x1234;
	v->hvm->event.is_set = true;
	v->hvm->is_halted = true;
	hvm_vcpu_init_signal(v);
	hvm_vcpu_signals_handle(v);
	CHECK(!bit_test(&v->flags, VCPU_F_DOWN));
	CHECK_EQ(guest_regs()->rip, 0xfff0);
	CHECK(!v->hvm->event.is_set);
	CHECK(!v->hvm->is_halted);
	CHECK_EQ(cancels, 1);
	end();
}

/* --- MSRs --- */

TEST(msrs_that_hold_addresses_take_canonical_ones)
{
	begin();
	CHECK_EQ(hvm_msr_write(v, MSR_LSTAR, 0x800000000000UL), -EPERM);
	CHECK_EQ(vendor_msr, 0);
	CHECK_EQ(hvm_msr_write(v, MSR_LSTAR, 0xffff800000000000UL), 0);
	CHECK_EQ(hvm_msr_write(v, MSR_STAR, 0x800000000000UL), 0);
	end();
}

TEST(pat_and_mtrrs_take_memory_types)
{
	uint64_t val;

	begin();
	for (unsigned int type = 0; type < 256; type++) {
		bool is_pat = type <= 7 && type != 2 && type != 3;

		CHECK_EQ(hvm_msr_write(v, MSR_PAT, (uint64_t)type << 56), is_pat ? 0 : -EPERM);
		CHECK_EQ(hvm_msr_write(v, 0x250, (uint64_t)type << 8),
			 is_pat && type != 7 ? 0 : -EPERM);
		CHECK_EQ(hvm_msr_write(v, 0x200, type), is_pat && type != 7 ? 0 : -EPERM);
		CHECK_EQ(hvm_msr_write(v, 0x2ff, type), is_pat && type != 7 ? 0 : -EPERM);
	}
	CHECK_EQ(hvm_msr_write(v, 0x200, BIT(cpu_features.phys_bits)), -EPERM);
	CHECK_EQ(hvm_msr_write(v, 0x200, 0x100), -EPERM);
	CHECK_EQ(hvm_msr_write(v, 0x201, 0x400), -EPERM);
	CHECK_EQ(hvm_msr_write(v, 0x201, 0xff800), 0);
	CHECK_EQ(hvm_msr_read(v, 0x201, &val), 0);
	CHECK_EQ(val, 0xff800);
	CHECK_EQ(hvm_msr_write(v, 0x2ff, 0x100), -EPERM);
	CHECK_EQ(hvm_msr_write(v, 0x2ff, 0xc06), 0);
	end();
}

TEST(unknown_msrs_fault_and_ignored_ones_read_zero)
{
	uint64_t val = 1;

	begin();
	CHECK_EQ(hvm_msr_read(v, 0xc0010117, &val), -EPERM); /* VM_HSAVE_PA */
	CHECK_EQ(hvm_msr_write(v, 0xc0010117, 0), -EPERM);
	CHECK_EQ(hvm_msr_read(v, 0x12345678, &val), -EPERM);
	CHECK_EQ(hvm_msr_write(v, 0xc0010015, 1), 0);
	CHECK_EQ(hvm_msr_read(v, 0xc0010015, &val), 0);
	CHECK_EQ(val, 0);
	CHECK_EQ(hvm_msr_read(v, 0x802, &val), 0); /* the local APIC's */
	CHECK_EQ(val, 0xa11c);
	CHECK_EQ(hvm_msr_write(v, 0x8ff, 1), -EPERM);
	CHECK_EQ(hvm_msr_write(v, MSR_EFER, BIT(12)), -EPERM); /* SVME */
	end();
}

TEST(a_hypercall_page_is_written_whole_or_faults)
{
	begin();
	CHECK_EQ(hvm_msr_write(v, HVM_MSR_HYPERCALL_PAGE, 0x7001), -EPERM);
	CHECK_EQ(hvm_msr_write(v, HVM_MSR_HYPERCALL_PAGE, 0x100000), -EPERM);
	CHECK_EQ(nr_written, 0);
	CHECK_EQ(hvm_msr_write(v, HVM_MSR_HYPERCALL_PAGE, 0x7000), 0);
	CHECK_EQ(nr_written, 128);
	CHECK_EQ(written[17], 0xd9010f00000011b8UL); /* mov $17, %eax; vmmcall */
	CHECK_EQ(written[__HYPERVISOR_iret] & 0xffff, 0x0b0f);
	end();
}

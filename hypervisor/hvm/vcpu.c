/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An HVM vCPU's modes: reset, INIT and SIPI, and the rules of CR0, CR3, CR4
 * and EFER (AMD APM vol. 2, "System Registers" and "Long-Mode Activation").
 */
#include "hvm/vcpu.h"

#include "cpu/asm.h"
#include "cpu/features.h"
#include "cpu/softirq.h"
#include "hvm/policy.h"
#include "hvm/vendor.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"
#include "lib/string.h"

#define CR0_PE	      (1UL << 0)
#define CR0_ET	      (1UL << 4)
#define CR0_NW	      (1UL << 29)
#define CR0_CD	      (1UL << 30)
#define CR0_PG	      (1UL << 31)
#define CR3_PCID      0xfffUL
#define CR0_DEFINED   0xe005003fUL
#define EFER_LME      (1UL << 8)
#define EFER_LMA      (1UL << 10)
#define DR6_RESET     0xffff0ff0UL
#define DR7_RESET     0x400UL
#define PAT_RESET     0x0007040600070406UL

#define SIGNAL_VECTOR 0xffU
#define SIGNAL_INIT   0x100U
#define SIGNAL_SIPI   0x200U

/* --- reset, INIT and SIPI --- */

static void segments_reset(struct vcpu *v)
{
	static const struct hvm_segment code = {0xf000, 0x9b, 0xffff, 0xffff0000},
					data = {0, 0x93, 0xffff, 0}, ldt = {0, 0x82, 0xffff, 0},
					task = {0, 0x8b, 0xffff, 0}, table = {0, 0, 0xffff, 0};
	static const struct hvm_segment *const values[HVM_SEGMENTS] = {
		[HVM_ES] = &data,    [HVM_CS] = &code, [HVM_SS] = &data,    [HVM_DS] = &data,
		[HVM_FS] = &data,    [HVM_GS] = &data, [HVM_GDTR] = &table, [HVM_LDTR] = &ldt,
		[HVM_IDTR] = &table, [HVM_TR] = &task,
	};

	for (unsigned int n = 0; n < HVM_SEGMENTS; n++)
		hvm_vendor->segment_set(v, n, values[n]);
}

/* What RESET and INIT have in common (AMD APM vol. 2, "Initial Processor State"). */
static void state_reset(struct vcpu *v)
{
	struct cpu_user_regs *regs = v == current ? guest_regs() : &v->regs;
	struct hvm_vcpu *h = v->hvm;

	memset(regs, 0, offsetof(struct cpu_user_regs, es));
	regs->rip = 0xfff0;
	regs->rflags = X86_EFLAGS_MBS;
	regs->rdx = cpu_features.signature;
	segments_reset(v);
	h->cr0 = (h->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
	h->cr2 = 0;
	h->cr3 = 0;
	h->cr4 = 0;
	h->efer = 0;
	hvm_vendor->controls_update(v);
	hvm_vendor->debug_set(v, DR6_RESET, DR7_RESET);
	hvm_vendor->shadow_set(v, 0);
	h->event.is_set = false;
	h->is_nmi_masked = false;
	h->is_halted = false;
	hvm_io_cancel(v);
}

void hvm_vcpu_reset(struct vcpu *v)
{
	static const uint32_t zeroed[] = {
		MSR_KERNEL_GS_BASE, MSR_STAR,	     MSR_LSTAR,		  MSR_CSTAR,
		MSR_SFMASK,	    MSR_SYSENTER_CS, MSR_SYSENTER_CS + 1, MSR_SYSENTER_CS + 2,
	};

	v->hvm->cr0 = CR0_CD | CR0_NW;
	state_reset(v);
	for (unsigned int i = 0; i < ARRAY_SIZE(zeroed); i++)
		(void)hvm_vendor->msr_set(v, zeroed[i], 0);
	(void)hvm_vendor->msr_set(v, MSR_PAT, PAT_RESET);
	memset(v->hvm->dr, 0, sizeof(v->hvm->dr));
	v->hvm->tsc_aux = 0;
	vlapic_reset(v);
}

/*
 * A vCPU acts on INIT and SIPI itself, on its way into the guest: whoever sends
 * one cannot wait until it is off its CPU, as it may be doing the same to him.
 * VCPU_F_DOWN is "waits for SIPI": it is set before the signals are taken, and
 * the sender sets them before he clears it.
 */
void hvm_vcpu_init_signal(struct vcpu *v)
{
	__atomic_store_n(&v->hvm->start_signals, SIGNAL_INIT, __ATOMIC_SEQ_CST);
	vcpu_kick(v);
}

void hvm_vcpu_sipi(struct vcpu *v, uint8_t vector)
{
	uint32_t old = __atomic_load_n(&v->hvm->start_signals, __ATOMIC_SEQ_CST);

	/* one that runs takes no notice, and of two the first counts */
	do {
		if (old & SIGNAL_SIPI ||
		    (!(old & SIGNAL_INIT) && !bit_test(&v->flags, VCPU_F_DOWN)))
			return;
	} while (!__atomic_compare_exchange_n(&v->hvm->start_signals, &old,
					      SIGNAL_INIT | SIGNAL_SIPI | vector, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	if (atomic_bit_test_and_clear(&v->flags, VCPU_F_DOWN))
		vcpu_wake(v);
}

static void start_at(struct vcpu *v, uint8_t vector)
{
	struct hvm_segment cs = {vector << 8, 0x9b, 0xffff, (uint64_t)vector << PAGE_SHIFT};

	hvm_vendor->segment_set(v, HVM_CS, &cs);
	guest_regs()->rip = 0;
	v->initialised = true;
}

void hvm_vcpu_signals_handle(struct vcpu *v)
{
	uint32_t signals;

	if (v->id) /* from here on a SIPI finds it waiting; the first vCPU waits for none */
		atomic_bit_set(&v->flags, VCPU_F_DOWN);
	signals = __atomic_exchange_n(&v->hvm->start_signals, 0, __ATOMIC_SEQ_CST);
	state_reset(v);
	vlapic_init_reset(v);
	if (signals & SIGNAL_SIPI) {
		atomic_bit_clear(&v->flags, VCPU_F_DOWN);
		start_at(v, signals & SIGNAL_VECTOR);
	} else if (v->id) {
		if (__atomic_load_n(&v->hvm->start_signals, __ATOMIC_SEQ_CST) & SIGNAL_SIPI)
			atomic_bit_clear(&v->flags, VCPU_F_DOWN);
		softirq_raise(SOFTIRQ_SCHED);
	}
}

void hvm_vcpu_nmi(struct vcpu *v)
{
	__atomic_store_n(&v->hvm->is_nmi_pending, true, __ATOMIC_SEQ_CST);
	vcpu_kick(v);
}

/* --- modes --- */

bool hvm_is_long(const struct vcpu *v)
{
	return v->hvm->efer & EFER_LMA;
}

bool hvm_is_64bit(const struct vcpu *v)
{
	struct hvm_segment cs;

	hvm_vendor->segment_get(v, HVM_CS, &cs);
	return hvm_is_long(v) && cs.attr & HVM_SEG_L;
}

/* --- control registers --- */

static bool cr0_is_legal(const struct vcpu *v, uint64_t val)
{
	const struct hvm_vcpu *h = v->hvm;
	bool turns_on = val & ~h->cr0 & CR0_PG, turns_off = ~val & h->cr0 & CR0_PG;
	struct hvm_segment cs;

	if (val >> 32 || (val & (CR0_PG | CR0_PE)) == CR0_PG || (val & (CR0_NW | CR0_CD)) == CR0_NW)
		return false;
	hvm_vendor->segment_get(v, HVM_CS, &cs);
	if (turns_on && h->efer & EFER_LME && (!(h->cr4 & X86_CR4_PAE) || cs.attr & HVM_SEG_L))
		return false;
	return !(turns_off && (hvm_is_64bit(v) || h->cr4 & X86_CR4_PCIDE));
}

int hvm_cr0_set(struct vcpu *v, uint64_t val)
{
	struct hvm_vcpu *h = v->hvm;

	if (!cr0_is_legal(v, val))
		return -EINVAL;
	h->cr0 = (val & CR0_DEFINED) | CR0_ET;
	h->efer &= ~EFER_LMA;
	if (h->cr0 & CR0_PG && h->efer & EFER_LME)
		h->efer |= EFER_LMA;
	hvm_vendor->controls_update(v);
	return 0;
}

int hvm_cr3_set(struct vcpu *v, uint64_t val)
{
	if (hvm_is_long(v) && val >> cpu_features.phys_bits)
		return -EINVAL;
	v->hvm->cr3 = val;
	hvm_vendor->controls_update(v);
	return 0;
}

int hvm_cr4_set(struct vcpu *v, uint64_t val)
{
	if (val & ~hvm_cr4_allowed(v) || (hvm_is_long(v) && !(val & X86_CR4_PAE)))
		return -EINVAL;
	/* AMD APM vol. 2, "Process Context Identifiers": turned on in long mode, out of number 0 */
	if (val & ~v->hvm->cr4 & X86_CR4_PCIDE && (!hvm_is_long(v) || v->hvm->cr3 & CR3_PCID))
		return -EINVAL;
	v->hvm->cr4 = val;
	hvm_vendor->controls_update(v);
	return 0;
}

int hvm_efer_set(struct vcpu *v, uint64_t val)
{
	struct hvm_vcpu *h = v->hvm;

	/* LMA follows from the others, whatever is written */
	val = (val & ~EFER_LMA) | (h->efer & EFER_LMA);
	if (val & ~(hvm_efer_allowed(v) | EFER_LMA) ||
	    (hvm_is_paging(v) && (val ^ h->efer) & EFER_LME))
		return -EINVAL;
	h->efer = val;
	hvm_vendor->controls_update(v);
	return 0;
}

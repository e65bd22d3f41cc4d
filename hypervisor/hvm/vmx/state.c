/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's state, half in its VMCS and half here: which field of the one is
 * which of the other, and the registers that need more than a copy.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/asm.h"
#include "hvm/vcpu.h"
#include "lib/printk.h"
#include "lib/string.h"

#define CR0_CD_NW	(3UL << 29)
#define CR0_PG		(1UL << 31)
#define CR0_LAZY	(X86_CR0_TS | (1UL << 1)) /* TS, MP: the guest's own, without an exit */
#define CR4_TLB_BITS	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP)
#define EFER_LMA	(1UL << 10)
#define EFER_TLB_BITS	0xd00UL /* LME LMA NXE */
#define SELECTORS	8

static const struct {
	uint16_t field;
	uint8_t from, count; /* so many in a row, fields two apart */
	bool is_guests;	     /* an exit may find it changed */
} table[] = {
	{VMCS_GUEST_LIMIT, ST_LIMIT, 10, true},
	{VMCS_GUEST_BASE, ST_BASE, 10, true},
	{VMCS_GUEST_SELECTOR, ST_SELECTOR, SELECTORS, true},
	{VMCS_GUEST_ACCESS_RIGHTS, ST_RIGHTS, SELECTORS, true},
	{VMCS_GUEST_CR0, ST_CR0, 1, true},
	{VMCS_CR0_SHADOW, ST_CR0_SHADOW, 1, false},
	{VMCS_GUEST_CR3, ST_CR3, 1, true},
	{VMCS_GUEST_CR4, ST_CR4, 1, true},
	{VMCS_CR4_SHADOW, ST_CR4_SHADOW, 1, false},
	{VMCS_GUEST_DR7, ST_DR7, 1, true},
	{VMCS_GUEST_EFER, ST_EFER, 1, true},
	{VMCS_GUEST_PAT, ST_PAT, 1, true},
	{VMCS_GUEST_SYSENTER_CS, ST_SYSENTER_CS, 1, true},
	{VMCS_GUEST_SYSENTER_ESP, ST_SYSENTER_ESP, 1, true},
	{VMCS_GUEST_SYSENTER_EIP, ST_SYSENTER_EIP, 1, true},
	{VMCS_GUEST_INTERRUPTIBILITY, ST_INTERRUPTIBILITY, 1, true},
	{VMCS_GUEST_PENDING_DEBUG, ST_PENDING_DEBUG, 1, true},
	{VMCS_GUEST_PDPTE, ST_PDPTE, 4, true},
	{VMCS_CPU_CONTROLS, ST_CPU_CONTROLS, 1, false},
	{VMCS_CPU_CONTROLS2, ST_CPU_CONTROLS2, 1, false},
	{VMCS_MSR_BITMAP, ST_MSR_BITMAP, 1, false},
	{VMCS_ENTRY_CONTROLS, ST_ENTRY_CONTROLS, 1, true}, /* IA-32e: as EFER.LMA */
	{VMCS_TSC_OFFSET, ST_TSC_OFFSET, 1, false},
	{VMCS_TPR_THRESHOLD, ST_TPR_THRESHOLD, 1, false},
};

static unsigned int field_of(unsigned int st)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)
		if (st >= table[i].from && st < table[i].from + table[i].count)
			return table[i].field + 2 * (st - table[i].from);
	panic("no VMCS field for %u", st);
}

uint64_t vmx_state_get(const struct vcpu *v, unsigned int st)
{
	struct vmx_vcpu *x = v->hvm->vmx;

	if (!(x->known >> st & 1)) {
		x->state[st] = vmcs_read(field_of(st));
		x->known |= 1UL << st;
	}
	return x->state[st];
}

void vmx_state_set(struct vcpu *v, unsigned int st, uint64_t val)
{
	struct vmx_vcpu *x = v->hvm->vmx;

	if (x->known >> st & 1 && x->state[st] == val)
		return;
	x->state[st] = val;
	x->known |= 1UL << st;
	x->dirty |= 1UL << st;
}

void vmx_state_flush(struct vcpu *v)
{
	struct vmx_vcpu *x = v->hvm->vmx;

	for (; x->dirty; x->dirty &= x->dirty - 1) {
		unsigned int st = __builtin_ctzl(x->dirty);

		vmcs_write(field_of(st), x->state[st]);
	}
}

void vmx_state_forget(struct vcpu *v)
{
	struct vmx_vcpu *x = v->hvm->vmx;

	x->known = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++)
		if (!table[i].is_guests)
			x->known |= ((1UL << table[i].count) - 1) << table[i].from;
}

void vmx_state_collect(struct vcpu *v)
{
	for (unsigned int st = 0; st < ST_COUNT; st++)
		(void)vmx_state_get(v, st);
}

/* --- segments --- */

/* Where a VMCS has a segment; GDTR and IDTR have neither selector nor rights. */
static unsigned int place_of(enum hvm_segment_name n)
{
	static const uint8_t places[HVM_SEGMENTS] = {
		[HVM_ES] = 0, [HVM_CS] = 1,   [HVM_SS] = 2,   [HVM_DS] = 3,    [HVM_FS] = 4,
		[HVM_GS] = 5, [HVM_LDTR] = 6, [HVM_TR] = 7,   [HVM_GDTR] = 8,  [HVM_IDTR] = 9,
	};

	return places[n];
}

/* Access rights have bits 8..11 of the attributes at 12..15, and "unusable" for not present. */
static uint16_t attr_of(uint64_t rights)
{
	uint16_t attr = (rights & 0xff) | (rights >> 4 & 0xf00);

	return rights & AR_UNUSABLE ? attr & ~HVM_SEG_P : attr;
}

static uint64_t rights_of(uint16_t attr)
{
	uint64_t rights = (attr & 0xffU) | (attr & 0xf00U) << 4;

	return attr & HVM_SEG_P ? rights : rights | AR_UNUSABLE;
}

void vmx_segment_get(const struct vcpu *v, enum hvm_segment_name n, struct hvm_segment *s)
{
	unsigned int at = place_of(n);

	memset(s, 0, sizeof(*s));
	s->limit = vmx_state_get(v, ST_LIMIT + at);
	s->base = vmx_state_get(v, ST_BASE + at);
	if (at >= SELECTORS)
		return;
	s->sel = vmx_state_get(v, ST_SELECTOR + at);
	s->attr = attr_of(vmx_state_get(v, ST_RIGHTS + at));
}

void vmx_segment_set(struct vcpu *v, enum hvm_segment_name n, const struct hvm_segment *s)
{
	unsigned int at = place_of(n);

	vmx_state_set(v, ST_LIMIT + at, s->limit);
	vmx_state_set(v, ST_BASE + at, s->base);
	if (at >= SELECTORS)
		return;
	vmx_state_set(v, ST_SELECTOR + at, s->sel);
	vmx_state_set(v, ST_RIGHTS + at, rights_of(s->attr));
}

/* --- control registers --- */

/* An entry takes these from the VMCS, not from memory (Intel SDM vol. 3, "PDPTE Registers"). */
static void pdptes_load(struct vcpu *v)
{
	const struct hvm_vcpu *h = v->hvm;
	uint64_t pdptes[4];

	if (!(h->cr0 & CR0_PG) || !(h->cr4 & X86_CR4_PAE) || h->efer & EFER_LMA ||
	    hvm_phys_read(v->domain, pdptes, h->cr3 & 0xffffffe0UL, sizeof(pdptes)))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(pdptes); i++)
		vmx_state_set(v, ST_PDPTE + i, pdptes[i]);
}

void vmx_controls_update(struct vcpu *v)
{
	const struct hvm_vcpu *h = v->hvm;
	/* its caches stay on, whatever it believes */
	uint64_t cr0 = (h->cr0 & ~CR0_CD_NW) | vmx_config.cr0_fixed;
	uint64_t cr4 = h->cr4 | vmx_config.cr4_fixed;
	uint64_t entry = vmx_config.entry | (h->efer & EFER_LMA ? ENTRY_IA32E : 0);

	if (((vmx_state_get(v, ST_CR0) ^ cr0) & CR0_PG) ||
	    ((vmx_state_get(v, ST_CR4) ^ cr4) & CR4_TLB_BITS) ||
	    ((vmx_state_get(v, ST_EFER) ^ h->efer) & EFER_TLB_BITS) ||
	    vmx_state_get(v, ST_CR3) != h->cr3)
		vmx_tlb_flush(v);
	vmx_state_set(v, ST_CR0, cr0);
	vmx_state_set(v, ST_CR0_SHADOW, h->cr0);
	vmx_state_set(v, ST_CR3, h->cr3);
	vmx_state_set(v, ST_CR4, cr4);
	vmx_state_set(v, ST_CR4_SHADOW, h->cr4);
	vmx_state_set(v, ST_EFER, h->efer);
	vmx_state_set(v, ST_ENTRY_CONTROLS, entry);
	pdptes_load(v);
}

void vmx_controls_fetch(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;

	h->cr0 = (h->cr0 & ~CR0_LAZY) | (vmx_state_get(v, ST_CR0) & CR0_LAZY);
	h->cr3 = vmx_state_get(v, ST_CR3);
}

/* --- MSRs --- */

const uint32_t vmx_switched_msrs[VMX_MSRS] = {
	[VMX_MSR_STAR] = MSR_STAR,	[VMX_MSR_LSTAR] = MSR_LSTAR,
	[VMX_MSR_CSTAR] = MSR_CSTAR,	[VMX_MSR_SFMASK] = MSR_SFMASK,
	[VMX_MSR_KERNEL_GS] = MSR_KERNEL_GS_BASE,
};

/* The field of an MSR, or ST_COUNT. */
static unsigned int msr_state(uint32_t msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return ST_BASE + 4;
	case MSR_GS_BASE:
		return ST_BASE + 5;
	case MSR_PAT:
		return ST_PAT;
	case MSR_SYSENTER_CS:
		return ST_SYSENTER_CS;
	case MSR_SYSENTER_CS + 1:
		return ST_SYSENTER_ESP;
	case MSR_SYSENTER_CS + 2:
		return ST_SYSENTER_EIP;
	default:
		return ST_COUNT;
	}
}

bool vmx_msr_get(const struct vcpu *v, uint32_t msr, uint64_t *val)
{
	const struct vmx_vcpu *x = v->hvm->vmx;
	unsigned int st = msr_state(msr);

	if (st != ST_COUNT) {
		*val = vmx_state_get(v, st);
		return true;
	}
	for (unsigned int i = 0; i < VMX_MSRS; i++)
		if (vmx_switched_msrs[i] == msr) {
			*val = x->is_loaded ? msr_read(msr) : x->msrs[i];
			return true;
		}
	return false;
}

bool vmx_msr_set(struct vcpu *v, uint32_t msr, uint64_t val)
{
	struct vmx_vcpu *x = v->hvm->vmx;
	unsigned int st = msr_state(msr);

	if (st != ST_COUNT) {
		vmx_state_set(v, st, val);
		return true;
	}
	for (unsigned int i = 0; i < VMX_MSRS; i++)
		if (vmx_switched_msrs[i] == msr) {
			/* STAR and SFMASK: a bit that the CPU refuses is not kept */
			if (x->is_loaded && msr_write_safe(msr, val))
				return false;
			x->msrs[i] = val;
			return true;
		}
	return false;
}

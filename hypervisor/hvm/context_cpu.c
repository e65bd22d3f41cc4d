/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a vCPU's registers and memory types (public hvm/save.h, CPU and MTRR). */
#include "hvm/context.h"

#include <xen/hvm/save.h>

#include "cpu/asm.h"
#include "cpu/guest_copy.h"
#include "hvm/policy.h"
#include "hvm/vcpu.h"
#include "hvm/vendor.h"
#include "lib/errno.h"
#include "lib/string.h"

#define CR0_PE	    (1UL << 0)
#define CR0_NW	    (1UL << 29)
#define CR0_CD	    (1UL << 30)
#define CR0_PG	    (1UL << 31)
#define EFER_LME    (1UL << 8)
#define EFER_LMA    (1UL << 10)
#define EVENT_ERROR (1U << 11)
#define EVENT_VALID (1U << 31)

/* Fields of the record that are an MSR of the vendor's each. */
static const struct {
	uint32_t msr;
	uint16_t offset;
	bool is_address;
} msrs[] = {
	{MSR_SYSENTER_CS, offsetof(struct hvm_hw_cpu, sysenter_cs), false},
	{MSR_SYSENTER_CS + 1, offsetof(struct hvm_hw_cpu, sysenter_esp), true},
	{MSR_SYSENTER_CS + 2, offsetof(struct hvm_hw_cpu, sysenter_eip), true},
	{MSR_KERNEL_GS_BASE, offsetof(struct hvm_hw_cpu, shadow_gs), true},
	{MSR_LSTAR, offsetof(struct hvm_hw_cpu, msr_lstar), true},
	{MSR_STAR, offsetof(struct hvm_hw_cpu, msr_star), false},
	{MSR_CSTAR, offsetof(struct hvm_hw_cpu, msr_cstar), true},
	{MSR_SFMASK, offsetof(struct hvm_hw_cpu, msr_syscall_mask), false},
};

/* ... and those that are a general register, by its place in struct cpu_user_regs. */
static const struct {
	uint16_t offset, reg;
} registers[] = {
#define REGISTER(name)                                                                  \
	{                                                                               \
		offsetof(struct hvm_hw_cpu, name), offsetof(struct cpu_user_regs, name) \
	}
	REGISTER(rax), REGISTER(rbx), REGISTER(rcx), REGISTER(rdx), REGISTER(rbp), REGISTER(rsi),
	REGISTER(rdi), REGISTER(rsp), REGISTER(r8),  REGISTER(r9),  REGISTER(r10), REGISTER(r11),
	REGISTER(r12), REGISTER(r13), REGISTER(r14), REGISTER(r15), REGISTER(rip), REGISTER(rflags),
};

/* ... and segments. GDTR and IDTR have neither selector nor rights. */
static const struct {
	uint16_t base, limit, sel, attr;
} segments[HVM_SEGMENTS] = {
#define TABLE(name)                                                     \
	{                                                               \
		offsetof(struct hvm_hw_cpu, name##_base),               \
			offsetof(struct hvm_hw_cpu, name##_limit), 0, 0 \
	}
#define SEGMENT(name)                                               \
	{                                                           \
		offsetof(struct hvm_hw_cpu, name##_base),           \
			offsetof(struct hvm_hw_cpu, name##_limit),  \
			offsetof(struct hvm_hw_cpu, name##_sel),    \
			offsetof(struct hvm_hw_cpu, name##_arbytes) \
	}
	[HVM_ES] = SEGMENT(es),	  [HVM_CS] = SEGMENT(cs),     [HVM_SS] = SEGMENT(ss),
	[HVM_DS] = SEGMENT(ds),	  [HVM_FS] = SEGMENT(fs),     [HVM_GS] = SEGMENT(gs),
	[HVM_GDTR] = TABLE(gdtr), [HVM_LDTR] = SEGMENT(ldtr), [HVM_IDTR] = TABLE(idtr),
	[HVM_TR] = SEGMENT(tr),
};

static uint64_t *field64(const void *rec, uint16_t offset)
{
	return (uint64_t *)((char *)(uintptr_t)rec + offset);
}

static uint32_t *field32(const void *rec, uint16_t offset)
{
	return (uint32_t *)((char *)(uintptr_t)rec + offset);
}

static void segments_save(const struct vcpu *v, struct hvm_hw_cpu *c)
{
	for (unsigned int n = 0; n < HVM_SEGMENTS; n++) {
		struct hvm_segment s;

		hvm_vendor->segment_get(v, n, &s);
		*field64(c, segments[n].base) = s.base;
		*field32(c, segments[n].limit) = s.limit;
		if (!segments[n].attr)
			continue;
		*field32(c, segments[n].sel) = s.sel;
		*field32(c, segments[n].attr) = s.attr;
	}
}

static void segments_load(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	for (unsigned int n = 0; n < HVM_SEGMENTS; n++) {
		struct hvm_segment s = {
			.base = *field64(c, segments[n].base),
			.limit = *field32(c, segments[n].limit),
		};

		if (segments[n].attr) {
			s.sel = *field32(c, segments[n].sel);
			s.attr = *field32(c, segments[n].attr) & 0xfff;
		}
		hvm_vendor->segment_set(v, n, &s);
	}
}

static int cpu_save(struct domain *d, unsigned int id, void *rec)
{
	struct vcpu *v = d->vcpus[id];
	const struct hvm_vcpu *h = v->hvm;
	struct hvm_hw_cpu *c = rec;

	if (!v->initialised)
		return -ENODEV; /* as stock: one that is not up has no such record */
	hvm_vendor->controls_fetch(v);
	fpu_state_export(&v->fpu, c->fpu_regs);
	c->flags = XEN_X86_FPU_INITIALISED;
	for (unsigned int i = 0; i < ARRAY_SIZE(registers); i++)
		*field64(c, registers[i].offset) = *field64(&v->regs, registers[i].reg);
	c->cr0 = h->cr0;
	c->cr2 = h->cr2;
	c->cr3 = h->cr3;
	c->cr4 = h->cr4;
	c->msr_efer = h->efer;
	memcpy(&c->dr0, h->dr, sizeof(h->dr));
	hvm_vendor->debug_get(v, &c->dr6, &c->dr7);
	segments_save(v, c);
	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++)
		(void)hvm_vendor->msr_get(v, msrs[i].msr, field64(c, msrs[i].offset));
	c->msr_tsc_aux = h->tsc_aux;
	c->tsc = tsc_read() + h->tsc_offset;
	if (h->event.is_set) {
		c->pending_event = EVENT_VALID | (uint32_t)h->event.type << 8 | h->event.vector;
		if (h->event.has_error)
			c->pending_event |= EVENT_ERROR;
		c->error_code = h->event.error;
	}
	return 0;
}

void hvm_vcpu_context_get(struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct hvm_vcpu *h = v->hvm;
	bool in_kernel = !hvm_vendor->cpl(v);
	struct hvm_segment s[HVM_SEGMENTS];

	for (unsigned int n = 0; n < HVM_SEGMENTS; n++)
		hvm_vendor->segment_get(v, n, &s[n]);
	hvm_vendor->controls_fetch(v);
	c->user_regs = v->regs;
	c->user_regs.es = s[HVM_ES].sel;
	c->user_regs.cs = s[HVM_CS].sel;
	c->user_regs.ss = s[HVM_SS].sel;
	c->user_regs.ds = s[HVM_DS].sel;
	c->user_regs.fs = s[HVM_FS].sel;
	c->user_regs.gs = s[HVM_GS].sel;
	c->fs_base = s[HVM_FS].base;
	/* KernelGSBase holds the one that is not in use (AMD APM vol. 3, "SWAPGS"). */
	*(in_kernel ? &c->gs_base_kernel : &c->gs_base_user) = s[HVM_GS].base;
	(void)hvm_vendor->msr_get(v, MSR_KERNEL_GS_BASE,
				  in_kernel ? &c->gs_base_user : &c->gs_base_kernel);
	c->ctrlreg[0] = h->cr0;
	c->ctrlreg[2] = h->cr2;
	c->ctrlreg[3] = h->cr3;
	c->ctrlreg[4] = h->cr4;
	if (in_kernel)
		c->flags |= VGCF_in_kernel;
	if (!bit_test(&v->flags, VCPU_F_DOWN))
		c->flags |= VGCF_online;
}

static bool controls_are_legal(const struct vcpu *v, const struct hvm_hw_cpu *c)
{
	bool is_long = c->cr0 & CR0_PG && c->msr_efer & EFER_LME;

	if (c->cr0 >> 32 || (c->cr0 & (CR0_PG | CR0_PE)) == CR0_PG ||
	    (c->cr0 & (CR0_NW | CR0_CD)) == CR0_NW)
		return false;
	if (c->cr4 & ~hvm_cr4_allowed(v) || c->msr_efer & ~(hvm_efer_allowed(v) | EFER_LMA))
		return false;
	return is_long == !!(c->msr_efer & EFER_LMA) && !(is_long && !(c->cr4 & X86_CR4_PAE));
}

static int cpu_check(const struct domain *d, unsigned int id, const void *rec)
{
	const struct hvm_hw_cpu *c = rec;

	if (!controls_are_legal(d->vcpus[id], c) || c->dr6 >> 32 || c->dr7 >> 32)
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++)
		if (msrs[i].is_address && !is_canonical(*field64(c, msrs[i].offset)))
			return -EINVAL;
	for (unsigned int n = 0; n < HVM_SEGMENTS; n++)
		if (!is_canonical(*field64(c, segments[n].base)))
			return -EINVAL;
	if (c->pending_event & EVENT_VALID &&
	    (c->pending_type == 1 || c->pending_type > HVM_EVENT_SOFTWARE))
		return -EINVAL;
	return is_canonical(c->rip) && !(c->msr_tsc_aux >> 32) ? 0 : -EINVAL;
}

static void event_load(struct hvm_event *e, const struct hvm_hw_cpu *c)
{
	*e = (struct hvm_event){
		.is_set = c->pending_valid,
		.type = c->pending_type,
		.vector = c->pending_vector,
		.has_error = c->pending_error_valid,
		.error = c->error_code,
	};
}

static int cpu_load(struct domain *d, unsigned int id, const void *rec)
{
	struct vcpu *v = d->vcpus[id];
	struct hvm_vcpu *h = v->hvm;
	const struct hvm_hw_cpu *c = rec;

	if (c->flags & XEN_X86_FPU_INITIALISED)
		fpu_state_import(&v->fpu, c->fpu_regs);
	for (unsigned int i = 0; i < ARRAY_SIZE(registers); i++)
		*field64(&v->regs, registers[i].reg) = *field64(c, registers[i].offset);
	v->regs.rflags |= X86_EFLAGS_MBS;
	segments_load(v, c);
	h->cr0 = c->cr0;
	h->cr2 = c->cr2;
	h->cr3 = c->cr3;
	h->cr4 = c->cr4;
	h->efer = c->msr_efer;
	hvm_vendor->controls_update(v);
	memcpy(h->dr, &c->dr0, sizeof(h->dr));
	hvm_vendor->debug_set(v, c->dr6, c->dr7);
	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++)
		(void)hvm_vendor->msr_set(v, msrs[i].msr, *field64(c, msrs[i].offset));
	h->tsc_aux = c->msr_tsc_aux;
	if (c->tsc) {
		h->tsc_offset = c->tsc - tsc_read();
		hvm_vendor->tsc_offset_set(v, h->tsc_offset);
		v->time.is_published = false;
	}
	event_load(&h->event, c);
	v->initialised = true;
	if (atomic_bit_test_and_clear(&v->flags, VCPU_F_DOWN))
		vcpu_wake(v);
	return 0;
}

_Static_assert(MTRR_VCNT * 2 == ARRAY_SIZE(((struct hvm_vcpu *)0)->mtrr_var), "ABI");
_Static_assert(NUM_FIXED_MSR == ARRAY_SIZE(((struct hvm_vcpu *)0)->mtrr_fixed), "ABI");

static int mtrr_save(struct domain *d, unsigned int id, void *rec)
{
	struct vcpu *v = d->vcpus[id];
	struct hvm_hw_mtrr *m = rec;

	(void)hvm_vendor->msr_get(v, MSR_PAT, &m->msr_pat_cr);
	memcpy(m->msr_mtrr_var, v->hvm->mtrr_var, sizeof(m->msr_mtrr_var));
	memcpy(m->msr_mtrr_fixed, v->hvm->mtrr_fixed, sizeof(m->msr_mtrr_fixed));
	m->msr_mtrr_cap = HVM_MTRR_CAP;
	m->msr_mtrr_def_type = v->hvm->mtrr_def_type;
	return 0;
}

static int mtrr_check(const struct domain *d, unsigned int id, const void *rec)
{
	const struct hvm_hw_mtrr *m = rec;

	return hvm_pat_is_legal(m->msr_pat_cr) ? 0 : -EINVAL;
}

static int mtrr_load(struct domain *d, unsigned int id, const void *rec)
{
	struct vcpu *v = d->vcpus[id];
	const struct hvm_hw_mtrr *m = rec;

	(void)hvm_vendor->msr_set(v, MSR_PAT, m->msr_pat_cr);
	memcpy(v->hvm->mtrr_var, m->msr_mtrr_var, sizeof(m->msr_mtrr_var));
	memcpy(v->hvm->mtrr_fixed, m->msr_mtrr_fixed, sizeof(m->msr_mtrr_fixed));
	v->hvm->mtrr_def_type = m->msr_mtrr_def_type;
	return 0;
}

const struct hvm_save_kind hvm_cpu_save_kinds[] = {
	{.type = HVM_SAVE_CODE(CPU),
	 .size = sizeof(struct hvm_hw_cpu),
	 .save = cpu_save,
	 .load = cpu_load,
	 .check = cpu_check},
	{.type = HVM_SAVE_CODE(MTRR),
	 .size = sizeof(struct hvm_hw_mtrr),
	 .save = mtrr_save,
	 .load = mtrr_load,
	 .check = mtrr_check},
};
const unsigned int hvm_cpu_nr_save_kinds = ARRAY_SIZE(hvm_cpu_save_kinds);

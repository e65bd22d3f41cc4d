/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass through the guest: what the VMCB needs right before it, and what
 * has to be taken out of it right after; ASIDs; debug registers.
 *
 * ASIDs tag a guest's translations in this CPU's TLB, so that a world switch
 * flushes nothing.  They are given out in order; when all are, the TLB is
 * flushed once and they begin anew, in a new generation.
 */
#include "hvm/svm/svm.h"

#include "cpu/asm.h"
#include "cpu/fpu.h"

DEFINE_PERCPU(paddr_t, svm_host_paddr);
static DEFINE_PERCPU(uint64_t, asid_generation); /* 0: no ASID given out yet */
static DEFINE_PERCPU(uint32_t, asid_next);
static uint32_t asid_count; /* 0 is the host's */

#define DR7_ENABLES 0xffU
#define DR7_NONE    0x400U
#define CR0_LAZY    (X86_CR0_TS | (1UL << 1)) /* TS, MP: the guest changes them without an exit */

void svm_asid_init(uint32_t nr_asids)
{
	asid_count = nr_asids;
}

void svm_tlb_flush(struct vcpu *v)
{
	v->hvm->svm->asid_generation = 0;
}

/* A new ASID after the guest ran elsewhere: what it invalidated there may still be tagged here. */
static void asid_prepare(struct vcpu *v)
{
	uint64_t flushes = __atomic_load_n(&v->domain->hvm->p2m.flush_generation, __ATOMIC_ACQUIRE);
	struct svm_vcpu *s = v->hvm->svm;
	struct vmcb *vmcb = s->vmcb;

	vmcb->tlb_control = TLB_FLUSH_NONE;
	if (likely(s->cpu == cpu_id() && s->asid_generation == this_cpu(asid_generation) &&
		   s->asid_generation && s->flush_generation == flushes))
		return;
	if (s->cpu != cpu_id())
		vmcb->clean = 0;
	if (!this_cpu(asid_generation) || this_cpu(asid_next) >= asid_count) {
		this_cpu(asid_generation)++;
		this_cpu(asid_next) = 1;
		vmcb->tlb_control = TLB_FLUSH_ALL;
	}
	s->cpu = cpu_id();
	s->asid_generation = this_cpu(asid_generation);
	s->flush_generation = flushes;
	vmcb->asid = this_cpu(asid_next)++;
	vmcb->clean &= ~CLEAN_ASID;
}

void svm_debug_registers_load(struct vcpu *v)
{
	struct svm_vcpu *s = v->hvm->svm;

	dr0_write(v->hvm->dr[0]);
	dr1_write(v->hvm->dr[1]);
	dr2_write(v->hvm->dr[2]);
	dr3_write(v->hvm->dr[3]);
	s->has_debug_registers = true;
	s->vmcb->intercepts[1] = 0;
	s->vmcb->clean &= ~CLEAN_INTERCEPTS;
}

void svm_debug_registers_save(struct vcpu *v)
{
	struct svm_vcpu *s = v->hvm->svm;

	if (!s->has_debug_registers)
		return;
	v->hvm->dr[0] = dr0_read();
	v->hvm->dr[1] = dr1_read();
	v->hvm->dr[2] = dr2_read();
	v->hvm->dr[3] = dr3_read();
	s->has_debug_registers = false;
	s->vmcb->intercepts[1] = INTERCEPT1_DR_ALL;
	s->vmcb->clean &= ~CLEAN_INTERCEPTS;
}

/*
 * QEMU's TCG (7.2, and its development tree) delivers an interrupt that VMRUN injects, and keeps its
 * vector as an exception still to be delivered: again, and whatever RFLAGS.IF says, if its loop
 * ends for anything but an exit first. A virtual interrupt it delivers once; it comes at once, too,
 * as an interrupt is only set for injection where nothing masks it. But a window cannot be had
 * beside it: what waits behind is looked at when the handler's IRET exits.
 */
static void virtual_interrupt_set(const struct hvm_event *e, struct vmcb *vmcb)
{
	if (vmcb->int_control & V_IRQ)
		vmcb->intercepts[3] |= INTERCEPT3_IRET;
	vmcb->intercepts[3] &= ~INTERCEPT3_VINTR;
	vmcb->int_control |= V_IRQ | V_IGN_TPR | V_INTR_PRIO(0xf) | V_INTR_VECTOR(e->vector);
	vmcb->clean &= ~(CLEAN_INTERCEPTS | CLEAN_TPR);
}

/* Was it delivered? */
static bool virtual_interrupt_clear(struct vmcb *vmcb)
{
	bool is_waiting = vmcb->int_control & V_IRQ;

	vmcb->int_control &= V_TPR_MASK | V_INTR_MASKING;
	vmcb->clean &= ~CLEAN_TPR;
	return !is_waiting;
}

/* AMD APM vol. 2, "Event Injection" */
static void event_inject(struct hvm_vcpu *h, struct vmcb *vmcb)
{
	const struct hvm_event *e = &h->event;

	vmcb->event_inject = EVENT_VALID | (uint64_t)e->type << 8 | e->vector;
	if (e->has_error)
		vmcb->event_inject |= EVENT_HAS_ERROR | (uint64_t)e->error << 32;
	if (e->type == HVM_EVENT_NMI) {
		/* its handler's IRET is an exit, and ends the blocking of NMIs */
		vmcb->intercepts[3] |= INTERCEPT3_IRET;
		vmcb->clean &= ~CLEAN_INTERCEPTS;
	}
}

/* What was being delivered when the exit came goes first the next time. */
static void event_take_back(struct vcpu *v, uint64_t info)
{
	struct hvm_event e = {
		.is_set = true,
		.type = info >> 8 & 7,
		.vector = info,
		.has_error = info & EVENT_HAS_ERROR,
		.error = info >> 32,
	};
	/* INT n, INT3 and INTO: rip is still at the instruction, which is executed again */
	bool is_software = e.type == HVM_EVENT_SOFTWARE ||
			   (e.type == HVM_EVENT_EXCEPTION && (e.vector == 3 || e.vector == 4));

	if (info & EVENT_VALID && !is_software)
		hvm_event_requeue(v, &e);
}

void svm_controls_fetch(struct vcpu *v)
{
	const struct vmcb *vmcb = vcpu_vmcb(v);
	struct hvm_vcpu *h = v->hvm;

	h->cr0 = (h->cr0 & ~CR0_LAZY) | (vmcb->cr0 & CR0_LAZY);
	h->cr2 = vmcb->cr2;
	h->cr3 = vmcb->cr3;
}

void svm_run(struct vcpu *v)
{
	struct cpu_user_regs *regs = guest_regs();
	struct hvm_vcpu *h = v->hvm;
	struct svm_vcpu *s = h->svm;
	struct vmcb *vmcb = s->vmcb;
	bool is_virtual = svm_is_tcg && h->event.is_set && h->event.type == HVM_EVENT_EXTERNAL;

	asid_prepare(v);
	vmcb->event_inject = 0;
	if (is_virtual)
		virtual_interrupt_set(&h->event, vmcb);
	else if (h->event.is_set)
		event_inject(h, vmcb);
	if (vmcb->dr7 & DR7_ENABLES && !s->has_debug_registers)
		svm_debug_registers_load(v);
	vmcb->rax = regs->rax;
	vmcb->rsp = regs->rsp;
	vmcb->rip = regs->rip;
	vmcb->rflags = regs->rflags;

	svm_vmrun(regs, s->vmcb_paddr, this_cpu(svm_host_paddr));

	/* the manual says that the CPU does this itself; QEMU does not */
	if (s->has_debug_registers)
		dr7_write(DR7_NONE);
	regs->rax = vmcb->rax;
	regs->rsp = vmcb->rsp;
	regs->rip = vmcb->rip;
	regs->rflags = vmcb->rflags;
	vmcb->clean = CLEAN_ALL;
	svm_controls_fetch(v);
	if (svm_is_tcg) /* it does not intercept XSETBV */
		fpu_xcr0_fetch(&v->fpu);
	if (!is_virtual || virtual_interrupt_clear(vmcb)) {
		h->event.is_set = false;
		event_take_back(v, vmcb->exit_int_info);
	}
	if (s->is_in_nmi_iret && regs->rip != s->nmi_iret_rip) {
		s->is_in_nmi_iret = false;
		h->is_nmi_masked = false;
	}
}

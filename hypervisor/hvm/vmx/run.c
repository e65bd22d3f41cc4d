/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass through the guest: what the VMCS needs right before it, and what
 * has to be taken out of it right after; the VMCS and the MSRs that change
 * hands at a switch of vCPUs; VPIDs.
 *
 * VPIDs tag a guest's translations in this CPU's TLB.  They are given out in
 * order; when all are, the TLB is flushed once and they begin anew.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/asm.h"
#include "cpu/features.h"
#include "cpu/layout.h"
#include "cpu/trap.h"
#include "hvm/ports.h"
#include "hvm/vlapic.h"
#include "lib/printk.h"
#include "time/time.h"

#define MSR_PRED_CMD	    0x49
#define PRED_CMD_IBPB	    1

#define INVEPT_SINGLE	    1
#define INVVPID_ALL	    2
#define VPID_COUNT	    0x10000U /* 0 is the host's */
#define DR7_ENABLES	    0xffU
#define INT_N_LENGTH	    2
#define CR0_LAZY_MASK	    (X86_CR0_TS | (1UL << 1))

/* A spinning vCPU gives way after so many cycles of PAUSEs no further apart than so many. */
#define PAUSE_GAP	    128
#define PAUSE_WINDOW	    65536

/*
 * The longest that a guest runs without an exit, where the CPU can see to it. Interrupts do that
 * better, but Bochs 2.7 holds them back from one that was entered with its own disabled.
 */
#define RUN_MAX_MS	    10UL

extern char vmx_exit_entry[];

static DEFINE_PERCPU(uint64_t, vpid_generation);
static DEFINE_PERCPU(uint32_t, vpid_next);
static DEFINE_PERCPU(struct vmx_tables, host_tables);
static DEFINE_PERCPU(uint64_t, host_msrs[VMX_MSRS]);
static DEFINE_PERCPU(const struct domain *, last_domain);

/* --- at a switch --- */

/* Nothing tells what a field holds that was never written. */
static const uint16_t zero_fields[] = {
	VMCS_PAGE_FAULT_MASK,	VMCS_PAGE_FAULT_MATCH,	VMCS_CR3_TARGETS,
	VMCS_EXIT_MSR_STORES,	VMCS_GUEST_ACTIVITY,	VMCS_GUEST_DEBUGCTL,
	VMCS_HOST_ES,		VMCS_HOST_DS,		VMCS_HOST_FS,
	VMCS_HOST_GS,		VMCS_HOST_FS_BASE,	VMCS_HOST_GS_BASE,
	VMCS_HOST_SYSENTER_CS,	VMCS_HOST_SYSENTER_ESP, VMCS_HOST_SYSENTER_EIP,
	VMCS_ENTRY_EVENT,
};

/* Once for a VMCS: what never changes, on whatever CPU. */
static void vmcs_prepare(struct vcpu *v)
{
	const struct vmx_msr_tables *msrs = &vmx_msr_tables;
	const struct vmx_config *c = &vmx_config;

	for (unsigned int i = 0; i < ARRAY_SIZE(zero_fields); i++)
		vmcs_write(zero_fields[i], 0);
	vmcs_write(VMCS_PIN_CONTROLS, c->pin);
	vmcs_write(VMCS_EXIT_CONTROLS, c->exit);
	/* #DB and #AC: a guest could have the CPU raise them for ever (CVE-2015-8104, 5307) */
	vmcs_write(VMCS_EXCEPTION_BITMAP, 1U << TRAP_DB | 1U << TRAP_AC | 1U << TRAP_MC);
	vmcs_write(VMCS_LINK_POINTER, ~0UL);
	vmcs_write(VMCS_IO_BITMAP_A, hvm_ports_map(v->domain));
	vmcs_write(VMCS_IO_BITMAP_B, hvm_ports_map(v->domain) + PAGE_SIZE);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_AREA, msrs->entry_loads);
	vmcs_write(VMCS_ENTRY_MSR_LOADS, msrs->nr_entry_loads);
	vmcs_write(VMCS_EXIT_MSR_LOAD_AREA, msrs->exit_loads);
	vmcs_write(VMCS_EXIT_MSR_LOADS, msrs->nr_exit_loads);
	vmcs_write(VMCS_VIRTUAL_APIC, virt_to_paddr(vlapic_page(v)));
	vmcs_write(VMCS_EPT_POINTER, ept_pointer(v->domain->hvm->p2m.root));
	if (c->cpu2 & CPU2_PAUSE_LOOP) {
		vmcs_write(VMCS_PAUSE_GAP, PAUSE_GAP);
		vmcs_write(VMCS_PAUSE_WINDOW, PAUSE_WINDOW);
	}
	/* not saved at an exit: each entry counts from here */
	if (c->pin & PIN_PREEMPTION_TIMER)
		vmcs_write(VMCS_PREEMPTION_TIMER, tsc_khz() * RUN_MAX_MS >> c->timer_shift);
	vmcs_write(VMCS_CR0_MASK, ~CR0_LAZY_MASK);
	vmcs_write(VMCS_CR4_MASK, ~0UL);
	vmcs_write(VMCS_HOST_CS, SEL_HYP_CS);
	vmcs_write(VMCS_HOST_SS, SEL_HYP_DS);
	vmcs_write(VMCS_HOST_TR, SEL_TSS);
	vmcs_write(VMCS_HOST_RIP, (uint64_t)vmx_exit_entry);
}

/* As every exit has to find it, on this CPU. */
static void host_state_write(void)
{
	uint64_t area = CPUAREA_START + cpu_id() * CPUAREA_STRIDE;

	vmcs_write(VMCS_HOST_CR0, cr0_read());
	vmcs_write(VMCS_HOST_CR3, cr3_read());
	vmcs_write(VMCS_HOST_CR4, cr4_read());
	vmcs_write(VMCS_HOST_PAT, msr_read(MSR_PAT));
	vmcs_write(VMCS_HOST_EFER, msr_read(MSR_EFER));
	vmcs_write(VMCS_HOST_TR_BASE, area + CPUAREA_TSS);
	vmcs_write(VMCS_HOST_GDTR_BASE, this_cpu(host_tables).gdtr.base);
	vmcs_write(VMCS_HOST_IDTR_BASE, this_cpu(host_tables).idtr.base);
}

/* What one guest taught the branch predictor is not for another. */
static void predictor_clear(const struct domain *d)
{
	if (this_cpu(last_domain) == d)
		return;
	this_cpu(last_domain) = d;
	if (vmx_config.has_spec_ctrl)
		msr_write(MSR_PRED_CMD, PRED_CMD_IBPB);
}

void vmx_switch_to(struct vcpu *v)
{
	struct vmx_vcpu *x = v->hvm->vmx;
	paddr_t vmcs = virt_to_paddr(x->vmcs);

	vmx_tables_store(&this_cpu(host_tables));
	if (!vmcs_load(&vmcs))
		panic("VMPTRLD failed");
	if (!x->is_prepared) {
		vmcs_prepare(v);
		x->is_prepared = true;
	}
	host_state_write();
	for (unsigned int i = 0; i < VMX_MSRS; i++) {
		this_cpu(host_msrs)[i] = msr_read(vmx_switched_msrs[i]);
		msr_write(vmx_switched_msrs[i], x->msrs[i]);
	}
	if (cpu_features.has_rdtscp)
		msr_write(MSR_TSC_AUX, v->hvm->tsc_aux);
	predictor_clear(v->domain);
	x->is_loaded = true;
}

static void debug_registers_save(struct vcpu *v)
{
	struct vmx_vcpu *x = v->hvm->vmx;

	if (!x->has_debug_registers)
		return;
	v->hvm->dr[0] = dr0_read();
	v->hvm->dr[1] = dr1_read();
	v->hvm->dr[2] = dr2_read();
	v->hvm->dr[3] = dr3_read();
	x->dr6 = dr6_read();
	x->has_debug_registers = false;
}

void vmx_switch_from(struct vcpu *v)
{
	struct vmx_vcpu *x = v->hvm->vmx;
	paddr_t vmcs = virt_to_paddr(x->vmcs);

	debug_registers_save(v);
	vmx_state_collect(v);
	x->is_loaded = false;
	x->is_launched = false;
	if (!vmcs_clear(&vmcs)) /* another CPU may take it up */
		panic("VMCLEAR failed");
	for (unsigned int i = 0; i < VMX_MSRS; i++) {
		x->msrs[i] = msr_read(vmx_switched_msrs[i]);
		msr_write(vmx_switched_msrs[i], this_cpu(host_msrs)[i]);
	}
	if (cpu_features.has_rdtscp)
		msr_write(MSR_TSC_AUX, 0);
	/* an exit leaves their limits at 64 KiB (Intel SDM vol. 3, "Loading Host State") */
	vmx_tables_load(&this_cpu(host_tables));
}

void vmx_debug_registers_load(struct vcpu *v)
{
	struct vmx_vcpu *x = v->hvm->vmx;

	dr0_write(v->hvm->dr[0]);
	dr1_write(v->hvm->dr[1]);
	dr2_write(v->hvm->dr[2]);
	dr3_write(v->hvm->dr[3]);
	dr6_write(x->dr6);
	x->has_debug_registers = true;
}

/* --- before an entry --- */

void vmx_tlb_flush(struct vcpu *v)
{
	v->hvm->vmx->vpid_generation = 0;
}

static void vpid_prepare(struct vcpu *v)
{
	const struct p2m *p2m = &v->domain->hvm->p2m;
	uint64_t flushes = __atomic_load_n(&p2m->flush_generation, __ATOMIC_ACQUIRE);
	uint64_t ept[2] = {ept_pointer(p2m->root), 0}, all[2] = {0, 0};
	struct vmx_vcpu *x = v->hvm->vmx;

	/* what other CPUs changed while none of the domain ran here may still be cached here */
	if (x->cpu != cpu_id() || x->flush_generation != flushes) {
		if (!vmx_invept(INVEPT_SINGLE, ept))
			panic("INVEPT failed");
		x->flush_generation = flushes;
	}
	if (likely(x->cpu == cpu_id() && x->vpid_generation &&
		   x->vpid_generation == this_cpu(vpid_generation)))
		return;
	if (!this_cpu(vpid_generation) || this_cpu(vpid_next) >= VPID_COUNT) {
		this_cpu(vpid_generation)++;
		this_cpu(vpid_next) = 1;
		if (!vmx_invvpid(INVVPID_ALL, all))
			panic("INVVPID failed");
	}
	x->cpu = cpu_id();
	x->vpid_generation = this_cpu(vpid_generation);
	vmcs_write(VMCS_VPID, this_cpu(vpid_next)++);
}

/* The exits that tell when what waits can be injected. */
static void window_prepare(struct vcpu *v)
{
	const struct vmx_vcpu *x = v->hvm->vmx;
	uint64_t cpu = vmx_config.cpu, threshold = 0;

	if (x->window == HVM_WINDOW_ANY || (x->window && x->window > vlapic_cr8_get(v)))
		cpu |= CPU_INTERRUPT_WINDOW;
	else
		threshold = x->window; /* an exit once the TPR is below it */
	if (x->is_nmi_wanted)
		cpu |= CPU_NMI_WINDOW;
	if (x->has_debug_registers)
		cpu &= ~CPU_MOV_DR;
	vmx_state_set(v, ST_CPU_CONTROLS, cpu);
	vmx_state_set(v, ST_TPR_THRESHOLD, threshold);
}

/*
 * The CPU has the registers' page as its virtual-APIC page, so that the TPR is never copied.  In x2APIC
 * mode it also does RDMSR of most of them, and WRMSR of the TPR, if it can.
 */
static void apic_prepare(struct vcpu *v)
{
	const struct vmx_config *c = &vmx_config;
	bool helps = c->cpu2_x2apic && vlapic_is_by_msr(v);

	vmx_state_set(v, ST_CPU_CONTROLS2, c->cpu2 | (helps ? c->cpu2_x2apic : 0));
	vmx_state_set(v, ST_MSR_BITMAP,
		      helps ? vmx_msr_tables.bitmap_x2apic : vmx_msr_tables.bitmap);
}

/*
 * Intel SDM vol. 3, "VM-Entry Controls for Event Injection".  An INT n is
 * injected as one that is executed: rip goes back to it.
 */
static void event_inject(struct vcpu *v)
{
	struct hvm_event *e = &v->hvm->event;
	uint64_t event = EVENT_VALID | (uint32_t)e->type << 8 | e->vector;

	if (!e->is_set) {
		vmcs_write(VMCS_ENTRY_EVENT, 0);
		return;
	}
	/* a guest in real mode gets none (same section of the manual) */
	if (e->has_error && v->hvm->cr0 & X86_CR0_PE) {
		event |= EVENT_HAS_ERROR;
		vmcs_write(VMCS_ENTRY_ERROR_CODE, e->error);
	}
	if (e->type == HVM_EVENT_SOFTWARE) {
		vmcs_write(VMCS_ENTRY_INSN_LENGTH, INT_N_LENGTH);
		guest_regs()->rip -= INT_N_LENGTH;
	}
	vmcs_write(VMCS_ENTRY_EVENT, event);
}

static void blocking_prepare(struct vcpu *v)
{
	const struct hvm_vcpu *h = v->hvm;
	bool is_nmi = h->event.is_set && h->event.type == HVM_EVENT_NMI;
	uint64_t blocking = vmx_state_get(v, ST_INTERRUPTIBILITY) & ~(uint64_t)BLOCKED_BY_NMI;
	bool is_shadow = blocking & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);

	if (h->is_nmi_masked && !is_nmi) /* the CPU sets it when it delivers one */
		blocking |= BLOCKED_BY_NMI;
	vmx_state_set(v, ST_INTERRUPTIBILITY, blocking);
	/* Intel SDM vol. 3, "Checks on Guest Non-Register State" */
	vmx_state_set(v, ST_PENDING_DEBUG,
		      is_shadow && guest_regs()->rflags & X86_EFLAGS_TF ? PENDING_DEBUG_BS : 0);
}

/* --- after an exit --- */

/* What was being delivered when the exit came goes first the next time. */
static void event_take_back(struct vcpu *v)
{
	uint32_t info = vmcs_read(VMCS_IDT_EVENT);
	struct hvm_event e = {
		.is_set = true,
		.type = EVENT_TYPE(info),
		.vector = info,
		.has_error = info & EVENT_HAS_ERROR,
	};

	/* INT n, INT3 and INTO: rip is still at the instruction, which is executed again */
	if (!(info & EVENT_VALID) || e.type == HVM_EVENT_SOFTWARE || e.type == EVENT_TYPE_INT1 ||
	    e.type == EVENT_TYPE_INT3)
		return;
	if (e.has_error)
		e.error = vmcs_read(VMCS_IDT_ERROR_CODE);
	hvm_event_requeue(v, &e);
}

/* An IRET that unblocked NMIs and then caused the exit is executed again. */
static bool is_iret_undone(const struct vmx_vcpu *x)
{
	if (vmcs_read(VMCS_IDT_EVENT) & EVENT_VALID)
		return false;
	if (x->exit_reason == VMX_EXIT_EXCEPTION)
		return x->exit_event & EVENT_NMI_UNBLOCKED;
	return (x->exit_reason == VMX_EXIT_EPT_VIOLATION ||
		x->exit_reason == VMX_EXIT_EPT_MISCONFIGURATION) &&
	       x->qualification & EVENT_NMI_UNBLOCKED;
}

/* NMIs are blocked since the exit, until the host's handler returns. */
static void host_nmi_handle(const struct vmx_vcpu *x)
{
	if (x->exit_reason == VMX_EXIT_EXCEPTION && EVENT_TYPE(x->exit_event) == HVM_EVENT_NMI)
		__asm__ volatile("int $2" ::: "memory");
}

static void exit_fetch(struct vcpu *v)
{
	struct cpu_user_regs *regs = guest_regs();
	struct vmx_vcpu *x = v->hvm->vmx;

	x->exit_reason = vmcs_read(VMCS_EXIT_REASON);
	x->exit_event = vmcs_read(VMCS_EXIT_EVENT);
	x->qualification = vmcs_read(VMCS_EXIT_QUALIFICATION);
	if (x->exit_reason & EXIT_REASON_FAILED)
		return; /* nothing has changed */
	x->is_launched = true;
	v->hvm->event.is_set = false;
	vmx_state_forget(v);
	regs->rip = vmcs_read(VMCS_GUEST_RIP);
	regs->rsp = vmcs_read(VMCS_GUEST_RSP);
	regs->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	v->hvm->is_nmi_masked = vmx_state_get(v, ST_INTERRUPTIBILITY) & BLOCKED_BY_NMI ||
				is_iret_undone(x);
	vmx_controls_fetch(v);
	event_take_back(v);
}

void vmx_run(struct vcpu *v)
{
	struct cpu_user_regs *regs = guest_regs();
	struct hvm_vcpu *h = v->hvm;
	struct vmx_vcpu *x = h->vmx;
	bool has_entered;

	vpid_prepare(v);
	if (vmx_state_get(v, ST_DR7) & DR7_ENABLES && !x->has_debug_registers)
		vmx_debug_registers_load(v);
	window_prepare(v);
	apic_prepare(v);
	blocking_prepare(v);
	event_inject(v);
	vmcs_write(VMCS_GUEST_RIP, regs->rip);
	vmcs_write(VMCS_GUEST_RSP, regs->rsp);
	vmcs_write(VMCS_GUEST_RFLAGS, regs->rflags);
	vmx_state_flush(v);
	cr2_write(h->cr2);

	has_entered = vmx_enter(regs, (x->is_launched ? VMX_ENTER_LAUNCHED : 0) |
					      (vmx_config.has_verw ? VMX_ENTER_VERW : 0));

	h->cr2 = cr2_read();
	if (!has_entered) {
		x->exit_reason = EXIT_REASON_FAILED;
		x->qualification = vmcs_read(VMCS_INSTRUCTION_ERROR);
		return;
	}
	exit_fetch(v);
	host_nmi_handle(x);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why the guest came out (Intel SDM vol. 3, appendix C "VMX Basic Exit
 * Reasons"), and to whom that goes.  A reason without a handler ends the
 * domain, with its name.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/asm.h"
#include "cpu/trap.h"
#include "hvm/io.h"
#include "hvm/vcpu.h"
#include "lib/printk.h"

#define DR6_MET 0x600fUL /* B0..B3 BD BS */

static uint64_t next_rip(void)
{
	return guest_regs()->rip + vmcs_read(VMCS_EXIT_INSN_LENGTH);
}

static void exit_nothing(struct vcpu *v)
{
}

static void exit_undefined(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_UD, -1);
}

static void exit_rdpmc(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_GP, 0);
}

static void debug_exception(struct vcpu *v)
{
	struct vmx_vcpu *x = v->hvm->vmx;
	uint64_t met = x->qualification & DR6_MET;

	/* the CPU leaves DR6 as it was (Intel SDM vol. 3, "Architectural State Before a VM Exit") */
	if (x->has_debug_registers)
		dr6_write(dr6_read() | met);
	else
		x->dr6 |= met;
	if (EVENT_TYPE(x->exit_event) == EVENT_TYPE_INT1) /* a trap, but rip is still at it */
		guest_regs()->rip = next_rip();
	hvm_inject_exception(v, TRAP_DB, -1);
}

static void exit_exception(struct vcpu *v)
{
	uint32_t event = v->hvm->vmx->exit_event;

	if (EVENT_TYPE(event) == HVM_EVENT_NMI)
		return; /* run has handled it */
	switch (event & 0xff) {
	case TRAP_DB:
		debug_exception(v);
		break;
	case TRAP_AC:
		hvm_inject_exception(v, TRAP_AC, 0);
		break;
	case TRAP_MC:
		panic("machine check while d%u ran", v->domain->id);
	default:
		hvm_exit_unexpected(v, "VMX exception", event);
	}
}

static void exit_triple_fault(struct vcpu *v)
{
	hvm_triple_fault(v);
}

static void exit_cpuid(struct vcpu *v)
{
	hvm_exit_cpuid(v, next_rip());
}

static void exit_hlt(struct vcpu *v)
{
	hvm_exit_hlt(v, next_rip());
}

/* Caches are coherent with all that the guest can reach: there is nothing to write back. */
static void exit_skip(struct vcpu *v)
{
	hvm_exit_skip(v, next_rip());
}

static void exit_pause(struct vcpu *v)
{
	hvm_exit_skip(v, next_rip());
	vcpu_yield();
}

static void exit_hypercall(struct vcpu *v)
{
	hvm_exit_hypercall(v, next_rip());
}

static void exit_xsetbv(struct vcpu *v)
{
	hvm_exit_xsetbv(v, next_rip());
}

static void exit_rdmsr(struct vcpu *v)
{
	hvm_exit_msr(v, false, next_rip());
}

static void exit_wrmsr(struct vcpu *v)
{
	hvm_exit_msr(v, true, next_rip());
}

/* LMSW changes the low four bits, and cannot clear PE (Intel SDM vol. 2, "LMSW"). */
static uint64_t lmsw(uint64_t cr0, uint64_t val)
{
	return (cr0 & ~0xeUL) | (val & 0xf);
}

static void exit_cr(struct vcpu *v)
{
	uint64_t q = v->hvm->vmx->qualification, cr0 = v->hvm->cr0;

	switch (CR_ACCESS(q)) {
	case CR_MOV_TO:
		hvm_exit_cr_write(v, CR_NUMBER(q), CR_GPR(q), next_rip());
		break;
	case CR_MOV_FROM:
		hvm_exit_cr_read(v, CR_NUMBER(q), CR_GPR(q), next_rip());
		break;
	case CR_CLTS:
		hvm_cr_write(v, 0, cr0 & ~X86_CR0_TS, next_rip());
		break;
	case CR_LMSW_ACCESS:
		hvm_cr_write(v, 0, lmsw(cr0, CR_LMSW(q)), next_rip());
		break;
	}
}

static void exit_debug_registers(struct vcpu *v)
{
	vmx_debug_registers_load(v); /* and does it again */
}

static void exit_port(struct vcpu *v)
{
	uint64_t q = v->hvm->vmx->qualification;
	bool is_write = !(q & PORT_IN);

	if (q & PORT_STRING)
		hvm_port_string_exit(v, PORT_SIZE(q), is_write);
	else
		hvm_port_exit(v, PORT_NUMBER(q), PORT_SIZE(q), is_write, next_rip());
}

static void exit_ept_violation(struct vcpu *v)
{
	uint64_t q = v->hvm->vmx->qualification;

	hvm_exit_nested_fault(v, vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS), q & EPT_WRITE,
			      q & EPT_FETCH);
}

static void exit_machine_check(struct vcpu *v)
{
	panic("machine check while d%u was entered", v->domain->id);
}

#define NO_KIND HVM_EXIT_KINDS /* counts itself */

static const struct {
	const char *name;
	void (*handle)(struct vcpu *v);
	enum hvm_exit_kind kind;
} exits[VMX_EXIT_REASONS] = {
	[VMX_EXIT_EXCEPTION] = {"exception or NMI", exit_exception, HVM_EXIT_EXCEPTION},
	/* it comes when they are on again */
	[VMX_EXIT_INTERRUPT] = {"external interrupt", exit_nothing, HVM_EXIT_INTERRUPT},
	[VMX_EXIT_TRIPLE_FAULT] = {"triple fault", exit_triple_fault, HVM_EXIT_OTHER},
	[VMX_EXIT_INIT] = {"INIT signal", exit_nothing, HVM_EXIT_INTERRUPT},
	[4] = {"start-up IPI", NULL, HVM_EXIT_OTHER},
	[5] = {"I/O SMI", NULL, HVM_EXIT_OTHER},
	[6] = {"other SMI", NULL, HVM_EXIT_OTHER},
	/* the next entry injects it */
	[VMX_EXIT_INTERRUPT_WINDOW] = {"interrupt window", exit_nothing, HVM_EXIT_WINDOW},
	[VMX_EXIT_NMI_WINDOW] = {"NMI window", exit_nothing, HVM_EXIT_WINDOW},
	[VMX_EXIT_TASK_SWITCH] = {"task switch", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_CPUID] = {"CPUID", exit_cpuid, HVM_EXIT_CPUID},
	[VMX_EXIT_GETSEC] = {"GETSEC", exit_undefined, HVM_EXIT_OTHER},
	[VMX_EXIT_HLT] = {"HLT", exit_hlt, HVM_EXIT_HLT},
	[VMX_EXIT_INVD] = {"INVD", exit_skip, HVM_EXIT_OTHER},
	[14] = {"INVLPG", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_RDPMC] = {"RDPMC", exit_rdpmc, HVM_EXIT_OTHER},
	[16] = {"RDTSC", NULL, HVM_EXIT_OTHER},
	[17] = {"RSM", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_VMCALL] = {"VMCALL", exit_hypercall, HVM_EXIT_HYPERCALL},
	[VMX_EXIT_VMCLEAR] = {"VMCLEAR", exit_undefined, HVM_EXIT_OTHER},
	[20] = {"VMLAUNCH", exit_undefined, HVM_EXIT_OTHER},
	[21] = {"VMPTRLD", exit_undefined, HVM_EXIT_OTHER},
	[22] = {"VMPTRST", exit_undefined, HVM_EXIT_OTHER},
	[23] = {"VMREAD", exit_undefined, HVM_EXIT_OTHER},
	[24] = {"VMRESUME", exit_undefined, HVM_EXIT_OTHER},
	[25] = {"VMWRITE", exit_undefined, HVM_EXIT_OTHER},
	[26] = {"VMXOFF", exit_undefined, HVM_EXIT_OTHER},
	[VMX_EXIT_VMXON] = {"VMXON", exit_undefined, HVM_EXIT_OTHER},
	[VMX_EXIT_CR] = {"control register", exit_cr, HVM_EXIT_CR},
	[VMX_EXIT_DR] = {"debug register", exit_debug_registers, HVM_EXIT_CR},
	[VMX_EXIT_PORT] = {"port", exit_port, HVM_EXIT_PORT},
	[VMX_EXIT_RDMSR] = {"RDMSR", exit_rdmsr, HVM_EXIT_MSR},
	[VMX_EXIT_WRMSR] = {"WRMSR", exit_wrmsr, HVM_EXIT_MSR},
	[VMX_EXIT_GUEST_STATE] = {"entry failure: guest state", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_MSR_LOADING] = {"entry failure: MSR loading", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_MWAIT] = {"MWAIT", exit_undefined, HVM_EXIT_OTHER},
	[37] = {"monitor trap flag", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_MONITOR] = {"MONITOR", exit_undefined, HVM_EXIT_OTHER},
	[VMX_EXIT_PAUSE] = {"PAUSE", exit_pause, HVM_EXIT_HLT},
	[VMX_EXIT_MACHINE_CHECK] = {"entry failure: machine check", exit_machine_check, HVM_EXIT_OTHER},
	[VMX_EXIT_TPR] = {"TPR below threshold", exit_nothing, HVM_EXIT_WINDOW},
	[44] = {"APIC access", NULL, HVM_EXIT_OTHER},
	[45] = {"virtualized EOI", NULL, HVM_EXIT_OTHER},
	[46] = {"GDTR or IDTR access", NULL, HVM_EXIT_OTHER},
	[47] = {"LDTR or TR access", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_EPT_VIOLATION] = {"EPT violation", exit_ept_violation, NO_KIND},
	[VMX_EXIT_EPT_MISCONFIGURATION] = {"EPT misconfiguration", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_INVEPT] = {"INVEPT", exit_undefined, HVM_EXIT_OTHER},
	[51] = {"RDTSCP", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_PREEMPTION_TIMER] = {"preemption timer", exit_nothing, HVM_EXIT_INTERRUPT},
	[VMX_EXIT_INVVPID] = {"INVVPID", exit_undefined, HVM_EXIT_OTHER},
	[VMX_EXIT_WBINVD] = {"WBINVD", exit_skip, HVM_EXIT_OTHER},
	[VMX_EXIT_XSETBV] = {"XSETBV", exit_xsetbv, HVM_EXIT_CR},
	[56] = {"APIC write", NULL, HVM_EXIT_OTHER},
	[57] = {"RDRAND", NULL, HVM_EXIT_OTHER},
	[58] = {"INVPCID", NULL, HVM_EXIT_OTHER},
	[VMX_EXIT_VMFUNC] = {"VMFUNC", exit_undefined, HVM_EXIT_OTHER},
	[60] = {"ENCLS", NULL, HVM_EXIT_OTHER},
	[61] = {"RDSEED", NULL, HVM_EXIT_OTHER},
	[62] = {"page-modification log full", NULL, HVM_EXIT_OTHER},
	[63] = {"XSAVES", NULL, HVM_EXIT_OTHER},
	[64] = {"XRSTORS", NULL, HVM_EXIT_OTHER},
	[65] = {"PCONFIG", NULL, HVM_EXIT_OTHER},
	[66] = {"SPP-related event", NULL, HVM_EXIT_OTHER},
	[67] = {"UMWAIT", NULL, HVM_EXIT_OTHER},
	[68] = {"TPAUSE", NULL, HVM_EXIT_OTHER},
	[69] = {"LOADIWKEY", NULL, HVM_EXIT_OTHER},
	[70] = {"ENCLV", NULL, HVM_EXIT_OTHER},
	[72] = {"ENQCMD PASID translation failure", NULL, HVM_EXIT_OTHER},
	[73] = {"ENQCMDS PASID translation failure", NULL, HVM_EXIT_OTHER},
	[74] = {"bus lock", NULL, HVM_EXIT_OTHER},
	[75] = {"instruction timeout", NULL, HVM_EXIT_OTHER},
};

const char *vmx_exit_name(uint32_t reason)
{
	uint16_t n = reason;

	return n < ARRAY_SIZE(exits) && exits[n].name ? exits[n].name : "unknown VMX exit";
}

static void entry_failed(struct vcpu *v)
{
	const struct vmx_vcpu *x = v->hvm->vmx;
	bool is_vmfail = !(uint16_t)x->exit_reason;
	unsigned int bad = is_vmfail ? vmx_host_check(v) : vmx_state_check(v);

	if ((uint16_t)x->exit_reason == VMX_EXIT_MSR_LOADING)
		guest_printk(v->domain, "MSR %#x of the list for an entry\n",
			     vmx_entry_load(x->qualification));
	guest_printk(v->domain, "vCPU %u: VM entry failed, %u fields found inconsistent\n", v->id, bad);
	hvm_exit_unexpected(v, is_vmfail ? "VM-instruction error" : vmx_exit_name(x->exit_reason),
			    x->qualification);
}

void vmx_exit_handle(struct vcpu *v)
{
	const struct vmx_vcpu *x = v->hvm->vmx;
	uint16_t reason = x->exit_reason;

	if (x->exit_reason & EXIT_REASON_FAILED) {
		if (reason == VMX_EXIT_MACHINE_CHECK)
			exit_machine_check(v);
		v->hvm->exits[HVM_EXIT_OTHER]++;
		entry_failed(v);
		return;
	}
	if (reason >= ARRAY_SIZE(exits) || !exits[reason].handle) {
		v->hvm->exits[HVM_EXIT_OTHER]++;
		hvm_exit_unexpected(v, vmx_exit_name(reason), x->qualification);
		return;
	}
	if (exits[reason].kind != NO_KIND)
		v->hvm->exits[exits[reason].kind]++;
	exits[reason].handle(v);
}

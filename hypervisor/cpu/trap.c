/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do about an exception or an interrupt.  A guest's is handled for it
 * or handed to it; our own is one of those listed in the exception table, or
 * the end.
 */
#include "cpu/trap.h"

#include "boot/boot.h"
#include "cpu/asm.h"
#include "cpu/backtrace.h"
#include "cpu/cpu.h"
#include "cpu/extable.h"
#include "cpu/softirq.h"
#include "dev/apic.h"
#include "dev/console.h"
#include "dev/irq.h"
#include "domain/domain.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "pv/emulate.h"
#include "pv/trap.h"

extern char iret_insn[];

void regs_print(const struct cpu_user_regs *r)
{
	printk("rip %04x:%016lx rsp %04x:%016lx rflags %08lx vector %u error %x\n", r->cs, r->rip,
	       r->ss, r->rsp, r->rflags, r->entry_vector, r->error_code);
	printk("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
	printk("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
	printk("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
	printk("r13 %016lx r14 %016lx r15 %016lx\n", r->r13, r->r14, r->r15);
	printk("cr0 %lx cr2 %lx cr3 %lx cr4 %lx\n", cr0_read(), cr2_read(), cr3_read(), cr4_read());
}

static no_return void trap_fatal(const struct cpu_user_regs *regs)
{
	console_force_unlock();
	regs_print(regs);
	backtrace_print(regs->rip, regs->rbp);
	panic("exception %u in the hypervisor", regs->entry_vector);
}

/* An address in this CPU's LDT window: an access by the CPU itself to a guest's descriptor. */
static bool ldt_window_fault(struct vcpu *v, uint64_t addr)
{
	uint64_t ldt = CPUAREA_START + cpu_id() * CPUAREA_STRIDE + CPUAREA_LDT;

	return addr - ldt < 16 * PAGE_SIZE && pv_ldt_fault(v, addr - ldt);
}

static void page_fault_from_guest(struct vcpu *v, struct cpu_user_regs *regs)
{
	uint64_t addr = cr2_read();
	uint32_t error = regs->error_code;

	if (unlikely(addr - HYPERVISOR_VIRT_START < HYPERVISOR_VIRT_END - HYPERVISOR_VIRT_START)) {
		if (!(error & PF_USER) && ldt_window_fault(v, addr))
			return;
		/* a descriptor it names is not there: to the guest, a bad selector */
		if (!(error & PF_USER)) {
			pv_inject(v, TRAP_GP, 0);
			return;
		}
	}
	if (unlikely(error & PF_RESERVED)) {
		domain_crash(v->domain, "page table entry with reserved bits at %#lx", addr);
		return;
	}
	if ((error & (PF_WRITE | PF_PRESENT)) == (PF_WRITE | PF_PRESENT) && v->pv.in_kernel &&
	    pv_fault_write_pte(v, addr, regs))
		return;
	pv_inject_page_fault(v, addr, error);
}

static void nmi_handle(struct cpu_user_regs *regs)
{
	uint8_t reason = port_inb(0x61);

	printk("NMI on CPU %u, reason %#x\n", cpu_id(), reason);
	if (!(regs->cs & 3))
		backtrace_print(regs->rip, regs->rbp);
}

void trap_from_guest(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	unsigned int vector = regs->entry_vector;

	switch (vector) {
	case TRAP_PF:
		page_fault_from_guest(v, regs);
		return;
	case TRAP_GP:
		if (!pv_software_interrupt(v, regs) && !pv_emulate_privileged(v, regs))
			pv_inject(v, TRAP_GP, regs->error_code);
		return;
	case TRAP_UD:
		if (!pv_emulate_forced(v, regs))
			pv_inject(v, TRAP_UD, -1);
		return;
	case TRAP_NM:
		/* the ABI: TS is cleared before the guest's handler runs */
		v->pv.cr0_ts = 0;
		cr0_write(cr0_read() & ~X86_CR0_TS);
		pv_inject(v, TRAP_NM, -1);
		return;
	case TRAP_DB:
		v->pv.debugreg[6] = dr6_read();
		dr6_write(0xffff0ff0);
		pv_inject(v, TRAP_DB, -1);
		return;
	case TRAP_NMI:
		nmi_handle(regs);
		return;
	case TRAP_MC:
		trap_fatal(regs);
	case 10:
	case 11:
	case 12:
	case 17:
	case 21:
		pv_inject(v, vector, regs->error_code);
		return;
	default:
		pv_inject(v, vector, -1);
	}
}

/*
 * IRET to the guest faulted: its frame asked for what cannot be.  The fault's
 * own frame lies right below and holds the registers meant for the guest.
 */
static struct cpu_user_regs *iret_fault(struct cpu_user_regs *fault)
{
	struct cpu_user_regs *guest = &cpu_info()->guest_regs;
	unsigned int vector = fault->entry_vector;
	uint32_t error = fault->error_code;
	uint64_t addr = cr2_read();

	memmove(guest, fault, offsetof(struct cpu_user_regs, error_code));
	guest->error_code = error;
	guest->entry_vector = vector;
	irq_enable();
	/* its CS or SS is in a part of its LDT that was not used yet: try again */
	if (vector == TRAP_PF && ldt_window_fault(current, addr))
		return guest;
	pv_iret_failed(current, guest);
	return guest;
}

struct cpu_user_regs *trap_from_hypervisor(struct cpu_user_regs *regs)
{
	uint64_t to;

	if (regs->rip == (uint64_t)iret_insn)
		return iret_fault(regs);
	if (regs->entry_vector == TRAP_PF || regs->entry_vector == TRAP_GP ||
	    regs->entry_vector == TRAP_NP || regs->entry_vector == TRAP_SS) {
		/*
		 * An LDT frame that is not there is not fetched here: selectors are
		 * loaded with interrupts off, and its validation may flush TLBs.
		 */
		to = extable_find(regs->rip);
		if (to) {
			regs->rip = to;
			return NULL;
		}
	}
	trap_fatal(regs);
}

void trap_from_hypervisor_ist(struct cpu_user_regs *regs)
{
	switch (regs->entry_vector) {
	case TRAP_NMI:
		nmi_handle(regs);
		return;
	case TRAP_DB:
		/* a guest's breakpoint that its SYSCALL or MOV SS carried in here: ignored */
		dr6_write(0xffff0ff0);
		regs->rflags &= ~X86_EFLAGS_TF;
		return;
	default:
		trap_fatal(regs);
	}
}

void interrupt_handle(struct cpu_user_regs *regs)
{
	unsigned int vector = regs->entry_vector;

	switch (vector) {
	case VECTOR_TIMER:
		apic_eoi();
		timer_interrupt();
		return;
	case VECTOR_KICK:
		apic_eoi(); /* the return path looks at the softirqs */
		return;
	case VECTOR_CALL:
		apic_eoi();
		ipi_call_handle();
		return;
	case VECTOR_SPURIOUS:
		return;
	case VECTOR_ERROR:
		apic_eoi();
		return;
	default:
		irq_handle(vector);
	}
}

/*
 * Before a return to the guest, interrupts off: all that is pending, until
 * nothing more is.  A switch to another vCPU happens in softirq_run.
 */
void return_prepare(void)
{
	for (;;) {
		struct vcpu *v;

		if (softirq_is_pending()) {
			irq_enable();
			softirq_run();
			irq_disable();
			continue;
		}
		v = current;
		if (v->return_work) {
			irq_enable();
			pv_return_work(v);
			irq_disable();
			continue;
		}
		if (!vcpu_has_upcall(v))
			return;
		irq_enable();
		pv_deliver_events(v);
		irq_disable();
	}
}

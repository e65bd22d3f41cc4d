/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery of exceptions, events, system calls and NMIs to a PV guest kernel:
 * a frame on its stack, as xen/arch-x86/xen-x86_64.h and the kernels' entry
 * code have it, from the top of the stack down:
 *
 *	ss rsp rflags cs(+saved upcall mask) rip [error] r11 rcx
 */
#include "pv/trap.h"

#include <xen/callback.h>

#include "cpu/asm.h"
#include "cpu/guest_copy.h"
#include "cpu/trap.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/printk.h"
#include "pv/debugreg.h"

#define FLAGS_CLEARED_FOR_HANDLER                                                                  \
	(X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_VM | X86_EFLAGS_AC)

struct bounce {
	uint64_t address;
	bool mask_events;
	bool has_error;
	uint32_t error;
	bool has_segments; /* failsafe: ds es fs gs above rcx and r11 */
};

void pv_toggle_mode(struct vcpu *v)
{
	v->pv.in_kernel = !v->pv.in_kernel;
	__asm__ volatile("swapgs" ::: "memory");
	pv_load_cr3(v);
}

static void bounce_create(struct vcpu *v, struct cpu_user_regs *regs, const struct bounce *b)
{
	uint64_t frame[12], sp, rflags = regs->rflags;
	unsigned int n = 0;
	uint8_t mask = v->info->evtchn_upcall_mask;

	if (unlikely(!b->address)) {
		domain_crash(v->domain, "vCPU %u: trap %u without a handler, at %#lx (cr2 %#lx)", v->id,
			     regs->entry_vector, regs->rip, v->info->arch.cr2);
		return;
	}
	frame[n++] = regs->rcx;
	frame[n++] = regs->r11;
	if (b->has_segments) {
		uint32_t sel;

		__asm__ volatile("mov %%ds, %0" : "=r"(sel));
		frame[n++] = sel & 0xffff;
		__asm__ volatile("mov %%es, %0" : "=r"(sel));
		frame[n++] = sel & 0xffff;
		__asm__ volatile("mov %%fs, %0" : "=r"(sel));
		frame[n++] = sel & 0xffff;
		__asm__ volatile("mov %%gs, %0" : "=r"(sel));
		frame[n++] = sel & 0xffff;
	}
	if (b->has_error)
		frame[n++] = b->error;
	frame[n++] = regs->rip;
	/* ring 0 as the guest kernel sees itself; its user mode is ring 3 */
	frame[n++] = (v->pv.in_kernel ? regs->cs & ~3UL : regs->cs) | (uint64_t)mask << 32;
	frame[n++] = (rflags & ~X86_EFLAGS_IF) | (mask ? 0 : X86_EFLAGS_IF);
	frame[n++] = regs->rsp;
	frame[n++] = regs->ss;

	if (v->pv.in_kernel) {
		sp = regs->rsp;
	} else {
		pv_toggle_mode(v);
		sp = v->pv.kernel_sp;
	}
	sp = (sp & ~0xfUL) - n * sizeof(frame[0]);
	if (unlikely(guest_copy_to((void *)sp, frame, n * sizeof(frame[0])))) {
		domain_crash(v->domain, "vCPU %u: trap %u at %#lx: no kernel stack at %#lx", v->id,
			     regs->entry_vector, regs->rip, sp);
		return;
	}
	if (b->mask_events)
		WRITE_ONCE(v->info->evtchn_upcall_mask, 1);
	regs->rip = b->address;
	regs->cs = SEL_RING3_CS64;
	regs->rflags = rflags & ~FLAGS_CLEARED_FOR_HANDLER;
	regs->rsp = sp;
	regs->ss = SEL_RING3_SS;
	cpu_info()->can_sysret = 0;
}

void pv_syscall(struct vcpu *v, struct cpu_user_regs *regs)
{
	struct bounce b = {
		.address = v->pv.syscall_callback,
		.mask_events = v->pv.syscall_masks_events,
	};

	bounce_create(v, regs, &b);
	regs->r11 = regs->rflags;
	regs->rcx = regs->rip;
	cpu_info()->can_sysret = 1; /* what it left in rcx and r11 is on the frame */
}

/* From 32-bit user mode; a 32-bit or 64-bit kernel does not come here. */
void pv_syscall32(struct vcpu *v, struct cpu_user_regs *regs)
{
	struct bounce b = {
		.address = v->pv.syscall32_callback,
		.mask_events = v->pv.syscall32_masks_events,
	};

	if (v->pv.in_kernel || !b.address) {
		regs->rip -= 2; /* the instruction faults */
		pv_inject(v, v->pv.in_kernel ? TRAP_GP : TRAP_UD, v->pv.in_kernel ? 0 : -1);
		return;
	}
	bounce_create(v, regs, &b);
}

void pv_inject(struct vcpu *v, unsigned int vector, int64_t error_code)
{
	struct cpu_user_regs *regs = &cpu_info()->guest_regs;
	const struct trap_info *t = &v->pv.traps[vector];
	struct bounce b = {
		.address = t->address,
		.mask_events = TI_GET_IF(t),
		.has_error = error_code >= 0,
		.error = error_code,
	};

	regs->entry_vector = vector;
	bounce_create(v, regs, &b);
}

/*
 * INT n through a gate that is ours alone faults with an error code that says so
 * (AMD APM vol. 2, "Selector Error Code": IDT bit 1, EXT bit 0).  The vector is
 * read from the instruction: QEMU puts it elsewhere in the code than a CPU does.
 */
#define ERROR_CODE_EXT 1
#define ERROR_CODE_IDT 2
#define OPCODE_INT_N   0xcd
bool pv_software_interrupt(struct vcpu *v, struct cpu_user_regs *regs)
{
	const struct trap_info *t;
	uint8_t insn[2];

	if ((regs->error_code & (ERROR_CODE_EXT | ERROR_CODE_IDT)) != ERROR_CODE_IDT)
		return false;
	if (guest_copy_from(insn, (const void *)regs->rip, sizeof(insn)) || insn[0] != OPCODE_INT_N)
		return false;
	t = &v->pv.traps[insn[1]];
	if (!t->address || TI_GET_DPL(t) < (v->pv.in_kernel ? 1 : 3))
		return false;
	regs->rip += sizeof(insn);
	pv_inject(v, insn[1], -1);
	return true;
}

void pv_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error_code)
{
	/* the guest kernel runs in ring 3 too: to it, its own faults are a supervisor's */
	error_code &= ~PF_USER;
	if (!v->pv.in_kernel)
		error_code |= PF_USER;
	v->info->arch.cr2 = addr;
	pv_inject(v, TRAP_PF, error_code);
}

void pv_deliver_events(struct vcpu *v)
{
	struct bounce b = {.address = v->pv.event_callback, .mask_events = true};

	cpu_info()->guest_regs.entry_vector = 0;
	if (!b.address) {
		/* no callback yet: events stay pending until there is one */
		WRITE_ONCE(v->info->evtchn_upcall_mask, 1);
		return;
	}
	bounce_create(v, &cpu_info()->guest_regs, &b);
}

void pv_return_work(struct vcpu *v)
{
	v->return_work = false;
	if (!atomic_bit_test_and_clear(&v->flags, VCPU_F_NMI_PENDING))
		return;
	if (atomic_bit_test_and_set(&v->flags, VCPU_F_IN_NMI)) {
		/* after its handler's IRET */
		atomic_bit_set(&v->flags, VCPU_F_NMI_PENDING);
		return;
	}
	if (v->pv.nmi_callback || v->pv.traps[TRAP_NMI].address) {
		struct bounce b = {
			.address = v->pv.nmi_callback ? v->pv.nmi_callback :
							v->pv.traps[TRAP_NMI].address,
			.mask_events = true,
		};

		bounce_create(v, &cpu_info()->guest_regs, &b);
	}
}

void pv_iret_failed(struct vcpu *v, struct cpu_user_regs *regs)
{
	struct bounce b = {
		.address = v->pv.failsafe_callback,
		.mask_events = v->pv.failsafe_masks_events,
		.has_segments = true,
	};

	bounce_create(v, regs, &b);
}

/* HYPERVISOR_iret: struct iret_context at the guest's rsp. */
long hypercall_iret(const uint64_t *args)
{
	struct vcpu *v = current;
	struct cpu_user_regs *regs = &cpu_info()->guest_regs;
	struct iret_context ctx;

	if (guest_copy_from(&ctx, (const void *)regs->rsp, sizeof(ctx))) {
		domain_crash(v->domain, "vCPU %u: iret frame at %#lx cannot be read", v->id,
			     regs->rsp);
		return 0;
	}
	if ((ctx.cs & 3) == 3) {
		if (unlikely(!v->pv.user_l4)) {
			domain_crash(v->domain, "vCPU %u: iret to user mode without page tables",
				     v->id);
			return 0;
		}
		pv_toggle_mode(v);
	}
	regs->rip = ctx.rip;
	regs->cs = ctx.cs | 3;
	regs->rflags = (ctx.rflags & ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF |
		       X86_EFLAGS_MBS;
	regs->rsp = ctx.rsp;
	regs->ss = ctx.ss | 3;
	if (ctx.flags & VGCF_in_syscall) {
		regs->r11 = regs->rflags;
		regs->rcx = regs->rip;
	} else {
		cpu_info()->can_sysret = 0;
		regs->r11 = ctx.r11;
		regs->rcx = ctx.rcx;
	}
	if (atomic_bit_test_and_clear(&v->flags, VCPU_F_IN_NMI) &&
	    bit_test(&v->flags, VCPU_F_NMI_PENDING))
		v->return_work = true;
	WRITE_ONCE(v->info->evtchn_upcall_mask, !(ctx.rflags & X86_EFLAGS_IF));
	return ctx.rax;
}

static int callback_set(struct vcpu *v, uint16_t type, uint16_t flags, uint64_t address)
{
	bool mask = flags & CALLBACKF_mask_events;

	switch (type) {
	case CALLBACKTYPE_event:
		v->pv.event_callback = address;
		return 0;
	case CALLBACKTYPE_failsafe:
		v->pv.failsafe_callback = address;
		v->pv.failsafe_masks_events = mask;
		return 0;
	case CALLBACKTYPE_syscall:
		v->pv.syscall_callback = address;
		v->pv.syscall_masks_events = mask;
		return 0;
	case CALLBACKTYPE_syscall32:
		v->pv.syscall32_callback = address;
		v->pv.syscall32_masks_events = mask;
		return 0;
	case CALLBACKTYPE_sysenter:
		v->pv.sysenter_callback = address;
		v->pv.sysenter_masks_events = mask;
		return 0;
	case CALLBACKTYPE_nmi:
		v->pv.nmi_callback = address;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* HYPERVISOR_callback_op(op, arg) */
long hypercall_callback_op(const uint64_t *args)
{
	struct callback_register reg;
	struct callback_unregister unreg;

	switch (args[0]) {
	case CALLBACKOP_register:
		if (copy_in(&reg, (const void *)args[1], sizeof(reg)))
			return -EFAULT;
		if (!is_guest_entry_address(reg.address))
			return -EINVAL;
		return callback_set(current, reg.type, reg.flags, reg.address);
	case CALLBACKOP_unregister:
		if (copy_in(&unreg, (const void *)args[1], sizeof(unreg)))
			return -EFAULT;
		switch (unreg.type) {
		case CALLBACKTYPE_event:
		case CALLBACKTYPE_failsafe:
		case CALLBACKTYPE_syscall:
			return -EINVAL;
		default:
			return callback_set(current, unreg.type, 0, 0);
		}
	default:
		return -ENOSYS;
	}
}

/* HYPERVISOR_set_callbacks(event, failsafe, syscall) */
long hypercall_set_callbacks(const uint64_t *args)
{
	struct vcpu *v = current;

	for (int i = 0; i < 3; i++)
		if (!is_guest_entry_address(args[i]))
			return -EINVAL;
	v->pv.event_callback = args[0];
	v->pv.failsafe_callback = args[1];
	v->pv.syscall_callback = args[2];
	return 0;
}

/* HYPERVISOR_nmi_op(op, arg) */
long hypercall_nmi_op(const uint64_t *args)
{
	uint64_t cb[2]; /* struct xennmi_callback: handler_address, pad */

	switch (args[0]) {
	case 0: /* XENNMI_register_callback */
		if (copy_in(cb, (const void *)args[1], sizeof(cb)))
			return -EFAULT;
		if (!is_guest_entry_address(cb[0]))
			return -EINVAL;
		current->pv.nmi_callback = cb[0];
		return 0;
	case 1:
		current->pv.nmi_callback = 0;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* HYPERVISOR_set_trap_table(traps): until an entry with address 0 */
long hypercall_set_trap_table(const uint64_t *args)
{
	const struct trap_info *guest = (const void *)args[0];
	struct trap_info *table = current->pv.traps, t;

	if (!guest) {
		for (unsigned int i = 0; i < 256; i++)
			table[i] = (struct trap_info){0};
		return 0;
	}
	/* one entry for each vector and the sentinel: more would only repeat */
	for (unsigned int n = 0; n <= 256; n++) {
		if (copy_in(&t, guest + n, sizeof(t)))
			return -EFAULT;
		if (!t.address)
			return 0;
		if (!is_guest_entry_address(t.address))
			return -EINVAL;
		t.cs = pv_fixup_selector(t.cs);
		table[t.vector] = t;
	}
	return -EINVAL;
}

/* HYPERVISOR_stack_switch(ss, sp) */
long hypercall_stack_switch(const uint64_t *args)
{
	current->pv.kernel_ss = pv_fixup_selector(args[0]);
	current->pv.kernel_sp = args[1];
	return 0;
}

/* HYPERVISOR_fpu_taskswitch(set) */
long hypercall_fpu_taskswitch(const uint64_t *args)
{
	struct vcpu *v = current;

	v->pv.cr0_ts = args[0] ? X86_CR0_TS : 0;
	cr0_write((cr0_read() & ~X86_CR0_TS) | v->pv.cr0_ts);
	return 0;
}

/* HYPERVISOR_set_segment_base(which, base) */
long hypercall_set_segment_base(const uint64_t *args)
{
	struct vcpu *v = current;
	uint64_t base = args[1];

	switch (args[0]) {
	case SEGBASE_FS:
		if (!is_canonical(base))
			return -EINVAL;
		msr_write(MSR_FS_BASE, base);
		return 0;
	case SEGBASE_GS_USER: /* the caller is the kernel: the user's base is the hidden one */
		if (!is_canonical(base))
			return -EINVAL;
		msr_write(MSR_KERNEL_GS_BASE, base);
		return 0;
	case SEGBASE_GS_KERNEL:
		if (!is_canonical(base))
			return -EINVAL;
		msr_write(MSR_GS_BASE, base);
		return 0;
	case SEGBASE_GS_USER_SEL:
		return pv_load_user_gs(v, base);
	default:
		return -EINVAL;
	}
}

/* HYPERVISOR_vm_assist(cmd, type) */
long hypercall_vm_assist(const uint64_t *args)
{
	struct domain *d = current->domain;
	/* 0..3 are no-ops on 64-bit guests, but kernels ask for them */
	uint64_t known = BIT(VMASST_TYPE_4gb_segments) | BIT(VMASST_TYPE_4gb_segments_notify) |
			 BIT(VMASST_TYPE_writable_pagetables) | BIT(VMASST_TYPE_pae_extended_cr3) |
			 BIT(VMASST_TYPE_architectural_iopl) |
			 BIT(VMASST_TYPE_runstate_update_flag) | BIT(VMASST_TYPE_m2p_strict);

	if (args[1] >= 64 || !(known & BIT(args[1])))
		return -EINVAL;
	switch (args[0]) {
	case VMASST_CMD_enable:
		atomic_bit_set(&d->vm_assist, args[1]);
		return 0;
	case VMASST_CMD_disable:
		atomic_bit_clear(&d->vm_assist, args[1]);
		return 0;
	default:
		return -ENOSYS;
	}
}

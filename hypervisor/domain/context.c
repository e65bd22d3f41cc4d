/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's whole context in the ABI's form (struct vcpu_guest_context): set
 * by the domain builder and by VCPUOP_initialise, read for core dumps and
 * save.  Set checks everything before it changes anything.
 */
#include "cpu/asm.h"
#include "cpu/guest_copy.h"
#include "domain/domain.h"
#include "hvm/context.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "pv/debugreg.h"
#include "pv/trap.h"

static int context_check(const struct vcpu_guest_context *c)
{
	for (unsigned int i = 0; i < 256; i++)
		if (!is_guest_entry_address(c->trap_ctxt[i].address))
			return -EINVAL;
	if (!is_guest_entry_address(c->event_callback_eip) || !is_guest_entry_address(c->failsafe_callback_eip) ||
	    !is_guest_entry_address(c->syscall_callback_eip))
		return -EINVAL;
	if (!is_canonical(c->fs_base) || !is_canonical(c->gs_base_kernel) ||
	    !is_canonical(c->gs_base_user))
		return -EINVAL;
	if (c->gdt_ents > FIRST_RESERVED_GDT_ENTRY || c->ldt_ents > 8192)
		return -EINVAL;
	/* user mode without tables of its own would run on whatever the CPU had loaded before */
	if (!(c->flags & VGCF_in_kernel) && !xen_cr3_to_pfn(c->ctrlreg[1]))
		return -EINVAL;
	if (c->ldt_ents && (!is_guest_entry_address(c->ldt_base) || c->ldt_base & ~PAGE_MASK))
		return -EINVAL;
	return 0;
}

static int tables_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	mfn_t frames[PV_GDT_FRAMES];
	int rc;

	for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
		frames[i] = MFN(c->gdt_frames[i]);
	rc = pv_gdt_set(v, frames, c->gdt_ents);
	if (rc)
		return rc;
	rc = pv_set_kernel_l4(v, MFN(xen_cr3_to_pfn(c->ctrlreg[3])));
	if (!rc && c->ctrlreg[1])
		rc = pv_set_user_l4(v, MFN(xen_cr3_to_pfn(c->ctrlreg[1])));
	/* preempted: called again with the same, which finds done what was done */
	if (rc && rc != -ERESTART && rc != -EINTR)
		pv_gdt_drop(v);
	return rc == -EINTR ? -ERESTART : rc;
}

static void registers_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	struct cpu_user_regs *r = &v->regs;

	*r = c->user_regs;
	r->error_code = 0;
	r->entry_vector = 0;
	r->cs = pv_fixup_selector(r->cs);
	r->ss = pv_fixup_selector(r->ss);
	r->rflags = (r->rflags & ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF |
		    X86_EFLAGS_MBS;
	v->pv.ds = pv_fixup_selector(c->user_regs.ds);
	v->pv.es = pv_fixup_selector(c->user_regs.es);
	v->pv.fs = pv_fixup_selector(c->user_regs.fs);
	v->pv.gs = pv_fixup_selector(c->user_regs.gs);
	v->pv.fs_base = c->fs_base;
	v->pv.gs_base_kernel = c->gs_base_kernel;
	v->pv.gs_base_user = c->gs_base_user;
	v->pv.in_kernel = c->flags & VGCF_in_kernel;
	v->pv.kernel_ss = pv_fixup_selector(c->kernel_ss);
	v->pv.kernel_sp = c->kernel_sp;
	v->pv.cr0_ts = c->ctrlreg[0] & X86_CR0_TS;
	v->pv.cr4 = (v->pv.cr4 & ~X86_CR4_TSD) | (c->ctrlreg[4] & X86_CR4_TSD);
}

static void callbacks_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	for (unsigned int i = 0; i < 256; i++) {
		const struct trap_info *t = &c->trap_ctxt[i];

		v->pv.traps[i] = (struct trap_info){
			.vector = i,
			.flags = t->flags,
			.cs = pv_fixup_selector(t->cs),
			.address = t->address,
		};
	}
	v->pv.event_callback = c->event_callback_eip;
	v->pv.failsafe_callback = c->failsafe_callback_eip;
	v->pv.syscall_callback = c->syscall_callback_eip;
	v->pv.failsafe_masks_events = c->flags & VGCF_failsafe_disables_events;
	v->pv.syscall_masks_events = c->flags & VGCF_syscall_disables_events;
}

int vcpu_context_set(struct vcpu *v, const struct vcpu_guest_context *c)
{
	int rc = context_check(c);

	if (rc)
		return rc;
	/* segments and tables of this kind are nothing an HVM vCPU has: XEN_DOMCTL_sethvmcontext */
	if (v->domain->type != DOMAIN_PV)
		return -EOPNOTSUPP;
	for (unsigned int i = 0; i < 8; i++) {
		if (i == 4 || i == 5)
			continue;
		rc = pv_debugreg_set(v, i, c->debugreg[i]);
		if (rc)
			return rc;
	}
	rc = tables_set(v, c);
	if (rc)
		return rc;
	registers_set(v, c);
	callbacks_set(v, c);
	v->pv.ldt_base = c->ldt_base;
	v->pv.ldt_entries = c->ldt_ents;
	if (c->flags & VGCF_I387_VALID)
		fpu_state_import(&v->fpu, &c->fpu_ctxt);
	v->initialised = true;
	if (c->flags & VGCF_online)
		atomic_bit_clear(&v->flags, VCPU_F_DOWN);
	else
		atomic_bit_set(&v->flags, VCPU_F_DOWN);
	return 0;
}

void vcpu_context_get(struct vcpu *v, struct vcpu_guest_context *c)
{
	memset(c, 0, sizeof(*c));
	fpu_state_export(&v->fpu, &c->fpu_ctxt);
	c->flags = VGCF_I387_VALID;
	if (v->domain->type == DOMAIN_HVM) {
		hvm_vcpu_context_get(v, c);
		return;
	}
	if (v->pv.in_kernel)
		c->flags |= VGCF_in_kernel;
	if (v->pv.failsafe_masks_events)
		c->flags |= VGCF_failsafe_disables_events;
	if (v->pv.syscall_masks_events)
		c->flags |= VGCF_syscall_disables_events;
	if (!bit_test(&v->flags, VCPU_F_DOWN))
		c->flags |= VGCF_online;
	c->user_regs = v->regs;
	c->user_regs.ds = v->pv.ds;
	c->user_regs.es = v->pv.es;
	c->user_regs.fs = v->pv.fs;
	c->user_regs.gs = v->pv.gs;
	/* as the guest sees its interrupt flag and its privilege */
	c->user_regs.rflags &= ~X86_EFLAGS_IF;
	if (!v->info->evtchn_upcall_mask)
		c->user_regs.rflags |= X86_EFLAGS_IF;
	memcpy(c->trap_ctxt, v->pv.traps, sizeof(c->trap_ctxt));
	c->ldt_base = v->pv.ldt_base;
	c->ldt_ents = v->pv.ldt_entries;
	c->gdt_ents = v->pv.gdt_entries;
	for (unsigned int i = 0; i < PV_GDT_FRAMES && i * 512 < v->pv.gdt_entries; i++)
		c->gdt_frames[i] = v->pv.gdt_frames[i].v;
	c->kernel_ss = v->pv.kernel_ss;
	c->kernel_sp = v->pv.kernel_sp;
	c->ctrlreg[0] = (cr0_read() & ~X86_CR0_TS) | v->pv.cr0_ts;
	c->ctrlreg[2] = v->info->arch.cr2;
	c->ctrlreg[4] = v->pv.cr4;
	if (v->pv.kernel_l4)
		c->ctrlreg[3] = xen_pfn_to_cr3(page_to_mfn(v->pv.kernel_l4).v);
	if (v->pv.user_l4)
		c->ctrlreg[1] = xen_pfn_to_cr3(page_to_mfn(v->pv.user_l4).v);
	memcpy(c->debugreg, v->pv.debugreg, sizeof(c->debugreg));
	c->event_callback_eip = v->pv.event_callback;
	c->failsafe_callback_eip = v->pv.failsafe_callback;
	c->syscall_callback_eip = v->pv.syscall_callback;
	c->vm_assist = v->domain->vm_assist;
	c->fs_base = v->pv.fs_base;
	c->gs_base_kernel = v->pv.gs_base_kernel;
	c->gs_base_user = v->pv.gs_base_user;
}

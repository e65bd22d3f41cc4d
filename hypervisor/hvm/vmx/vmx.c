/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel's virtualization (Intel SDM vol. 3, "Virtual Machine Extensions") as
 * the vendor table wants it: finding it, turning it on, and a vCPU's VMCS.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/asm.h"
#include "cpu/features.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"

#define CR4_VMXE (1UL << 13)

const char *vmx_probe(void)
{
	return vmx_config_find(&vmx_config);
}

static int vmx_cpu_enable(void)
{
	uint32_t *region = hyp_page_alloc_zeroed();
	paddr_t paddr;

	if (!region || vmx_msr_tables_create())
		return -ENOMEM; /* at boot: HVM is off then, and what little was had is left */
	if (vmx_feature_control_set()) {
		printk("CPU %u: VMX is locked off by the firmware\n", cpu_id());
		return -EPERM;
	}
	*region = vmx_config.revision;
	paddr = virt_to_paddr(region);
	cr4_write(cr4_read() | CR4_VMXE);
	if (!vmx_on(&paddr)) {
		printk("CPU %u: VMXON failed\n", cpu_id());
		return -EPERM;
	}
	if (vmx_config.has_spec_ctrl)
		msr_write(MSR_SPEC_CTRL, SPEC_CTRL_IBRS);
	return 0;
}

static int vmx_domain_init(struct domain *d)
{
	return 0;
}

static int vmx_vcpu_init(struct vcpu *v)
{
	struct vmx_vcpu *x = heap_alloc(sizeof(*x));
	paddr_t paddr;

	if (!x)
		return -ENOMEM;
	x->vmcs = hyp_page_alloc_zeroed();
	if (!x->vmcs)
		goto free;
	*(uint32_t *)x->vmcs = vmx_config.revision;
	paddr = virt_to_paddr(x->vmcs);
	if (!vmcs_clear(&paddr))
		goto free;
	x->known = x->dirty = ST_COUNT == 64 ? ~0UL : (1UL << ST_COUNT) - 1;
	/* the CPU it first runs on may know its EPT's root from a domain that is gone */
	x->cpu = ~0U;
	v->hvm->vmx = x;
	return 0;

free:
	if (x->vmcs)
		hyp_pages_free(x->vmcs, 0);
	heap_free(x);
	return -ENOMEM;
}

static void vmx_vcpu_fini(struct vcpu *v)
{
	struct vmx_vcpu *x = v->hvm->vmx;

	hyp_pages_free(x->vmcs, 0);
	heap_free(x);
	v->hvm->vmx = NULL;
}

static void vmx_debug_get(const struct vcpu *v, uint64_t *dr6, uint64_t *dr7)
{
	*dr6 = v->hvm->vmx->has_debug_registers ? dr6_read() : v->hvm->vmx->dr6;
	*dr7 = vmx_state_get(v, ST_DR7);
}

static void vmx_debug_set(struct vcpu *v, uint64_t dr6, uint64_t dr7)
{
	v->hvm->vmx->dr6 = dr6;
	if (v->hvm->vmx->has_debug_registers)
		dr6_write(dr6);
	vmx_state_set(v, ST_DR7, dr7);
}

/* SS.DPL, as of a VMCS (Intel SDM vol. 3, "Guest Register State"). */
static unsigned int vmx_cpl(const struct vcpu *v)
{
	return vmx_state_get(v, ST_RIGHTS + 2) >> 5 & 3;
}

_Static_assert(BLOCKED_BY_STI == HVM_SHADOW_STI && BLOCKED_BY_MOV_SS == HVM_SHADOW_MOV_SS,
	       "one is the other");

static unsigned int vmx_shadow_get(const struct vcpu *v)
{
	return vmx_state_get(v, ST_INTERRUPTIBILITY) & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);
}

static void vmx_shadow_set(struct vcpu *v, unsigned int shadow)
{
	/* an entry refuses both at once */
	if (shadow & HVM_SHADOW_MOV_SS)
		shadow = HVM_SHADOW_MOV_SS;
	vmx_state_set(v, ST_INTERRUPTIBILITY,
		      (vmx_state_get(v, ST_INTERRUPTIBILITY) & ~3UL) | shadow);
}

/* run.c makes of it what the TPR then asks for. */
static void vmx_window_set(struct vcpu *v, unsigned int priority, bool nmi)
{
	v->hvm->vmx->window = priority;
	v->hvm->vmx->is_nmi_wanted = nmi;
}

/* The CPU has it in the local APIC's page itself. */
static void vmx_tpr_set(struct vcpu *v, uint8_t cr8)
{
}

static uint8_t vmx_tpr_get(const struct vcpu *v)
{
	return vlapic_cr8_get(v);
}

static void vmx_tsc_offset_set(struct vcpu *v, uint64_t offset)
{
	vmx_state_set(v, ST_TSC_OFFSET, offset);
}

static unsigned int vmx_insn_bytes(const struct vcpu *v, uint8_t bytes[16])
{
	return 0;
}

static void vmx_state_print(const struct vcpu *v)
{
	static const char names[][5] = {"es", "cs", "ss", "ds", "fs", "gs", "gdtr", "ldtr", "idtr", "tr"};
	const struct vmx_vcpu *x = v->hvm->vmx;
	struct hvm_segment s;

	printk("exit %x (%s) qualification %lx event %x; cr0 %lx cr3 %lx cr4 %lx efer %lx\n",
	       x->exit_reason, vmx_exit_name(x->exit_reason), x->qualification, x->exit_event,
	       vmx_state_get(v, ST_CR0), vmx_state_get(v, ST_CR3), vmx_state_get(v, ST_CR4),
	       vmx_state_get(v, ST_EFER));
	printk("controls %lx entry %lx blocking %lx pending %lx dr7 %lx\n",
	       vmx_state_get(v, ST_CPU_CONTROLS), vmx_state_get(v, ST_ENTRY_CONTROLS),
	       vmx_state_get(v, ST_INTERRUPTIBILITY), vmx_state_get(v, ST_PENDING_DEBUG),
	       vmx_state_get(v, ST_DR7));
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		vmx_segment_get(v, i, &s);
		printk("%-4s %04x %016lx limit %08x attr %03x\n", names[i], s.sel, s.base, s.limit,
		       s.attr);
	}
}

const struct hvm_vendor vmx_vendor = {
	.name = "VMX with EPT",
	.has_1g_pages = true, /* vmx_probe insists */
	.hypercall_insn = {0x0f, 0x01, 0xc1}, /* VMCALL */
	.cpu_enable = vmx_cpu_enable,
	.domain_init = vmx_domain_init,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_fini = vmx_vcpu_fini,
	.switch_from = vmx_switch_from,
	.switch_to = vmx_switch_to,
	.run = vmx_run,
	.exit_handle = vmx_exit_handle,
	.segment_get = vmx_segment_get,
	.segment_set = vmx_segment_set,
	.controls_update = vmx_controls_update,
	.controls_fetch = vmx_controls_fetch,
	.msr_get = vmx_msr_get,
	.msr_set = vmx_msr_set,
	.debug_get = vmx_debug_get,
	.debug_set = vmx_debug_set,
	.cpl = vmx_cpl,
	.shadow_get = vmx_shadow_get,
	.shadow_set = vmx_shadow_set,
	.window_set = vmx_window_set,
	.tpr_set = vmx_tpr_set,
	.tpr_get = vmx_tpr_get,
	.tsc_offset_set = vmx_tsc_offset_set,
	.insn_bytes = vmx_insn_bytes,
	.state_print = vmx_state_print,
	.pte_leaf = ept_pte_leaf,
	.pte_table = ept_pte_table,
	.pte_is_leaf = ept_pte_is_leaf,
	.pte_type = ept_pte_type,
	.pte_mfn = ept_pte_mfn,
};

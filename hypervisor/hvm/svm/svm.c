/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD's virtualization (AMD APM vol. 2, "Secure Virtual Machine") as the
 * vendor table wants it: finding it, turning it on, and a vCPU's VMCB.
 */
#include "hvm/svm/svm.h"

#include "cpu/asm.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "hvm/ports.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"

#define MSR_VM_CR	  0xc0010114
#define VM_CR_SVMDIS	  (1UL << 4)
#define MSR_VM_HSAVE_PA	  0xc0010117
#define EFER_SVME	  (1UL << 12)

#define CPUID_EXT	  0x80000001
#define CPUID_EXT_ECX_SVM (1U << 2)
#define CPUID_SVM	  0x8000000a
#define CPUID_EMULATOR	  0x40000000

#define CR0_CD_NW	  (3UL << 29)
#define CR0_PG		  (1UL << 31)
#define CR4_TLB_BITS	  (X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_SMEP | X86_CR4_SMAP)
#define EFER_TLB_BITS	  0xd00UL /* LME LMA NXE */

#define MSRPM_ORDER	  1 /* 8 KiB, which the CPU wants contiguous */

/* A spinning vCPU gives way after so many PAUSEs in a row, so few cycles apart. */
#define PAUSE_COUNT	3000
#define PAUSE_THRESHOLD 128

/* #DB and #AC: a guest could have the CPU raise them for ever (CVE-2015-8104, CVE-2015-5307). */
#define EXCEPTIONS ((1U << 1) | (1U << 17) | (1U << 18))
#define INTERCEPTS3                                                                         \
	(INTERCEPT3_INTR | INTERCEPT3_NMI | INTERCEPT3_SMI | INTERCEPT3_INIT |              \
	 INTERCEPT3_CR0_SEL_WRITE | INTERCEPT3_RDPMC | INTERCEPT3_CPUID | INTERCEPT3_INVD | \
	 INTERCEPT3_HLT | INTERCEPT3_INVLPGA | INTERCEPT3_IOIO | INTERCEPT3_MSR |           \
	 INTERCEPT3_SHUTDOWN)
#define INTERCEPTS4                                                                      \
	(INTERCEPT4_VMRUN | INTERCEPT4_VMMCALL | INTERCEPT4_VMLOAD | INTERCEPT4_VMSAVE | \
	 INTERCEPT4_STGI | INTERCEPT4_CLGI | INTERCEPT4_SKINIT | INTERCEPT4_WBINVD |     \
	 INTERCEPT4_MONITOR | INTERCEPT4_MWAIT | INTERCEPT4_MWAIT_ARMED | INTERCEPT4_XSETBV)

uint32_t svm_features;
bool svm_is_tcg;
static void *msrpm; /* of all guests */

static bool is_tcg(void)
{
	uint32_t r[4];

	cpuid_count(CPUID_EMULATOR, 0, r);
	return !memcmp(&r[1], "TCGTCGTCGTCG", 12);
}

const char *svm_probe(void)
{
	uint32_t r[4];
	uint64_t vm_cr;

	cpuid_count(CPUID_EXT, 0, r);
	if (cpu_features.max_ext_leaf < CPUID_SVM || !(r[2] & CPUID_EXT_ECX_SVM))
		return "this CPU has no SVM";
	if (msr_read_safe(MSR_VM_CR, &vm_cr) || vm_cr & VM_CR_SVMDIS)
		return "SVM is turned off by the firmware";
	cpuid_count(CPUID_SVM, 0, r);
	if (!(r[3] & SVM_FEATURE_NPT))
		return "this CPU's SVM has no nested paging";
	if (!cpu_features.has_1g_pages)
		return "this CPU has no pages of 1 GiB";
	if (r[1] < 2)
		return "this CPU's SVM has no ASIDs";
	svm_features = r[3];
	svm_is_tcg = is_tcg();
	svm_asid_init(r[1]);
	return NULL;
}

/* Two bits for each MSR, read and write, of three ranges (AMD APM vol. 2, "MSR Intercepts"). */
static void msr_pass(uint8_t *map, uint32_t msr)
{
	uint32_t n = msr & 0x1fff, base = msr < 0x2000 ? 0 : msr < 0xc0002000 ? 0x800 : 0x1000;

	map[base + n / 4] &= ~(3U << (n % 4 * 2));
}

/* What VMLOAD and VMSAVE switch, and what the VMCB has: the guest's to use freely. */
static const uint32_t passed_msrs[] = {
	MSR_FS_BASE,	     MSR_GS_BASE,	  MSR_KERNEL_GS_BASE, MSR_STAR,
	MSR_LSTAR,	     MSR_CSTAR,		  MSR_SFMASK,	      MSR_SYSENTER_CS,
	MSR_SYSENTER_CS + 1, MSR_SYSENTER_CS + 2,
};

static int msrpm_create(void)
{
	if (msrpm)
		return 0;
	msrpm = hyp_pages_alloc(MSRPM_ORDER);
	if (!msrpm)
		return -ENOMEM;
	memset(msrpm, 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (unsigned int i = 0; i < ARRAY_SIZE(passed_msrs); i++)
		msr_pass(msrpm, passed_msrs[i]);
	return 0;
}

static int svm_cpu_enable(void)
{
	void *save = hyp_page_alloc_zeroed(), *host = hyp_page_alloc_zeroed();

	if (!save || !host || msrpm_create())
		return -ENOMEM; /* at boot: HVM is off then, and what little was had is left */
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, virt_to_paddr(save));
	this_cpu(svm_host_paddr) = virt_to_paddr(host);
	/* TR, LDTR, FS, GS and the SYSCALL MSRs as every exit has to find them */
	__asm__ volatile("vmsave %0" ::"a"(this_cpu(svm_host_paddr)) : "memory");
	return 0;
}

static int svm_domain_init(struct domain *d)
{
	return 0;
}

/*
 * On QEMU's TCG no guest runs on CPU 0 if there is another. FXRSTOR, XRSTOR and FLDENV on any CPU
 * clear a flag of CPU 0's there, which stands for the IGNNE# pin, by a read and a write that are not
 * one. What VMRUN or #VMEXIT on CPU 0 does in between to the other flags of that word is undone, as
 * that nested paging is on: the guest, or the machine, has a triple fault (seen with 7.2).
 */
static void tcg_confine(struct vcpu *v)
{
	struct cpumask cpus;

	cpumask_fill(&cpus);
	cpumask_clear(&cpus, 0);
	if (cpumask_intersects(&cpus, &cpu_online))
		sched_vcpu_confine(v, &cpus);
}

static int svm_vcpu_init(struct vcpu *v)
{
	struct svm_vcpu *s = heap_alloc(sizeof(*s));
	struct vmcb *vmcb = hyp_page_alloc_zeroed();

	if (!s || !vmcb) {
		heap_free(s);
		if (vmcb)
			hyp_pages_free(vmcb, 0);
		return -ENOMEM;
	}
	s->vmcb = vmcb;
	s->vmcb_paddr = virt_to_paddr(vmcb);
	v->hvm->svm = s;
	vmcb->intercepts[0] = INTERCEPT0_CR_WRITE(4);
	vmcb->intercepts[1] = INTERCEPT1_DR_ALL;
	vmcb->intercepts[2] = EXCEPTIONS;
	vmcb->intercepts[3] = INTERCEPTS3;
	vmcb->intercepts[4] = INTERCEPTS4;
	if (svm_has(SVM_FEATURE_PAUSE_FILTER)) {
		vmcb->intercepts[3] |= INTERCEPT3_PAUSE;
		vmcb->pause_count = PAUSE_COUNT;
		vmcb->pause_threshold = PAUSE_THRESHOLD;
	}
	vmcb->iopm_paddr = hvm_ports_map(v->domain);
	vmcb->msrpm_paddr = virt_to_paddr(msrpm);
	vmcb->int_control = V_INTR_MASKING;
	vmcb->np_enable = 1;
	vmcb->nested_cr3 = mfn_to_paddr(v->domain->hvm->p2m.root);
	if (svm_is_tcg)
		tcg_confine(v);
	return 0;
}

static void svm_vcpu_fini(struct vcpu *v)
{
	hyp_pages_free(v->hvm->svm->vmcb, 0);
	heap_free(v->hvm->svm);
	v->hvm->svm = NULL;
}

static void svm_switch_from(struct vcpu *v)
{
	svm_debug_registers_save(v);
	if (cpu_features.has_rdtscp)
		msr_write(MSR_TSC_AUX, 0);
}

static void svm_switch_to(struct vcpu *v)
{
	if (cpu_features.has_rdtscp)
		msr_write(MSR_TSC_AUX, v->hvm->tsc_aux);
}

static void svm_segment_get(const struct vcpu *v, enum hvm_segment_name n, struct hvm_segment *s)
{
	/* inline: each exit looks at CS */
	__builtin_memcpy(s, &vcpu_vmcb(v)->segments[n], sizeof(*s));
}

static void svm_segment_set(struct vcpu *v, enum hvm_segment_name n, const struct hvm_segment *s)
{
	struct vmcb *vmcb = vcpu_vmcb(v);

	memcpy(&vmcb->segments[n], s, sizeof(*s));
	if (n == HVM_SS)
		vmcb->cpl = HVM_SEG_DPL(s->attr);
	vmcb->clean &= ~(CLEAN_SEG | CLEAN_DT);
}

static void svm_controls_update(struct vcpu *v)
{
	struct vmcb *vmcb = vcpu_vmcb(v);
	const struct hvm_vcpu *h = v->hvm;
	uint64_t cr0 = h->cr0 & ~CR0_CD_NW;
	uint32_t cr0_all = INTERCEPT0_CR_READ(0) | INTERCEPT0_CR_WRITE(0);

	if (((vmcb->cr0 ^ cr0) & CR0_PG) || ((vmcb->cr4 ^ h->cr4) & CR4_TLB_BITS) ||
	    ((vmcb->efer ^ h->efer) & EFER_TLB_BITS) || vmcb->cr3 != h->cr3)
		svm_tlb_flush(v);
	/* Its caches stay on.  While it believes them off, it is not to see CR0 as it is. */
	if (h->cr0 & CR0_CD_NW)
		vmcb->intercepts[0] |= cr0_all;
	else
		vmcb->intercepts[0] &= ~cr0_all;
	vmcb->cr0 = cr0;
	vmcb->cr2 = h->cr2;
	vmcb->cr3 = h->cr3;
	vmcb->cr4 = h->cr4;
	vmcb->efer = h->efer | EFER_SVME; /* VMRUN insists; RDMSR is an exit */
	vmcb->clean &= ~(CLEAN_INTERCEPTS | CLEAN_CR | CLEAN_CR2);
}

/* The VMCB's field of an MSR, or NULL. */
static uint64_t *msr_field(struct vmcb *vmcb, uint32_t msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return &vmcb->segments[HVM_FS].base;
	case MSR_GS_BASE:
		return &vmcb->segments[HVM_GS].base;
	case MSR_KERNEL_GS_BASE:
		return &vmcb->kernel_gs_base;
	case MSR_STAR:
		return &vmcb->star;
	case MSR_LSTAR:
		return &vmcb->lstar;
	case MSR_CSTAR:
		return &vmcb->cstar;
	case MSR_SFMASK:
		return &vmcb->sfmask;
	case MSR_SYSENTER_CS:
		return &vmcb->sysenter_cs;
	case MSR_SYSENTER_CS + 1:
		return &vmcb->sysenter_esp;
	case MSR_SYSENTER_CS + 2:
		return &vmcb->sysenter_eip;
	case MSR_PAT:
		return &vmcb->g_pat;
	default:
		return NULL;
	}
}

static bool svm_msr_get(const struct vcpu *v, uint32_t msr, uint64_t *val)
{
	const uint64_t *field = msr_field(vcpu_vmcb(v), msr);

	if (field)
		*val = *field;
	return field;
}

static bool svm_msr_set(struct vcpu *v, uint32_t msr, uint64_t val)
{
	uint64_t *field = msr_field(vcpu_vmcb(v), msr);

	if (!field)
		return false;
	*field = val;
	vcpu_vmcb(v)->clean &= ~(CLEAN_NP | CLEAN_SEG); /* g_pat goes with nested paging */
	return true;
}

static void svm_debug_get(const struct vcpu *v, uint64_t *dr6, uint64_t *dr7)
{
	*dr6 = vcpu_vmcb(v)->dr6;
	*dr7 = vcpu_vmcb(v)->dr7;
}

static void svm_debug_set(struct vcpu *v, uint64_t dr6, uint64_t dr7)
{
	vcpu_vmcb(v)->dr6 = dr6;
	vcpu_vmcb(v)->dr7 = dr7;
	vcpu_vmcb(v)->clean &= ~CLEAN_DR;
}

static unsigned int svm_cpl(const struct vcpu *v)
{
	return vcpu_vmcb(v)->cpl;
}

static unsigned int svm_shadow_get(const struct vcpu *v)
{
	/* the CPU does not tell which of the two it is */
	return vcpu_vmcb(v)->int_shadow & 1 ? HVM_SHADOW_STI | HVM_SHADOW_MOV_SS : 0;
}

static void svm_shadow_set(struct vcpu *v, unsigned int shadow)
{
	vcpu_vmcb(v)->int_shadow = shadow != 0;
}

/*
 * A virtual interrupt that is ready when the guest is, and is never delivered:
 * its interception comes first.  An NMI that waits for a shadow to pass, or for
 * its handler's IRET to be done, waits for that, too.
 */
static void svm_window_set(struct vcpu *v, unsigned int priority, bool nmi)
{
	struct vmcb *vmcb = vcpu_vmcb(v);
	uint64_t control = vmcb->int_control & V_TPR_MASK;

	if (nmi && (!v->hvm->is_nmi_masked || v->hvm->svm->is_in_nmi_iret))
		priority = HVM_WINDOW_ANY;
	if (priority == HVM_WINDOW_ANY)
		control |= V_IRQ | V_IGN_TPR | V_INTR_PRIO(0xf);
	else if (priority)
		control |= V_IRQ | V_INTR_PRIO(priority);
	control |= V_INTR_MASKING;
	if (control == vmcb->int_control)
		return;
	vmcb->int_control = control;
	if (control & V_IRQ)
		vmcb->intercepts[3] |= INTERCEPT3_VINTR;
	else
		vmcb->intercepts[3] &= ~INTERCEPT3_VINTR;
	vmcb->clean &= ~(CLEAN_INTERCEPTS | CLEAN_TPR);
}

static void svm_tpr_set(struct vcpu *v, uint8_t cr8)
{
	struct vmcb *vmcb = vcpu_vmcb(v);

	if ((vmcb->int_control & V_TPR_MASK) == cr8)
		return;
	vmcb->int_control = (vmcb->int_control & ~V_TPR_MASK) | cr8;
	vmcb->clean &= ~CLEAN_TPR;
}

static uint8_t svm_tpr_get(const struct vcpu *v)
{
	return vcpu_vmcb(v)->int_control & V_TPR_MASK;
}

static void svm_tsc_offset_set(struct vcpu *v, uint64_t offset)
{
	vcpu_vmcb(v)->tsc_offset = offset;
	vcpu_vmcb(v)->clean &= ~CLEAN_INTERCEPTS;
}

static unsigned int svm_insn_bytes(const struct vcpu *v, uint8_t bytes[16])
{
	const struct vmcb *vmcb = vcpu_vmcb(v);
	unsigned int n = vmcb->insn_length & 0xf;

	if (!svm_has(SVM_FEATURE_DECODE_ASSIST) || vmcb->exit_code != SVM_EXIT_NPF)
		return 0;
	memcpy(bytes, vmcb->insn, n);
	return n;
}

static void svm_state_print(const struct vcpu *v)
{
	static const char names[][5] = {"es", "cs",   "ss",   "ds",   "fs",
					"gs", "gdtr", "ldtr", "idtr", "tr"};
	const struct vmcb *vmcb = vcpu_vmcb(v);

	printk("exit %lx info %lx %lx event %lx; cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx\n",
	       vmcb->exit_code, vmcb->exit_info1, vmcb->exit_info2, vmcb->exit_int_info, vmcb->cr0,
	       vmcb->cr2, vmcb->cr3, vmcb->cr4, vmcb->efer);
	printk("asid %u int %lx shadow %lx cpl %u dr6 %lx dr7 %lx\n", vmcb->asid, vmcb->int_control,
	       vmcb->int_shadow, vmcb->cpl, vmcb->dr6, vmcb->dr7);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		printk("%-4s %04x %016lx limit %08x attr %03x\n", names[i], vmcb->segments[i].sel,
		       vmcb->segments[i].base, vmcb->segments[i].limit, vmcb->segments[i].attr);
}

const struct hvm_vendor svm_vendor = {
	.name = "SVM with nested paging",
	.has_1g_pages = true,		      /* svm_probe insists */
	.hypercall_insn = {0x0f, 0x01, 0xd9}, /* VMMCALL */
	.cpu_enable = svm_cpu_enable,
	.domain_init = svm_domain_init,
	.vcpu_init = svm_vcpu_init,
	.vcpu_fini = svm_vcpu_fini,
	.switch_from = svm_switch_from,
	.switch_to = svm_switch_to,
	.run = svm_run,
	.exit_handle = svm_exit_handle,
	.segment_get = svm_segment_get,
	.segment_set = svm_segment_set,
	.controls_update = svm_controls_update,
	.controls_fetch = svm_controls_fetch,
	.msr_get = svm_msr_get,
	.msr_set = svm_msr_set,
	.debug_get = svm_debug_get,
	.debug_set = svm_debug_set,
	.cpl = svm_cpl,
	.shadow_get = svm_shadow_get,
	.shadow_set = svm_shadow_set,
	.window_set = svm_window_set,
	.tpr_set = svm_tpr_set,
	.tpr_get = svm_tpr_get,
	.tsc_offset_set = svm_tsc_offset_set,
	.insn_bytes = svm_insn_bytes,
	.state_print = svm_state_print,
	.pte_leaf = npt_pte_leaf,
	.pte_table = npt_pte_table,
	.pte_is_leaf = npt_pte_is_leaf,
	.pte_type = npt_pte_type,
	.pte_mfn = npt_pte_mfn,
};

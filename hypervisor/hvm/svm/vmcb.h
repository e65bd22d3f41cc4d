/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machine control block of SVM: AMD APM vol. 2, appendix B "VMCB
 * Layout", and appendix C "SVM Intercept Exit Codes".
 */
#ifndef HVM_SVM_VMCB_H
#define HVM_SVM_VMCB_H

#include "hvm/vendor.h"

/* intercepts[3]: instructions and events, offset 00Ch */
#define INTERCEPT3_INTR		 (1U << 0)
#define INTERCEPT3_NMI		 (1U << 1)
#define INTERCEPT3_SMI		 (1U << 2)
#define INTERCEPT3_INIT		 (1U << 3)
#define INTERCEPT3_VINTR	 (1U << 4)
#define INTERCEPT3_CR0_SEL_WRITE (1U << 5)
#define INTERCEPT3_RDPMC	 (1U << 15)
#define INTERCEPT3_CPUID	 (1U << 18)
#define INTERCEPT3_IRET		 (1U << 20)
#define INTERCEPT3_INVD		 (1U << 22)
#define INTERCEPT3_PAUSE	 (1U << 23)
#define INTERCEPT3_HLT		 (1U << 24)
#define INTERCEPT3_INVLPGA	 (1U << 26)
#define INTERCEPT3_IOIO		 (1U << 27)
#define INTERCEPT3_MSR		 (1U << 28)
#define INTERCEPT3_SHUTDOWN	 (1U << 31)
/* intercepts[4], offset 010h */
#define INTERCEPT4_VMRUN	 (1U << 0)
#define INTERCEPT4_VMMCALL	 (1U << 1)
#define INTERCEPT4_VMLOAD	 (1U << 2)
#define INTERCEPT4_VMSAVE	 (1U << 3)
#define INTERCEPT4_STGI		 (1U << 4)
#define INTERCEPT4_CLGI		 (1U << 5)
#define INTERCEPT4_SKINIT	 (1U << 6)
#define INTERCEPT4_WBINVD	 (1U << 9)
#define INTERCEPT4_MONITOR	 (1U << 10)
#define INTERCEPT4_MWAIT	 (1U << 11)
#define INTERCEPT4_MWAIT_ARMED	 (1U << 12)
#define INTERCEPT4_XSETBV	 (1U << 13)

/* intercepts[0]: reads of control register n in bit n, writes in bit 16 + n; [1]: debug registers */
#define INTERCEPT0_CR_READ(n)	 (1U << (n))
#define INTERCEPT0_CR_WRITE(n)	 (1U << (16 + (n)))
#define INTERCEPT1_DR_ALL	 0xffffffffU

/* int_control, offset 060h */
#define V_TPR_MASK	 0xffUL
#define V_IRQ		 (1UL << 8)
#define V_INTR_PRIO(p)	 ((uint64_t)(p) << 16)
#define V_IGN_TPR	 (1UL << 20)
#define V_INTR_MASKING	 (1UL << 24)
#define V_INTR_VECTOR(v) ((uint64_t)(v) << 32)

#define TLB_FLUSH_NONE	 0
#define TLB_FLUSH_ALL	 1

/* event_inject and exit_int_info: bits 7..0 vector, 10..8 type, then */
#define EVENT_HAS_ERROR	 (1UL << 11)
#define EVENT_VALID	 (1UL << 31)

/* clean, offset 0C0h: what has not been changed since the last exit on this CPU */
#define CLEAN_INTERCEPTS (1U << 0)
#define CLEAN_ASID	 (1U << 2)
#define CLEAN_TPR	 (1U << 3)
#define CLEAN_NP	 (1U << 4)
#define CLEAN_CR	 (1U << 5)
#define CLEAN_DR	 (1U << 6)
#define CLEAN_DT	 (1U << 7)
#define CLEAN_SEG	 (1U << 8)
#define CLEAN_CR2	 (1U << 9)
#define CLEAN_ALL	 0x7ffU

enum svm_exit_code {
	SVM_EXIT_CR_READ = 0x00, /* + the register */
	SVM_EXIT_CR_WRITE = 0x10,
	SVM_EXIT_DR_READ = 0x20,
	SVM_EXIT_DR_WRITE = 0x30,
	SVM_EXIT_EXCEPTION = 0x40, /* + its vector */
	SVM_EXIT_INTR = 0x60,
	SVM_EXIT_NMI = 0x61,
	SVM_EXIT_SMI = 0x62,
	SVM_EXIT_INIT = 0x63,
	SVM_EXIT_VINTR = 0x64,
	SVM_EXIT_CR0_SEL_WRITE = 0x65,
	SVM_EXIT_RDPMC = 0x6f,
	SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_IRET = 0x74,
	SVM_EXIT_INVD = 0x76,
	SVM_EXIT_PAUSE = 0x77,
	SVM_EXIT_HLT = 0x78,
	SVM_EXIT_INVLPGA = 0x7a,
	SVM_EXIT_IOIO = 0x7b,
	SVM_EXIT_MSR = 0x7c,
	SVM_EXIT_SHUTDOWN = 0x7f,
	SVM_EXIT_VMRUN = 0x80,
	SVM_EXIT_VMMCALL = 0x81,
	SVM_EXIT_VMLOAD = 0x82,
	SVM_EXIT_VMSAVE = 0x83,
	SVM_EXIT_STGI = 0x84,
	SVM_EXIT_CLGI = 0x85,
	SVM_EXIT_SKINIT = 0x86,
	SVM_EXIT_WBINVD = 0x89,
	SVM_EXIT_MONITOR = 0x8a,
	SVM_EXIT_MWAIT = 0x8b,
	SVM_EXIT_MWAIT_ARMED = 0x8c,
	SVM_EXIT_XSETBV = 0x8d,
	SVM_EXIT_TABLE_END,
	SVM_EXIT_NPF = 0x400,
};

/* exit_info1 of an I/O exit; the port is in bits 31..16 */
#define IOIO_IN	    (1U << 0)
#define IOIO_STRING (1U << 2)
#define IOIO_SIZE(info) ((info) >> 4 & 7) /* 1, 2 or 4 */
/* exit_info1 of a nested page fault: as a page fault's error code */
/* exit_info1 of a MOV to or from CR where there are decode assists */
#define MOV_CR_ASSIST (1UL << 63)

/* Of the same shape as hvm_segment, so that one is the other. */
struct vmcb_segment {
	uint16_t sel;
	uint16_t attr;
	uint32_t limit;
	uint64_t base;
};
_Static_assert(sizeof(struct vmcb_segment) == sizeof(struct hvm_segment) &&
		       offsetof(struct vmcb_segment, base) == offsetof(struct hvm_segment, base),
	       "segments are copied whole");

struct vmcb {
	/* control area */
	uint32_t intercepts[6];
	uint8_t reserved018[0x3c - 0x18];
	uint16_t pause_threshold;
	uint16_t pause_count;
	uint64_t iopm_paddr;
	uint64_t msrpm_paddr;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t int_control;
	uint64_t int_shadow; /* bit 0 */
	uint64_t exit_code;
	uint64_t exit_info1;
	uint64_t exit_info2;
	uint64_t exit_int_info;
	uint64_t np_enable;
	uint8_t reserved098[0xa8 - 0x98];
	uint64_t event_inject;
	uint64_t nested_cr3;
	uint64_t lbr_control;
	uint32_t clean;
	uint32_t reserved0c4;
	uint64_t next_rip;
	uint8_t insn_length; /* bytes fetched */
	uint8_t insn[15];
	uint8_t reserved0e0[0x400 - 0xe0];

	/* state-save area: ES CS SS DS FS GS, then GDTR LDTR IDTR TR */
	struct vmcb_segment segments[10];
	uint8_t reserved4a0[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved4cc;
	uint64_t efer;
	uint8_t reserved4d8[0x548 - 0x4d8];
	uint64_t cr4;
	uint64_t cr3;
	uint64_t cr0;
	uint64_t dr7;
	uint64_t dr6;
	uint64_t rflags;
	uint64_t rip;
	uint8_t reserved580[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t reserved5e0[0x5f8 - 0x5e0];
	uint64_t rax;
	uint64_t star;
	uint64_t lstar;
	uint64_t cstar;
	uint64_t sfmask;
	uint64_t kernel_gs_base;
	uint64_t sysenter_cs;
	uint64_t sysenter_esp;
	uint64_t sysenter_eip;
	uint64_t cr2;
	uint8_t reserved648[0x668 - 0x648];
	uint64_t g_pat;
	uint8_t reserved670[0x1000 - 0x670];
} packed aligned_to(8);

#define VMCB_AT(field, offset)                                                                     \
	_Static_assert(offsetof(struct vmcb, field) == (offset), "VMCB Layout: " #field)
VMCB_AT(pause_threshold, 0x03c);
VMCB_AT(iopm_paddr, 0x040);
VMCB_AT(msrpm_paddr, 0x048);
VMCB_AT(tsc_offset, 0x050);
VMCB_AT(asid, 0x058);
VMCB_AT(int_control, 0x060);
VMCB_AT(int_shadow, 0x068);
VMCB_AT(exit_code, 0x070);
VMCB_AT(exit_int_info, 0x088);
VMCB_AT(np_enable, 0x090);
VMCB_AT(event_inject, 0x0a8);
VMCB_AT(nested_cr3, 0x0b0);
VMCB_AT(clean, 0x0c0);
VMCB_AT(next_rip, 0x0c8);
VMCB_AT(insn_length, 0x0d0);
VMCB_AT(segments, 0x400);
VMCB_AT(cpl, 0x4cb);
VMCB_AT(efer, 0x4d0);
VMCB_AT(cr4, 0x548);
VMCB_AT(dr7, 0x560);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5d8);
VMCB_AT(rax, 0x5f8);
VMCB_AT(sysenter_eip, 0x638);
VMCB_AT(cr2, 0x640);
VMCB_AT(g_pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "a VMCB is a page");

#endif

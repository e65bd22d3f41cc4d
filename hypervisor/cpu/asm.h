/* SPDX-License-Identifier: BSD-2-Clause */
/* Thin wrappers over single instructions and control registers. */
#ifndef CPU_ASM_H
#define CPU_ASM_H

#include "lib/types.h"

#define X86_CR0_PE  (1UL << 0)
#define X86_CR0_TS  (1UL << 3)
#define X86_CR4_TSD        (1UL << 2)
#define X86_CR4_DE         (1UL << 3)
#define X86_CR4_PSE        (1UL << 4)
#define X86_CR4_PAE        (1UL << 5)
#define X86_CR4_MCE        (1UL << 6)
#define X86_CR4_PGE        (1UL << 7)
#define X86_CR4_OSFXSR     (1UL << 9)
#define X86_CR4_OSXMMEXCPT (1UL << 10)
#define X86_CR4_UMIP       (1UL << 11)
#define X86_CR4_FSGSBASE   (1UL << 16)
#define X86_CR4_PCIDE      (1UL << 17)
#define X86_CR4_OSXSAVE    (1UL << 18)
#define X86_CR4_SMEP       (1UL << 20)
#define X86_CR4_SMAP       (1UL << 21)

#define X86_EFLAGS_CF   (1UL << 0)
#define X86_EFLAGS_PF   (1UL << 2)
#define X86_EFLAGS_AF   (1UL << 4)
#define X86_EFLAGS_ZF   (1UL << 6)
#define X86_EFLAGS_SF   (1UL << 7)
#define X86_EFLAGS_TF   (1UL << 8)
#define X86_EFLAGS_IF   (1UL << 9)
#define X86_EFLAGS_DF   (1UL << 10)
#define X86_EFLAGS_OF   (1UL << 11)
#define X86_EFLAGS_IOPL (3UL << 12)
#define X86_EFLAGS_NT   (1UL << 14)
#define X86_EFLAGS_RF   (1UL << 16)
#define X86_EFLAGS_VM   (1UL << 17)
#define X86_EFLAGS_AC   (1UL << 18)
#define X86_EFLAGS_MBS  (1UL << 1) /* must be set */

#define MSR_APIC_BASE      0x1b
#define MSR_SYSENTER_CS    0x174
#define MSR_PAT            0x277
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103

#define MISC_ENABLE_FAST_STRINGS 1UL /* of MSR 0x1a0 */

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void msr_write(uint32_t msr, uint64_t val)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32))
			 : "memory");
}

/* -EFAULT where the access faults. */
must_check int msr_read_safe(uint32_t msr, uint64_t *val);
must_check int msr_write_safe(uint32_t msr, uint64_t val);

static inline void cpuid_count(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}

#define DEFINE_CR(n)                                                                               \
	static inline uint64_t cr##n##_read(void)                                                  \
	{                                                                                          \
		uint64_t v;                                                                        \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v));                                  \
		return v;                                                                          \
	}                                                                                          \
	static inline void cr##n##_write(uint64_t v)                                               \
	{                                                                                          \
		__asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory");                           \
	}
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)

static inline void invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline void invpcid(uint64_t type, uint64_t pcid, uint64_t va)
{
	uint64_t descriptor[2] = {pcid, va};

	__asm__ volatile("invpcid %0, %1" ::"m"(descriptor), "r"(type) : "memory");
}

#define DEFINE_DR(n)                                                                               \
	static inline uint64_t dr##n##_read(void)                                                  \
	{                                                                                          \
		uint64_t v;                                                                        \
		__asm__ volatile("mov %%dr" #n ", %0" : "=r"(v));                                  \
		return v;                                                                          \
	}                                                                                          \
	static inline void dr##n##_write(uint64_t v)                                               \
	{                                                                                          \
		__asm__ volatile("mov %0, %%dr" #n ::"r"(v));                                      \
	}
DEFINE_DR(0)
DEFINE_DR(1)
DEFINE_DR(2)
DEFINE_DR(3)
DEFINE_DR(6)
DEFINE_DR(7)

#define DEFINE_PORT(suffix, type)                                                                  \
	static inline type port_in##suffix(uint16_t port)                                          \
	{                                                                                          \
		type v;                                                                            \
		__asm__ volatile("in %1, %0" : "=a"(v) : "Nd"(port));                              \
		return v;                                                                          \
	}                                                                                          \
	static inline void port_out##suffix(uint16_t port, type v)                                 \
	{                                                                                          \
		__asm__ volatile("out %0, %1" ::"a"(v), "Nd"(port));                               \
	}
DEFINE_PORT(b, uint8_t)
DEFINE_PORT(w, uint16_t)
DEFINE_PORT(l, uint32_t)

struct desc_ptr {
	uint16_t limit;
	uint64_t base;
} packed;

static inline void gdt_load(uint64_t base, uint16_t limit)
{
	struct desc_ptr p = {limit, base};

	__asm__ volatile("lgdt %0" ::"m"(p));
}

static inline void idt_load(uint64_t base, uint16_t limit)
{
	struct desc_ptr p = {limit, base};

	__asm__ volatile("lidt %0" ::"m"(p));
}

#endif

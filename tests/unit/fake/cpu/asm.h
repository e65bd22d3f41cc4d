/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu/asm.h for this machine: instructions that fault in a program are functions, which fake.c
 * has, weakly, over registers in memory.
 */
#ifndef FAKE_CPU_ASM_H
#define FAKE_CPU_ASM_H

#define cpuid_count native_cpuid_count
#define msr_read native_msr_read
#define msr_write native_msr_write
#define cr0_read native_cr0_read
#define cr0_write native_cr0_write
#define cr2_read native_cr2_read
#define cr2_write native_cr2_write
#define cr3_read native_cr3_read
#define cr3_write native_cr3_write
#define cr4_read native_cr4_read
#define cr4_write native_cr4_write
#define invlpg native_invlpg
#define invpcid native_invpcid
#define dr0_read native_dr0_read
#define dr0_write native_dr0_write
#define dr1_read native_dr1_read
#define dr1_write native_dr1_write
#define dr2_read native_dr2_read
#define dr2_write native_dr2_write
#define dr3_read native_dr3_read
#define dr3_write native_dr3_write
#define dr6_read native_dr6_read
#define dr6_write native_dr6_write
#define dr7_read native_dr7_read
#define dr7_write native_dr7_write

#include_next <cpu/asm.h>

#undef cpuid_count
#undef msr_read
#undef msr_write
#undef cr0_read
#undef cr0_write
#undef cr2_read
#undef cr2_write
#undef cr3_read
#undef cr3_write
#undef cr4_read
#undef cr4_write
#undef invlpg
#undef invpcid
#undef dr0_read
#undef dr0_write
#undef dr1_read
#undef dr1_write
#undef dr2_read
#undef dr2_write
#undef dr3_read
#undef dr3_write
#undef dr6_read
#undef dr6_write
#undef dr7_read
#undef dr7_write

/* This machine's, unless a test has its own. */
void cpuid_count(uint32_t leaf, uint32_t sub, uint32_t r[4]);

extern uint64_t fake_cr[5], fake_dr[8];
struct fake_msr {
	uint32_t msr;
	uint64_t val;
};
extern struct fake_msr fake_msrs[64];
uint64_t *fake_msr_find(uint32_t msr); /* its place; NULL: there is no such MSR */
void fake_msr_set(uint32_t msr, uint64_t val);
uint64_t msr_read(uint32_t msr); /* 0 of one that is not there */
void msr_write(uint32_t msr, uint64_t val);

#define FAKE_REGISTER(bank, n)                                                                     \
	static inline uint64_t bank##n##_read(void)                                                \
	{                                                                                          \
		return fake_##bank[n];                                                             \
	}                                                                                          \
	static inline void bank##n##_write(uint64_t val)                                           \
	{                                                                                          \
		fake_##bank[n] = val;                                                              \
	}
FAKE_REGISTER(cr, 0)
FAKE_REGISTER(cr, 2)
FAKE_REGISTER(cr, 3)
FAKE_REGISTER(cr, 4)
FAKE_REGISTER(dr, 0)
FAKE_REGISTER(dr, 1)
FAKE_REGISTER(dr, 2)
FAKE_REGISTER(dr, 3)
FAKE_REGISTER(dr, 6)
FAKE_REGISTER(dr, 7)

/* No program but the test of cpu/tlb.c has them. */
void invlpg(uint64_t va);
void invpcid(uint64_t type, uint64_t pcid, uint64_t va);

#endif

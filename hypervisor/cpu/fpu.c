/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended state by XSAVE (FXSAVE where there is none).  The hypervisor itself
 * uses no such registers, so it is saved only at a switch, and always then:
 * nothing of one vCPU is ever left in registers for another.
 */
#include "cpu/fpu.h"

#include "cpu/asm.h"
#include "cpu/features.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"

#define XCR0_X87_SSE 3
#define XCR0_KNOWN   (0x7UL | 0xe0UL) /* x87, SSE, AVX, AVX-512 */
#define FXSAVE_SIZE  512
#define XSAVE_HEADER 64
#define MXCSR_RESET  0x1f80
#define FCW_RESET    0x37f

static uint64_t xcr0_all = XCR0_X87_SSE;
static unsigned int area_order;

static inline void xcr0_write(uint64_t v)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

uint64_t fpu_xcr0_supported(void)
{
	return xcr0_all;
}

init_text void fpu_init(void)
{
	uint32_t r[4] = {0, FXSAVE_SIZE, 0, 0};

	if (cpu_features.has_xsave) {
		cpuid_count(0xd, 0, r);
		xcr0_all = (r[0] | (uint64_t)r[3] << 32) & XCR0_KNOWN;
		xcr0_write(xcr0_all);
		cpuid_count(0xd, 0, r); /* ebx: the size for what is enabled now */
	}
	while ((PAGE_SIZE << area_order) < r[1])
		area_order++;
}

void fpu_cpu_init(void)
{
	if (cpu_features.has_xsave)
		xcr0_write(xcr0_all);
}

int fpu_state_init(struct fpu_state *f)
{
	f->area = hyp_pages_alloc(area_order);
	if (!f->area)
		return -ENOMEM;
	memset(f->area, 0, PAGE_SIZE << area_order);
	*(uint16_t *)f->area = FCW_RESET;
	*(uint32_t *)((char *)f->area + 24) = MXCSR_RESET;
	if (cpu_features.has_xsave)
		*(uint64_t *)((char *)f->area + FXSAVE_SIZE) = XCR0_X87_SSE; /* XSTATE_BV */
	f->xcr0 = XCR0_X87_SSE;
	return 0;
}

void fpu_state_fini(struct fpu_state *f)
{
	if (f->area)
		hyp_pages_free(f->area, area_order);
	f->area = NULL;
}

/* The FXSAVE image as the ABI's vcpu_guest_context gives it; reserved MXCSR bits dropped. */
void fpu_state_import(struct fpu_state *f, const void *fxsave)
{
	memcpy(f->area, fxsave, FXSAVE_SIZE);
	*(uint32_t *)((char *)f->area + 24) &= 0xffff;
	if (cpu_features.has_xsave) {
		memset((char *)f->area + FXSAVE_SIZE, 0, XSAVE_HEADER);
		*(uint64_t *)((char *)f->area + FXSAVE_SIZE) = XCR0_X87_SSE;
	}
}

void fpu_state_export(const struct fpu_state *f, void *fxsave)
{
	memcpy(fxsave, f->area, FXSAVE_SIZE);
}

void fpu_save(struct fpu_state *f)
{
	uint32_t lo = xcr0_all, hi = xcr0_all >> 32;

	if (cpu_features.has_xsave && f->xcr0 != xcr0_all)
		xcr0_write(xcr0_all);
	if (!cpu_features.has_xsave)
		__asm__ volatile("fxsave64 (%0)" ::"r"(f->area) : "memory");
	else if (cpu_features.has_xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)" ::"r"(f->area), "a"(lo), "d"(hi) : "memory");
	else
		__asm__ volatile("xsave64 (%0)" ::"r"(f->area), "a"(lo), "d"(hi) : "memory");
}

void fpu_restore(const struct fpu_state *f)
{
	uint32_t lo = xcr0_all, hi = xcr0_all >> 32;

	if (!cpu_features.has_xsave) {
		__asm__ volatile("fxrstor64 (%0)" ::"r"(f->area) : "memory");
		return;
	}
	__asm__ volatile("xrstor64 (%0)" ::"r"(f->area), "a"(lo), "d"(hi) : "memory");
	if (f->xcr0 != xcr0_all)
		xcr0_write(f->xcr0);
}

int fpu_xcr0_set(struct fpu_state *f, uint64_t xcr0)
{
	if ((xcr0 & ~xcr0_all) || !(xcr0 & 1))
		return -EINVAL;
	if ((xcr0 & 4) && !(xcr0 & 2)) /* AVX needs SSE */
		return -EINVAL;
	if ((xcr0 & 0xe0) && ((xcr0 & 0xe0) != 0xe0 || !(xcr0 & 4)))
		return -EINVAL;
	f->xcr0 = xcr0;
	xcr0_write(xcr0);
	return 0;
}

void fpu_xcr0_fetch(struct fpu_state *f)
{
	uint32_t lo, hi;

	if (!cpu_features.has_xsave)
		return;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	f->xcr0 = lo | (uint64_t)hi << 32;
}

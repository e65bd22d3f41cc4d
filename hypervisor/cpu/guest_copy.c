/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory by linear address: the range check, SMAP, and the copy.  For a
 * PV guest the tables loaded are its own, so the CPU does the rest; for an HVM
 * one, hvm/copy.c does all of it.
 */
#include "cpu/asm.h"
#include "cpu/extable.h"
#include "cpu/features.h"
#include "cpu/guest_copy.h"
#include "cpu/seam.h"
#include "domain/domain.h"
#include "hvm/hvm.h"

extern const int32_t extable_start[], extable_end[];

size_t guest_copy_raw(void *dst, const void *src, size_t n);
size_t guest_clear_raw(void *dst, size_t n);

uint64_t extable_find(uint64_t rip)
{
	for (const int32_t *e = extable_start; e < extable_end; e += 2)
		if ((uint64_t)e + e[0] == rip)
			return (uint64_t)(e + 1) + e[1];
	return 0;
}

bool guest_range_ok(const void *guest, size_t n)
{
	uint64_t start = (uint64_t)guest, end = start + n;

	if (end < start)
		return false;
	return end <= HYPERVISOR_VIRT_START || start >= HYPERVISOR_VIRT_END;
}

static inline void smap_open(void)
{
	if (cpu_features.has_smap)
		__asm__ volatile("stac" ::: "memory");
}

static inline void smap_close(void)
{
	if (cpu_features.has_smap)
		__asm__ volatile("clac" ::: "memory");
}

size_t guest_copy_from(void *dst, const void *guest, size_t n)
{
	if (current->hvm)
		return hvm_copy_from(dst, guest, n);
	if (!guest_range_ok(guest, n))
		return n;
	smap_open();
	n = guest_copy_raw(dst, guest, n);
	smap_close();
	return n;
}

size_t guest_copy_to(void *guest, const void *src, size_t n)
{
	if (current->hvm)
		return hvm_copy_to(guest, src, n);
	if (!guest_range_ok(guest, n))
		return n;
	smap_open();
	n = guest_copy_raw(guest, src, n);
	smap_close();
	return n;
}

size_t guest_clear(void *guest, size_t n)
{
	if (current->hvm)
		return hvm_clear(guest, n);
	if (!guest_range_ok(guest, n))
		return n;
	smap_open();
	n = guest_clear_raw(guest, n);
	smap_close();
	return n;
}

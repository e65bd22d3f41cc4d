/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies from and to the memory of HVM guests: by guest-physical address, and
 * by the current vCPU's linear address, as its kernel sees it.  Nothing of a
 * guest is mapped: each page is found by walk.c and the p2m, and held while
 * it is touched.
 */
#include "cpu/trap.h"
#include "hvm/compat.h"
#include "hvm/hvm.h"
#include "hvm/vcpu.h"
#include "lib/string.h"

/* The part of n bytes at `addr` that lies in its page. */
static size_t in_page(uint64_t addr, size_t n)
{
	return MIN(n, PAGE_SIZE - addr % PAGE_SIZE);
}

size_t hvm_phys_read(struct domain *d, void *dst, uint64_t gpa, size_t n)
{
	for (size_t part; n; n -= part, gpa += part, dst = (char *)dst + part) {
		enum p2m_type type;
		struct page *pg = p2m_page_get(d, GFN(gpa >> PAGE_SHIFT), false, &type);

		if (!pg)
			return n;
		part = in_page(gpa, n);
		memcpy(dst, (const char *)page_to_virt(pg) + gpa % PAGE_SIZE, part);
		page_put(pg);
	}
	return 0;
}

/* src NULL: zeros */
static size_t phys_fill(struct domain *d, uint64_t gpa, const void *src, size_t n)
{
	for (size_t part; n; n -= part, gpa += part, src = src ? (const char *)src + part : NULL) {
		enum p2m_type type;
		struct page *pg = p2m_page_get(d, GFN(gpa >> PAGE_SHIFT), true, &type);
		char *at;

		if (!pg)
			return n;
		part = in_page(gpa, n);
		at = (char *)page_to_virt(pg) + gpa % PAGE_SIZE;
		if (src)
			memcpy(at, src, part);
		else
			memset(at, 0, part);
		page_put_and_type(pg);
	}
	return 0;
}

size_t hvm_phys_write(struct domain *d, uint64_t gpa, const void *src, size_t n)
{
	return phys_fill(d, gpa, src, n);
}

/* Where n bytes at `linear` begin, and how many of them its page has: 0: nothing is there. */
static size_t page_find(uint64_t linear, size_t n, uint32_t access, uint64_t *gpa)
{
	uint32_t error;

	return hvm_translate(current, linear, access, gpa, &error) ? 0 : in_page(linear, n);
}

size_t hvm_copy_from(void *dst, const void *guest, size_t n)
{
	uint64_t linear = (uintptr_t)guest, gpa;
	const void *window = hvm_compat_find(current->hvm->compat, linear, n);

	if (unlikely(window)) {
		memcpy(dst, window, n);
		return 0;
	}
	for (size_t part, left; n; n -= part, linear += part, dst = (char *)dst + part) {
		part = page_find(linear, n, 0, &gpa);
		if (!part)
			return n;
		left = hvm_phys_read(current->domain, dst, gpa, part);
		if (left)
			return n - part + left;
	}
	return 0;
}

static size_t linear_fill(void *guest, const void *src, size_t n)
{
	uint64_t linear = (uintptr_t)guest, gpa;
	void *window = hvm_compat_find(current->hvm->compat, linear, n);

	if (unlikely(window)) {
		if (src)
			memcpy(window, src, n);
		else
			memset(window, 0, n);
		return 0;
	}
	for (size_t part, left; n;
	     n -= part, linear += part, src = src ? (const char *)src + part : NULL) {
		part = page_find(linear, n, PF_WRITE, &gpa);
		if (!part)
			return n;
		left = phys_fill(current->domain, gpa, src, part);
		if (left)
			return n - part + left;
	}
	return 0;
}

size_t hvm_copy_to(void *guest, const void *src, size_t n)
{
	return linear_fill(guest, src, n);
}

size_t hvm_clear(void *guest, size_t n)
{
	return linear_fill(guest, NULL, n);
}

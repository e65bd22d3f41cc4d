/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory that the hypervisor keeps writing: see vcpu_area.h. */
#include "sched/vcpu_area.h"

#include "cpu/trap.h"
#include "domain/domain.h"
#include "hvm/p2m.h"
#include "hvm/vcpu.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/page.h"
#include "pv/pv.h"

#define AREA_ALIGN		  8

#define PTE_PRESENT_WRITABLE_USER 0x7UL
#define PTE_FRAME_MASK		  0x000ffffffffff000UL
#define CANONICAL_LOW_END	  0x0000800000000000UL

static bool is_guest_range(uint64_t va, size_t size)
{
	uint64_t last = va + size - 1;

	if (last < va)
		return false;
	if (current->domain->type == DOMAIN_HVM)
		return true; /* its page tables decide */
	return last < CANONICAL_LOW_END || va >= DIRECTMAP_END;
}

/* By the current vCPU's page tables, the guest's own number of the frame that may be written. */
static int frame_find(uint64_t va, uint64_t *frame)
{
	uint64_t entry;
	paddr_t entry_paddr;
	uint32_t error;

	if (current->domain->type == DOMAIN_HVM) {
		if (hvm_translate(current, va, PF_WRITE, &entry, &error))
			return -EFAULT;
	} else if (!pv_walk(current, va, &entry, &entry_paddr) ||
		   (entry & PTE_PRESENT_WRITABLE_USER) != PTE_PRESENT_WRITABLE_USER) {
		return -EFAULT;
	}
	*frame = (entry & PTE_FRAME_MASK) >> PAGE_SHIFT;
	return 0;
}

static int frame_hold(uint64_t va, struct page **out)
{
	uint64_t frame;
	int rc = frame_find(va, &frame);

	if (rc)
		return rc;
	*out = page_get_guest_frame(current->domain, frame, true);
	return *out ? 0 : -EINVAL;
}

static void frames_release(struct page *pages[2])
{
	for (unsigned int i = 0; i < 2; i++)
		if (pages[i])
			page_put_and_type(pages[i]);
}

/* The frames are released outside the lock: that may flush TLBs. */
static void area_replace(struct vcpu_area *area, struct page *pages[2], uint16_t offset,
			 uint16_t size)
{
	uint64_t flags = spin_lock_irq(&area->lock);
	struct page *old[2] = {area->pages[0], area->pages[1]};

	area->pages[0] = pages[0];
	area->pages[1] = pages[1];
	area->offset = offset;
	area->size = size;
	spin_unlock_irq(&area->lock, flags);
	frames_release(old);
}

void vcpu_area_clear(struct vcpu_area *area)
{
	struct page *none[2] = {NULL, NULL};

	area_replace(area, none, 0, 0);
}

int vcpu_area_set(struct vcpu_area *area, const void *guest, size_t size)
{
	uint64_t va = (uint64_t)guest, offset = va & ~PAGE_MASK;
	struct page *pages[2] = {NULL, NULL};
	int rc;

	ASSERT(size && size <= PAGE_SIZE);
	if (!guest) {
		vcpu_area_clear(area);
		return 0;
	}
	if (va % AREA_ALIGN)
		return -EINVAL;
	if (!is_guest_range(va, size))
		return -EFAULT;
	rc = frame_hold(va, &pages[0]);
	if (!rc && offset + size > PAGE_SIZE)
		rc = frame_hold((va & PAGE_MASK) + PAGE_SIZE, &pages[1]);
	if (rc) {
		frames_release(pages);
		return rc;
	}
	area_replace(area, pages, offset, size);
	return 0;
}

void vcpu_area_write(struct vcpu_area *area, size_t offset, const void *src, size_t n)
{
	uint64_t flags;
	size_t at, first;

	if (!vcpu_area_is_set(area))
		return;
	flags = spin_lock_irq(&area->lock);
	if (offset + n <= area->size) {
		at = area->offset + offset;
		first = at < PAGE_SIZE ? MIN(n, PAGE_SIZE - at) : 0;
		if (first)
			memcpy((char *)page_to_virt(area->pages[0]) + at, src, first);
		if (n > first)
			memcpy((char *)page_to_virt(area->pages[1]) + (at + first - PAGE_SIZE),
			       (const char *)src + first, n - first);
	}
	spin_unlock_irq(&area->lock, flags);
}

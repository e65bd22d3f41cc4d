/* SPDX-License-Identifier: BSD-2-Clause */
/* The domain of fake_ram.h. */
#include "fake_ram.h"

#include "lib/printk.h"
#include "pv/pv.h"

void (*fake_ram_writable_hook)(void);

bool page_get_writable(struct page *pg)
{
	if (fake_ram_writable_hook)
		fake_ram_writable_hook();
	if (pg->type >> PAGE_TYPE_SHIFT != PAGE_NONE && page_type(pg) != PAGE_WRITABLE)
		return false;
	pg->type = ((uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT) | (page_type_count(pg) + 1);
	return true;
}

int page_put_type(struct page *pg, bool preemptible)
{
	(void)preemptible;
	if (!page_type_count(pg))
		panic("frame %lx: type reference dropped below zero", page_to_mfn(pg).v);
	pg->type--;
	return 0;
}

void page_put_and_type(struct page *pg)
{
	(void)page_put_type(pg, false);
	page_put(pg);
}

struct domain *fake_ram_domain(void)
{
	struct domain *d = fake_hvm_domain(6, 1);

	CHECK_EQ(p2m_init(d), 0);
	fake_vcpu_run(d->vcpus[0], 0);
	memset(guest_regs(), 0, sizeof(*guest_regs()));
	return d;
}

void fake_ram_add(struct domain *d, uint64_t gfn, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		CHECK_EQ(p2m_set(d, GFN(gfn + i), page_to_mfn(fake_frame_alloc(d)), 0, P2M_RAM), 0);
}

void *fake_ram_at(struct domain *d, uint64_t gpa)
{
	enum p2m_type type;
	mfn_t mfn = p2m_lookup(d, GFN(gpa >> PAGE_SHIFT), &type);

	CHECK(type != P2M_NONE);
	return (char *)mfn_to_virt(mfn) + gpa % PAGE_SIZE;
}

void fake_ram_end(struct domain *d)
{
	d->is_dying = true;
	CHECK_EQ(p2m_relinquish(d), 0);
	for (uint64_t n = 1; n < FAKE_FRAMES; n++) {
		if (!page_is_owned_by(&frame_table[n], d->id) ||
		    !(frame_table[n].count & PAGE_COUNT_MASK))
			continue;
		CHECK_EQ(page_type_count(&frame_table[n]), 0);
		CHECK(page_drop_allocation(&frame_table[n]));
	}
	CHECK_EQ(fake_frames_used(), 0);
	fake_hvm_free(d);
}

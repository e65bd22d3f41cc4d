/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of a domain: its frames, its version, its life.  The frames are
 * ours and shared with the guest, which may write anything into them at any
 * time; what we rely on is in the active entries.
 */
#include "grant/table.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"

#define FRAMES_DEFAULT	 64
#define FRAMES_MAX	 4096
#define MAPTRACK_DEFAULT 1024
#define MAPTRACK_MAX	 65536

static int status_grow(struct domain *d, struct grant_table *gt, uint32_t nr_frames)
{
	uint32_t need = gt->version == 2 ? grant_status_frames(nr_frames) : 0;

	while (gt->nr_status_frames < need) {
		void *page = hyp_page_alloc_zeroed();

		if (!page)
			return -ENOMEM;
		page_share(page, d, true);
		gt->status[gt->nr_status_frames++] = page;
	}
	return 0;
}

static int active_grow(struct grant_table *gt, uint32_t frame)
{
	struct grant_active **pages = gt->active + frame * GRANT_ACTIVE_PAGES_PER_FRAME;

	/* Those of an attempt that ran out of memory half way are still there. */
	for (unsigned int i = 0; i < GRANT_ACTIVE_PAGES_PER_FRAME; i++) {
		if (!pages[i])
			pages[i] = hyp_page_alloc_zeroed();
		if (!pages[i])
			return -ENOMEM;
	}
	return 0;
}

int grant_table_grow(struct domain *d, struct grant_table *gt, uint32_t nr_frames)
{
	int rc;

	if (nr_frames > gt->max_frames)
		return -EINVAL;
	if (nr_frames <= gt->nr_frames)
		return 0;
	rc = status_grow(d, gt, nr_frames);
	while (!rc && gt->nr_frames < nr_frames) {
		void *page;

		rc = active_grow(gt, gt->nr_frames);
		if (rc)
			break;
		page = hyp_page_alloc_zeroed();
		if (!page)
			return -ENOMEM;
		page_share(page, d, true);
		gt->shared[gt->nr_frames++] = page;
	}
	return rc;
}

static void status_shrink(struct grant_table *gt)
{
	while (gt->nr_status_frames) {
		page_unshare_free(gt->status[--gt->nr_status_frames]);
		gt->status[gt->nr_status_frames] = NULL;
	}
}

/* What the reserved entries are, as version 1's. False: version 1 has no words for it. */
static bool reserved_save(const struct grant_table *gt, uint32_t ref, struct grant_entry_v1 *out)
{
	const union grant_entry_v2 *e;
	uint64_t frame;

	if (gt->version == 1) {
		*out = *grant_entry_v1(gt, ref);
		return true;
	}
	e = grant_entry_v2(gt, ref);
	out->flags = READ_ONCE(e->hdr.flags);
	out->domid = READ_ONCE(e->hdr.domid);
	frame = READ_ONCE(e->full_page.frame);
	out->frame = (uint32_t)frame;
	if ((out->flags & GTF_type_mask) == GTF_invalid)
		return true;
	if ((out->flags & GTF_type_mask) != GTF_permit_access || out->flags & GTF_sub_page ||
	    frame > UINT32_MAX)
		return false;
	out->flags |= READ_ONCE(*grant_status(gt, ref)) & (GTF_reading | GTF_writing);
	return true;
}

static void reserved_restore(const struct grant_table *gt, uint32_t ref,
			     const struct grant_entry_v1 *saved)
{
	uint16_t in_use = saved->flags & (GTF_reading | GTF_writing);

	if (gt->version == 1) {
		*grant_entry_v1(gt, ref) = *saved;
		return;
	}
	grant_entry_v2(gt, ref)->full_page.hdr.flags = saved->flags & ~in_use;
	grant_entry_v2(gt, ref)->full_page.hdr.domid = saved->domid;
	grant_entry_v2(gt, ref)->full_page.frame = saved->frame;
	*grant_status(gt, ref) = in_use;
}

static int version_switch(struct domain *d, unsigned int version)
{
	struct grant_table *gt = d->grant;
	struct grant_entry_v1 saved[GNTTAB_NR_RESERVED_ENTRIES];
	int rc;

	/* The console's and the store's stay mapped all the time. */
	for (uint32_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < grant_nr_entries(gt); ref++)
		if (grant_is_active(gt, ref))
			return -EBUSY;
	for (uint32_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++)
		if (!reserved_save(gt, ref, &saved[ref]))
			return -EINVAL;

	gt->version = version;
	rc = version == 2 ? status_grow(d, gt, gt->nr_frames) : 0;
	if (rc) {
		gt->version = 1;
		status_shrink(gt);
		return rc;
	}
	if (version == 1)
		status_shrink(gt);
	for (uint32_t i = 0; i < gt->nr_frames; i++)
		memset(gt->shared[i], 0, PAGE_SIZE);
	for (uint32_t ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++)
		reserved_restore(gt, ref, &saved[ref]);
	return 0;
}

int grant_table_set_version(struct domain *d, unsigned int version)
{
	struct grant_table *gt = d->grant;
	int rc = 0;

	if (version != 1 && version != 2)
		return -EINVAL;
	if (version > gt->max_version)
		return -ENOSYS;
	spin_lock(&gt->lock);
	if (gt->version != version)
		rc = version_switch(d, version);
	spin_unlock(&gt->lock);
	return rc;
}

int16_t grant_table_swap(struct domain *d, uint32_t a, uint32_t b)
{
	struct grant_table *gt = d->grant;
	int16_t status = GNTST_okay;

	spin_lock(&gt->lock);
	if (a >= grant_nr_entries(gt) || b >= grant_nr_entries(gt)) {
		status = GNTST_bad_gntref;
	} else if (grant_is_active(gt, a) || grant_is_active(gt, b)) {
		status = GNTST_eagain;
	} else if (gt->version == 1) {
		struct grant_entry_v1 t = *grant_entry_v1(gt, a);

		*grant_entry_v1(gt, a) = *grant_entry_v1(gt, b);
		*grant_entry_v1(gt, b) = t;
	} else {
		union grant_entry_v2 t = *grant_entry_v2(gt, a);

		*grant_entry_v2(gt, a) = *grant_entry_v2(gt, b);
		*grant_entry_v2(gt, b) = t;
	}
	spin_unlock(&gt->lock);
	return status;
}

int grant_shared_frame(struct domain *d, unsigned int index, mfn_t *mfn)
{
	struct grant_table *gt = d->grant;
	int rc;

	if (!gt || index >= gt->max_frames)
		return -EINVAL;
	spin_lock(&gt->lock);
	rc = grant_table_grow(d, gt, index + 1);
	if (!rc)
		*mfn = virt_to_mfn(gt->shared[index]);
	spin_unlock(&gt->lock);
	return rc;
}

int grant_status_frame(struct domain *d, unsigned int index, mfn_t *mfn)
{
	struct grant_table *gt = d->grant;
	int rc = -EINVAL;

	if (!gt)
		return rc;
	spin_lock(&gt->lock);
	if (gt->version == 2 && index < grant_status_frames(gt->max_frames)) {
		rc = 0;
		if (index >= gt->nr_status_frames)
			rc = grant_table_grow(d, gt, MIN(index * 8U + 1, gt->max_frames));
		if (!rc)
			*mfn = virt_to_mfn(gt->status[index]);
	}
	spin_unlock(&gt->lock);
	return rc;
}

int grant_seed(struct domain *d, uint32_t ref, domid_t remote, uint64_t gfn)
{
	struct grant_table *gt = d->grant;
	int rc = -EINVAL;

	spin_lock(&gt->lock);
	if (gt->version == 1 && ref < grant_nr_entries(gt) && gfn <= UINT32_MAX) {
		struct grant_entry_v1 *e = grant_entry_v1(gt, ref);

		e->domid = remote;
		e->frame = (uint32_t)gfn;
		__atomic_store_n(&e->flags, GTF_permit_access, __ATOMIC_RELEASE);
		rc = 0;
	}
	spin_unlock(&gt->lock);
	return rc;
}

static void pages_free(void *array, uint32_t n)
{
	void **pages = array;

	for (uint32_t i = 0; pages && i < n; i++)
		if (pages[i])
			hyp_pages_free(pages[i], 0);
	heap_free(pages);
}

static void grant_table_free(struct grant_table *gt)
{
	status_shrink(gt);
	while (gt->nr_frames)
		page_unshare_free(gt->shared[--gt->nr_frames]);
	heap_free(gt->shared);
	heap_free(gt->status);
	pages_free(gt->active, gt->max_frames * GRANT_ACTIVE_PAGES_PER_FRAME);
	pages_free(gt->maptrack, gt->nr_maptrack_frames);
	heap_free(gt);
}

int grant_domain_init(struct domain *d, int32_t max_frames, int32_t max_maptrack,
		      unsigned int max_version)
{
	struct grant_table *gt;

	if (!max_frames || max_frames > FRAMES_MAX || max_maptrack > MAPTRACK_MAX ||
	    max_version < 1 || max_version > 2)
		return -EINVAL;
	gt = heap_alloc(sizeof(*gt));
	if (!gt)
		return -ENOMEM;
	gt->version = 1;
	gt->max_version = max_version;
	gt->max_frames = max_frames < 0 ? FRAMES_DEFAULT : (uint32_t)max_frames;
	gt->max_maptrack_frames = max_maptrack < 0 ? MAPTRACK_DEFAULT : (uint32_t)max_maptrack;
	gt->maptrack_free = MAPTRACK_NONE;
	gt->shared = heap_alloc_array(gt->max_frames, sizeof(gt->shared[0]));
	gt->status = heap_alloc_array(grant_status_frames(gt->max_frames), sizeof(gt->status[0]));
	gt->active = heap_alloc_array(gt->max_frames * GRANT_ACTIVE_PAGES_PER_FRAME,
				      sizeof(gt->active[0]));
	gt->maptrack = heap_alloc_array(MAX(gt->max_maptrack_frames, 1U), sizeof(gt->maptrack[0]));
	if (!gt->shared || !gt->status || !gt->active || !gt->maptrack ||
	    grant_table_grow(d, gt, 1)) {
		grant_table_free(gt);
		return -ENOMEM;
	}
	/* Others may look for it already, by the domain's id. */
	__atomic_store_n(&d->grant, gt, __ATOMIC_RELEASE);
	return 0;
}

void grant_domain_destroy(struct domain *d)
{
	struct grant_table *gt = d->grant;

	d->grant = NULL;
	if (gt)
		grant_table_free(gt);
}

void grant_dump(struct domain *d)
{
	struct grant_table *gt = d->grant;

	if (!gt)
		return;
	spin_lock(&gt->lock);
	printk("d%u: grant table v%u, %u of %u frames; %u mappings of others'\n", d->id,
	       gt->version, gt->nr_frames, gt->max_frames, gt->maptrack_used);
	for (uint32_t ref = 0; ref < grant_nr_entries(gt); ref++) {
		const struct grant_active *act = grant_active(gt, ref);

		if (grant_is_active(gt, ref))
			printk("  ref %u: frame %lx to d%u, %u readers, %u writers\n", ref,
			       act->frame, act->domid, act->readers, act->writers);
	}
	spin_unlock(&gt->lock);
}

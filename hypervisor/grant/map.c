/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping and unmapping grants.  A mapping is a maptrack entry of the mapping
 * domain; while it lasts it holds a use of the granter's entry and a
 * reference to the granter.  The references to the frame belong to the page
 * table entry (host map) and to the maptrack entry (device map).
 */
#include "grant/table.h"
#include "hvm/p2m.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "mm/alloc.h"
#include "pv/pv.h"

#define MAP_FLAGS                                                                         \
	(GNTMAP_device_map | GNTMAP_host_map | GNTMAP_readonly | GNTMAP_application_map | \
	 GNTMAP_contains_pte)
#define MAP_KINDS (GNTMAP_device_map | GNTMAP_host_map)

/* Unmapped together before one TLB flush ends them all. */
#define UNMAP_BATCH 32

/* --- maptrack --- */

/* gt->maptrack_lock held.  NULL: no such handle, or not in use. */
static struct maptrack *maptrack_find(const struct grant_table *gt, uint32_t handle)
{
	struct maptrack *mt;

	if (handle / MAPTRACK_PER_PAGE >= gt->nr_maptrack_frames)
		return NULL;
	mt = &gt->maptrack[handle / MAPTRACK_PER_PAGE][handle % MAPTRACK_PER_PAGE];
	return mt->granter ? mt : NULL;
}

static bool maptrack_grow(struct grant_table *gt)
{
	uint32_t base = gt->nr_maptrack_frames * MAPTRACK_PER_PAGE;
	struct maptrack *page;

	if (gt->nr_maptrack_frames == gt->max_maptrack_frames)
		return false;
	page = hyp_page_alloc_zeroed();
	if (!page)
		return false;
	for (uint32_t i = 0; i < MAPTRACK_PER_PAGE; i++)
		page[i].ref = base + i + 1;
	page[MAPTRACK_PER_PAGE - 1].ref = gt->maptrack_free;
	gt->maptrack_free = base;
	gt->maptrack[gt->nr_maptrack_frames++] = page;
	return true;
}

/* A busy entry for a mapping of granter's; false: no space. */
static bool maptrack_alloc(struct grant_table *gt, struct domain *granter, uint32_t *handle)
{
	struct maptrack *mt;
	bool ok;

	spin_lock(&gt->maptrack_lock);
	ok = gt->maptrack_free != MAPTRACK_NONE || maptrack_grow(gt);
	if (ok) {
		*handle = gt->maptrack_free;
		mt = &gt->maptrack[*handle / MAPTRACK_PER_PAGE][*handle % MAPTRACK_PER_PAGE];
		gt->maptrack_free = mt->ref;
		mt->granter = granter;
		mt->flags = 0;
		mt->is_busy = true;
		gt->maptrack_used++;
	}
	spin_unlock(&gt->maptrack_lock);
	return ok;
}

/*
 * Give the pages back once nothing is mapped: a back end's busiest moment must not cost memory
 * for ever. Called with the lock held.
 */
static void maptrack_shrink(struct grant_table *gt)
{
	if (gt->maptrack_used)
		return;
	while (gt->nr_maptrack_frames) {
		hyp_pages_free(gt->maptrack[--gt->nr_maptrack_frames], 0);
		gt->maptrack[gt->nr_maptrack_frames] = NULL;
	}
	gt->maptrack_free = MAPTRACK_NONE;
}

/* The reference to the granter is the caller's again. */
static void maptrack_free(struct grant_table *gt, uint32_t handle)
{
	struct maptrack *mt;

	spin_lock(&gt->maptrack_lock);
	mt = maptrack_find(gt, handle);
	mt->granter = NULL;
	mt->is_busy = false;
	mt->flags = 0;
	mt->ref = gt->maptrack_free;
	gt->maptrack_free = handle;
	gt->maptrack_used--;
	maptrack_shrink(gt);
	spin_unlock(&gt->maptrack_lock);
}

static void maptrack_settle(struct grant_table *gt, uint32_t handle, uint32_t ref, mfn_t frame,
			    uint32_t flags)
{
	struct maptrack *mt;

	spin_lock(&gt->maptrack_lock);
	mt = maptrack_find(gt, handle);
	mt->ref = ref;
	mt->frame = frame;
	mt->flags = (uint16_t)flags;
	mt->is_busy = false;
	spin_unlock(&gt->maptrack_lock);
}

/* --- references to the granted frame --- */

static void frame_put(mfn_t frame, bool is_write)
{
	page_put_guest_frame(mfn_to_page(frame), is_write);
}

/* The references of another mapping of a frame that has some already. */
static bool frame_hold(struct page *pg, bool is_write)
{
	if (!page_hold(pg))
		return false;
	if (!is_write || page_get_writable(pg))
		return true;
	page_put(pg);
	return false;
}

/* --- map --- */

/* Where the current guest wants it: its page tables, or its physical memory. */
static int host_map(const struct gnttab_map_grant_ref *op, mfn_t frame, bool is_write)
{
	uint64_t avail = (uint64_t)(op->flags >> _GNTMAP_guest_avail0 & 7) << 9;
	bool by_pte = op->flags & GNTMAP_contains_pte;

	if (current->domain->type == DOMAIN_HVM)
		return by_pte ? -EINVAL
			      : p2m_grant_map(current->domain, op->host_addr, frame, is_write);
	return pv_grant_map(op->host_addr, by_pte, frame, is_write, avail);
}

/* The frame of a held entry into the current guest's memory and its devices' reach. */
static int16_t frame_map(const struct gnttab_map_grant_ref *op, const struct grant_hold *hold,
			 mfn_t *frame)
{
	bool is_write = !(op->flags & GNTMAP_readonly);
	bool is_both = (op->flags & MAP_KINDS) == MAP_KINDS;
	struct page *pg = page_get_guest_frame(hold->granter, hold->frame, is_write);

	if (!pg)
		return GNTST_general_error;
	*frame = page_to_mfn(pg);
	if (!(op->flags & GNTMAP_host_map))
		return GNTST_okay;
	if (is_both && !frame_hold(pg, is_write))
		goto put;
	if (!host_map(op, *frame, is_write))
		return GNTST_okay;
	if (is_both)
		frame_put(*frame, is_write);
put:
	frame_put(*frame, is_write);
	return GNTST_general_error;
}

static int16_t grant_map(struct gnttab_map_grant_ref *op)
{
	struct domain *d = current->domain;
	struct domain *granter;
	struct grant_hold hold;
	uint32_t handle;
	int16_t status;
	mfn_t frame;

	if (!(op->flags & MAP_KINDS))
		return GNTST_bad_gntref;
	granter = domain_get_live(op->dom);
	if (!granter)
		return GNTST_bad_domain;
	status = GNTST_no_space;
	if (!maptrack_alloc(d->grant, granter, &handle))
		goto put_granter;
	status =
		grant_acquire(granter, op->ref, d->id, !(op->flags & GNTMAP_readonly), true, &hold);
	if (status)
		goto free_handle;
	status = frame_map(op, &hold, &frame);
	if (status)
		goto release;
	maptrack_settle(d->grant, handle, op->ref, frame, op->flags & MAP_FLAGS);
	op->handle = handle;
	op->dev_bus_addr = mfn_to_paddr(frame);
	return GNTST_okay;

release:
	grant_release(&hold);
free_handle:
	maptrack_free(d->grant, handle);
put_granter:
	domain_put(granter);
	return status;
}

long grant_map_batch(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_map_grant_ref *ops = guest;

	for (; *done < count; (*done)++) {
		struct gnttab_map_grant_ref op;

		if (*done && hypercall_preempt_check())
			return -ERESTART;
		if (copy_in(&op, &ops[*done], sizeof(op)))
			return -EFAULT;
		op.status = grant_map(&op);
		if (copy_out(&ops[*done], &op, sizeof(op)))
			return -EFAULT;
	}
	return 0;
}

/* --- unmap --- */

/* One unmapping between its page table's change and the TLB flush. */
struct unmapped {
	struct maptrack mt; /* as it was */
	uint32_t handle;
	uint16_t kinds; /* what was taken away */
};

struct unmap_request {
	uint64_t host_addr, dev_bus_addr, new_addr;
	uint32_t handle;
	bool is_replace;
};

/* Take the entry, to be settled by maptrack_give_back or freed. */
static int16_t maptrack_take(struct grant_table *gt, const struct unmap_request *r,
			     struct unmapped *u)
{
	struct maptrack *mt;
	int16_t status = GNTST_bad_handle;

	spin_lock(&gt->maptrack_lock);
	mt = maptrack_find(gt, r->handle);
	if (mt && !mt->is_busy) {
		u->mt = *mt;
		u->handle = r->handle;
		mt->is_busy = true;
		status = GNTST_okay;
	}
	spin_unlock(&gt->maptrack_lock);
	return status;
}

static int host_unmap(const struct unmap_request *r, const struct maptrack *mt)
{
	bool is_write = !(mt->flags & GNTMAP_readonly), by_pte = mt->flags & GNTMAP_contains_pte;

	if (r->is_replace && (by_pte || current->domain->type == DOMAIN_HVM))
		return -EINVAL;
	if (current->domain->type == DOMAIN_HVM)
		return p2m_grant_unmap(current->domain, r->host_addr, mt->frame, is_write);
	return pv_grant_unmap(r->host_addr, by_pte, mt->frame, is_write, r->new_addr);
}

static int16_t mapping_undo(const struct unmap_request *r, struct unmapped *u)
{
	const struct maptrack *mt = &u->mt;

	u->kinds = 0;
	if (r->dev_bus_addr && mt->flags & GNTMAP_device_map) {
		if (r->dev_bus_addr != mfn_to_paddr(mt->frame))
			return GNTST_general_error;
		u->kinds |= GNTMAP_device_map;
	}
	if (!r->host_addr || !(mt->flags & GNTMAP_host_map))
		return GNTST_okay;
	if (host_unmap(r, mt))
		return GNTST_general_error;
	u->kinds |= GNTMAP_host_map;
	return GNTST_okay;
}

static int16_t grant_unmap(struct grant_table *gt, const struct unmap_request *r,
			   struct unmapped *u)
{
	int16_t status = maptrack_take(gt, r, u);

	if (status)
		return status;
	status = mapping_undo(r, u);
	if (status)
		maptrack_settle(gt, u->handle, u->mt.ref, u->mt.frame, u->mt.flags);
	return status;
}

/* The use of the granter's entry that a mapping is. */
static void mapping_end(const struct maptrack *mt)
{
	struct grant_hold hold = {
		.granter = mt->granter,
		.ref = mt->ref,
		.is_write = !(mt->flags & GNTMAP_readonly),
	};

	grant_release(&hold);
	domain_put(mt->granter);
}

/* After the flush: nobody reaches the frame by these mappings any more. */
static void unmapped_finish(struct grant_table *gt, const struct unmapped *u)
{
	bool is_write = !(u->mt.flags & GNTMAP_readonly);
	uint16_t left = u->mt.flags & (uint16_t)~u->kinds;

	if (u->kinds & GNTMAP_host_map)
		frame_put(u->mt.frame, is_write);
	if (u->kinds & GNTMAP_device_map)
		frame_put(u->mt.frame, is_write);
	if (left & MAP_KINDS) {
		maptrack_settle(gt, u->handle, u->mt.ref, u->mt.frame, left);
		return;
	}
	maptrack_free(gt, u->handle);
	mapping_end(&u->mt);
}

static void unmapped_finish_all(struct domain *d, const struct unmapped *list, unsigned int n)
{
	struct cpumask cpus;

	if (!n)
		return;
	if (d->type == DOMAIN_HVM) {
		p2m_flush(d);
	} else {
		pv_domain_dirty_cpus(d, &cpus);
		tlb_flush_mask(&cpus);
	}
	for (unsigned int i = 0; i < n; i++)
		unmapped_finish(d->grant, &list[i]);
}

/* Copies in one request; copies out its status. */
struct unmap_format {
	size_t size;
	size_t status_offset;
	void (*decode)(const void *op, struct unmap_request *r);
};

static void unmap_decode(const void *arg, struct unmap_request *r)
{
	const struct gnttab_unmap_grant_ref *op = arg;

	*r = (struct unmap_request){op->host_addr, op->dev_bus_addr, 0, op->handle, false};
}

static void replace_decode(const void *arg, struct unmap_request *r)
{
	const struct gnttab_unmap_and_replace *op = arg;

	*r = (struct unmap_request){op->host_addr, 0, op->new_addr, op->handle, true};
}

static const struct unmap_format format_unmap = {
	sizeof(struct gnttab_unmap_grant_ref),
	offsetof(struct gnttab_unmap_grant_ref, status),
	unmap_decode,
};

static const struct unmap_format format_replace = {
	sizeof(struct gnttab_unmap_and_replace),
	offsetof(struct gnttab_unmap_and_replace, status),
	replace_decode,
};

static int unmap_one(const struct unmap_format *f, char *guest, struct unmapped *u, bool *is_done)
{
	union {
		struct gnttab_unmap_grant_ref unmap;
		struct gnttab_unmap_and_replace replace;
	} op;
	struct unmap_request r;
	int16_t status;

	*is_done = false;
	if (copy_in(&op, guest, f->size))
		return -EFAULT;
	f->decode(&op, &r);
	status = grant_unmap(current->domain->grant, &r, u);
	*is_done = !status;
	return copy_out(guest + f->status_offset, &status, sizeof(status));
}

/* Up to UNMAP_BATCH of them and the flush that ends them. */
static int unmap_some(const struct unmap_format *f, char *guest, uint32_t n)
{
	struct unmapped list[UNMAP_BATCH];
	unsigned int nr = 0;
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++) {
		bool is_done;

		rc = unmap_one(f, guest + i * f->size, &list[nr], &is_done);
		nr += is_done;
	}
	unmapped_finish_all(current->domain, list, nr);
	return rc;
}

static long unmap_batches(const struct unmap_format *f, void *guest, uint32_t count, uint32_t *done)
{
	while (*done < count) {
		uint32_t n = MIN(count - *done, (uint32_t)UNMAP_BATCH);
		int rc;

		if (*done && hypercall_preempt_check())
			return -ERESTART;
		rc = unmap_some(f, (char *)guest + *done * f->size, n);
		if (rc)
			return rc;
		*done += n;
	}
	return 0;
}

long grant_unmap_batch(void *guest, uint32_t count, uint32_t *done)
{
	return unmap_batches(&format_unmap, guest, count, done);
}

long grant_unmap_replace_batch(void *guest, uint32_t count, uint32_t *done)
{
	return unmap_batches(&format_replace, guest, count, done);
}

/* --- the end of a domain that maps --- */

/* Takes the next entry at or after the cursor out of the list; false: none is left. */
static bool maptrack_pop(struct grant_table *gt, struct maptrack *out)
{
	uint32_t end;
	bool found = false;

	spin_lock(&gt->maptrack_lock);
	end = gt->nr_maptrack_frames * MAPTRACK_PER_PAGE;
	while (gt->release_cursor < end && !found) {
		struct maptrack *mt = maptrack_find(gt, gt->release_cursor++);

		if (mt) {
			*out = *mt;
			mt->granter = NULL;
			gt->maptrack_used--;
			found = true;
		}
	}
	spin_unlock(&gt->maptrack_lock);
	return found;
}

int grant_domain_release_mappings(struct domain *d)
{
	struct maptrack mt;

	if (!d->grant)
		return 0;
	/* No vCPU of it runs.  What its page tables hold goes with them. */
	while (maptrack_pop(d->grant, &mt)) {
		if (mt.flags & GNTMAP_device_map)
			frame_put(mt.frame, !(mt.flags & GNTMAP_readonly));
		mapping_end(&mt);
		if (hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

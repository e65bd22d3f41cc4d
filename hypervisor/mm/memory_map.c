/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests are told of memory: their own map (XENMEM_memory_map), the
 * machine's, and where the machine-to-physical table is.
 */
#include "boot/boot.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "mm/alloc.h"
#include "mm/frame.h"
#include "mm/memory_op.h"
#include "mm/mm.h"

#define MAP_ENTRIES_MAX 128

/* As the BIOS call INT 15h, AX=E820h gives it. */
struct memory_region {
	uint64_t start, size;
	uint32_t type;
} packed;

_Static_assert(sizeof(struct memory_region) == 20, "E820 entry");

/* The guest's wish (how many, where to) answered. */
static long map_answer(void *arg, struct xen_memory_map *map, const struct memory_region *from,
		       unsigned int nr)
{
	if (copy_out(map->buffer.p, from, nr * sizeof(*from)))
		return -EFAULT;
	map->nr_entries = nr;
	return copy_out(arg, map, sizeof(*map));
}

long memory_op_memory_map(void *arg)
{
	struct memory_region copy[MAP_ENTRIES_MAX];
	struct mm_domain *mm = &current->domain->mm;
	struct xen_memory_map map;
	unsigned int nr;

	if (copy_in(&map, arg, sizeof(map)))
		return -EFAULT;
	spin_lock(&mm->map_lock);
	nr = mm->map ? MIN(mm->nr_map, map.nr_entries) : 0;
	for (unsigned int i = 0; i < nr; i++)
		copy[i] = mm->map[i];
	if (!mm->map)
		nr = MAP_ENTRIES_MAX + 1;
	spin_unlock(&mm->map_lock);
	return nr > MAP_ENTRIES_MAX ? -ENOSYS : map_answer(arg, &map, copy, nr);
}

static long map_set(struct domain *d, const struct xen_memory_map *map)
{
	struct memory_region *fresh, *old;

	fresh = heap_alloc_array(MAX(map->nr_entries, 1), sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	if (copy_in(fresh, map->buffer.p, map->nr_entries * sizeof(*fresh))) {
		heap_free(fresh);
		return -EFAULT;
	}
	spin_lock(&d->mm.map_lock);
	old = d->mm.map;
	d->mm.map = fresh;
	d->mm.nr_map = map->nr_entries;
	spin_unlock(&d->mm.map_lock);
	heap_free(old);
	return 0;
}

long memory_op_set_memory_map(const void *arg)
{
	struct xen_foreign_memory_map fmap;
	struct domain *d;
	long ret;

	if (copy_in(&fmap, arg, sizeof(fmap)))
		return -EFAULT;
	if (!current->domain->is_privileged)
		return -EPERM;
	if (fmap.map.nr_entries > MAP_ENTRIES_MAX)
		return -EINVAL;
	d = domain_get_live(fmap.domid);
	if (!d)
		return -ESRCH;
	ret = map_set(d, &fmap.map);
	domain_put(d);
	return ret;
}

long memory_op_machine_memory_map(void *arg)
{
	struct xen_memory_map map;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_in(&map, arg, sizeof(map)))
		return -EFAULT;
	if (map.buffer.p && map.nr_entries < boot_info.nr_regions)
		return -EINVAL;
	for (unsigned int i = 0; map.buffer.p && i < boot_info.nr_regions; i++) {
		const struct boot_region *r = &boot_info.regions[i];
		struct memory_region out = {r->start, r->size, r->type};

		if (copy_out(guest_entry(map.buffer.p, i, sizeof(out)), &out, sizeof(out)))
			return -EFAULT;
	}
	map.nr_entries = boot_info.nr_regions;
	return copy_out(arg, &map, sizeof(map));
}

long memory_op_machphys_mfn_list(void *arg)
{
	struct xen_machphys_mfn_list list;
	unsigned int nr;

	if (copy_in(&list, arg, sizeof(list)))
		return -EFAULT;
	nr = MIN(list.max_extents, m2p_piece_count());
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t *piece = m2p_piece(i);
		xen_pfn_t mfn = piece ? virt_to_mfn(piece).v : 0;

		if (copy_out(guest_entry(list.extent_start.p, i, sizeof(mfn)), &mfn, sizeof(mfn)))
			return -EFAULT;
	}
	list.nr_extents = nr;
	return copy_out(arg, &list, sizeof(list));
}

long memory_op_machphys_mapping(void *arg)
{
	struct xen_machphys_mapping mapping = {
		.v_start = M2P_START,
		.v_end = M2P_END,
		.max_mfn = frame_table_end - 1,
	};

	return copy_out(arg, &mapping, sizeof(mapping));
}

/* No IOMMU, so no region of RAM that devices need where it is. */
long memory_op_reserved_device_memory_map(void *arg)
{
	struct xen_reserved_device_memory_map map;

	if (copy_in(&map, arg, sizeof(map)))
		return -EFAULT;
	if (map.flags & ~XENMEM_RDM_ALL)
		return -EINVAL;
	map.nr_entries = 0;
	return copy_out(arg, &map, sizeof(map));
}

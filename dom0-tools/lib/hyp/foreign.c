/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another domain's frames and resources in this process's address space, and what the builder
 * writes through such a map: the reserved grants of a new domain.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "hyp/internal.h"
#include "hyp/memory.h"

#include <xen/sys/privcmd.h>

/* The ioctl takes a signed count on its way through the kernel. */
#define MAP_FRAMES_MAX (1UL << 24)

/* The kernel writes one error per frame; the first is as good as any to report. */
static int first_error(const int *errors, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		if (errors[i])
			return errors[i];
	}
	return 0;
}

int hyp_foreign_map(struct hyp *hyp, domid_t domid, int prot, const xen_pfn_t *frames,
		    unsigned long nr, void **addr)
{
	struct privcmd_mmapbatch_v2 batch;
	int *errors, error = 0;
	void *map;

	if (nr == 0 || nr > MAP_FRAMES_MAX)
		return -EINVAL;
	errors = calloc(nr, sizeof(*errors));
	if (!errors)
		return -ENOMEM;
	map = mmap(NULL, nr * HYP_PAGE_SIZE, prot, MAP_SHARED, hyp->fd, 0);
	if (map == MAP_FAILED) {
		error = -errno;
		goto free_errors;
	}
	batch = (struct privcmd_mmapbatch_v2){
		.num = (unsigned int)nr,
		.dom = domid,
		.addr = (uintptr_t)map,
		.arr = frames,
		.err = errors,
	};
	if (ioctl(hyp->fd, IOCTL_PRIVCMD_MMAPBATCH_V2, &batch) < 0)
		error = -errno;
	if (first_error(errors, nr))
		error = first_error(errors, nr);
	if (error)
		munmap(map, nr * HYP_PAGE_SIZE);
	else
		*addr = map;

free_errors:
	free(errors);
	return error;
}

void hyp_foreign_unmap(void *addr, unsigned long nr)
{
	if (addr)
		munmap(addr, nr * HYP_PAGE_SIZE);
}

int hyp_resource_map(struct hyp *hyp, domid_t domid, uint32_t type, uint32_t id, uint64_t first,
		     unsigned long nr, int prot, void **addr)
{
	struct privcmd_mmap_resource resource;
	void *map;
	int error;

	if (nr == 0 || nr > MAP_FRAMES_MAX)
		return -EINVAL;
	map = mmap(NULL, nr * HYP_PAGE_SIZE, prot, MAP_SHARED, hyp->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	resource = (struct privcmd_mmap_resource){
		.dom = domid,
		.type = type,
		.id = id,
		.idx = (uint32_t)first,
		.num = nr,
		.addr = (uintptr_t)map,
	};
	if (first > UINT32_MAX)
		error = -EINVAL;
	else
		error = ioctl(hyp->fd, IOCTL_PRIVCMD_MMAP_RESOURCE, &resource) < 0 ? -errno : 0;
	if (error)
		munmap(map, nr * HYP_PAGE_SIZE);
	else
		*addr = map;
	return error;
}

/* The way before XENMEM_acquire_resource: let the hypervisor name the table's frame, map that. */
static int map_grant_table_by_frame(struct hyp *hyp, domid_t domid, void **addr)
{
	struct gnttab_setup_table *op = hyp->op;
	xen_pfn_t *frames = hyp->array;
	long result;

	*op = (struct gnttab_setup_table){.dom = domid, .nr_frames = 1};
	set_xen_guest_handle(op->frame_list, frames);
	result = hyp_call(hyp, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, (uintptr_t)op, 1,
			  0, 0);
	if (result < 0)
		return (int)result;
	if (op->status != GNTST_okay)
		return op->status == GNTST_permission_denied ? -EPERM : -EINVAL;
	return hyp_foreign_map(hyp, domid, PROT_READ | PROT_WRITE, frames, 1, addr);
}

int hyp_grant_seed(struct hyp *hyp, domid_t domid, const struct hyp_grant *grants, unsigned int nr)
{
	struct grant_entry_v1 *table;
	void *map;
	int error;

	for (unsigned int i = 0; i < nr; i++) {
		if (grants[i].ref >= HYP_PAGE_SIZE / sizeof(*table))
			return -EINVAL;
	}
	error = hyp_resource_map(hyp, domid, XENMEM_resource_grant_table,
				 XENMEM_resource_grant_table_id_shared, 0, 1,
				 PROT_READ | PROT_WRITE, &map);
	if (error && map_grant_table_by_frame(hyp, domid, &map) == 0)
		error = 0;
	if (error)
		return error;
	table = map;
	for (unsigned int i = 0; i < nr; i++) {
		struct grant_entry_v1 *entry = &table[grants[i].ref];

		entry->frame = grants[i].frame;
		entry->domid = grants[i].to;
		/* The entry is live from the moment its flags are, so they come last. */
		__atomic_store_n(&entry->flags, GTF_permit_access, __ATOMIC_RELEASE);
	}
	hyp_foreign_unmap(map, 1);
	return 0;
}

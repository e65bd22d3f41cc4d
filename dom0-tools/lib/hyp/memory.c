/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's memory as seen from outside: its reservation, its page tables, and batched calls on
 * its frames. Maps of frames into this process are in foreign.c.
 */
#include <errno.h>
#include <string.h>

#include "hyp/internal.h"
#include "hyp/memory.h"

/* Frames named in one call: bounds the resident memory that a call needs. */
#define POPULATE_BATCH 65536UL
#define CLEAR_BATCH    256UL
#define UPDATE_BATCH   512U

static long call_memory(struct hyp *hyp, unsigned int cmd)
{
	return hyp_call(hyp, __HYPERVISOR_memory_op, cmd, (uintptr_t)hyp->op, 0, 0, 0);
}

long hyp_memory_populate(struct hyp *hyp, domid_t domid, unsigned int order, unsigned long nr,
			 xen_pfn_t *extents)
{
	unsigned long batch = nr < POPULATE_BATCH ? nr : POPULATE_BATCH, done = 0;
	struct xen_memory_reservation *op = hyp->op;
	struct hyp_buf own;
	xen_pfn_t *array = hyp_array_get(hyp, &own, batch * sizeof(*array));
	long result = 0;

	if (!array)
		return -ENOMEM;
	while (done < nr) {
		unsigned long want = nr - done < batch ? nr - done : batch;

		memcpy(array, extents + done, want * sizeof(*array));
		*op = (struct xen_memory_reservation){
			.nr_extents = want,
			.extent_order = order,
			.domid = domid,
		};
		set_xen_guest_handle(op->extent_start, array);
		result = call_memory(hyp, XENMEM_populate_physmap);
		if (result < 0)
			break;
		if ((unsigned long)result > want) {
			result = -EPROTO;
			break;
		}
		memcpy(extents + done, array, (size_t)result * sizeof(*array));
		done += (unsigned long)result;
		if ((unsigned long)result < want)
			break;
	}
	hyp_buf_free(&own);
	return done == 0 && result < 0 ? result : (long)done;
}

int hyp_memory_claim(struct hyp *hyp, domid_t domid, unsigned long pages)
{
	struct xen_memory_reservation *op = hyp->op;

	*op = (struct xen_memory_reservation){.nr_extents = pages, .domid = domid};
	return (int)call_memory(hyp, XENMEM_claim_pages);
}

int hyp_memory_set_map(struct hyp *hyp, domid_t domid, const struct hyp_memory_range *map,
		       unsigned int nr)
{
	struct xen_foreign_memory_map *op = hyp->op;

	if (nr * sizeof(*map) > hyp->array_size)
		return -E2BIG;
	memcpy(hyp->array, map, nr * sizeof(*map));
	*op = (struct xen_foreign_memory_map){.domid = domid, .map.nr_entries = nr};
	set_xen_guest_handle(op->map.buffer, hyp->array);
	return (int)call_memory(hyp, XENMEM_set_memory_map);
}

long hyp_memory_get_max_frame(struct hyp *hyp)
{
	return call_memory(hyp, XENMEM_maximum_ram_page);
}

int hyp_memory_get_machphys(struct hyp *hyp, struct xen_machphys_mapping *mapping)
{
	long result = call_memory(hyp, XENMEM_machphys_mapping);

	if (result < 0)
		return (int)result;
	memcpy(mapping, hyp->op, sizeof(*mapping));
	return 0;
}

/* mmuext_op on the operations already in the scratch array. */
static int call_mmuext(struct hyp *hyp, domid_t domid, unsigned int nr)
{
	return (int)hyp_call(hyp, __HYPERVISOR_mmuext_op, (uintptr_t)hyp->array, nr, 0, domid, 0);
}

int hyp_mmu_pin_table(struct hyp *hyp, domid_t domid, unsigned int level, xen_pfn_t mfn)
{
	struct mmuext_op *op = hyp->array;

	if (level < 1 || level > 4)
		return -EINVAL;
	*op = (struct mmuext_op){.cmd = MMUEXT_PIN_L1_TABLE + level - 1, .arg1.mfn = mfn};
	return call_mmuext(hyp, domid, 1);
}

int hyp_mmu_unpin_table(struct hyp *hyp, domid_t domid, xen_pfn_t mfn)
{
	struct mmuext_op *op = hyp->array;

	*op = (struct mmuext_op){.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = mfn};
	return call_mmuext(hyp, domid, 1);
}

int hyp_mmu_clear_frames(struct hyp *hyp, domid_t domid, const xen_pfn_t *mfns, unsigned long nr)
{
	struct mmuext_op *ops = hyp->array;
	int error = 0;

	_Static_assert(CLEAR_BATCH * sizeof(*ops) <= HYP_SCRATCH_SIZE - HYP_PAGE_SIZE,
		       "a batch fits in the scratch array");
	while (nr > 0 && !error) {
		unsigned int batch = (unsigned int)(nr < CLEAR_BATCH ? nr : CLEAR_BATCH);

		for (unsigned int i = 0; i < batch; i++)
			ops[i] = (struct mmuext_op){.cmd = MMUEXT_CLEAR_PAGE, .arg1.mfn = mfns[i]};
		error = call_mmuext(hyp, domid, batch);
		mfns += batch;
		nr -= batch;
	}
	return error;
}

int hyp_mmu_update(struct hyp *hyp, domid_t domid, const struct mmu_update *updates,
		   unsigned int nr, unsigned int *done)
{
	unsigned int *made = hyp->op, total = 0;
	int error = 0;

	_Static_assert(UPDATE_BATCH * sizeof(*updates) <= HYP_SCRATCH_SIZE - HYP_PAGE_SIZE,
		       "a batch fits in the scratch array");
	while (total < nr && !error) {
		unsigned int batch = nr - total < UPDATE_BATCH ? nr - total : UPDATE_BATCH;

		memcpy(hyp->array, updates + total, batch * sizeof(*updates));
		*made = 0;
		error = (int)hyp_call(hyp, __HYPERVISOR_mmu_update, (uintptr_t)hyp->array, batch,
				      (uintptr_t)made, domid, 0);
		if (*made > batch)
			return -EPROTO;
		total += *made;
		if (!error && *made < batch)
			error = -EPROTO;
	}
	if (done)
		*done = total;
	return error;
}

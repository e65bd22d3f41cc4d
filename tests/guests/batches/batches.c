/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Enormous batches and endless loops of hypercalls: they end, in bounded steps,
 * and (as the system test sees from outside) the other guests keep their share.
 */
#include "guest.h"

#define CALLS 20000

static struct multicall_entry calls[CALLS];
static struct mmu_update updates[CALLS];
DEFINE_PAGE(data);
static uint8_t edge[2 * PAGE_SIZE] __attribute__((aligned(4096))); /* the second is taken away */

void guest_test(void)
{
	unsigned long entry = pt_entry_machine(data, 1);
	uint64_t val = *pt_entry(data, 1);
	struct multicall_entry *last_calls = (void *)(edge + PAGE_SIZE - 2 * sizeof(calls[0]));
	struct mmu_update *last_updates = (void *)(edge + PAGE_SIZE - 2 * sizeof(updates[0]));
	unsigned int done = 0;

	for (unsigned int i = 0; i < CALLS; i++) {
		calls[i] = (struct multicall_entry){.op = __HYPERVISOR_xen_version, .args = {0}};
		updates[i] = (struct mmu_update){.ptr = entry, .val = val};
	}
	check_eq(HC2(__HYPERVISOR_multicall, calls, CALLS), 0, "a batch of 20000 calls is done");
	for (unsigned int i = 0; i < CALLS; i++)
		done += calls[i].result == (4 << 16 | 17);
	check_eq(done, CALLS, "each with its result");
	done = 0;
	check_eq(HC4(__HYPERVISOR_mmu_update, updates, CALLS, &done, DOMID_SELF), 0,
		 "a batch of 20000 updates is done");
	check_eq(done, CALLS, "and counted");
	check_eq(remap(edge + PAGE_SIZE, 0), 0, "a page is taken away");
	last_calls[0] = last_calls[1] = calls[0];
	check_eq(HC2(__HYPERVISOR_multicall, last_calls, 0xffffffffUL), -EFAULT,
		 "a batch of 4 billion calls ends where its memory does");
	last_updates[0] = last_updates[1] = updates[0];
	check_eq(HC4(__HYPERVISOR_mmu_update, last_updates, 0x7fffffff, &done, DOMID_SELF), -EFAULT,
		 "so does one of 2 billion updates");
	check_eq(done, 2, "and tells how many were done");
	for (unsigned int i = 0; i < CALLS; i++)
		calls[i] = (struct multicall_entry){
			.op = __HYPERVISOR_mmu_update,
			.args = {(unsigned long)updates, CALLS, 0, DOMID_SELF}};
	check_eq(HC2(__HYPERVISOR_multicall, calls, 50), 0, "batches of batches are done");
}

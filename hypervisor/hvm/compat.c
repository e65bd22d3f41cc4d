/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls by 32-bit code: see compat.h.  Structures that are the same for
 * both are the guest's own, the others are copied to the window and what
 * changed in them back.
 */
#include "hvm/compat.h"

#include "hvm/hvm.h"
#include "hvm/state.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "mm/memory_op.h"
#include "mm/mm.h"
#include "sched/sched.h"

#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>
#include <xen/version.h>

/* --- 32-bit callers' structures (the i386 ABI of xen/memory.h and xen/sched.h) --- */

struct reservation32 {
	uint32_t extent_start, nr_extents, extent_order, mem_flags;
	uint16_t domid, pad;
};

struct add_to_physmap32 {
	uint16_t domid, size;
	uint32_t space, idx, gpfn;
};

struct remove_from_physmap32 {
	uint16_t domid, pad;
	uint32_t gpfn;
};

struct memory_map32 {
	uint32_t nr_entries, buffer;
};

struct poll32 {
	uint32_t ports, nr_ports;
	uint64_t timeout;
};

_Static_assert(sizeof(struct reservation32) == 20, "ABI");
_Static_assert(sizeof(struct add_to_physmap32) == 16, "ABI");
_Static_assert(sizeof(struct memory_map32) == 8, "ABI");
_Static_assert(sizeof(struct poll32) == 16, "ABI");

/* --- memory_op --- */

#define EXTENTS_AT 64 /* in the window, behind the structure */

static long memory_op(uint64_t cmd)
{
	uint64_t args[2] = {cmd, COMPAT_WINDOW};

	return hypercall_memory_op(args);
}

static long reservation(uint64_t cmd, const void *arg)
{
	struct hvm_compat *c = current->hvm->compat;
	struct xen_memory_reservation *to = (void *)c->bytes;
	uint64_t *extents = (void *)(c->bytes + EXTENTS_AT);
	struct reservation32 from;

	if (copy_in(&from, arg, sizeof(from)))
		return -EFAULT;
	if (from.nr_extents > COMPAT_EXTENTS)
		return -E2BIG;
	for (uint32_t i = 0; i < from.nr_extents; i++) {
		uint32_t frame;

		if (copy_in(&frame,
			    guest_entry((void *)(uintptr_t)from.extent_start, i, sizeof(frame)),
			    sizeof(frame)))
			return -EFAULT;
		extents[i] = frame;
	}
	*to = (struct xen_memory_reservation){
		.extent_start.p = (void *)(COMPAT_WINDOW + EXTENTS_AT),
		.nr_extents = from.nr_extents,
		.extent_order = from.extent_order,
		.mem_flags = from.mem_flags,
		.domid = from.domid,
	};
	return memory_op(cmd);
}

/* A range that is not done yet has its rest in the structure, for the next time. */
static long add_to_physmap(uint64_t cmd, void *arg)
{
	struct xen_add_to_physmap *to = (void *)current->hvm->compat->bytes;
	struct add_to_physmap32 from;
	long rc;

	if (copy_in(&from, arg, sizeof(from)))
		return -EFAULT;
	*to = (struct xen_add_to_physmap){from.domid, from.size, from.space, from.idx, from.gpfn};
	rc = memory_op(cmd);
	from.size = to->size;
	from.idx = to->idx;
	from.gpfn = to->gpfn;
	return copy_out(arg, &from, sizeof(from)) ? -EFAULT : rc;
}

static long remove_from_physmap(uint64_t cmd, const void *arg)
{
	struct xen_remove_from_physmap *to = (void *)current->hvm->compat->bytes;
	struct remove_from_physmap32 from;

	if (copy_in(&from, arg, sizeof(from)))
		return -EFAULT;
	*to = (struct xen_remove_from_physmap){.domid = from.domid, .gpfn = from.gpfn};
	return memory_op(cmd);
}

static long memory_map(uint64_t cmd, void *arg)
{
	struct xen_memory_map *to = (void *)current->hvm->compat->bytes;
	struct memory_map32 from;
	long rc;

	if (copy_in(&from, arg, sizeof(from)))
		return -EFAULT;
	to->nr_entries = from.nr_entries;
	to->buffer.p = (void *)(uintptr_t)from.buffer;
	rc = memory_op(cmd);
	from.nr_entries = to->nr_entries;
	return rc ? rc : copy_out(arg, &from, sizeof(from));
}

static long compat_memory_op(const uint64_t *args)
{
	void *arg = (void *)args[1];

	switch (args[0] & MEMOP_CMD_MASK) {
	case XENMEM_populate_physmap:
	case XENMEM_decrease_reservation:
		return reservation(args[0], arg);
	case XENMEM_add_to_physmap:
		return add_to_physmap(args[0], arg);
	case XENMEM_remove_from_physmap:
		return remove_from_physmap(args[0], arg);
	case XENMEM_memory_map:
		return memory_map(args[0], arg);
	default:
		return -ENOSYS;
	}
}

/* --- the others --- */

static long compat_sched_op(const uint64_t *args)
{
	struct sched_poll *to = (void *)current->hvm->compat->bytes;
	uint64_t poll_args[2] = {SCHEDOP_poll, COMPAT_WINDOW};
	struct poll32 from;

	if (args[0] == SCHEDOP_yield || args[0] == SCHEDOP_block || args[0] == SCHEDOP_shutdown)
		return hypercall_sched_op(args);
	if (args[0] != SCHEDOP_poll)
		return -ENOSYS;
	if (copy_in(&from, (void *)args[1], sizeof(from)))
		return -EFAULT;
	to->ports.p = (void *)(uintptr_t)from.ports;
	to->nr_ports = from.nr_ports;
	to->timeout = from.timeout;
	return hypercall_sched_op(poll_args);
}

static long compat_xen_version(const uint64_t *args)
{
	switch (args[0]) {
	case XENVER_version:
	case XENVER_extraversion:
	case XENVER_get_features:
	case XENVER_guest_handle:
		return hypercall_xen_version(args);
	default:
		return -ENOSYS;
	}
}

static long compat_hvm_op(const uint64_t *args)
{
	if (args[0] != HVMOP_get_param && args[0] != HVMOP_set_param)
		return -ENOSYS;
	return hypercall_hvm_op(args);
}

static const hypercall_fn table[] = {
	[__HYPERVISOR_memory_op] = compat_memory_op,
	[__HYPERVISOR_xen_version] = compat_xen_version,
	[__HYPERVISOR_sched_op] = compat_sched_op,
	[__HYPERVISOR_event_channel_op] = hypercall_event_channel_op, /* all structures the same */
	[__HYPERVISOR_hvm_op] = compat_hvm_op,
};

/* A hypercall_continue has set up registers for a 64-bit caller: only its first argument changed.
 */
static void continue_as_32bit(struct cpu_user_regs *regs, const struct cpu_user_regs *before)
{
	uint64_t first = regs->rdi, rip = regs->rip;

	*regs = *before;
	regs->rip = rip;
	regs->rbx = (uint32_t)first;
}

void hvm_compat_hypercall(struct cpu_user_regs *regs)
{
	uint64_t args[] = {(uint32_t)regs->rbx, (uint32_t)regs->rcx, (uint32_t)regs->rdx,
			   (uint32_t)regs->rsi, (uint32_t)regs->rdi};
	const struct cpu_user_regs before = *regs;
	uint32_t op = regs->rax;
	struct hvm_compat c = {{0}};
	long rc = -ENOSYS;

	if (op < ARRAY_SIZE(table) && table[op]) {
		current->hvm->compat = &c;
		rc = table[op](args);
		current->hvm->compat = NULL;
	}
	if (regs->rip != before.rip)
		continue_as_32bit(regs, &before);
	else
		regs->rax = (uint32_t)rc;
}

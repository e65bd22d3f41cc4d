/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies from and to an HVM guest's memory, and hypercalls by its 32-bit code.
 *
 * Links: hvm/copy.c hvm/walk.c hvm/compat.c hvm/p2m.c hvm/p2m_pool.c hvm/p2m_table.c lib/bits.c
 * Helpers: hvm/fake_vendor.c hvm/fake_ram.c
 */
#include "cpu/asm.h"
#include "fake_ram.h"
#include "hvm/compat.h"
#include "hvm/hvm.h"
#include "hvm/vcpu.h"
#include "hypercall/hypercall.h"
#include "mm/memory_op.h"
#include "mm/mm.h"
#include "mm/pte.h"
#include "sched/sched.h"

#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>
#include <xen/version.h>

/* As cpu/guest_copy.c sends them on. */
size_t guest_copy_from(void *dst, const void *guest, size_t n)
{
	return hvm_copy_from(dst, guest, n);
}

size_t guest_copy_to(void *guest, const void *src, size_t n)
{
	return hvm_copy_to(guest, src, n);
}

static struct vcpu *v;
static struct domain *d;

/* Frames 0 to 3, and 5, which is read-only; paging is off. */
static void begin(void)
{
	d = fake_ram_domain();
	v = d->vcpus[0];
	v->hvm->cr0 = 1;
	fake_ram_add(d, 0, 4);
	fake_ram_add(d, 5, 1);
	CHECK_EQ(p2m_change_type(d, GFN(5), P2M_RAM, P2M_RAM_RO), 0);
}

static void *at(uint64_t gpa)
{
	return fake_ram_at(d, gpa);
}

static uint8_t pattern[3 * PAGE_SIZE], got[3 * PAGE_SIZE];

static void pattern_make(void)
{
	for (unsigned int i = 0; i < sizeof(pattern); i++)
		pattern[i] = i * 7 + i / 256;
	memset(got, 0, sizeof(got));
}

TEST(copies_cross_pages)
{
	begin();
	pattern_make();
	CHECK_EQ(hvm_copy_to((void *)0xff0, pattern, 2 * PAGE_SIZE), 0);
	CHECK_EQ(memcmp(at(0xff0), pattern, 16), 0);
	CHECK_EQ(memcmp(at(0x2000), pattern + 16 + PAGE_SIZE, PAGE_SIZE - 16), 0);
	CHECK_EQ(hvm_copy_from(got, (void *)0xff0, 2 * PAGE_SIZE), 0);
	CHECK_EQ(memcmp(got, pattern, 2 * PAGE_SIZE), 0);
	CHECK_EQ(hvm_clear((void *)0xff8, PAGE_SIZE), 0);
	CHECK_EQ(memcmp(at(0xff0), pattern, 8), 0);
	CHECK_EQ(*(uint64_t *)at(0xff8), 0);
	CHECK_EQ(*(uint64_t *)at(0x1ff0), 0);
	CHECK_EQ(memcmp(at(0x1ff8), pattern + 16 + 0xff8, 8), 0);
	CHECK_EQ(hvm_phys_write(d, 0xfff, "ab", 2), 0);
	CHECK_EQ(hvm_phys_read(d, got, 0xfff, 2), 0);
	CHECK_EQ(got[1], 'b');
	fake_ram_end(d);
}

TEST(copies_tell_where_memory_ends)
{
	begin();
	pattern_make();
	CHECK_EQ(hvm_copy_to((void *)0x3ff0, pattern, 40), 24);
	CHECK_EQ(memcmp(at(0x3ff0), pattern, 16), 0);
	CHECK_EQ(hvm_copy_from(got, (void *)0x3ff0, 40), 24);
	CHECK_EQ(memcmp(got, pattern, 16), 0);
	CHECK_EQ(hvm_clear((void *)0x3ff0, 40), 24);
	CHECK_EQ(hvm_copy_from(got, (void *)0x4000, 40), 40);
	CHECK_EQ(hvm_phys_read(d, got, 0x3ff0, 40), 24);
	CHECK_EQ(hvm_phys_write(d, 0x3ff0, pattern, 40), 24);
	CHECK_EQ(hvm_phys_read(d, got, ~0UL, 1), 1);
	CHECK_EQ(hvm_phys_read(d, got, ~0UL - 3, 8), 8);
	/* read-only memory is read */
	CHECK_EQ(hvm_copy_from(got, (void *)0x5000, 40), 0);
	CHECK_EQ(hvm_copy_to((void *)0x5000, pattern, 40), 40);
	CHECK_EQ(hvm_phys_write(d, 0x5000, pattern, 40), 40);
	CHECK_EQ(*(uint64_t *)at(0x5000), 0);
	fake_ram_end(d);
}

TEST(copies_follow_the_guests_tables)
{
	uint32_t *top, *table;

	begin();
	pattern_make();
	top = at(0);
	table = at(0x1000);
	v->hvm->cr0 = 1UL << 31 | 1UL << 16;
	top[1] = 0x1000 | PTE_PRESENT | PTE_WRITE;
	table[0] = 0x3000 | PTE_PRESENT | PTE_WRITE;
	table[1] = 0x2000 | PTE_PRESENT;
	CHECK_EQ(hvm_copy_to((void *)0x400ff0, pattern, 32), 16); /* the second is not writable */
	CHECK_EQ(memcmp(at(0x3ff0), pattern, 16), 0);
	CHECK_EQ(*(uint64_t *)at(0x2000), 0);
	memcpy(at(0x2000), pattern + 16, 16);
	CHECK_EQ(hvm_copy_from(got, (void *)0x400ff0, 32), 0);
	CHECK_EQ(memcmp(got, pattern, 32), 0);
	CHECK_EQ(hvm_copy_from(got, (void *)0x401ff8, 16), 8);
	fake_ram_end(d);
}

/* --- 32-bit code --- */

static uint64_t seen[2]; /* arguments of the last hypercall that was passed on */
static union {
	struct xen_memory_reservation reservation;
	struct xen_add_to_physmap add;
	struct xen_remove_from_physmap remove;
	struct xen_memory_map map;
	struct sched_poll poll;
} seen_arg;
static xen_pfn_t seen_extents[COMPAT_EXTENTS];
static long answer;
static bool is_continued;

static long pass(const uint64_t *args, size_t size)
{
	seen[0] = args[0];
	seen[1] = args[1];
	if (size)
		CHECK_EQ(copy_in(&seen_arg, (void *)args[1], size), 0);
	return answer;
}

/* As multicall.c does it. */
static long continued(uint64_t first, uint64_t second)
{
	guest_regs()->rdi = first;
	guest_regs()->rsi = second;
	guest_regs()->rip -= 3;
	return __HYPERVISOR_memory_op;
}

long hypercall_memory_op(const uint64_t *args)
{
	switch (args[0] & MEMOP_CMD_MASK) {
	case XENMEM_populate_physmap:
	case XENMEM_decrease_reservation:
		(void)pass(args, sizeof(seen_arg.reservation));
		CHECK_EQ(copy_in(seen_extents, seen_arg.reservation.extent_start.p,
				 seen_arg.reservation.nr_extents * sizeof(xen_pfn_t)),
			 0);
		return is_continued ? continued(args[0] + (1 << MEMOP_EXTENT_SHIFT), args[1])
				    : answer;
	case XENMEM_add_to_physmap:
		(void)pass(args, sizeof(seen_arg.add));
		seen_arg.add.size--;
		seen_arg.add.idx++;
		seen_arg.add.gpfn++;
		CHECK_EQ(copy_out((void *)args[1], &seen_arg.add, sizeof(seen_arg.add)), 0);
		return is_continued ? continued(args[0], args[1]) : answer;
	case XENMEM_remove_from_physmap:
		return pass(args, sizeof(seen_arg.remove));
	case XENMEM_memory_map:
		(void)pass(args, sizeof(seen_arg.map));
		seen_arg.map.nr_entries = 3;
		CHECK_EQ(copy_out((void *)args[1], &seen_arg.map, sizeof(seen_arg.map)), 0);
		return answer;
	default:
		fake_test_fail(__FILE__, __LINE__, "memory_op %lu was passed on", args[0]);
	}
}

long hypercall_sched_op(const uint64_t *args)
{
	return pass(args, args[0] == SCHEDOP_poll ? sizeof(seen_arg.poll) : 0);
}

long hypercall_xen_version(const uint64_t *args)
{
	return pass(args, 0);
}

long hypercall_event_channel_op(const uint64_t *args)
{
	return pass(args, 0);
}

long hypercall_hvm_op(const uint64_t *args)
{
	return pass(args, 0);
}

static struct cpu_user_regs *regs;

/* The hypercall of code whose upper halves hold anything: eax. */
static uint32_t call(uint32_t op, uint32_t first, uint32_t second)
{
	regs = guest_regs();
	*regs = (struct cpu_user_regs){.rax = op | 1UL << 40,
				       .rbx = first | 5UL << 32,
				       .rcx = second | 6UL << 33,
				       .rdx = 1,
				       .rsi = 0x51,
				       .rdi = 0xd1,
				       .rip = 0x1003};
	seen[0] = seen[1] = ~0UL;
	hvm_compat_hypercall(regs);
	CHECK(!v->hvm->compat);
	return regs->rax;
}

TEST(compat_passes_on_what_is_the_same)
{
	begin();
	answer = 0x40011;
	CHECK_EQ(call(__HYPERVISOR_xen_version, XENVER_version, 0), 0x40011);
	CHECK_EQ(call(__HYPERVISOR_hvm_op, HVMOP_get_param, 0x2345), 0x40011);
	CHECK_EQ(seen[0], HVMOP_get_param);
	CHECK_EQ(seen[1], 0x2345);
	answer = -EINVAL;
	CHECK_EQ(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, 0x10), (uint32_t)-EINVAL);
	CHECK_EQ(regs->rax, (uint32_t)-EINVAL);
	CHECK_EQ(call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, 0xfffffff0), (uint32_t)-EINVAL);
	CHECK_EQ(seen[1], 0xfffffff0);
	CHECK_EQ(regs->rip, 0x1003);
	fake_ram_end(d);
}

TEST(compat_refuses_the_rest)
{
	static const struct {
		uint32_t op, cmd;
	} refused[] = {
		{__HYPERVISOR_mmu_update, 0},
		{__HYPERVISOR_multicall, 0},
		{__HYPERVISOR_grant_table_op, 0},
		{__HYPERVISOR_domctl, 0},
		{~0U, 0},
		{__HYPERVISOR_xen_version, XENVER_platform_parameters},
		{__HYPERVISOR_xen_version, XENVER_commandline},
		{__HYPERVISOR_hvm_op, HVMOP_pagetable_dying},
		{__HYPERVISOR_sched_op, SCHEDOP_watchdog},
		{__HYPERVISOR_memory_op, XENMEM_exchange},
		{__HYPERVISOR_memory_op, XENMEM_acquire_resource},
		{__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch},
	};

	begin();
	answer = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(refused); i++) {
		CHECK_EQ(call(refused[i].op, refused[i].cmd, 0x1000), (uint32_t)-ENOSYS);
		CHECK_EQ(seen[0], ~0UL);
	}
	fake_ram_end(d);
}

TEST(compat_reservations)
{
	uint32_t *r;

	begin();
	r = at(0x1000);
	memcpy(r, (uint32_t[]){0x2ffc, 2, 9, 64, 0x7ff0}, 20);
	memcpy(at(0x2ffc), (uint32_t[]){0xfffff123}, 4);
	memcpy(at(0x3000), (uint32_t[]){0x200}, 4);
	answer = 2;
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, 0x1000), 2);
	CHECK_EQ(seen_arg.reservation.nr_extents, 2);
	CHECK_EQ(seen_arg.reservation.extent_order, 9);
	CHECK_EQ(seen_arg.reservation.mem_flags, 64);
	CHECK_EQ(seen_arg.reservation.domid, DOMID_SELF);
	CHECK_EQ(seen_extents[0], 0xfffff123);
	CHECK_EQ(seen_extents[1], 0x200);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, 0x1000), 2);
	r[1] = COMPAT_EXTENTS + 1;
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, 0x1000), (uint32_t)-E2BIG);
	r[1] = COMPAT_EXTENTS;
	r[0] = 0x3ffc;
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, 0x1000), (uint32_t)-EFAULT);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, 0x3ff0), (uint32_t)-EFAULT);
	CHECK_EQ(seen[0], ~0UL);
	fake_ram_end(d);
}

TEST(compat_continues_with_the_callers_own_registers)
{
	begin();
	memcpy(at(0x1000), (uint32_t[]){0x2000, 2, 0, 0, 0x7ff0}, 20);
	is_continued = true;
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, 0x1000),
		 __HYPERVISOR_memory_op);
	CHECK_EQ(regs->rip, 0x1000);
	CHECK_EQ((uint32_t)regs->rbx, XENMEM_populate_physmap | 1 << MEMOP_EXTENT_SHIFT);
	CHECK_EQ((uint32_t)regs->rcx, 0x1000);
	CHECK_EQ(regs->rsi, 0x51);
	CHECK_EQ(regs->rdi, 0xd1);
	/* a range's rest is in its structure */
	memcpy(at(0x1000), (uint32_t[]){5 << 16 | 0x7ff0, XENMAPSPACE_gmfn_range, 0x80, 0x90}, 16);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, 0x1000),
		 __HYPERVISOR_memory_op);
	CHECK_EQ((uint32_t)regs->rbx, XENMEM_add_to_physmap);
	CHECK_EQ(((uint16_t *)at(0x1000))[1], 4);
	CHECK_EQ(((uint32_t *)at(0x1000))[2], 0x81);
	CHECK_EQ(((uint32_t *)at(0x1000))[3], 0x91);
	is_continued = false;
	fake_ram_end(d);
}

TEST(compat_other_structures)
{
	begin();
	answer = 0;
	memcpy(at(0x1000), (uint32_t[]){0x7ff0, XENMAPSPACE_shared_info, 0, 0xfffff000}, 16);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, 0x1000), 0);
	CHECK_EQ(seen_arg.add.gpfn, 0xfffff001); /* after what the fake did with it */
	CHECK_EQ(seen_arg.add.domid, DOMID_SELF);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, 0x3ff8), (uint32_t)-EFAULT);
	/* a structure that cannot be told the rest */
	memcpy(at(0x5000), at(0x1000), 16);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, 0x5000), (uint32_t)-EFAULT);

	memcpy(at(0x1000), (uint32_t[]){0x7ff0, 0x77}, 8);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, 0x1000), 0);
	CHECK_EQ(seen_arg.remove.gpfn, 0x77);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, 0x4000),
		 (uint32_t)-EFAULT);

	memcpy(at(0x1000), (uint32_t[]){128, 0xffff0000}, 8);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_memory_map, 0x1000), 0);
	CHECK_EQ((uintptr_t)seen_arg.map.buffer.p, 0xffff0000);
	CHECK_EQ(*(uint32_t *)at(0x1000), 3);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_memory_map, 0x4000), (uint32_t)-EFAULT);
	answer = -ENOSYS;
	memcpy(at(0x1000), (uint32_t[]){128, 0xffff0000}, 8);
	CHECK_EQ(call(__HYPERVISOR_memory_op, XENMEM_memory_map, 0x1000), (uint32_t)-ENOSYS);
	CHECK_EQ(*(uint32_t *)at(0x1000), 128);

	answer = 0;
	memcpy(at(0x1000), (uint32_t[]){0xfffffffc, 1, 0x44, 0x55}, 16);
	CHECK_EQ(call(__HYPERVISOR_sched_op, SCHEDOP_poll, 0x1000), 0);
	CHECK_EQ((uintptr_t)seen_arg.poll.ports.p, 0xfffffffc);
	CHECK_EQ(seen_arg.poll.nr_ports, 1);
	CHECK_EQ(seen_arg.poll.timeout, 0x5500000044);
	CHECK_EQ(call(__HYPERVISOR_sched_op, SCHEDOP_poll, 0x4000), (uint32_t)-EFAULT);
	fake_ram_end(d);
}

TEST(the_window_is_there_for_compat_alone)
{
	struct hvm_compat c = {{1, 2, 3}};

	begin();
	CHECK_EQ(hvm_copy_from(got, (void *)COMPAT_WINDOW, 8), 0); /* of 32 bits: address 0 */
	CHECK_EQ(got[0], 0);
	v->hvm->compat = &c;
	CHECK_EQ(hvm_copy_from(got, (void *)COMPAT_WINDOW, COMPAT_BYTES), 0);
	CHECK_EQ(got[2], 3);
	CHECK_EQ(hvm_clear((void *)(COMPAT_WINDOW + 1), 1), 0);
	CHECK_EQ(c.bytes[1], 0);
	CHECK(!hvm_compat_find(&c, COMPAT_WINDOW + 1, COMPAT_BYTES));
	CHECK(!hvm_compat_find(&c, COMPAT_WINDOW + COMPAT_BYTES, 0));
	CHECK(!hvm_compat_find(&c, COMPAT_WINDOW + 8, ~0UL));
	CHECK(!hvm_compat_find(&c, COMPAT_WINDOW - 8, 16));
	v->hvm->compat = NULL;
	fake_ram_end(d);
}

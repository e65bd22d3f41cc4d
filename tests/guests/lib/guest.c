/* SPDX-License-Identifier: BSD-2-Clause */
/* The library of the PV test guests; see guest.h. */
#include "guest.h"

struct start_info *start_info;
volatile unsigned int trap_vector, event_upcalls, failsafe_seen;
volatile unsigned long trap_error, trap_rip, try_resume, try_stack;
struct shared_info *shared_info_va;

extern char trap_0[], trap_1[], trap_3[], trap_6[], trap_7[], trap_10[], trap_11[], trap_12[],
	trap_13[], trap_14[], trap_128[], event_callback[], failsafe_callback[];

void trap_unexpected(void);

/* --- memory --- */

unsigned long pfn_to_mfn(unsigned long pfn)
{
	return ((unsigned long *)start_info->mfn_list)[pfn];
}

static void *mfn_to_va(unsigned long mfn)
{
	unsigned long pfn = ((unsigned long *)MACH2PHYS_VIRT_START)[mfn];

	return (void *)(0xffffffff80000000UL + (pfn << 12));
}

static unsigned long index_of(const void *va, unsigned int level)
{
	return (unsigned long)va >> (3 + 9 * level) & 511;
}

uint64_t *pt_entry(const void *va, unsigned int level)
{
	uint64_t *table = (uint64_t *)start_info->pt_base;

	for (unsigned int l = 4; l > level; l--)
		table = mfn_to_va(table[index_of(va, l)] >> 12 & 0xffffffffffUL);
	return &table[index_of(va, level)];
}

unsigned long pt_mfn(const void *va, unsigned int level)
{
	return va_to_mfn((void *)((unsigned long)pt_entry(va, level) & ~(PAGE_SIZE - 1)));
}

unsigned long pt_entry_machine(const void *va, unsigned int level)
{
	return pt_mfn(va, level) << 12 | ((unsigned long)pt_entry(va, level) & (PAGE_SIZE - 1));
}

long mmu_update(unsigned long machine_addr, uint64_t val)
{
	struct mmu_update u = {.ptr = machine_addr, .val = val};

	return HC4(__HYPERVISOR_mmu_update, &u, 1, 0, DOMID_SELF);
}

long mmuext(unsigned int cmd, unsigned long arg1, unsigned long arg2)
{
	struct mmuext_op op = {.cmd = cmd};

	op.arg1.mfn = arg1;
	op.arg2.nr_ents = arg2;
	return HC4(__HYPERVISOR_mmuext_op, &op, 1, 0, DOMID_SELF);
}

long remap(void *va, uint64_t l1e)
{
	return HC3(__HYPERVISOR_update_va_mapping, va, l1e, UVMF_INVLPG);
}

/* --- traps --- */

void trap_unexpected(void)
{
	say("not ok - unexpected trap %u, error %lx, at %lx, address %lx\n", trap_vector,
	    trap_error, trap_rip, shared_info_va->vcpu_info[0].arch.cr2);
	guest_shutdown(SHUTDOWN_crash);
}

bool try_read(const void *addr)
{
	TRY("movb (%0), %%al", ::"r"(addr) : "rax", TRY_CLOBBERS);
	return trap_vector == NO_TRAP;
}

bool try_write(void *addr, uint64_t val)
{
	TRY("movq %1, (%0)", ::"r"(addr), "r"(val) : TRY_CLOBBERS);
	return trap_vector == NO_TRAP;
}

static void traps_init(void)
{
	static struct trap_info traps[] = {
		{0, 0, FLAT_KERNEL_CS, (unsigned long)trap_0},
		{1, 0, FLAT_KERNEL_CS, (unsigned long)trap_1},
		{3, 3, FLAT_KERNEL_CS, (unsigned long)trap_3},
		{6, 0, FLAT_KERNEL_CS, (unsigned long)trap_6},
		{7, 0, FLAT_KERNEL_CS, (unsigned long)trap_7},
		{10, 0, FLAT_KERNEL_CS, (unsigned long)trap_10},
		{11, 0, FLAT_KERNEL_CS, (unsigned long)trap_11},
		{12, 0, FLAT_KERNEL_CS, (unsigned long)trap_12},
		{13, 0, FLAT_KERNEL_CS, (unsigned long)trap_13},
		{14, 0, FLAT_KERNEL_CS, (unsigned long)trap_14},
		{128, 3, FLAT_KERNEL_CS, (unsigned long)trap_128},
		{0},
	};
	struct callback_register event = {CALLBACKTYPE_event, 0, (unsigned long)event_callback};
	struct callback_register failsafe = {CALLBACKTYPE_failsafe, 0,
					     (unsigned long)failsafe_callback};

	HC1(__HYPERVISOR_set_trap_table, traps);
	HC2(__HYPERVISOR_callback_op, CALLBACKOP_register, &event);
	HC2(__HYPERVISOR_callback_op, CALLBACKOP_register, &failsafe);
}

DEFINE_PAGE(shared_info_page);

void guest_main(void)
{
	console_open(mfn_to_va(start_info->console.domU.mfn), start_info->console.domU.evtchn);
	traps_init();
	if (remap(shared_info_page, start_info->shared_info | PTE_RW_FLAGS))
		say("not ok - shared_info cannot be mapped\n");
	shared_info_va = (struct shared_info *)shared_info_page;
	guest_test();
	guest_end();
}

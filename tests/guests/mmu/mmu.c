/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks on the page typing, from inside: every way to get a writable view of
 * a page table or descriptor table, a table entry that points where it must
 * not, a pin of what is in use otherwise.  Each must be refused and leave the
 * guest as it was.
 */
#include "guest.h"

DEFINE_PAGE(data);
DEFINE_PAGE(spare);
DEFINE_PAGE(table);
DEFINE_PAGE(gdt);

#define BIT52 (1UL << 52)

static uint64_t entry_of(const void *va)
{
	return *pt_entry(va, 1);
}

static void tables_are_read_only(void)
{
	for (unsigned int level = 1; level <= 4; level++) {
		uint64_t *e = pt_entry(data, level);

		check(!try_write((void *)((unsigned long)e & ~7UL), *e ^ BIT52) || *e != (*e ^ BIT52),
		      "a store to a page table does not simply succeed");
		check_eq(remap(spare, pt_mfn(data, level) << 12 | PTE_RW_FLAGS), -EINVAL,
			 "a page table cannot be mapped writable");
		check_eq(remap(spare, pt_mfn(data, level) << 12 | PTE_RO_FLAGS), 0,
			 "a page table can be mapped read-only");
	}
	check_eq(remap(spare, va_to_mfn(spare) << 12 | PTE_RW_FLAGS), 0, "the spare page is back");
}

static void entries_are_checked(void)
{
	uint64_t good = entry_of(data);
	unsigned long l1 = pt_entry_machine(data, 1), l2 = pt_entry_machine(data, 2),
		      l3 = pt_entry_machine(data, 3), l4 = pt_mfn(data, 4) << 12;

	check_eq(mmu_update(l1, good | 1UL << 51), -EINVAL, "a reserved address bit is refused");
	check_eq(mmu_update(l1, 0x00000ffffffff000UL | PTE_RO_FLAGS), -EINVAL,
		 "a frame that is not there is refused");
	check_eq(mmu_update(l1, PTE_RW_FLAGS | 0xfee00000UL), -EINVAL, "the local APIC is refused");
	check_eq(mmu_update(l1, PTE_RW_FLAGS | 0xfec00000UL), -EINVAL, "an I/O APIC is refused");
	check_eq(mmu_update(l1, PTE_RW_FLAGS | 0xb8000UL), -EINVAL, "I/O memory is refused");
	check_eq(mmu_update(l1, PTE_RW_FLAGS | 0x200000UL), -EINVAL, "the hypervisor's image is refused");
	for (unsigned long mfn = 0x2000; mfn < 0x2010; mfn++) {
		unsigned long pfn = ((unsigned long *)MACH2PHYS_VIRT_START)[mfn];

		if (pfn < start_info->nr_pages && pfn_to_mfn(pfn) == mfn)
			continue; /* ours */
		check_eq(mmu_update(l1, PTE_RO_FLAGS | mfn << 12), -EINVAL, "a foreign frame is refused");
	}
	check_eq(mmu_update(l2, *pt_entry(data, 2) | PTE_PS), -EINVAL, "a large page is refused");
	check_eq(mmu_update(l3, *pt_entry(data, 3) | PTE_PS), -EINVAL, "a huge page is refused");
	check_eq(mmu_update(l2, va_to_mfn(data) << 12 | PTE_RW_FLAGS), -EINVAL,
		 "a writable page cannot become an L1");
	check_eq(mmu_update(l2, pt_mfn(data, 2) << 12 | PTE_RW_FLAGS), -EINVAL,
		 "an L2 cannot map itself");
	check_eq(mmu_update(l3, pt_mfn(data, 3) << 12 | PTE_RW_FLAGS), -EINVAL,
		 "an L3 cannot map itself");
	check_eq(mmu_update(l4 + 8 * 4, l4 | PTE_RW_FLAGS), -EINVAL, "an L4 cannot map itself");
	for (unsigned int slot = 256; slot < 272; slot++)
		check(mmu_update(l4 + slot * 8, 0) < 0, "a hypervisor slot of an L4 is refused");
	check_eq(mmu_update(l4 + 8 * 300 + 4, 0), -EINVAL, "an address between entries is refused");
	check(mmu_update(va_to_mfn(data) << 12, good) < 0 || *(uint64_t *)data == good,
	      "an update of a data page is refused, or a plain store");
	check_eq(entry_of(data), good, "the entry is as it was");
}

static void pins_are_checked(void)
{
	check_eq(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(data), 0), -EINVAL,
		 "a writable page cannot be pinned");
	check_eq(mmuext(MMUEXT_PIN_L2_TABLE, pt_mfn(data, 1), 0), -EINVAL,
		 "an L1 cannot be pinned as an L2");
	check_eq(mmuext(MMUEXT_PIN_L4_TABLE, pt_mfn(data, 3), 0), -EINVAL,
		 "an L3 cannot be pinned as an L4");
	check_eq(mmuext(MMUEXT_UNPIN_TABLE, va_to_mfn(data), 0), -EINVAL,
		 "what is not pinned cannot be unpinned");
	check_eq(mmuext(MMUEXT_PIN_L1_TABLE, 0xfffffffffUL, 0), -EINVAL,
		 "a frame that is not there cannot be pinned");
	check_eq(mmuext(MMUEXT_NEW_BASEPTR, va_to_mfn(data), 0), -EINVAL,
		 "a data page cannot be the base");
	check_eq(mmuext(MMUEXT_NEW_USER_BASEPTR, pt_mfn(data, 1), 0), -EINVAL,
		 "an L1 cannot be the user base");
	check(mmuext(77, 0, 0) < 0, "an unknown operation is refused");

	/* a table with one bad entry among good ones leaves nothing behind */
	for (int i = 0; i < 512; i++)
		((uint64_t *)table)[i] = i == 511 ? pt_mfn(data, 4) << 12 | PTE_RW_FLAGS :
						    va_to_mfn(data) << 12 | PTE_RW_FLAGS;
	check_eq(remap(table, va_to_mfn(table) << 12 | PTE_RO_FLAGS), 0, "the table is read-only");
	check_eq(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(table), 0), -EINVAL,
		 "a table with a bad last entry cannot be pinned");
	check_eq(remap(table, va_to_mfn(table) << 12 | PTE_RW_FLAGS), 0, "and is plain memory again");
	((uint64_t *)table)[511] = 0;
	check_eq(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(table), 0), -EINVAL,
		 "a table mapped writable cannot be pinned");
	check_eq(remap(table, va_to_mfn(table) << 12 | PTE_RO_FLAGS), 0, "the table is read-only");
	check_eq(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(table), 0), 0, "a good table can be pinned");
	check_eq(remap(table, va_to_mfn(table) << 12 | PTE_RW_FLAGS), -EINVAL,
		 "and is then no more writable");
	check_eq(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(table), 0), -EINVAL, "nor pinned twice");
	check_eq(mmuext(MMUEXT_UNPIN_TABLE, va_to_mfn(table), 0), 0, "until it is unpinned");
	check_eq(remap(table, va_to_mfn(table) << 12 | PTE_RW_FLAGS), 0, "then it is plain memory");
}

static void descriptor_tables_are_checked(void)
{
	unsigned long frame = va_to_mfn(gdt);
	uint64_t *g = (uint64_t *)gdt;

	g[1] = 0x00affa000000ffff | 3UL << 45; /* 64-bit code, DPL 3 */
	check_eq(HC2(__HYPERVISOR_set_gdt, &frame, 512), -EINVAL, "a writable page cannot be a GDT");
	g[2] = 0x0000ec0000080000; /* a call gate */
	check_eq(remap(gdt, frame << 12 | PTE_RO_FLAGS), 0, "the GDT is read-only");
	check_eq(HC2(__HYPERVISOR_set_gdt, &frame, 512), -EINVAL, "a call gate is refused");
	check_eq(remap(gdt, frame << 12 | PTE_RW_FLAGS), 0, "the GDT is writable");
	g[2] = 0x0000890000000067; /* a TSS */
	check_eq(remap(gdt, frame << 12 | PTE_RO_FLAGS), 0, "the GDT is read-only");
	check_eq(HC2(__HYPERVISOR_set_gdt, &frame, 512), -EINVAL, "a TSS is refused");
	check_eq(remap(gdt, frame << 12 | PTE_RW_FLAGS), 0, "the GDT is writable");
	g[2] = 0;
	check_eq(remap(gdt, frame << 12 | PTE_RO_FLAGS), 0, "the GDT is read-only");
	check_eq(HC2(__HYPERVISOR_set_gdt, &frame, 14 * 512 + 1), -EINVAL, "too many entries are refused");
	check_eq(HC2(__HYPERVISOR_set_gdt, &frame, 512), 0, "a good GDT is taken");
	check_eq(remap(gdt, frame << 12 | PTE_RW_FLAGS), -EINVAL, "and is then no more writable");
	check_eq(HC2(__HYPERVISOR_update_descriptor, frame << 12 | 16, 0x0000890000000067), -EINVAL,
		 "a bad descriptor cannot be put into it");
	check_eq(HC2(__HYPERVISOR_update_descriptor, frame << 12 | 16, 0x00cff3000000ffff), 0,
		 "a good one can");
	check(HC2(__HYPERVISOR_update_descriptor, (frame << 12) + 20, 0) < 0,
	      "one across its border cannot");
	check(HC2(__HYPERVISOR_update_descriptor, pt_mfn(data, 1) << 12, 0) < 0,
	      "a page table is not a descriptor table");
	check_eq(HC2(__HYPERVISOR_set_gdt, NULL, 0), 0, "the GDT is dropped");
	check_eq(remap(gdt, frame << 12 | PTE_RW_FLAGS), 0, "and is plain memory again");
}

static void hypervisor_memory_is_not_ours(void)
{
	check(!try_read(HYPERVISOR_ADDRESS), "the direct map cannot be read");
	check(!try_read((void *)0xffff808000000000UL), "the frame table cannot be read");
	check(!try_read((void *)0xffff820000200000UL), "the image cannot be read");
	check(!try_write((void *)MACH2PHYS_VIRT_START, 0), "the M2P cannot be written");
	check(try_read((void *)(MACH2PHYS_VIRT_START + 8 * va_to_mfn(data))), "the M2P can be read");
}

void guest_test(void)
{
	tables_are_read_only();
	entries_are_checked();
	pins_are_checked();
	descriptor_tables_are_checked();
	hypervisor_memory_is_not_ours();
}

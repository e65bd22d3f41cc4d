/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks of an HVM guest's own page tables by software, in each of the three
 * formats (AMD APM vol. 2, "Page Translation and Protection"), with the faults
 * and the accessed and dirty bits of a walk by the CPU.  The guest's other
 * vCPUs may write to its tables meanwhile: an entry is read once, and marked
 * only as it was read.
 */
#include "cpu/asm.h"
#include "cpu/guest_copy.h"
#include "cpu/trap.h"
#include "hvm/vcpu.h"
#include "hvm/vendor.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/pte.h"

#define CR0_WP	   (1UL << 16)
#define EFER_LMA   (1UL << 10)
#define EFER_NXE   (1UL << 11)

#define LEVELS_MAX 4
/* So often may the guest's other vCPUs change an entry under a walk: then the access faults. */
#define TRIES 8

/* One format of tables. */
struct paging {
	uint8_t levels;
	uint8_t entry_size;
	uint8_t index_bits;
	uint8_t large_levels; /* bit n: an entry of level n may map memory itself */
	uint64_t top_mask;    /* of CR3: where the table of the highest level is */
	uint64_t address_mask;
	/* bits of a present entry that must be 0, by level */
	uint64_t reserved[LEVELS_MAX + 1];
};

#define ABOVE_51 0x7ff0000000000000UL /* 52..62, NX apart */

static const struct paging paging_32bit = {2, 4, 10, BIT(2), 0xfffff000, 0xfffff000, {0}};
static const struct paging paging_32bit_no_pse = {2, 4, 10, 0, 0xfffff000, 0xfffff000, {0}};
static const struct paging paging_pae = {
	3,
	8,
	9,
	BIT(2),
	0xffffffe0,
	PTE_ADDR_MASK,
	{0, ABOVE_51, ABOVE_51, ABOVE_51 | PTE_NX | 0x1e6},
};
static const struct paging paging_long = {
	4, 8, 9, BIT(2) | BIT(3), PTE_ADDR_MASK, PTE_ADDR_MASK, {0, 0, 0, 0, PTE_LARGE},
};

static const struct paging *paging_of(const struct hvm_vcpu *h)
{
	if (h->efer & EFER_LMA)
		return &paging_long;
	if (h->cr4 & X86_CR4_PAE)
		return &paging_pae;
	return h->cr4 & X86_CR4_PSE ? &paging_32bit : &paging_32bit_no_pse;
}

struct walk {
	const struct paging *paging;
	struct domain *d;
	/* where the entry of each level is, and what it was */
	uint64_t at[LEVELS_MAX + 1], entries[LEVELS_MAX + 1];
	unsigned int level; /* of the last one */
	uint64_t rights;    /* PTE_WRITE, PTE_USER: in all entries; PTE_NX: in any */
};

/* PSE-36: bits 13..20 of a 4 MiB entry are bits 32..39 of the address. */
static uint64_t leaf_address(const struct walk *w, uint64_t linear)
{
	const struct paging *p = w->paging;
	uint64_t entry = w->entries[w->level];
	uint64_t offset_mask = (PAGE_SIZE << p->index_bits * (w->level - 1)) - 1;
	uint64_t frame = entry & p->address_mask & ~offset_mask;

	if (p->entry_size == 4 && w->level == 2)
		frame |= (entry >> 13 & 0xff) << 32;
	return frame | (linear & offset_mask);
}

static bool is_leaf(const struct walk *w)
{
	return w->level == 1 ||
	       (w->paging->large_levels & BIT(w->level) && w->entries[w->level] & PTE_LARGE);
}

static bool is_reserved(const struct walk *w, const struct hvm_vcpu *h)
{
	const struct paging *p = w->paging;
	uint64_t entry = w->entries[w->level], mask = p->reserved[w->level];

	if (p->entry_size == 8 && !(h->efer & EFER_NXE))
		mask |= PTE_NX;
	/* below a large page's address, but for its PAT bit */
	if (w->level > 1 && p->entry_size == 8 && is_leaf(w))
		mask |= (PAGE_SIZE << 9 * (w->level - 1)) - (PAGE_SIZE << 1);
	return entry & mask;
}

/* Down to what maps `linear`: 0, or -EFAULT with PF_PRESENT and PF_RESERVED as they are. */
static int walk_down(struct walk *w, const struct hvm_vcpu *h, uint64_t linear, uint32_t *error)
{
	const struct paging *p = w->paging;
	uint64_t table = h->cr3 & p->top_mask;

	w->rights = PTE_WRITE | PTE_USER;
	for (w->level = p->levels;; w->level--) {
		unsigned int shift = PAGE_SHIFT + p->index_bits * (w->level - 1);
		uint64_t entry = 0;

		w->at[w->level] =
			table + (linear >> shift & (BIT(p->index_bits) - 1)) * p->entry_size;
		if (hvm_phys_read(w->d, &entry, w->at[w->level], p->entry_size))
			return -EFAULT; /* not in RAM: as if it were 0 */
		w->entries[w->level] = entry;
		if (!(entry & PTE_PRESENT))
			return -EFAULT;
		if (is_reserved(w, h)) {
			*error |= PF_PRESENT | PF_RESERVED;
			return -EFAULT;
		}
		/* those that PAE's highest level has are without meaning */
		if (p != &paging_pae || w->level < 3)
			w->rights = (w->rights & (entry | PTE_NX)) | (entry & PTE_NX);
		if (is_leaf(w))
			return 0;
		table = entry & p->address_mask;
	}
}

static bool is_allowed(const struct walk *w, const struct vcpu *v, uint32_t access)
{
	const struct hvm_vcpu *h = v->hvm;
	uint64_t rflags = v == current ? guest_regs()->rflags : v->regs.rflags;
	bool user_page = w->rights & PTE_USER;

	if (access & PF_USER && !user_page)
		return false;
	if (access & PF_WRITE && !(w->rights & PTE_WRITE) && (access & PF_USER || h->cr0 & CR0_WP))
		return false;
	if (access & PF_FETCH && w->rights & PTE_NX)
		return false;
	if (access & PF_USER || !user_page)
		return true;
	if (access & PF_FETCH)
		return !(h->cr4 & X86_CR4_SMEP);
	return !(h->cr4 & X86_CR4_SMAP) || rflags & X86_EFLAGS_AC;
}

/* Sets bits in an entry if it is still what was read; true: it was, or it is of no RAM. */
static bool entry_mark(const struct walk *w, unsigned int level, uint64_t bits)
{
	uint64_t at = w->at[level], old = w->entries[level];
	enum p2m_type type;
	struct page *pg;
	bool marked;
	char *entry;

	if ((old & bits) == bits)
		return true;
	pg = p2m_page_get(w->d, GFN(at >> PAGE_SHIFT), true, &type);
	if (!pg)
		return true;
	entry = (char *)page_to_virt(pg) + at % PAGE_SIZE;
	if (w->paging->entry_size == 8) {
		marked = pte_cmpxchg((uint64_t *)entry, &old, old | bits);
	} else {
		uint32_t old32 = old;

		marked = __atomic_compare_exchange_n((uint32_t *)entry, &old32, old32 | bits, false,
						     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	page_put_and_type(pg);
	return marked;
}

static bool walk_mark(const struct walk *w, bool is_write)
{
	for (unsigned int level = w->paging->levels; level > w->level; level--)
		if ((w->paging != &paging_pae || level < 3) && !entry_mark(w, level, PTE_ACCESSED))
			return false;
	return entry_mark(w, w->level, PTE_ACCESSED | (is_write ? PTE_DIRTY : 0));
}

int hvm_translate(struct vcpu *v, uint64_t linear, uint32_t access, uint64_t *gpa, uint32_t *error)
{
	const struct hvm_vcpu *h = v->hvm;
	struct walk w = {.d = v->domain, .paging = paging_of(h)};

	if (!(h->efer & EFER_LMA))
		linear = (uint32_t)linear;
	if (!hvm_is_paging(v)) {
		*gpa = linear;
		return 0;
	}
	*error = access & (PF_WRITE | PF_USER);
	/* without NX and SMEP, faults of fetches do not say so */
	if (h->efer & EFER_NXE || h->cr4 & X86_CR4_SMEP)
		*error |= access & PF_FETCH;
	if (!is_canonical(linear))
		return -EFAULT;
	hvm_vendor->controls_fetch(v);
	for (unsigned int i = 0; i < TRIES; i++) {
		if (walk_down(&w, h, linear, error))
			return -EFAULT;
		if (!is_allowed(&w, v, access)) {
			*error |= PF_PRESENT;
			return -EFAULT;
		}
		if (walk_mark(&w, access & PF_WRITE)) {
			*gpa = leaf_address(&w, linear);
			return 0;
		}
	}
	return -EFAULT;
}

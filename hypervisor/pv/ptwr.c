/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes of a guest kernel to its page tables, which it maps read-only: the
 * faulting instruction is done for it, as a mmu_update of that entry would.
 */
#include "domain/domain.h"
#include "lib/errno.h"
#include "pv/pagetable.h"
#include "pv/ptwr_decode.h"

/* Part of an entry: `size` bytes at byte `offset` of it. */
static uint64_t part_get(uint64_t entry, unsigned int offset, unsigned int size)
{
	return size == 8 ? entry : entry >> (8 * offset) & ((1UL << (8 * size)) - 1);
}

static uint64_t part_set(uint64_t entry, unsigned int offset, unsigned int size, uint64_t value)
{
	uint64_t mask = size == 8 ? ~0UL : ((1UL << (8 * size)) - 1) << (8 * offset);

	return (entry & ~mask) | (value << (8 * offset) & mask);
}

/*
 * The instruction's effect on the entry, and on *regs if it could be had:
 * 0, -EINVAL, -ERESTART.
 */
static int entry_execute(const struct table *t, uint64_t addr, const struct pte_insn *insn,
			 struct cpu_user_regs *regs)
{
	unsigned int slot = addr % PAGE_SIZE / sizeof(uint64_t), offset = addr % sizeof(uint64_t);
	uint64_t old = READ_ONCE(t->entries[slot]);
	/* all that an instruction may change besides rip */
	uint64_t *reg = pte_insn_reg(regs, insn->reg < 0 ? 0 : insn->reg);
	uint64_t was_reg = *reg, was_rax = regs->rax, was_flags = regs->rflags;

	for (;;) {
		uint64_t value;
		int ret = 0;

		if (pte_insn_execute(insn, part_get(old, offset, insn->size), &value, regs))
			ret = table_replace(t, slot, t->d, &old,
					    part_set(old, offset, insn->size, value));
		if (!ret) {
			regs->rip += insn->length;
			return 0;
		}
		regs->rax = was_rax;
		*reg = was_reg;
		regs->rflags = was_flags;
		if (ret != -EAGAIN)
			return ret;
	}
}

bool pv_fault_write_pte(struct vcpu *v, uint64_t addr, struct cpu_user_regs *regs)
{
	uint8_t code[INSN_MAX];
	struct pte_insn insn;
	struct table t;
	uint64_t l1e;
	paddr_t p;
	unsigned int n;
	int ret;

	if (!pv_walk(v, addr, &l1e, &p) || (l1e & PTE_WRITE))
		return false;
	n = INSN_MAX - guest_copy_from(code, (const void *)regs->rip, INSN_MAX);
	if (!pte_insn_decode(code, n, &insn) || addr % sizeof(uint64_t) + insn.size > 8)
		return false;
	/* what an earlier write left must not pile up: the instruction is tried again */
	if (unlikely(pv_has_pending(v)) && pv_drop_pending(v))
		return true;
	if (table_open(&t, v->domain, paddr_to_mfn(l1e & PTE_ADDR_MASK)))
		return false;
	ret = t.level ? entry_execute(&t, addr, &insn, regs) : -EINVAL;
	table_close(&t);
	return !ret || ret == -ERESTART;
}

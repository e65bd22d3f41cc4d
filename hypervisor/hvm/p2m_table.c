/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of nested page tables: finding and making entries, splitting leaves
 * and joining them again, and the pages it is made of.  What an entry looks
 * like is the vendor's; what it stands for, p2m.c's.
 */
#include "hvm/p2m_table.h"

#include "hvm/vendor.h"
#include "lib/string.h"
#include "mm/pte.h"

/* --- pages: each is on the list of the free ones or of those in use --- */

static void list_push(uint32_t *list, struct page *pg)
{
	pg->prev = 0;
	pg->next = *list;
	if (pg->next)
		frame_table[pg->next].prev = page_to_mfn(pg).v;
	*list = page_to_mfn(pg).v;
}

static void list_remove(uint32_t *list, struct page *pg)
{
	if (pg->prev)
		frame_table[pg->prev].next = pg->next;
	else
		*list = pg->next;
	if (pg->next)
		frame_table[pg->next].prev = pg->prev;
	pg->next = pg->prev = 0;
}

void p2m_pool_push(struct p2m *p, void *page)
{
	list_push(&p->free_list, virt_to_page(page));
	p->pool_pages++;
	p->pool_free++;
}

void *p2m_pool_pop(struct p2m *p, bool also_used)
{
	uint32_t *list = p->free_list ? &p->free_list : &p->used_list;
	struct page *pg = &frame_table[*list];

	if (!*list || (list == &p->used_list && !also_used))
		return NULL;
	if (list == &p->free_list)
		p->pool_free--;
	p->pool_pages--;
	list_remove(list, pg);
	return page_to_virt(pg);
}

static uint64_t *table_alloc(struct p2m *p)
{
	struct page *pg = &frame_table[p->free_list];

	if (!p->free_list)
		return NULL;
	list_remove(&p->free_list, pg);
	list_push(&p->used_list, pg);
	p->pool_free--;
	return memset(page_to_virt(pg), 0, PAGE_SIZE);
}

static void table_free(struct p2m *p, struct page *pg)
{
	list_remove(&p->used_list, pg);
	list_push(&p->free_list, pg);
	p->pool_free++;
}

bool p2m_root_make(struct p2m *p)
{
	uint64_t *root = table_alloc(p);

	if (root)
		p->root = virt_to_mfn(root);
	return root;
}

/* --- entries --- */

static bool is_table(uint64_t pte, unsigned int level)
{
	return pte && !hvm_vendor->pte_is_leaf(pte, level);
}

static uint64_t *entry_in(mfn_t table, gfn_t gfn, unsigned int level)
{
	uint64_t *entries = mfn_to_virt(table);

	return &entries[pte_index(gfn.v << PAGE_SHIFT, level)];
}

uint64_t *p2m_entry_find(const struct p2m *p, gfn_t gfn, unsigned int floor, unsigned int *level)
{
	uint64_t *e = entry_in(p->root, gfn, P2M_LEVELS);

	for (*level = P2M_LEVELS; *level > floor && is_table(*e, *level); --*level)
		e = entry_in(hvm_vendor->pte_mfn(*e), gfn, *level - 1);
	return e;
}

/* A table in place of a leaf that maps the same; the CPU may walk the entry at any time. */
static bool entry_split(struct p2m *p, uint64_t *e, unsigned int level)
{
	uint64_t pte = READ_ONCE(*e), *table = table_alloc(p);

	if (!table)
		return false;
	for (unsigned int i = 0; pte && i < PTES_PER_TABLE; i++)
		table[i] = hvm_vendor->pte_leaf(
			MFN(hvm_vendor->pte_mfn(pte).v + i * p2m_level_frames(level - 1)),
			hvm_vendor->pte_type(pte), level - 1);
	__atomic_store_n(e, hvm_vendor->pte_table(virt_to_mfn(table)), __ATOMIC_SEQ_CST);
	return true;
}

uint64_t *p2m_entry_make(struct p2m *p, gfn_t gfn, unsigned int level, bool *was_split)
{
	unsigned int at;
	uint64_t *e = p2m_entry_find(p, gfn, level, &at);

	for (; at > level; at--) {
		bool is_leaf = *e;

		if (!entry_split(p, e, at))
			return NULL;
		*was_split |= is_leaf;
		e = entry_in(hvm_vendor->pte_mfn(*e), gfn, at - 1);
	}
	return e;
}

static bool type_can_be_large(enum p2m_type type)
{
	return type == P2M_RAM || type == P2M_RAM_RO;
}

/* Do these 512 leaves make one of the level above? */
static bool is_in_a_row(const uint64_t *table, unsigned int level)
{
	enum p2m_type type;
	uint64_t first;

	if (!table[0] || is_table(table[0], level))
		return false;
	type = hvm_vendor->pte_type(table[0]);
	first = hvm_vendor->pte_mfn(table[0]).v;
	if (!type_can_be_large(type) || first % p2m_level_frames(level + 1))
		return false;
	for (unsigned int i = 1; i < PTES_PER_TABLE; i++)
		if (!table[i] || is_table(table[i], level) ||
		    hvm_vendor->pte_type(table[i]) != type ||
		    hvm_vendor->pte_mfn(table[i]).v != first + i * p2m_level_frames(level))
			return false;
	return true;
}

void p2m_promote(struct p2m *p, gfn_t gfn, unsigned int level, uint32_t *tables)
{
	unsigned int top = hvm_vendor->has_1g_pages ? 3 : 2, at;

	/* whoever fills a table does it upwards: one look at 512 entries for 512 calls */
	for (; level < top && pte_index(gfn.v << PAGE_SHIFT, level) == PTES_PER_TABLE - 1;
	     level++) {
		uint64_t *e = p2m_entry_find(p, gfn, level + 1, &at);
		const uint64_t *entries;
		mfn_t table;

		if (at != level + 1 || !is_table(*e, at))
			return;
		table = hvm_vendor->pte_mfn(*e);
		entries = mfn_to_virt(table);
		if (!is_in_a_row(entries, level))
			return;
		__atomic_store_n(e,
				 hvm_vendor->pte_leaf(hvm_vendor->pte_mfn(entries[0]),
						      hvm_vendor->pte_type(entries[0]), level + 1),
				 __ATOMIC_SEQ_CST);
		list_remove(&p->used_list, mfn_to_page(table));
		list_push(tables, mfn_to_page(table));
	}
}

/* --- parts taken out --- */

void p2m_cut_each(struct domain *d, struct p2m_cut cut, p2m_leaf_fn fn)
{
	const uint64_t *entries;

	if (!cut.pte)
		return;
	if (!is_table(cut.pte, cut.level)) {
		fn(d, cut.gfn, cut.pte, cut.level);
		return;
	}
	entries = mfn_to_virt(hvm_vendor->pte_mfn(cut.pte));
	for (unsigned int i = 0; i < PTES_PER_TABLE; i++) {
		struct p2m_cut part = {GFN(cut.gfn.v + i * p2m_level_frames(cut.level - 1)),
				       entries[i], cut.level - 1};

		p2m_cut_each(d, part, fn);
	}
}

void p2m_cut_free(struct p2m *p, struct p2m_cut cut)
{
	const uint64_t *entries;

	if (!is_table(cut.pte, cut.level))
		return;
	entries = mfn_to_virt(hvm_vendor->pte_mfn(cut.pte));
	for (unsigned int i = 0; cut.level > 2 && i < PTES_PER_TABLE; i++) {
		struct p2m_cut part = {cut.gfn, entries[i], cut.level - 1};

		p2m_cut_free(p, part);
	}
	table_free(p, virt_to_page(entries));
}

void p2m_tables_free(struct p2m *p, uint32_t tables)
{
	while (tables) {
		struct page *pg = &frame_table[tables];

		tables = pg->next;
		list_push(&p->free_list, pg);
		p->pool_free++;
	}
}

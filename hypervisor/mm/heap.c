/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects: each page holds objects of one power of two, the free ones
 * linked through their first word.  What exceeds half a page gets pages of
 * its own.  What a heap page is stands in its struct page:
 *
 *   type: | 0 63..40 | first free object, in 16 bytes plus 1 39..24 | used 23..8 | class 7..0 |
 *
 * and next/prev link the pages of a class that have room.
 */
#include "lib/bits.h"
#include "lib/printk.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mm/alloc.h"

#define HEAP_MIN_SHIFT  4
#define HEAP_CLASSES    8     /* 16 bytes to 2 KiB */
#define HEAP_CLASS_SLAB 0x80  /* or: an object of 2^class pages has 0x40 */
#define HEAP_CLASS_LARGE 0x40
#define HEAP_CLASS_MASK 0x3f

#define HEAP_USED_SHIFT 8
#define HEAP_FREE_SHIFT 24

static struct heap_class {
	struct spinlock lock; /* below, and the pages of this class: */
	uint32_t partial;     /* first page with room */
	uint64_t pages;       /* all of its pages; atomic */
} classes[HEAP_CLASSES];

static uint64_t large_pages; /* of objects too large for a class; atomic */

static size_t class_size(unsigned int class)
{
	return 1UL << (HEAP_MIN_SHIFT + class);
}

static unsigned int slab_used(const struct page *pg)
{
	return pg->type >> HEAP_USED_SHIFT & 0xffff;
}

static void *slab_first_free(const struct page *pg)
{
	unsigned int first = pg->type >> HEAP_FREE_SHIFT & 0xffff;

	return first ? (char *)page_to_virt(pg) + ((first - 1) << HEAP_MIN_SHIFT) : NULL;
}

static void slab_set(struct page *pg, unsigned int class, unsigned int used, const void *first)
{
	uint64_t place = first ? ((uintptr_t)first % PAGE_SIZE >> HEAP_MIN_SHIFT) + 1 : 0;

	pg->type = place << HEAP_FREE_SHIFT | (uint64_t)used << HEAP_USED_SHIFT | HEAP_CLASS_SLAB |
		   class;
}

static void class_add(struct heap_class *c, struct page *pg)
{
	pg->prev = 0;
	pg->next = c->partial;
	if (pg->next)
		frame_table[pg->next].prev = page_to_mfn(pg).v;
	c->partial = page_to_mfn(pg).v;
}

static void class_remove(struct heap_class *c, struct page *pg)
{
	if (pg->prev)
		frame_table[pg->prev].next = pg->next;
	else
		c->partial = pg->next;
	if (pg->next)
		frame_table[pg->next].prev = pg->prev;
	pg->next = pg->prev = 0;
}

/* A page of free objects of that class, not yet known to it. */
static struct page *slab_create(unsigned int class)
{
	char *v = hyp_pages_alloc(0);
	size_t size = class_size(class);

	if (!v)
		return NULL;
	for (size_t at = 0; at < PAGE_SIZE; at += size)
		*(void **)(v + at) = at + size < PAGE_SIZE ? v + at + size : NULL;
	slab_set(virt_to_page(v), class, 0, v);
	__atomic_fetch_add(&classes[class].pages, 1, __ATOMIC_RELAXED);
	return virt_to_page(v);
}

/* Called under the class's lock, with a page that has room. */
static void *slab_take(struct heap_class *c, struct page *pg)
{
	unsigned int class = c - classes;
	void *obj = slab_first_free(pg);
	void *next = *(void **)obj;

	slab_set(pg, class, slab_used(pg) + 1, next);
	if (!next)
		class_remove(c, pg);
	return obj;
}

static void *slab_alloc(unsigned int class)
{
	struct heap_class *c = &classes[class];
	struct page *fresh;
	void *obj = NULL;

	spin_lock(&c->lock);
	if (c->partial)
		obj = slab_take(c, &frame_table[c->partial]);
	spin_unlock(&c->lock);
	if (obj)
		return obj;

	/* not under the lock: this may flush other CPUs' TLBs */
	fresh = slab_create(class);
	if (!fresh)
		return NULL;
	spin_lock(&c->lock);
	class_add(c, fresh);
	obj = slab_take(c, fresh);
	spin_unlock(&c->lock);
	return obj;
}

static void slab_free(struct page *pg, void *obj)
{
	unsigned int class = pg->type & HEAP_CLASS_MASK;
	struct heap_class *c = &classes[class];
	void *first;
	unsigned int used;

	ASSERT((uintptr_t)obj % class_size(class) == 0);
	spin_lock(&c->lock);
	first = slab_first_free(pg);
	used = slab_used(pg);
	ASSERT(used && obj != first);
	*(void **)obj = first;
	slab_set(pg, class, used - 1, obj);
	if (!first)
		class_add(c, pg);
	if (used == 1)
		class_remove(c, pg);
	spin_unlock(&c->lock);
	if (used == 1) {
		__atomic_fetch_sub(&c->pages, 1, __ATOMIC_RELAXED);
		frames_free(pg, 0);
	}
}

static void *large_alloc(size_t size)
{
	unsigned int order = 0;
	void *v;

	while (order <= PAGE_ORDER_MAX && PAGE_SIZE << order < size)
		order++;
	v = hyp_pages_alloc(order);
	if (!v)
		return NULL;
	virt_to_page(v)->type = HEAP_CLASS_LARGE | order;
	__atomic_fetch_add(&large_pages, 1UL << order, __ATOMIC_RELAXED);
	return v;
}

void *heap_alloc(size_t size)
{
	unsigned int class = 0;
	void *obj;

	if (size > PAGE_SIZE / 2) {
		obj = large_alloc(size);
	} else {
		while (class_size(class) < size)
			class++;
		obj = slab_alloc(class);
	}
	return obj ? memset(obj, 0, size) : NULL;
}

void *heap_alloc_array(size_t n, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(n, size, &total) ? NULL : heap_alloc(total);
}

void heap_free(void *p)
{
	unsigned int order;
	struct page *pg;

	if (!p)
		return;
	pg = virt_to_page(p);
	if (pg->type & HEAP_CLASS_SLAB) {
		slab_free(pg, p);
	} else {
		ASSERT(pg->type & HEAP_CLASS_LARGE && (uintptr_t)p % PAGE_SIZE == 0);
		order = pg->type & HEAP_CLASS_MASK;
		__atomic_fetch_sub(&large_pages, 1UL << order, __ATOMIC_RELAXED);
		frames_free(pg, order);
	}
}

void heap_dump(void)
{
	for (unsigned int i = 0; i < HEAP_CLASSES; i++)
		printk("heap: objects of %zu bytes in %lu pages\n", class_size(i),
		       READ_ONCE(classes[i].pages));
	printk("heap: %lu pages of larger objects\n", READ_ONCE(large_pages));
}

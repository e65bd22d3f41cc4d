/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own page tables, for mm/ alone. */
#ifndef MM_HYP_MAP_H
#define MM_HYP_MAP_H

#include "lib/types.h"

/*
 * Boot: makes the sixteen L3s that all L4s share; from then on tables come
 * from `alloc`, which returns a zeroed page or NULL, until hyp_map_init_done.
 */
void hyp_map_init(void *(*alloc)(void));
void hyp_map_init_done(void);

/* The entry of `va` in its table of that level, tables above it made as needed; NULL: no memory. */
uint64_t *hyp_map_entry(uint64_t va, unsigned int level);
/* Is it mapped, by an entry of any size? */
bool hyp_map_is_present(uint64_t va);

/*
 * Maps [va, va + size) to p on, with the largest pages that fit, over what is
 * not mapped yet. 0 or -ENOMEM.
 */
must_check int hyp_map_range(uint64_t va, paddr_t p, uint64_t size, uint64_t flags);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which frames are RAM, and the machine-to-physical table.  Both tables are
 * backed only where there is RAM; an index of what is backed stands before
 * each.  boot_mem.c allocates and maps them.
 */
#include "mm/frame.h"

#include "lib/bits.h"
#include "mm/alloc_state.h"
#include "mm/mm.h"

_Static_assert(sizeof(struct page) == 24, "struct page");
_Static_assert(FRAME_CHUNK_BYTES % PAGE_SIZE == 0, "chunks are whole pages");

uint64_t frame_table_end;

static unsigned long *chunk_backed; /* a bit for each chunk of the frame table */
static uint64_t **m2p_pieces;       /* in the direct map, where they can be written */
static unsigned int nr_m2p_pieces;

static uint64_t chunk_count(uint64_t frames)
{
	return DIV_ROUND_UP(frames, 1UL << FRAME_CHUNK_SHIFT);
}

static uint64_t piece_count(uint64_t frames)
{
	return DIV_ROUND_UP(frames, M2P_PIECE_ENTRIES);
}

size_t frame_index_size(uint64_t frames)
{
	return BITS_TO_LONGS(chunk_count(frames)) * sizeof(unsigned long) +
	       piece_count(frames) * sizeof(uint64_t *);
}

void frame_index_init(void *index, uint64_t frames)
{
	chunk_backed = index;
	m2p_pieces = (uint64_t **)(chunk_backed + BITS_TO_LONGS(chunk_count(frames)));
	nr_m2p_pieces = piece_count(frames);
	frame_table_end = frames;
}

void frame_table_fill(uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n < last; n++)
		frame_table[n] = (struct page){.count = PAGE_COUNT_UNOWNED};
	for (uint64_t c = first >> FRAME_CHUNK_SHIFT; c < chunk_count(last); c++)
		bit_set(chunk_backed, c);
	frame_allocator.total += last - first;
}

bool mfn_is_ram(mfn_t mfn)
{
	return mfn.v < frame_table_end && bit_test(chunk_backed, mfn.v >> FRAME_CHUNK_SHIFT) &&
	       (READ_ONCE(mfn_to_page(mfn)->count) & PAGE_F_RAM);
}

void m2p_add_piece(unsigned int piece, uint64_t *entries)
{
	for (uint64_t i = 0; i < M2P_PIECE_ENTRIES; i++)
		entries[i] = M2P_INVALID;
	m2p_pieces[piece] = entries;
}

uint64_t *m2p_piece(unsigned int piece)
{
	return piece < nr_m2p_pieces ? m2p_pieces[piece] : NULL;
}

unsigned int m2p_piece_count(void)
{
	return nr_m2p_pieces;
}

uint64_t m2p_get(mfn_t mfn)
{
	uint64_t *piece = mfn.v < frame_table_end ? m2p_pieces[mfn.v >> M2P_PIECE_SHIFT] : NULL;

	return piece ? READ_ONCE(piece[mfn.v % M2P_PIECE_ENTRIES]) : M2P_INVALID;
}

void m2p_set(mfn_t mfn, uint64_t gfn)
{
	if (mfn_is_ram(mfn))
		WRITE_ONCE(m2p_pieces[mfn.v >> M2P_PIECE_SHIFT][mfn.v % M2P_PIECE_ENTRIES], gfn);
}

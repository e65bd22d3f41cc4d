/* SPDX-License-Identifier: BSD-2-Clause */
/* mm/'s own view of the frame table and the machine-to-physical table. */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "mm/page.h"

/* The frame table is backed in chunks of 512 frames: 12 KiB, whole pages. */
#define FRAME_CHUNK_SHIFT 9
#define FRAME_CHUNK_BYTES (sizeof(struct page) << FRAME_CHUNK_SHIFT)

/* The machine-to-physical table is backed in 2 MiB pieces, one for 1 GiB of machine memory. */
#define M2P_PIECE_SHIFT   18
#define M2P_PIECE_ENTRIES (1UL << M2P_PIECE_SHIFT)
#define M2P_PIECE_BYTES   (M2P_PIECE_ENTRIES * sizeof(uint64_t))

/* Bytes that frame_index_init needs for `frames` frames. */
size_t frame_index_size(uint64_t frames);
/* Boot: `index` is zeroed memory of that size, kept for good. */
void frame_index_init(void *index, uint64_t frames);
/* Boot: the table entries of [first, last) are backed; they become RAM of nobody's. */
void frame_table_fill(uint64_t first, uint64_t last);
/* Boot: the piece of the m2p with this number is backed here. */
void m2p_add_piece(unsigned int piece, uint64_t *entries);
/* NULL where the table has a hole. */
uint64_t *m2p_piece(unsigned int piece);
unsigned int m2p_piece_count(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small-object heap.
 *
 * Links: mm/heap.c mm/alloc.c lib/bits.c
 */
#include "fake.h"
#include "mm/alloc_state.h"

#define TOTAL (FAKE_FRAMES - 1)

static void setup(void)
{
	memset(&frame_allocator, 0, sizeof(frame_allocator));
	frame_allocator.flush_begun = frame_allocator.flush_ended = 1;
	for (uint64_t n = 1; n < FAKE_FRAMES; n++)
		frame_table[n] = (struct page){.count = PAGE_COUNT_UNOWNED};
	memset(fake_ram, 0xa5, sizeof(fake_ram));
	frames_add(PAGE_SIZE, FAKE_FRAMES << PAGE_SHIFT);
}

TEST(objects_are_aligned_zeroed_and_apart)
{
	static const size_t sizes[] = {1, 16, 17, 100, 128, 1000, 2048, 2049, 4096, 5000, 70000};
	char *objs[ARRAY_SIZE(sizes)];

	setup();
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		objs[i] = heap_alloc(sizes[i]);
		CHECK(objs[i]);
		CHECK_EQ((uintptr_t)objs[i] % 16, 0);
		for (size_t j = 0; j < sizes[i]; j++)
			CHECK_EQ(objs[i][j], 0);
		memset(objs[i], i + 1, sizes[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t j = 0; j < sizes[i]; j++)
			CHECK_EQ(objs[i][j], i + 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		heap_free(objs[i]);
	CHECK_EQ(frames_free_count(), TOTAL);
	heap_free(NULL);
}

TEST(random_use_gives_all_back)
{
	static char *objs[2000];
	static size_t sizes[2000];
	unsigned int seed = 1;

	setup();
	for (unsigned int round = 0; round < 50000; round++) {
		unsigned int i = rand_r(&seed) % 2000;

		if (objs[i]) {
			for (size_t j = 0; j < sizes[i]; j++)
				CHECK_EQ(objs[i][j], (char)i);
			heap_free(objs[i]);
			objs[i] = NULL;
		} else {
			sizes[i] = rand_r(&seed) % 16 ? rand_r(&seed) % 600 : rand_r(&seed) % 9000;
			objs[i] = heap_alloc(sizes[i]);
			CHECK(objs[i]);
			memset(objs[i], i, sizes[i]);
		}
	}
	for (unsigned int i = 0; i < 2000; i++)
		heap_free(objs[i]);
	CHECK_EQ(frames_free_count(), TOTAL);
}

TEST(failure_and_overflow_give_null)
{
	setup();
	CHECK(!heap_alloc_array(~0UL / 8 + 2, 8));
	CHECK(!heap_alloc(FAKE_FRAMES << PAGE_SHIFT));
	CHECK(!heap_alloc(~0UL));
	while (hyp_pages_alloc(0))
		;
	CHECK(!heap_alloc(3000));
	CHECK_EQ(frames_free_count(), 0);
}

TEST(wrong_frees_are_found)
{
	char *p;

	setup();
	p = heap_alloc(64);
	CHECK_PANIC(heap_free(p + 16));
	p = heap_alloc(5000);
	CHECK_PANIC(heap_free(p + 64));
	CHECK_PANIC(heap_free(hyp_pages_alloc(0)));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map of ports that are exits: all at first, what is opened and closed to
 * the bit, at the borders of bytes, words, VMX' two pages and of all ports.
 *
 * Links: hvm/ports.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fake_vendor.h"
#include "hvm/hvm.h"
#include "hvm/ports.h"

#include "mm/alloc.h"

#define PORTS	 0x10000U
#define MAP_SIZE 0x3000UL /* what SVM wants */

static uint8_t pages[4 * PAGE_SIZE] aligned_to(PAGE_SIZE);
static bool is_taken, is_refused;
static struct domain *d;

void *hyp_pages_alloc(unsigned int order)
{
	CHECK_EQ(PAGE_SIZE << order, sizeof(pages));
	CHECK(!is_taken);
	if (is_refused)
		return NULL;
	is_taken = true;
	memset(pages, 0x5a, sizeof(pages));
	return pages;
}

void hyp_pages_free(void *v, unsigned int order)
{
	CHECK(v == pages && is_taken);
	CHECK_EQ(PAGE_SIZE << order, sizeof(pages));
	is_taken = false;
}

static void begin(void)
{
	d = fake_hvm_domain(1, 1);
	CHECK_EQ(hvm_ports_init(d), 0);
}

static void end(void)
{
	hvm_ports_fini(d);
	CHECK(!is_taken);
	fake_hvm_free(d);
}

/* As the manuals have it: bit n % 8 of byte n / 8. */
static bool is_exit(uint32_t port)
{
	return pages[port / 8] >> port % 8 & 1;
}

/* These and no others are open, nor is what follows the last port. */
static void open_are(uint32_t first, uint32_t last)
{
	for (uint32_t port = 0; port < MAP_SIZE * 8; port++)
		CHECK_EQ(is_exit(port), port < first || port > last);
}

TEST(at_first_every_port_is_an_exit)
{
	begin();
	for (uint32_t i = 0; i < MAP_SIZE; i++)
		CHECK_EQ(pages[i], 0xff);
	CHECK_EQ(hvm_ports_map(d), virt_to_paddr(pages));
	end();
}

TEST(without_memory_there_is_no_map)
{
	d = fake_hvm_domain(1, 1);
	is_refused = true;
	CHECK_EQ(hvm_ports_init(d), -ENOMEM);
	is_refused = false;
	fake_hvm_free(d);
}

TEST(a_range_is_opened_and_closed_to_the_bit)
{
	static const uint16_t ranges[][2] = {
		{0, 0},		  {0xffff, 0xffff}, {0, 0xffff},     {7, 8},	       {8, 15},
		{0x3f, 0x40},	  {0x40, 0x7f},	    {0x41, 0x7e},    {0x2f8, 0x2ff},   {0x81, 0x81},
		{0x7fff, 0x8000}, {0x10, 0x10f},    {0x10c, 0xfff1}, {0xffc0, 0xffff},
	};

	begin();
	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		hvm_ports_allow(d, ranges[i][0], ranges[i][1], true);
		open_are(ranges[i][0], ranges[i][1]);
		hvm_ports_allow(d, ranges[i][0], ranges[i][1], false);
		open_are(PORTS, PORTS - 1);
	}
	end();
}

TEST(what_is_closed_of_a_range_leaves_the_rest)
{
	begin();
	hvm_ports_allow(d, 0x100, 0x1ff, true);
	hvm_ports_allow(d, 0x100, 0x13e, false);
	open_are(0x13f, 0x1ff);
	hvm_ports_allow(d, 0x181, 0xffff, false);
	open_are(0x13f, 0x180);
	hvm_ports_allow(d, 0x140, 0x150, true);
	open_are(0x13f, 0x180);
	end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which I/O ports there are to be had, to the port.
 *
 * Links: dev/ports.c lib/bits.c lib/rangeset.c
 */
#include "dev/ports.h"
#include "fake.h"
#include "lib/rangeset.h"

/* Spelled out: what is kept is ABI of a kind, and a slip there gives a guest our console. */
static bool is_kept(uint32_t port)
{
	return port == 0x20 || port == 0x21 || port == 0xa0 || port == 0xa1 ||
	       (port >= 0x40 && port <= 0x43) || port == 0x61 || (port >= 0x3f8 && port <= 0x3ff) ||
	       (port >= 0xcf8 && port <= 0xcff);
}

TEST(every_port_is_granted_but_what_is_kept)
{
	struct rangeset set;

	rangeset_init(&set);
	CHECK_EQ(ports_grant(&set), 0);
	for (uint32_t port = 0; port <= 0x10000; port++)
		CHECK_EQ(rangeset_contains(&set, port, port), port < 0x10000 && !is_kept(port));
	rangeset_fini(&set);
	CHECK_EQ(fake_heap_objects, 0);
}

TEST(a_lack_of_memory_is_told)
{
	struct rangeset set;
	bool is_lacking = true;

	for (unsigned int at = 1; is_lacking; at++) {
		int rc;

		rangeset_init(&set);
		fake_alloc_fail_at = at;
		rc = ports_grant(&set);
		is_lacking = !fake_alloc_fail_at;
		fake_alloc_fail_at = 0;
		CHECK_EQ(rc, is_lacking ? -ENOMEM : 0);
		rangeset_fini(&set);
	}
	CHECK_EQ(fake_heap_objects, 0);
}

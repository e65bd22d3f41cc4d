/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's command line.
 *
 * Links: boot/options.c lib/bits.c
 */
#include "boot/boot.h"
#include "fake/fake.h"

struct boot_info boot_info;

static const char *option(const char *cmdline, const char *name)
{
	static char buf[8];

	snprintf(boot_info.cmdline, sizeof(boot_info.cmdline), "%s", cmdline);
	memset(buf, 'x', sizeof(buf));
	return boot_option(name, buf, sizeof(buf)) ? buf : NULL;
}

TEST(option_with_and_without_value)
{
	CHECK(!strcmp(option("a noreboot b=1", "noreboot"), ""));
	CHECK(!strcmp(option("a noreboot b=1", "b"), "1"));
	CHECK(!strcmp(option("b=", "b"), ""));
	CHECK(!option("", "b"));
}

TEST(option_is_a_whole_word)
{
	CHECK(!option("noreboots", "noreboot"));
	CHECK(!option("xnoreboot", "noreboot"));
	CHECK(!option("reboot", "noreboot"));
	CHECK(!strcmp(option("noreboots  noreboot=2", "noreboot"), "2"));
}

TEST(option_is_cut_to_the_buffer)
{
	CHECK(!strcmp(option("name=0123456789", "name"), "0123456"));
}

TEST(option_sizes)
{
	option("a=3 b=4K c=5M d=6g e=x f", "a");
	CHECK_EQ(boot_option_size("a", 9), 3);
	CHECK_EQ(boot_option_size("b", 9), 4096);
	CHECK_EQ(boot_option_size("c", 9), 5 << 20);
	CHECK_EQ(boot_option_size("d", 9), 6UL << 30);
	CHECK_EQ(boot_option_size("e", 9), 9);
	CHECK_EQ(boot_option_size("f", 9), 9);
	CHECK_EQ(boot_option_size("none", 9), 9);
}

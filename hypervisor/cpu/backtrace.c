/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backtraces by frame pointers (the image is built with them), with names
 * from the table that boot/symbols.sh puts into the image.
 */
#include "cpu/backtrace.h"

#include "boot/boot.h"
#include "cpu/seam.h"
#include "lib/printk.h"
#include "lib/string.h"

extern const uint32_t symbol_count, symbol_offsets[];
extern const char symbol_names[];

#define BACKTRACE_DEPTH 24

static bool is_text(uint64_t addr)
{
	return (addr >= (uint64_t)image_start && addr < (uint64_t)image_text_end) ||
	       (addr >= (uint64_t)image_init_start && addr < (uint64_t)image_init_end);
}

bool symbol_name(uint64_t addr, char *buf, size_t size)
{
	const char *name = symbol_names;
	uint32_t low = 0, high = symbol_count, offset = addr - IMAGE_START;

	if (!is_text(addr) || !symbol_count || offset < symbol_offsets[0]) {
		snprintf(buf, size, "?");
		return false;
	}
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (symbol_offsets[mid] <= offset)
			low = mid;
		else
			high = mid;
	}
	for (uint32_t i = 0; i < low; i++)
		name += strlen(name) + 1;
	snprintf(buf, size, "%s+%#x", name, offset - symbol_offsets[low]);
	return true;
}

const char *symbol_by_number(uint32_t n, uint64_t *addr)
{
	const char *name = symbol_names;

	if (n >= symbol_count)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		name += strlen(name) + 1;
	*addr = IMAGE_START + symbol_offsets[n];
	return name;
}

static void print_frame(uint64_t rip)
{
	char name[80];

	symbol_name(rip, name, sizeof(name));
	printk("  [%016lx] %s\n", rip, name);
}

/* Frame pointers are believed only while they climb within this CPU's stack. */
void backtrace_print(uint64_t rip, uint64_t rbp)
{
	uint64_t stack = (uint64_t)cpu_info() & ~(CPU_STACK_SIZE - 1);

	print_frame(rip);
	for (int i = 0; i < BACKTRACE_DEPTH; i++) {
		uint64_t next;

		/* right after a SYSCALL it is still the guest's */
		if ((rbp & 7) || rbp < stack + CPU_STACK_BODY ||
		    rbp + 16 > stack + CPU_STACK_SIZE || rbp + 16 < rbp)
			return;
		next = ((uint64_t *)rbp)[0];
		rip = ((uint64_t *)rbp)[1];
		if (!is_text(rip))
			return;
		print_frame(rip);
		if (next <= rbp)
			return;
		rbp = next;
	}
}

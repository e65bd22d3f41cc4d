/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port 0xe9, where firmware says what it does: a line at a time into the
 * console ring (`zl dmesg`), as text of the domain's.
 */
#include "hvm/platform_state.h"
#include "lib/printk.h"

uint64_t vdebug_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	return 0xe9; /* by which it is recognised */
}

void vdebug_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	struct vdebug *debug = &p->debug;
	char c = val;
	uint64_t flags = spin_lock_irq(&debug->lock);

	if (c >= ' ' && c < 0x7f)
		debug->line[debug->length++] = c;
	if (debug->length && (c == '\n' || debug->length == sizeof(debug->line) - 1)) {
		debug->line[debug->length] = '\0';
		debug->length = 0;
		guest_printk(p->domain, "%s\n", debug->line);
	}
	spin_unlock_irq(&debug->lock, flags);
}

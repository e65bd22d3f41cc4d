/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's console: a ring of what was said (zl dmesg), the serial
 * line com1, and the input from it, which goes to dom0 or, after three
 * Ctrl-A, to the debug keys.
 */
#ifndef DEV_CONSOLE_H
#define DEV_CONSOLE_H

#include "lib/types.h"

init_text void console_init(void);       /* serial output from now on */
init_text void console_input_init(void); /* its interrupt, after irq_init */

/* Raw text, from the hypervisor or from dom0's console_io: to the serial line (and the ring). */
void console_write(const char *text, size_t n, bool to_ring);

/*
 * Reads the ring from *index (a running count of bytes; set to what is still
 * there, and moved past what was read).  Returns the bytes put into buf.
 */
size_t console_ring_read(char *buf, size_t size, uint32_t *index, bool from_start);
void console_ring_clear(void);

/* console_io read: what was typed and not yet read. */
size_t console_input_read(char *buf, size_t size);

/* After a panic: write without locks. */
void console_force_unlock(void);

/* One debug key, as typed or from sysctl debug_keys. */
void debug_key(char key);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_console_io: dom0's console is the serial line; others may only complain, briefly. */
#include "dev/console.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/printk.h"

#define CHUNK 128

/* Another domain's text: a line at a time, marked as its, and only printable characters. */
static void guest_line(struct domain *d, const char *text, size_t n)
{
	char line[CHUNK + 1];
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (text[i] >= ' ' && text[i] <= '~')
			line[len++] = text[i];
	line[len] = '\0';
	if (len)
		guest_printk(d, "%s\n", line);
}

static long console_output(const char *guest, uint32_t count)
{
	struct domain *d = current->domain;
	char chunk[CHUNK];

	while (count) {
		uint32_t n = MIN(count, CHUNK);
		uint64_t rest[3];

		if (copy_in(chunk, guest, n))
			return -EFAULT;
		if (d->is_privileged)
			console_write(chunk, n, true);
		else
			guest_line(d, chunk, n);
		guest += n;
		count -= n;
		if (!count || !hypercall_preempt_check())
			continue;
		rest[0] = CONSOLEIO_write;
		rest[1] = count;
		rest[2] = (uint64_t)guest;
		return hypercall_continue(__HYPERVISOR_console_io, rest, 3);
	}
	return 0;
}

static long console_input(char *guest, uint32_t count)
{
	char chunk[CHUNK];
	long total = 0;

	while (count) {
		size_t n = console_input_read(chunk, MIN(count, CHUNK));

		if (!n)
			break;
		if (copy_out(guest + total, chunk, n))
			return -EFAULT;
		total += n;
		count -= n;
	}
	return total;
}

/* HYPERVISOR_console_io(cmd, count, buffer) */
long hypercall_console_io(const uint64_t *args)
{
	uint32_t count = args[1];

	if (args[1] > INT32_MAX)
		return -EINVAL;
	switch (args[0]) {
	case CONSOLEIO_write:
		return console_output((const char *)args[2], count);
	case CONSOLEIO_read:
		if (!current->domain->is_privileged)
			return -EPERM;
		return console_input((char *)args[2], count);
	default:
		return -ENOSYS;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two rings of bytes in a console page (xen/io/console.h).
 */
#include <string.h>

#include "ring.h"

static uint32_t load(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void publish(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

size_t ring_take(struct xencons_interface *page, char *data, size_t size)
{
	uint32_t prod = load(&page->out_prod), cons = load(&page->out_cons);
	uint32_t len = prod - cons, at, part;

	if (len > sizeof(page->out)) {
		/* Overrun or nonsense: there is nothing in it to trust. */
		publish(&page->out_cons, prod);
		return 0;
	}
	if (len > size)
		len = (uint32_t)size;
	at = MASK_XENCONS_IDX(cons, page->out);
	part = (uint32_t)sizeof(page->out) - at;
	if (part > len)
		part = len;
	memcpy(data, page->out + at, part);
	memcpy(data + part, page->out, len - part);
	publish(&page->out_cons, cons + len);
	return len;
}

/* Bytes of input the guest has not taken, or all if the positions are nonsense. */
static uint32_t pending_input(const struct xencons_interface *page, uint32_t prod)
{
	uint32_t pending = prod - load(&page->in_cons);

	return pending > sizeof(page->in) ? sizeof(page->in) : pending;
}

size_t ring_room(const struct xencons_interface *page)
{
	return sizeof(page->in) - pending_input(page, load(&page->in_prod));
}

size_t ring_give(struct xencons_interface *page, const char *data, size_t len)
{
	uint32_t prod = load(&page->in_prod);
	size_t room = sizeof(page->in) - pending_input(page, prod), at, part;

	if (len > room)
		len = room;
	at = MASK_XENCONS_IDX(prod, page->in);
	part = sizeof(page->in) - at;
	if (part > len)
		part = len;
	memcpy(page->in + at, data, part);
	memcpy(page->in, data + part, len - part);
	publish(&page->in_prod, prod + (uint32_t)len);
	return len;
}

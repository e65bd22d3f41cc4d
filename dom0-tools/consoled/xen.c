/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A console's page and event channel: see server.h.
 */
#include <errno.h>
#include <sys/mman.h>

#include "evtchn/evtchn.h"
#include "evtchn/gntdev.h"
#include "hyp/hyp.h"
#include "hyp/memory.h"

#include "server.h"

/* The grant that every builder seeds; where there is none, the frame itself. */
static int map_page(struct server *server, struct console *console)
{
	xen_pfn_t frame = console->gfn;
	void *page;
	int ret;

	ret = zgntdev_map(server->gntdev, console->domid, GNTTAB_RESERVED_CONSOLE, &page);
	console->is_granted = !ret;
	if (ret)
		ret = hyp_foreign_map(server->hyp, console->domid, PROT_READ | PROT_WRITE, &frame,
				      1, &page);
	if (!ret)
		console->page = page;
	return ret;
}

static void unmap_page(struct server *server, struct console *console)
{
	if (console->is_granted)
		zgntdev_unmap(server->gntdev, console->page);
	else
		hyp_foreign_unmap(console->page, 1);
	console->page = NULL;
}

int xen_connect(struct server *server, struct console *console, uint64_t gfn, uint32_t port)
{
	int ret;

	console->gfn = gfn;
	console->remote_port = port;
	ret = map_page(server, console);
	if (ret)
		return ret;
	ret = zevtchn_bind_interdomain(server->evtchn, console->domid, port);
	if (ret < 0) {
		unmap_page(server, console);
		return ret;
	}
	console->port = ret;
	/* Whatever was written before anybody listened. */
	console->has_work = true;
	xen_notify(server, console);
	return 0;
}

void xen_disconnect(struct server *server, struct console *console)
{
	if (!console->page)
		return;
	zevtchn_unbind(server->evtchn, (unsigned int)console->port);
	console->port = -1;
	unmap_page(server, console);
}

void xen_notify(struct server *server, struct console *console)
{
	zevtchn_notify(server->evtchn, (unsigned int)console->port);
}

void xen_unmask(struct server *server, struct console *console)
{
	zevtchn_unmask(server->evtchn, (unsigned int)console->port);
}

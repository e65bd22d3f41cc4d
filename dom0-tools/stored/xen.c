/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains as clients: mapping their pages, binding their event channels, and
 * noticing when they stop or go away.  dom0's kernel is one of them; its page
 * and port come from its own driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <xen/sys/xenbus_dev.h>

#include "daemon/log.h"
#include "evtchn/evtchn.h"
#include "evtchn/gntdev.h"
#include "hyp/domain.h"
#include "hyp/hyp.h"
#include "hyp/memory.h"

#include "conn.h"
#include "domain.h"
#include "journal.h"
#include "ring.h"
#include "server.h"
#include "watch.h"

#define BACKEND_DEVICE "/dev/xen/xenbus_backend"
#define RING_PAGE_SIZE 4096u
#define PORTS_PER_TURN 64
#define BIND_STEP_MS   20
#define BIND_RETRIES   100
/* In place of a domain's number: a virtual interrupt. */
#define BIND_VIRQ UINT32_MAX

/* dom0's own page, and the port its kernel listens on. */
static int map_own_page(struct xenstore_domain_interface **page, uint32_t *port)
{
	int fd = open(BACKEND_DEVICE, O_RDWR | O_CLOEXEC), ret;
	void *map;

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, IOCTL_XENBUS_BACKEND_EVTCHN, 0);
	if (ret < 0) {
		ret = -errno;
		goto close_fd;
	}
	*port = (uint32_t)ret;
	map = mmap(NULL, RING_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ret = map == MAP_FAILED ? -errno : 0;
	if (!ret)
		*page = map;
close_fd:
	close(fd);
	return ret;
}

/* The grant that every builder seeds; where there is none, the frame itself. */
static int map_page(struct server *server, struct client *client)
{
	struct domain *domain = client->domain;
	xen_pfn_t frame = domain->gfn;
	uint32_t port;
	void *page;
	int ret;

	if (!domain->domid)
		return map_own_page(&client->page, &port);
	ret = zgntdev_map(server->gntdev, domain->domid, GNTTAB_RESERVED_XENSTORE, &page);
	client->is_granted = !ret;
	if (ret)
		ret = hyp_foreign_map(server->hyp, domain->domid, PROT_READ | PROT_WRITE, &frame, 1,
				      &page);
	if (!ret)
		client->page = page;
	return ret;
}

static void unmap_page(struct server *server, struct client *client)
{
	if (!client->domain->domid)
		munmap(client->page, RING_PAGE_SIZE);
	else if (client->is_granted)
		zgntdev_unmap(server->gntdev, client->page);
	else
		hyp_foreign_unmap(client->page, 1);
}

static void client_fail(struct client *client, uint32_t error)
{
	struct conn *conn = client->conn;
	uint32_t in_pos = conn->in_pos, out_pos = conn->out_pos;

	/* A guest may do this as often as it likes: not worth a log by default. */
	log_info("domain %u: its ring is unusable (error %u), connection stopped",
		 client->domain->domid, error);
	client->is_failed = true;
	journal_domain_gone(conn->store->journal, client->domain->domid);
	conn_reset(conn);
	conn->in_pos = in_pos;
	conn->out_pos = out_pos;
	conn->is_begun = true;
	domain_record(client->domain);
	journal_commit(conn->store->journal);
	ring_fail(client->page, error);
}

static void client_reconnect(struct client *client)
{
	domain_reconnect(client->domain);
	journal_commit(client->conn->store->journal);
	ring_reconnect(client->page);
	client->is_failed = false;
	client->conn->is_broken = false;
}

/* Begins with the page, or goes on where this or a former daemon left it. */
static void client_take_page(struct server *server, struct client *client)
{
	if (ring_wants_reconnect(client->page)) {
		client_reconnect(client);
	} else if (client->conn->is_begun) {
		/* The same page with another channel: its positions are known. */
		return;
	} else if (!server->is_restoring) {
		ring_begin(client->page, client->conn);
	} else if (ring_adopt(client->page, client->conn)) {
		client_fail(client, XENSTORE_ERROR_RINGIDX);
	} else {
		conn_restore_merged(client->conn);
	}
}

/*
 * A predecessor that was just killed may hold its channels a moment longer than
 * its lock: the kernel closes its descriptors one after another.  That is waited
 * for once, not for each domain: one that gave up its channel delays no other.
 */
static int bind_after_predecessor(struct server *server, unsigned int domid, unsigned int port)
{
	const struct timespec step = {.tv_nsec = BIND_STEP_MS * 1000000l};
	int ret;

	for (;;) {
		if (domid == BIND_VIRQ)
			ret = zevtchn_bind_virq(server->evtchn, port);
		else
			ret = zevtchn_bind_interdomain(server->evtchn, domid, port);
		if ((ret != -EINVAL && ret != -EEXIST && ret != -EBUSY) || !server->bind_retries)
			return ret;
		server->bind_retries--;
		nanosleep(&step, NULL);
	}
}

int xen_attach(struct store *store, struct domain *domain)
{
	struct server *server = store->ops_data;
	struct xen_domctl_getdomaininfo info;
	struct client *client;
	int ret;

	if (!server->evtchn)
		return -ENOSYS;
	ret = hyp_domain_get_info(server->hyp, domain->domid, &info);
	if (ret)
		return ret;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->fd = -1;
	client->domain = domain;
	client->conn = domain->conn;
	list_init(&client->active_link);
	ret = map_page(server, client);
	if (ret)
		goto free_client;
	ret = bind_after_predecessor(server, domain->domid, domain->port);
	if (ret < 0)
		goto unmap;
	client->port = ret;
	memcpy(domain->handle, info.handle, sizeof(domain->handle));
	domain->io = client;
	domain->conn->io = client;
	list_add_tail(&server->clients, &client->link);
	client_take_page(server, client);
	client_activate(server, client);
	/* The domain may wait for room, or have been waiting for this daemon. */
	zevtchn_notify(server->evtchn, (unsigned int)client->port);
	return 0;

unmap:
	unmap_page(server, client);
free_client:
	free(client);
	return ret;
}

void xen_detach(struct store *store, struct domain *domain)
{
	struct server *server = store->ops_data;
	struct client *client = domain->io;

	if (!client)
		return;
	zevtchn_unbind(server->evtchn, (unsigned int)client->port);
	unmap_page(server, client);
	list_del(&client->link);
	list_del(&client->active_link);
	domain->io = NULL;
	domain->conn->io = NULL;
	free(client);
}

bool xen_serve(struct server *server, struct client *client)
{
	struct conn *conn = client->conn;
	bool moved = false;
	int pulled = 0, pushed;

	if (ring_wants_reconnect(client->page)) {
		client_reconnect(client);
		zevtchn_notify(server->evtchn, (unsigned int)client->port);
		return false;
	}
	if (client->is_failed)
		return false;
	pushed = ring_push(client->page, conn);
	if (pushed >= 0 && conn_is_ready(conn))
		pulled = ring_pull(client->page, conn, &moved);
	if (pushed >= 0 && pulled >= 0) {
		int more = ring_push(client->page, conn);

		pushed = more < 0 ? more : pushed | more;
	}
	if (conn->is_broken)
		pushed = -XENSTORE_ERROR_COMM;
	if (pushed < 0 || pulled < 0)
		client_fail(client, (uint32_t)(pushed < 0 ? -pushed : -pulled));
	if (pushed || pulled || moved)
		zevtchn_notify(server->evtchn, (unsigned int)client->port);
	if (client->is_failed || !ring_has_input(client->page, conn))
		return false;
	/* Too many answers waiting: the domain tells when it has taken some. */
	return conn_is_ready(conn) || conn->held_until_ms > server->store.now_ms;
}

static bool is_same_domain(const struct domain *domain, const struct xen_domctl_getdomaininfo *info)
{
	return !memcmp(domain->handle, info->handle, sizeof(domain->handle));
}

/* Returns whether @releaseDomain is due. */
static bool check_domain(struct server *server, struct domain *domain)
{
	struct xen_domctl_getdomaininfo info;
	int ret = hyp_domain_get_info(server->hyp, domain->domid, &info);

	if (ret && ret != -ESRCH) {
		log_error("domain %u: %s", domain->domid, strerror(-ret));
		return false;
	}
	if (ret || (info.flags & XEN_DOMINF_dying) ||
	    (server->is_restoring && !is_same_domain(domain, &info))) {
		log_info("domain %u is gone", domain->domid);
		domain_release(domain, true);
		return true;
	}
	if ((info.flags & XEN_DOMINF_shutdown) && !domain->is_shut_down)
		domain_set_shut_down(domain);
	return false;
}

static void check_domains(struct server *server)
{
	struct domain *domain, *tmp;
	bool is_due = false;

	list_for_each_entry_safe(domain, tmp, &server->store.domains, link) {
		if (domain->domid)
			is_due |= check_domain(server, domain);
	}
	if (is_due)
		watch_fire_special(&server->store, SPECIAL_RELEASE);
	journal_commit(server->store.journal);
}

static struct client *find_client(struct server *server, int port)
{
	struct client *client;

	list_for_each_entry(client, &server->clients, link) {
		if (client->fd < 0 && client->port == port)
			return client;
	}
	return NULL;
}

void xen_handle_events(struct server *server)
{
	struct client *client;
	int port;

	for (int i = 0; i < PORTS_PER_TURN; i++) {
		port = zevtchn_pending(server->evtchn);
		if (port < 0)
			return;
		/* First unmasked, then looked at: what comes meanwhile fires again. */
		zevtchn_unmask(server->evtchn, (unsigned int)port);
		client = find_client(server, port);
		if (port == server->virq_port)
			check_domains(server);
		else if (client)
			client_activate(server, client);
	}
}

/* dom0's kernel: known from the journal, or new. */
static int start_own_ring(struct server *server)
{
	struct store *store = &server->store;
	struct xenstore_domain_interface *page;
	struct domain *domain = domain_find(store, 0);
	uint32_t port;
	int ret = map_own_page(&page, &port);

	if (ret)
		return ret;
	munmap(page, RING_PAGE_SIZE);
	if (domain && domain->port == port)
		return xen_attach(store, domain);
	server->is_restoring = false;
	ret = domain_introduce(store, 0, 0, port);
	server->is_restoring = true;
	return ret;
}

static void restore_domain(struct server *server, struct domain *domain)
{
	int ret = xen_attach(&server->store, domain);

	if (!ret)
		return;
	log_error("domain %u: cannot reach it again: %s", domain->domid, strerror(-ret));
	domain_release(domain, false);
}

static int open_devices(struct server *server)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = SERVER_EVENT_EVTCHN};
	int ret = hyp_open(&server->hyp);

	if (!ret)
		ret = zevtchn_open(&server->evtchn);
	if (!ret)
		ret = zgntdev_open(&server->gntdev);
	if (ret)
		return ret;
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, zevtchn_fd(server->evtchn), &event) < 0)
		return -errno;
	return 0;
}

int xen_start(struct server *server)
{
	struct domain *domain, *tmp;
	int ret = open_devices(server);

	if (ret)
		return ret;
	server->is_restoring = true;
	server->bind_retries = BIND_RETRIES;
	ret = bind_after_predecessor(server, BIND_VIRQ, VIRQ_DOM_EXC);
	if (ret < 0)
		log_error("cannot learn of domains that end (VIRQ_DOM_EXC): %s", strerror(-ret));
	server->virq_port = ret;
	check_domains(server);
	list_for_each_entry_safe(domain, tmp, &server->store.domains, link) {
		if (domain->domid)
			restore_domain(server, domain);
	}
	ret = start_own_ring(server);
	server->is_restoring = false;
	server->bind_retries = 0;
	journal_commit(server->store.journal);
	return ret;
}

void xen_stop(struct server *server)
{
	struct domain *domain;

	list_for_each_entry(domain, &server->store.domains, link)
		xen_detach(&server->store, domain);
	zevtchn_close(server->evtchn);
	zgntdev_close(server->gntdev);
	hyp_close(server->hyp);
	server->evtchn = NULL;
	server->gntdev = NULL;
	server->hyp = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as a process with guests on rings, the hypervisor's devices played
 * by this file: pages in shared memory, events in a pipe.  Guests talk without
 * pause while the daemon is killed and started again.
 * Tools: stored stored/server.c stored/socket.c stored/xen.c lib/daemon lib/store
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evtchn/evtchn.h"
#include "evtchn/gntdev.h"
#include "fixture.h"
#include "hyp/domain.h"
#include "hyp/hyp.h"
#include "hyp/memory.h"
#include "store/zstore.h"
#include "stored/server.h"

#define GUESTS 4

/* --- the devices --- */

static struct xenstore_domain_interface *pages; /* one for each guest */
static volatile int *is_dying;			/* one for each guest */
static volatile int *nr_refusals;		/* binds that fail before any succeeds */
static volatile int *nr_binds;			/* tried so far */
static unsigned int nr_unbindable;		/* the first guests closed their channels */
static int event_pipe[2];

int zevtchn_open(struct zevtchn **evtchn)
{
	*evtchn = (struct zevtchn *)event_pipe;
	return 0;
}

void zevtchn_close(struct zevtchn *evtchn)
{
	(void)evtchn;
}

int zevtchn_fd(const struct zevtchn *evtchn)
{
	(void)evtchn;
	return event_pipe[0];
}

int zevtchn_bind_interdomain(struct zevtchn *evtchn, unsigned int domid, unsigned int remote_port)
{
	(void)evtchn;
	(void)remote_port;
	(*nr_binds)++;
	if (*nr_refusals > 0) {
		(*nr_refusals)--;
		return -EINVAL;
	}
	return domid <= nr_unbindable ? -EINVAL : (int)domid + 100;
}

int zevtchn_bind_virq(struct zevtchn *evtchn, unsigned int virq)
{
	(void)evtchn;
	(void)virq;
	return 99;
}

int zevtchn_unbind(struct zevtchn *evtchn, unsigned int port)
{
	(void)evtchn;
	(void)port;
	return 0;
}

int zevtchn_notify(struct zevtchn *evtchn, unsigned int port)
{
	(void)evtchn;
	(void)port;
	return 0;
}

int zevtchn_unmask(struct zevtchn *evtchn, unsigned int port)
{
	(void)evtchn;
	(void)port;
	return 0;
}

int zevtchn_pending(struct zevtchn *evtchn)
{
	unsigned char port;

	(void)evtchn;
	return read(event_pipe[0], &port, 1) == 1 ? port : -EAGAIN;
}

int zgntdev_open(struct zgntdev **gntdev)
{
	*gntdev = (struct zgntdev *)event_pipe;
	return 0;
}

void zgntdev_close(struct zgntdev *gntdev)
{
	(void)gntdev;
}

int zgntdev_map(struct zgntdev *gntdev, unsigned int domid, uint32_t ref, void **page)
{
	(void)gntdev;
	if (ref != GNTTAB_RESERVED_XENSTORE || !domid || domid > GUESTS)
		return -EINVAL;
	*page = &pages[domid - 1];
	return 0;
}

int zgntdev_unmap(struct zgntdev *gntdev, void *page)
{
	(void)gntdev;
	(void)page;
	return 0;
}

int hyp_open(struct hyp **out)
{
	*out = (struct hyp *)event_pipe;
	return 0;
}

void hyp_close(struct hyp *hyp)
{
	(void)hyp;
}

int hyp_domain_get_info(struct hyp *hyp, domid_t domid, struct xen_domctl_getdomaininfo *info)
{
	(void)hyp;
	memset(info, 0, sizeof(*info));
	if (!domid || domid > GUESTS)
		return -ESRCH;
	info->handle[0] = (uint8_t)domid;
	if (is_dying[domid - 1])
		info->flags |= XEN_DOMINF_dying;
	return 0;
}

int hyp_foreign_map(struct hyp *hyp, domid_t domid, int prot, const xen_pfn_t *frames,
		    unsigned long nr, void **addr)
{
	(void)hyp;
	(void)domid;
	(void)prot;
	(void)frames;
	(void)nr;
	(void)addr;
	return -EINVAL;
}

void hyp_foreign_unmap(void *addr, unsigned long nr)
{
	(void)addr;
	(void)nr;
}

/* --- the daemon --- */

static char dir[64], socket_path[80], journal_path[80];
static pid_t daemon_pid;

static void run_daemon(void)
{
	struct domain *domain, *tmp;
	struct server server;
	bool torn;
	int ret;

	signal(SIGPIPE, SIG_IGN);
	if (server_init(&server))
		_exit(1);
	ret = journal_load(&server.store, journal_path, "boot", &torn);
	if (ret < 0 || torn || journal_start(&server.store, journal_path, "boot"))
		_exit(2);
	/* Without a page of dom0's own xen_start() fails after all else is done. */
	if (xen_start(&server) != -ENOENT)
		_exit(3);
	list_for_each_entry_safe(domain, tmp, &server.store.domains, link) {
		if (!domain->io)
			_exit(4);
	}
	if (socket_listen(&server, socket_path))
		_exit(5);
	ret = server_run(&server);
	_exit(6);
}

static void start_daemon(void)
{
	daemon_pid = fork();
	if (!daemon_pid)
		run_daemon();
}

static void kill_daemon(void)
{
	int status;

	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, &status, 0);
	/* It must not have ended by itself before. */
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* --- the guests --- */

struct guest {
	struct xenstore_domain_interface *page;
	unsigned int domid;
	char out[128]; /* the request being sent */
	uint32_t out_len, out_sent;
	char in[256];
	uint32_t in_have;
	uint32_t asked, answered, events;
};

static void raise_event(unsigned int port)
{
	unsigned char byte = (unsigned char)port;

	/* A full pipe means that the daemon will look anyway. */
	if (write(event_pipe[1], &byte, 1) < 0)
		return;
}

static void compose(struct guest *guest)
{
	struct xsd_sockmsg hdr = {XS_WRITE, guest->asked, 0, 0};
	char body[64];
	int len;

	if (guest->asked == 0) {
		hdr.type = XS_WATCH;
		len = snprintf(body, sizeof(body), "n%ctoken", '\0') + 1;
	} else if (guest->asked % 7 == 3) {
		hdr.type = XS_TRANSACTION_START;
		len = 1;
		body[0] = '\0';
	} else {
		len = snprintf(body, sizeof(body), "n%c%u", '\0', guest->asked);
	}
	hdr.len = (uint32_t)len;
	memcpy(guest->out, &hdr, sizeof(hdr));
	memcpy(guest->out + sizeof(hdr), body, hdr.len);
	guest->out_len = (uint32_t)sizeof(hdr) + hdr.len;
	guest->out_sent = 0;
	guest->asked++;
}

/* Sends some bytes, if it has not asked too much yet. */
static void guest_send(struct guest *guest, uint32_t limit)
{
	struct xenstore_domain_interface *page = guest->page;

	if (guest->out_sent == guest->out_len && guest->asked - guest->answered < 8)
		compose(guest);
	while (guest->out_sent < guest->out_len && limit-- &&
	       page->req_prod - page->req_cons < XENSTORE_RING_SIZE) {
		page->req[MASK_XENSTORE_IDX(page->req_prod)] = guest->out[guest->out_sent++];
		__atomic_store_n(&page->req_prod, page->req_prod + 1, __ATOMIC_RELEASE);
	}
}

static void guest_receive(struct guest *guest)
{
	struct xenstore_domain_interface *page = guest->page;
	struct xsd_sockmsg hdr;

	while (guest->in_have < sizeof(guest->in) &&
	       page->rsp_cons != __atomic_load_n(&page->rsp_prod, __ATOMIC_ACQUIRE)) {
		guest->in[guest->in_have++] = page->rsp[MASK_XENSTORE_IDX(page->rsp_cons)];
		page->rsp_cons++;
	}
	while (guest->in_have >= sizeof(hdr)) {
		memcpy(&hdr, guest->in, sizeof(hdr));
		assert_true(hdr.len < 64);
		if (guest->in_have < sizeof(hdr) + hdr.len)
			return;
		if (hdr.type == XS_WATCH_EVENT)
			guest->events++;
		else
			assert_int_equal(hdr.req_id, guest->answered++);
		guest->in_have -= (uint32_t)sizeof(hdr) + hdr.len;
		memmove(guest->in, guest->in + sizeof(hdr) + hdr.len, guest->in_have);
	}
}

/* Nothing asked is lost or answered twice, whenever the daemon is killed. */
static void guests_do_not_notice_kills(void **state)
{
	struct guest guests[GUESTS] = {0};
	struct zstore *client = NULL;
	uint32_t total = 0;

	(void)state;
	start_daemon();
	for (int i = 0; i < 500 && zstore_open_path(&client, socket_path, ZSTORE_RECONNECT); i++)
		usleep(10000);
	assert_non_null(client);
	assert_int_equal(zstore_watch(client, "/local/domain", "all"), 0);
	for (unsigned int i = 0; i < GUESTS; i++) {
		struct zstore_perm perm = {i + 1, ZSTORE_PERM_NONE};
		char path[64];

		guests[i].page = &pages[i];
		guests[i].domid = i + 1;
		snprintf(path, sizeof(path), "/local/domain/%u", i + 1);
		assert_int_equal(zstore_mkdir(client, 0, path), 0);
		assert_int_equal(zstore_set_perms(client, 0, path, &perm, 1), 0);
		assert_int_equal(zstore_introduce(client, i + 1, 1, 1), 0);
	}
	for (int round = 0; round < 40; round++) {
		for (int step = 0; step < 150; step++) {
			struct guest *guest = &guests[step % GUESTS];

			guest_send(guest, (uint32_t)(step * 7 + round) % 40 + 1);
			raise_event(guest->domid + 100);
			usleep(30);
			guest_receive(guest);
		}
		kill_daemon();
		start_daemon();
		if (round % 8 == 7)
			assert_int_equal(zstore_write_string(client, 0, "/between", "kills"), 0);
	}
	/* All that is still open is answered in the end. */
	for (int step = 0; step < 20000; step++) {
		struct guest *guest = &guests[step % GUESTS];

		if (guest->answered == guest->asked)
			continue;
		if (guest->out_sent < guest->out_len)
			guest_send(guest, 1000);
		raise_event(guest->domid + 100);
		usleep(50);
		guest_receive(guest);
	}
	for (int i = 0; i < GUESTS; i++) {
		assert_int_equal(guests[i].answered, guests[i].asked);
		assert_true(guests[i].events > 0);
		total += guests[i].answered;
	}
	print_message("# %u requests of %d guests answered over 40 kills\n", total, GUESTS);
	/* One dies while the daemon is away: it is noticed. */
	kill_daemon();
	is_dying[1] = 1;
	start_daemon();
	bool introduced = true;

	assert_int_equal(zstore_is_introduced(client, 2, &introduced), 0);
	assert_false(introduced);
	assert_int_equal(zstore_is_introduced(client, 1, &introduced), 0);
	assert_true(introduced);
	/* Another dies under its eyes. */
	is_dying[2] = 1;
	raise_event(99);
	for (int i = 0; i < 200 && introduced; i++) {
		usleep(10000);
		assert_int_equal(zstore_is_introduced(client, 3, &introduced), 0);
	}
	assert_false(introduced);
	zstore_close(client);
	kill_daemon();
}

/* The channels of a killed daemon are let go late, and some guests have closed their own. */
static void channels_are_waited_for_once(void **state)
{
	struct zstore *client = NULL;
	bool introduced;

	(void)state;
	start_daemon();
	for (int i = 0; i < 500 && zstore_open_path(&client, socket_path, ZSTORE_RECONNECT); i++)
		usleep(10000);
	assert_non_null(client);
	for (unsigned int i = 1; i <= GUESTS; i++)
		assert_int_equal(zstore_introduce(client, i, 1, 1), 0);
	kill_daemon();
	*nr_refusals = 20;
	start_daemon();
	for (unsigned int i = 1; i <= GUESTS; i++) {
		assert_int_equal(zstore_is_introduced(client, i, &introduced), 0);
		assert_true(introduced);
	}
	assert_int_equal(*nr_refusals, 0);
	/* Introducing is not restoring: nobody is to wait then. */
	*nr_refusals = 1;
	assert_int_equal(zstore_introduce(client, 1, 2, 2), -EINVAL);
	assert_int_equal(zstore_introduce(client, 1, 2, 2), 0);
	kill_daemon();
	nr_unbindable = GUESTS - 1;
	*nr_binds = 0;
	start_daemon();
	for (unsigned int i = 1; i <= GUESTS; i++) {
		assert_int_equal(zstore_is_introduced(client, i, &introduced), 0);
		assert_int_equal(introduced, i == GUESTS);
	}
	assert_true(*nr_binds < 120);
	zstore_close(client);
	kill_daemon();
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test-guests-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	snprintf(journal_path, sizeof(journal_path), "%s/journal", dir);
	pages = mmap(NULL, sizeof(*pages) * GUESTS + 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	is_dying = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	nr_refusals = is_dying + GUESTS;
	nr_binds = nr_refusals + 1;
	nr_unbindable = 0;
	return pipe2(event_pipe, O_NONBLOCK);
}

static int teardown(void **state)
{
	(void)state;
	unlink(socket_path);
	unlink(journal_path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(guests_do_not_notice_kills, setup, teardown),
		cmocka_unit_test_setup_teardown(channels_are_waited_for_once, setup, teardown),
	};

	return cmocka_run_group_tests_name("stored/guests", tests, NULL, NULL);
}

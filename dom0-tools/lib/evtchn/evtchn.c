/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /dev/xen/evtchn: see evtchn.h.  The device hands out 32-bit port numbers by
 * read() and takes them back, to unmask, by write().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/sys/evtchn.h>

#include "evtchn.h"

struct zevtchn {
	int fd;
};

int zevtchn_open(struct zevtchn **out)
{
	struct zevtchn *evtchn = malloc(sizeof(*evtchn));
	int ret;

	if (!evtchn)
		return -ENOMEM;
	evtchn->fd = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (evtchn->fd < 0) {
		ret = -errno;
		free(evtchn);
		return ret;
	}
	*out = evtchn;
	return 0;
}

void zevtchn_close(struct zevtchn *evtchn)
{
	if (!evtchn)
		return;
	close(evtchn->fd);
	free(evtchn);
}

int zevtchn_fd(const struct zevtchn *evtchn)
{
	return evtchn->fd;
}

static int evtchn_ioctl(struct zevtchn *evtchn, unsigned long request, void *arg)
{
	int ret = ioctl(evtchn->fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int zevtchn_bind_interdomain(struct zevtchn *evtchn, unsigned int domid, unsigned int remote_port)
{
	struct ioctl_evtchn_bind_interdomain bind = {
		.remote_domain = domid,
		.remote_port = remote_port,
	};

	return evtchn_ioctl(evtchn, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
}

int zevtchn_bind_virq(struct zevtchn *evtchn, unsigned int virq)
{
	struct ioctl_evtchn_bind_virq bind = {.virq = virq};

	return evtchn_ioctl(evtchn, IOCTL_EVTCHN_BIND_VIRQ, &bind);
}

int zevtchn_bind_unbound(struct zevtchn *evtchn, unsigned int domid)
{
	struct ioctl_evtchn_bind_unbound_port bind = {.remote_domain = domid};

	return evtchn_ioctl(evtchn, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);
}

int zevtchn_unbind(struct zevtchn *evtchn, unsigned int port)
{
	struct ioctl_evtchn_unbind unbind = {.port = port};

	return evtchn_ioctl(evtchn, IOCTL_EVTCHN_UNBIND, &unbind);
}

int zevtchn_notify(struct zevtchn *evtchn, unsigned int port)
{
	struct ioctl_evtchn_notify notify = {.port = port};

	return evtchn_ioctl(evtchn, IOCTL_EVTCHN_NOTIFY, &notify);
}

int zevtchn_pending(struct zevtchn *evtchn)
{
	uint32_t port;
	ssize_t n;

	do {
		n = read(evtchn->fd, &port, sizeof(port));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(port) ? (int)port : -EIO;
}

int zevtchn_unmask(struct zevtchn *evtchn, unsigned int port)
{
	uint32_t p = port;
	ssize_t n;

	do {
		n = write(evtchn->fd, &p, sizeof(p));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(p) ? 0 : -EIO;
}

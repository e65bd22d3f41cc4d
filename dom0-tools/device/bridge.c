/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: bridges and links of dom0, by the classic ioctls (netdevice(7)) and, for events,
 * an rtnetlink(7) subscription whose messages are never parsed: any one means "look again".
 */
#include "device/bridge.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool link_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

int bridge_check(const char *bridge)
{
	char path[64];

	if (strlen(bridge) >= IFNAMSIZ || strchr(bridge, '/') || !link_exists(bridge))
		return -ENODEV;
	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", bridge);
	if (!access("/sys/class/net", F_OK) && access(path, F_OK))
		return -ENOTSUP;
	return 0;
}

static void ifreq_init(struct ifreq *req, const char *name)
{
	memset(req, 0, sizeof(*req));
	snprintf(req->ifr_name, sizeof(req->ifr_name), "%s", name);
}

static int link_set_up(int fd, const char *name)
{
	struct ifreq req;

	ifreq_init(&req, name);
	if (ioctl(fd, SIOCGIFFLAGS, &req))
		return -errno;
	req.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &req) ? -errno : 0;
}

static int link_set_mtu(int fd, const char *name, const char *bridge, unsigned int mtu)
{
	struct ifreq req;

	if (!mtu) {
		ifreq_init(&req, bridge);
		if (ioctl(fd, SIOCGIFMTU, &req))
			return -errno;
		mtu = (unsigned int)req.ifr_mtu;
	}
	ifreq_init(&req, name);
	req.ifr_mtu = (int)mtu;
	return ioctl(fd, SIOCSIFMTU, &req) ? -errno : 0;
}

int bridge_add_port(const char *bridge, const char *port, unsigned int mtu)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req;
	int rc;

	/* A dom0 without IPv4 still has packet sockets; any socket does for these ioctls. */
	if (fd < 0)
		fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = link_set_mtu(fd, port, bridge, mtu);
	if (rc)
		goto close_socket;
	ifreq_init(&req, bridge);
	req.ifr_ifindex = (int)if_nametoindex(port);
	if (ioctl(fd, SIOCBRADDIF, &req)) {
		rc = -errno;
		goto close_socket;
	}
	rc = link_set_up(fd, port);

close_socket:
	close(fd);
	return rc;
}

int link_rename(const char *from, const char *to)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req;
	int rc = 0;

	if (fd < 0)
		return -errno;
	ifreq_init(&req, from);
	snprintf(req.ifr_newname, sizeof(req.ifr_newname), "%s", to);
	if (ioctl(fd, SIOCSIFNAME, &req))
		rc = -errno;
	close(fd);
	return rc;
}

int link_watch_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int rc;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

void link_watch_drain(int fd)
{
	char buf[8192];
	ssize_t len;

	/* ENOBUFS tells of lost messages: the caller looks at the links either way. */
	do
		len = recv(fd, buf, sizeof(buf), 0);
	while (len > 0 || (len < 0 && (errno == EINTR || errno == ENOBUFS)));
}

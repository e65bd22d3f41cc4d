/* SPDX-License-Identifier: BSD-2-Clause */
/* Tap links, by /dev/net/tun (Linux' Documentation/networking/tuntap.rst). */
#include "model/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device/bridge.h"
#include "device/net.h"

int tap_open(const struct vif_spec *vif, unsigned int domid, uint32_t devid,
	     struct device_error *error)
{
	struct ifreq req = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	const char *bridge = vif->bridge ? vif->bridge : NET_DEFAULT_BRIDGE;
	int rc, fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return device_error_set(
			error, -errno, "vif %u: /dev/net/tun: %s%s", devid, strerror(errno),
			errno == ENOENT ? "; is the module tun loaded in dom0?" : "");
	snprintf(req.ifr_name, sizeof(req.ifr_name), "vif%u.%u-emu", domid, devid);
	rc = ioctl(fd, TUNSETIFF, &req) ? -errno : 0;
	if (!rc)
		rc = bridge_add_port(bridge, req.ifr_name, vif->has_mtu ? vif->mtu : 0);
	if (!rc)
		return fd;
	close(fd);
	return device_error_set(error, rc, "vif %u: %s cannot be put on bridge %s: %s", devid,
				req.ifr_name, bridge, strerror(-rc));
}

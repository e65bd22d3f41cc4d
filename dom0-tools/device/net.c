/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: virtual network interfaces. What the nodes are for is said in xen/io/netif.h and
 * xl-network-configuration(5). Bridging is done here, by ioctl; no script is run.
 */
#include "device/net.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "device/bridge.h"

static const char *net_bridge(const struct vif_spec *vif)
{
	return vif->bridge ? vif->bridge : NET_DEFAULT_BRIDGE;
}

static int net_check_bridge(const struct vif_spec *vif, uint32_t devid, struct device_error *error)
{
	switch (bridge_check(net_bridge(vif))) {
	case 0:
		return 0;
	case -ENOTSUP:
		return device_error_set(error, -ENOTSUP,
					"vif %u: %s is not a bridge of the Linux kernel", devid,
					net_bridge(vif));
	default:
		return device_error_set(error, -ENODEV, "vif %u: dom0 has no bridge %s%s", devid,
					net_bridge(vif),
					vif->bridge ? "" : " (the default); name one with bridge=");
	}
}

/* QEMU's names of the network cards that hvmloader's and Linux' drivers know. */
static const char *const card_names[] = {"rtl8139",  "e1000", "e1000e",
					 "ne2k_pci", "pcnet", "virtio-net-pci"};

static int net_check_card(const struct vif_spec *vif, uint32_t devid, struct device_error *error)
{
	for (size_t i = 0; i < sizeof(card_names) / sizeof(card_names[0]); i++)
		if (!vif->model || !strcmp(vif->model, card_names[i]))
			return 0;
	return device_error_set(error, -EINVAL,
				"vif %u: model=%s: expected rtl8139, e1000, e1000e, ne2k_pci, "
				"pcnet or virtio-net-pci",
				devid, vif->model);
}

int net_check(const struct vif_spec *vif, uint32_t devid, bool has_model,
	      struct device_error *error)
{
	if (has_model && net_check_card(vif, devid, error))
		return -EINVAL;
	if (vif->type == VIF_TYPE_IOEMU && !has_model)
		return device_error_set(error, -ENOTSUP,
					"vif %u: type=ioemu needs an HVM domain; leave it out",
					devid);
	if (vif->script && !strstr(vif->script, "vif-bridge"))
		return device_error_set(error, -ENOTSUP,
					"vif %u: script=%s: network scripts are not run; give "
					"bridge= and leave it out",
					devid, vif->script);
	if (vif->gatewaydev)
		return device_error_set(
			error, -ENOTSUP,
			"vif %u: gatewaydev=%s: routing is not set up; give bridge=", devid,
			vif->gatewaydev);
	if (vif->backend && strcmp(vif->backend, "0") && strcmp(vif->backend, "Domain-0"))
		return device_error_set(error, -ENOTSUP,
					"vif %u: backend=%s: interfaces are served by dom0 only",
					devid, vif->backend);
	if (vif->vifname && (strlen(vif->vifname) >= IFNAMSIZ || strchr(vif->vifname, '/')))
		return device_error_set(error, -EINVAL,
					"vif %u: vifname=%s: a name of at most %d characters was "
					"expected",
					devid, vif->vifname, IFNAMSIZ - 1);
	return net_check_bridge(vif, devid, error);
}

int net_choose_mac(uint8_t mac[6])
{
	const uint8_t prefix[3] = {0x00, 0x16, 0x3e};

	memcpy(mac, prefix, sizeof(prefix));
	if (getrandom(mac + 3, 3, 0) != 3)
		return -EIO;
	/* The upper half of the range is assigned by hand in large sites: keep to the lower. */
	mac[3] &= 0x7f;
	return 0;
}

void net_link_name(const struct vif_spec *vif, unsigned int domid, uint32_t devid, char *name,
		   size_t size)
{
	if (vif && vif->vifname)
		snprintf(name, size, "%s", vif->vifname);
	else
		snprintf(name, size, "vif%u.%u", domid, devid);
}

static void net_add_common(struct store_entries *list, const char *dir, uint32_t devid,
			   const struct vif_spec *vif)
{
	const uint8_t *m = vif->mac;

	entries_set(list, dir, "state", "1");
	entries_set(list, dir, "handle", "%u", devid);
	entries_set(list, dir, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		    m[5]);
	if (vif->has_mtu)
		entries_set(list, dir, "mtu", "%u", vif->mtu);
}

void net_add_entries(struct store_entries *list, unsigned int domid, uint32_t devid,
		     const struct vif_spec *vif)
{
	const struct entry_access guest_owns = {.owner = domid, .reader = 0};
	const struct entry_access guest_reads = {.owner = 0, .reader = domid};
	char front[64], back[64];

	snprintf(front, sizeof(front), "/local/domain/%u/device/vif/%u", domid, devid);
	snprintf(back, sizeof(back), "/local/domain/0/backend/vif/%u/%u", domid, devid);

	entries_dir(list, front, guest_owns);
	entries_set(list, front, "backend", "%s", back);
	entries_set(list, front, "backend-id", "0");
	net_add_common(list, front, devid, vif);

	entries_dir(list, back, guest_reads);
	entries_set(list, back, "frontend", "%s", front);
	entries_set(list, back, "frontend-id", "%u", domid);
	entries_set(list, back, "online", "1");
	net_add_common(list, back, devid, vif);
	entries_set(list, back, "bridge", "%s", net_bridge(vif));
	entries_set(list, back, "type", "vif");
	/* netback refuses to start without this node, and only hands it to udev. */
	entries_set(list, back, "script", "/bin/true");
	if (vif->ip)
		entries_set(list, back, "ip", "%s", vif->ip);
	if (vif->vifname)
		entries_set(list, back, "vifname", "%s", vif->vifname);
	if (vif->rate_bytes)
		entries_set(list, back, "rate", "%llu,%u", (unsigned long long)vif->rate_bytes,
			    vif->rate_interval_us);
}

int net_connect_link(const struct vif_spec *vif, unsigned int domid, uint32_t devid,
		     struct device_error *error)
{
	char made[IFNAMSIZ], name[IFNAMSIZ];
	int rc = 0;

	net_link_name(NULL, domid, devid, made, sizeof(made));
	net_link_name(vif, domid, devid, name, sizeof(name));
	if (strcmp(made, name))
		rc = link_rename(made, name);
	if (rc)
		return device_error_set(error, rc, "vif %u: %s cannot be named %s: %s", devid, made,
					name, strerror(-rc));
	rc = bridge_add_port(net_bridge(vif), name, vif->has_mtu ? vif->mtu : 0);
	if (rc)
		return device_error_set(error, rc, "vif %u: %s cannot be put on bridge %s: %s",
					devid, name, net_bridge(vif), strerror(-rc));
	return 0;
}

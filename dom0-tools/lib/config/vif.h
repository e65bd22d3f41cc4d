/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzconfig: one network interface of a domain, as xl-network-configuration(5) writes it:
 * comma-separated key=value. An absent MAC is the toolstack's to choose.
 */
#ifndef ZENDO_CONFIG_VIF_H
#define ZENDO_CONFIG_VIF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

enum vif_type {
	VIF_TYPE_DEFAULT,
	VIF_TYPE_PV,	/* type=vif: frontend and backend only */
	VIF_TYPE_IOEMU, /* also an emulated card, HVM only */
};

struct vif_spec {
	bool has_mac;
	uint8_t mac[6];
	char *bridge;
	char *ip; /* as written: addresses separated by spaces */
	char *script;
	char *vifname;
	char *model;
	char *backend;
	char *gatewaydev;
	enum vif_type type;
	uint64_t rate_bytes;	   /* credit per interval; 0: no limit */
	uint32_t rate_interval_us; /* with rate_bytes */
	bool has_devid;
	uint32_t devid;
	bool has_mtu;
	uint32_t mtu;
	bool trusted;
};

/* As disk_spec_parse(). An empty string is a valid interface with every default. */
int vif_spec_parse(const char *spec, struct vif_spec *out, struct config_error *error);
void vif_spec_free(struct vif_spec *vif);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network interface specifications, by xl-network-configuration(5). Grammar only; whether the
 * bridge or the script exists is seen when the interface is attached.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/fields.h"
#include "config/internal.h"
#include "config/vif.h"

#define BAD(error, ...)	 config_error_set(error, -EINVAL, "", 0, 0, __VA_ARGS__)

#define RATE_INTERVAL_US 50000 /* without @INTERVAL */

static int set_mac(struct vif_spec *vif, const char *value, struct config_error *error)
{
	const char *at = value;

	for (int i = 0; i < 6; i++) {
		char digits[3] = {0};

		if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]) ||
		    at[2] != (i < 5 ? ':' : '\0'))
			return BAD(error,
				   "\"%s\" is not a MAC address: expected six pairs of "
				   "hexadecimal digits with colons, like 00:16:3e:01:02:03",
				   value);
		memcpy(digits, at, 2);
		vif->mac[i] = (uint8_t)strtoul(digits, NULL, 16);
		at += 3;
	}
	if (vif->mac[0] & 1)
		return BAD(error, "\"%s\" is a multicast address: expected an even first byte",
			   value);
	vif->has_mac = true;
	return 0;
}

/* Names of interfaces in dom0: Linux takes 15 bytes, no blanks and no slashes. */
static int set_netdev(char **slot, const char *what, const char *value, struct config_error *error)
{
	size_t length = strlen(value);

	if (length == 0 || length > 15 || strpbrk(value, "/ \t:") || value[0] == '.')
		return BAD(error,
			   "%s=\"%s\" is not the name of a network device: expected 1 to 15 "
			   "characters without blanks, ':' or '/'",
			   what, value);
	return field_store(slot, value, error);
}

static int set_unsigned(uint32_t *out, const char *what, const char *value, unsigned long max,
			struct config_error *error)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || number > max)
		return BAD(error, "%s=\"%s\" must be a number from 0 to %lu", what, value, max);
	*out = (uint32_t)number;
	return 0;
}

/* "@20ms" and the like; units s, ms and us. */
static int parse_interval(const char *text, uint32_t *us)
{
	unsigned long number, scale;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (strcmp(end, "s") == 0)
		scale = 1000000;
	else if (strcmp(end, "ms") == 0)
		scale = 1000;
	else if (strcmp(end, "us") == 0)
		scale = 1;
	else
		return -EINVAL;
	if (errno || number == 0 || number > UINT32_MAX / scale)
		return -EINVAL;
	*us = (uint32_t)(number * scale);
	return 0;
}

/* "10Mb/s", "250KB/s", "1MB/s@20ms": bits or bytes, decimal prefixes. */
static int parse_rate(const char *text, struct vif_spec *vif)
{
	unsigned long long rate, scale = 1;
	uint32_t interval = RATE_INTERVAL_US;
	char *at;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	rate = strtoull(text, &at, 10);
	if (*at == 'G' || *at == 'M' || *at == 'K') {
		scale = *at == 'G' ? 1000000000 : *at == 'M' ? 1000000 : 1000;
		at++;
	}
	if (errno || rate == 0 || rate > 1000000000000ULL / scale)
		return -EINVAL;
	rate *= scale;
	if (*at == 'b')
		rate /= 8;
	else if (*at != 'B')
		return -EINVAL;
	at++;
	if (strncmp(at, "/s", 2) != 0)
		return -EINVAL;
	at += 2;
	if (*at == '@' && parse_interval(at + 1, &interval) < 0)
		return -EINVAL;
	if (*at != '@' && *at != '\0')
		return -EINVAL;
	/* At most 10^12 bytes by 2^32 microseconds: divide before it can wrap. */
	vif->rate_bytes = rate / 1000000 * interval + rate % 1000000 * interval / 1000000;
	vif->rate_interval_us = interval;
	return vif->rate_bytes == 0 ? -EINVAL : 0;
}

static int set_rate(struct vif_spec *vif, const char *value, struct config_error *error)
{
	if (parse_rate(value, vif) < 0)
		return BAD(error,
			   "rate=\"%s\" is not a rate: expected 10Mb/s, 250KB/s or "
			   "1MB/s@20ms and the like",
			   value);
	return 0;
}

static int set_type(struct vif_spec *vif, const char *value, struct config_error *error)
{
	if (strcmp(value, "vif") == 0)
		vif->type = VIF_TYPE_PV;
	else if (strcmp(value, "ioemu") == 0)
		vif->type = VIF_TYPE_IOEMU;
	else
		return BAD(error, "type=\"%s\" is not known: expected vif or ioemu", value);
	return 0;
}

static int set_key(struct vif_spec *vif, const char *key, const char *value,
		   struct config_error *error)
{
	uint32_t number = 0;
	int result;

	if (strcmp(key, "mac") == 0)
		return set_mac(vif, value, error);
	if (strcmp(key, "bridge") == 0)
		return set_netdev(&vif->bridge, "bridge", value, error);
	if (strcmp(key, "vifname") == 0)
		return set_netdev(&vif->vifname, "vifname", value, error);
	if (strcmp(key, "gatewaydev") == 0)
		return set_netdev(&vif->gatewaydev, "gatewaydev", value, error);
	if (strcmp(key, "ip") == 0)
		return field_store(&vif->ip, value, error);
	if (strcmp(key, "script") == 0)
		return field_store(&vif->script, value, error);
	if (strcmp(key, "model") == 0)
		return field_store(&vif->model, value, error);
	if (strcmp(key, "backend") == 0)
		return field_store(&vif->backend, value, error);
	if (strcmp(key, "type") == 0)
		return set_type(vif, value, error);
	if (strcmp(key, "rate") == 0)
		return set_rate(vif, value, error);
	if (strcmp(key, "devid") == 0) {
		vif->has_devid = true;
		return set_unsigned(&vif->devid, key, value, 65535, error);
	}
	if (strcmp(key, "mtu") == 0) {
		vif->has_mtu = true;
		return set_unsigned(&vif->mtu, key, value, 65535, error);
	}
	if (strcmp(key, "trusted") == 0) {
		result = set_unsigned(&number, key, value, 1, error);
		vif->trusted = number != 0;
		return result;
	}
	return BAD(error,
		   "interface setting \"%s\" is not known: expected mac, bridge, ip, script, "
		   "vifname, rate, model, type, backend, gatewaydev, devid, mtu or trusted",
		   key);
}

int vif_spec_parse(const char *spec, struct vif_spec *out, struct config_error *error)
{
	struct vif_spec vif = {.trusted = true};
	struct fields fields;
	int result = fields_split(spec, &fields, error);

	if (result)
		return result;
	for (size_t i = 0; i < fields.nr && !result; i++) {
		char *field = fields.field[i], *value;

		if (*field == '\0')
			continue;
		value = field_cut_value(field);
		if (value)
			result = set_key(&vif, field, value, error);
		else
			result = BAD(error, "\"%s\" is not key=value", field);
	}
	if (result)
		vif_spec_free(&vif);
	else
		*out = vif;
	fields_free(&fields);
	return result;
}

void vif_spec_free(struct vif_spec *vif)
{
	free(vif->bridge);
	free(vif->ip);
	free(vif->script);
	free(vif->vifname);
	free(vif->model);
	free(vif->backend);
	free(vif->gatewaydev);
	*vif = (struct vif_spec){0};
}

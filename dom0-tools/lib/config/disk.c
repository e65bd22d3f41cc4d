/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disk specifications, by xl-disk-configuration(5), and virtual device numbers, by
 * xen-vbd-interface(7). Grammar only; nothing here looks at the file system.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/disk.h"
#include "config/fields.h"
#include "config/internal.h"

#define BAD(error, ...) config_error_set(error, -EINVAL, "", 0, 0, __VA_ARGS__)

static const char *const format_names[] = {
	[DISK_FORMAT_RAW] = "raw", [DISK_FORMAT_QCOW] = "qcow", [DISK_FORMAT_QCOW2] = "qcow2",
	[DISK_FORMAT_VHD] = "vhd", [DISK_FORMAT_QED] = "qed",	[DISK_FORMAT_EMPTY] = "empty",
};

#define NR_FORMATS (sizeof(format_names) / sizeof(format_names[0]))

const char *disk_format_name(enum disk_format format)
{
	return format_names[format];
}

/*
 * The unit in letters, as in sda ... sdz, sdaa, or in digits, as in d0p1; then the partition.
 * -1: malformed, or beyond what any numbering can hold.
 */
static int parse_unit(const char **at)
{
	int unit = 0;

	if (!islower((unsigned char)**at))
		return -1;
	for (; islower((unsigned char)**at); (*at)++) {
		unit = unit * 26 + (**at - 'a' + 1);
		if (unit > 1 << 20)
			return -1;
	}
	return unit - 1;
}

/* Decimal without sign or leading zero; -1 otherwise or when above 2^20. */
static int parse_decimal(const char **at)
{
	int number = 0;

	if (!isdigit((unsigned char)**at) || (**at == '0' && isdigit((unsigned char)(*at)[1])))
		return -1;
	for (; isdigit((unsigned char)**at); (*at)++) {
		number = number * 10 + (**at - '0');
		if (number > 1 << 20)
			return -1;
	}
	return number;
}

/* xvd and dNpM: 202 << 8 | disk << 4 | part while that fits, else 1 << 28 | disk << 8 | part. */
static int encode_xvd(int disk, int part, uint32_t *devid)
{
	if (disk < 0 || disk >= 1 << 20 || part < 0 || part > 255)
		return -EINVAL;
	if (disk < 16 && part < 16)
		*devid = 202u << 8 | (uint32_t)disk << 4 | (uint32_t)part;
	else
		*devid = 1u << 28 | (uint32_t)disk << 8 | (uint32_t)part;
	return 0;
}

/* The partition that may follow a disk's name; 0: the whole disk; -1: malformed. */
static int parse_part(const char *at)
{
	int part = 0;

	if (*at != '\0') {
		part = parse_decimal(&at);
		if (part == 0 || *at != '\0')
			return -1;
	}
	return part;
}

int disk_vdev_number(const char *vdev, uint32_t *devid)
{
	const char *at = vdev;
	int disk, part = 0;

	if (strncmp(vdev, "xvd", 3) == 0) {
		at += 3;
		disk = parse_unit(&at);
		return encode_xvd(disk, parse_part(at), devid);
	}
	if (vdev[0] == 'd' && isdigit((unsigned char)vdev[1])) {
		at += 1;
		disk = parse_decimal(&at);
		if (*at == 'p') {
			at++;
			part = parse_decimal(&at);
		}
		return *at ? -EINVAL : encode_xvd(disk, part, devid);
	}
	if (strncmp(vdev, "hd", 2) == 0) {
		at += 2;
		disk = parse_unit(&at);
		part = parse_part(at);
		if (disk < 0 || disk > 3 || part < 0 || part > 63)
			return -EINVAL;
		*devid = (disk < 2 ? 3u : 22u) << 8 | (uint32_t)(disk & 1) << 6 | (uint32_t)part;
		return 0;
	}
	if (strncmp(vdev, "sd", 2) == 0) {
		at += 2;
		disk = parse_unit(&at);
		part = parse_part(at);
		if (disk < 0 || disk > 15 || part < 0 || part > 15)
			return -EINVAL;
		*devid = 8u << 8 | (uint32_t)disk << 4 | (uint32_t)part;
		return 0;
	}
	if (isdigit((unsigned char)vdev[0])) {
		char *end;
		unsigned long number;

		errno = 0;
		number = strtoul(vdev, &end, 0);
		if (*end || errno || number == 0 || number > 0x0fffffff + (1ul << 28))
			return -EINVAL;
		*devid = (uint32_t)number;
		return 0;
	}
	return -EINVAL;
}

static int set_format(struct disk_spec *disk, const char *value, struct config_error *error)
{
	if (*value == '\0')
		return 0;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		if (strcmp(value, format_names[i]) == 0) {
			disk->format = (enum disk_format)i;
			return 0;
		}
	}
	if (strcmp(value, "aio") == 0) {
		disk->format = DISK_FORMAT_RAW;
		return 0;
	}
	return BAD(error,
		   "disk format \"%s\" is not known: expected raw, qcow, qcow2, vhd, qed or "
		   "empty",
		   value);
}

static int set_devtype(struct disk_spec *disk, const char *value, struct config_error *error)
{
	if (strcmp(value, "cdrom") == 0)
		disk->is_cdrom = true;
	else if (strcmp(value, "disk") == 0)
		disk->is_cdrom = false;
	else
		return BAD(error, "disk type \"%s\" is not known: expected cdrom or disk", value);
	return 0;
}

/* The older spelling "hdc:cdrom" puts the device type behind the name. */
static int set_vdev(struct disk_spec *disk, char *value, struct config_error *error)
{
	char *colon = strchr(value, ':');
	int result;

	if (colon) {
		*colon = '\0';
		result = set_devtype(disk, colon + 1, error);
		if (result)
			return result;
	}
	if (*value == '\0')
		return 0;
	if (disk_vdev_number(value, &disk->devid) < 0)
		return BAD(error,
			   "\"%s\" is not a disk's name in the guest: expected xvda, xvda1, "
			   "hda, sda, d0p1 and the like",
			   value);
	return field_store(&disk->vdev, value, error);
}

/* `*chosen` tells that the writer spoke of access, so that a CD-ROM's default does not apply. */
static int set_access(struct disk_spec *disk, const char *value, bool *chosen,
		      struct config_error *error)
{
	if (*value == '\0')
		return 0;
	if (strcmp(value, "w") == 0 || strcmp(value, "rw") == 0)
		disk->writable = true;
	else if (strcmp(value, "r") == 0 || strcmp(value, "ro") == 0)
		disk->writable = false;
	else
		return BAD(error, "disk access \"%s\" is not known: expected r, ro, w or rw",
			   value);
	*chosen = true;
	return 0;
}

static int set_backend_type(struct disk_spec *disk, const char *value, struct config_error *error)
{
	if (strcmp(value, "phy") == 0)
		disk->backend_type = DISK_BACKEND_PHY;
	else if (strcmp(value, "qdisk") == 0)
		disk->backend_type = DISK_BACKEND_QDISK;
	else if (strcmp(value, "tap") == 0)
		disk->backend_type = DISK_BACKEND_TAP;
	else
		return BAD(error,
			   "disk backend type \"%s\" is not known: expected phy, qdisk or "
			   "tap",
			   value);
	return 0;
}

/* The older way to give format and backend: one or more prefixes on the target. */
static int set_target(struct disk_spec *disk, const char *value, struct config_error *error)
{
	static const char *const ignored[] = {"tap2:", "tap:", "aio:", "file:"};
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
			if (strncmp(value, ignored[i], strlen(ignored[i])) == 0) {
				value += strlen(ignored[i]);
				again = true;
			}
		}
		for (size_t i = 0; i < NR_FORMATS; i++) {
			size_t length = strlen(format_names[i]);

			if (i != DISK_FORMAT_EMPTY &&
			    strncmp(value, format_names[i], length) == 0 && value[length] == ':') {
				disk->format = (enum disk_format)i;
				value += length + 1;
				again = true;
			}
		}
		if (strncmp(value, "phy:", 4) == 0) {
			disk->backend_type = DISK_BACKEND_PHY;
			value += 4;
			again = true;
		}
	}
	return *value ? field_store(&disk->target, value, error) : 0;
}

/* Fields that stand alone; false: it is none of them. */
static bool set_flag(struct disk_spec *disk, const char *field)
{
	if (strcmp(field, "cdrom") == 0) {
		disk->is_cdrom = true;
	} else if (strcmp(field, "discard") == 0 || strcmp(field, "no-discard") == 0) {
		disk->has_discard = true;
		disk->discard = field[0] == 'd';
	} else if (strcmp(field, "direct-io-safe") == 0) {
		disk->direct_io_safe = true;
	} else {
		return false;
	}
	return true;
}

static int set_key(struct disk_spec *disk, const char *key, char *value, bool *access_chosen,
		   struct config_error *error)
{
	if (strcmp(key, "format") == 0)
		return set_format(disk, value, error);
	if (strcmp(key, "vdev") == 0)
		return set_vdev(disk, value, error);
	if (strcmp(key, "access") == 0)
		return set_access(disk, value, access_chosen, error);
	if (strcmp(key, "devtype") == 0)
		return set_devtype(disk, value, error);
	if (strcmp(key, "backendtype") == 0)
		return set_backend_type(disk, value, error);
	if (strcmp(key, "backend") == 0)
		return field_store(&disk->backend, value, error);
	if (strcmp(key, "script") == 0)
		return field_store(&disk->script, value, error);
	return BAD(error,
		   "disk setting \"%s\" is not known: expected format, vdev, access, devtype, "
		   "backend, backendtype, script or target",
		   key);
}

static int set_positional(struct disk_spec *disk, unsigned int position, char *field,
			  bool *access_chosen, struct config_error *error)
{
	switch (position) {
	case 0:
		return set_target(disk, field, error);
	case 1:
		return set_format(disk, field, error);
	case 2:
		return set_vdev(disk, field, error);
	case 3:
		return set_access(disk, field, access_chosen, error);
	default:
		return BAD(error,
			   "\"%s\" is one field too many: expected target, format, vdev, "
			   "access, then key=value",
			   field);
	}
}

/* A path may hold '='; a key is lower-case letters and dashes from the start of the field. */
static bool is_key_value(const char *field)
{
	size_t length = strspn(field, "abcdefghijklmnopqrstuvwxyz-");

	return length > 0 && field[length + strspn(field + length, " \t")] == '=';
}

static int parse_fields(struct fields *fields, struct disk_spec *disk, bool *access_chosen,
			struct config_error *error)
{
	unsigned int position = 0;
	int result = 0;

	for (size_t i = 0; i < fields->nr && !result; i++) {
		char *field = fields->field[i];

		if (set_flag(disk, field))
			continue;
		if (is_key_value(field)) {
			char *value = field_cut_value(field);

			result = set_key(disk, field, value, access_chosen, error);
		} else {
			result = set_positional(disk, position++, field, access_chosen, error);
		}
	}
	return result;
}

/* Where "target=" begins a field: its value is the whole rest, commas and all. */
static const char *find_target_key(const char *spec)
{
	const char *at = spec;

	while (at) {
		while (isspace((unsigned char)*at))
			at++;
		if (strncmp(at, "target=", 7) == 0)
			return at;
		at = strchr(at, ',');
		if (at)
			at++;
	}
	return NULL;
}

static int check_disk(struct disk_spec *disk, bool access_chosen, struct config_error *error)
{
	if (!disk->vdev)
		return BAD(error, "the disk has no name in the guest: expected vdev=xvda or the "
				  "like as the third field");
	if (disk->is_cdrom && access_chosen && disk->writable)
		return BAD(error, "a cdrom cannot be writable: expected access r or ro");
	if (disk->is_cdrom)
		disk->writable = false;
	if (disk->format == DISK_FORMAT_EMPTY && disk->target)
		return BAD(error, "a disk of format empty has no target, but \"%s\" is given",
			   disk->target);
	if (!disk->target && !disk->is_cdrom && disk->format != DISK_FORMAT_EMPTY)
		return BAD(error, "the disk %s has no target: expected a file or block device",
			   disk->vdev);
	if (!disk->target)
		disk->format = DISK_FORMAT_EMPTY;
	return 0;
}

int disk_spec_parse(const char *spec, struct disk_spec *out, struct config_error *error)
{
	struct disk_spec disk = {.writable = true};
	const char *target = find_target_key(spec);
	bool access_chosen = false;
	struct fields fields = {0};
	char *head;
	int result = 0;

	head = strndup(spec, target ? (size_t)(target - spec) : strlen(spec));
	if (!head)
		return config_error_set(error, -ENOMEM, "", 0, 0, "out of memory");
	/* The comma before target= would make an empty field, which could be a fifth one. */
	if (target && target > spec && strrchr(head, ','))
		*strrchr(head, ',') = '\0';
	if (*head)
		result = fields_split(head, &fields, error);
	if (!result)
		result = parse_fields(&fields, &disk, &access_chosen, error);
	if (!result && target)
		result = set_target(&disk, target + 7, error);
	if (!result)
		result = check_disk(&disk, access_chosen, error);
	if (result)
		disk_spec_free(&disk);
	else
		*out = disk;
	fields_free(&fields);
	free(head);
	return result;
}

void disk_spec_free(struct disk_spec *disk)
{
	free(disk->target);
	free(disk->vdev);
	free(disk->script);
	free(disk->backend);
	*disk = (struct disk_spec){0};
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of the configuration parser: any text as a file, every value read in every way, and every
 * string in it as a disk, an interface, a CPU list and a range of ports.
 *
 * Tools: lib/config
 */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/cpulist.h"
#include "config/disk.h"
#include "config/ioports.h"
#include "config/vif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* A second parse of what a list prints must give the same list. */
static void try_cpulist(const char *text)
{
	struct cpulist list, again;
	struct config_error error = {0};
	char buf[256];

	if (cpulist_parse(text, 64, &list, &error) != 0) {
		check(error.text[0] != '\0');
		return;
	}
	cpulist_format(&list, 64, buf, sizeof(buf));
	check(cpulist_parse(buf, 64, &again, &error) == 0);
	check(memcmp(&list, &again, sizeof(list)) == 0);
}

/* What is printed of a range is the same range. */
static void try_ioports(const char *text)
{
	struct ioports ports, again;
	struct config_error error = {0};
	char buf[IOPORTS_SIZE];

	if (ioports_parse(text, &ports, &error) != 0) {
		check(error.text[0] != '\0');
		return;
	}
	check(ports.first <= ports.last);
	ioports_format(&ports, buf);
	check(ioports_parse(buf, &again, &error) == 0);
	check(again.first == ports.first && again.last == ports.last);
}

static void try_string(const char *text)
{
	struct config_error error = {0};
	struct disk_spec disk;
	struct vif_spec vif;

	if (disk_spec_parse(text, &disk, &error) == 0) {
		uint32_t devid;

		check(disk.vdev && disk_vdev_number(disk.vdev, &devid) == 0 && devid == disk.devid);
		check(disk.target || disk.format == DISK_FORMAT_EMPTY);
		disk_spec_free(&disk);
	} else {
		check(error.text[0] != '\0');
	}
	error.text[0] = '\0';
	if (vif_spec_parse(text, &vif, &error) == 0)
		vif_spec_free(&vif);
	else
		check(error.text[0] != '\0');
	try_cpulist(text);
	try_ioports(text);
}

static void try_value(const struct config_value *value)
{
	if (config_value_kind(value) != CONFIG_LIST) {
		try_string(config_value_text(value));
		return;
	}
	for (size_t i = 0; i < config_value_count(value); i++)
		try_value(config_value_item(value, i));
}

static void try_key(const char *file, unsigned int line, const char *key, void *arg)
{
	struct config *config = arg;
	const struct config_value *value;
	struct config_error error;
	const char *text, **strings;
	long long number;
	size_t nr;

	(void)file;
	check(line > 0);
	check(config_get_value(config, key, &value) == 0);
	config_get_string(config, key, &text, &error);
	if (config_get_number(config, key, -5, 5, &number, &error) == 0)
		check(number >= -5 && number <= 5);
	if (config_get_strings(config, key, &strings, &nr, &error) == 0)
		free(strings);
	try_value(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_error error = {0};
	struct config *config;

	if (config_parse_text("f", (const char *)data, size, &config, &error) != 0) {
		check(error.text[0] != '\0');
		return 0;
	}
	config_visit_unknown(config, try_key, config);
	config_free(config);
	return 0;
}

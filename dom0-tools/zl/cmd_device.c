/* SPDX-License-Identifier: BSD-2-Clause */
/* zl block-list, network-list: the devices of domains, as the store has them. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/zstore.h"
#include "zl/commands.h"
#include "zl/json.h"
#include "zl/zl.h"

struct device_lister {
	struct zl *zl;
	struct json_object *json; /* NULL: print columns */
	domid_t domid;
	char front[96];
	char back[96];
};

/* A node of a device, malloc()ed, or a copy of `missing`. */
static char *device_read(struct device_lister *lister, const char *dir, const char *leaf,
			 const char *missing)
{
	char path[160], *value;

	snprintf(path, sizeof(path), "%s/%s", dir, leaf);
	if (zstore_read(lister->zl->store, ZSTORE_NO_TX, path, &value, NULL))
		value = strdup(missing);
	return value ? value : strdup("");
}

static void device_add(struct device_lister *lister, struct json_object *out, const char *dir,
		       const char *leaf, const char *key)
{
	char *value = device_read(lister, dir, leaf, "");

	if (value && *value)
		json_add_string(out, key, value);
	free(value);
}

static void device_print(struct device_lister *lister, const char *dir, const char *leaf,
			 const char *missing, int width)
{
	char *value = device_read(lister, dir, leaf, missing);

	printf("%-*s ", width, value ? value : missing);
	free(value);
}

static void block_show(struct device_lister *lister, const char *id)
{
	struct json_object *out;

	if (!lister->json) {
		printf("%-5s ", id);
		device_print(lister, lister->front, "backend-id", "-", 3);
		printf("%-6u ", lister->domid);
		device_print(lister, lister->front, "state", "-", 5);
		device_print(lister, lister->front, "event-channel", "-1", 6);
		device_print(lister, lister->front, "ring-ref", "-1", 8);
		printf("%s\n", lister->back);
		return;
	}
	out = json_object_new_object();
	json_add_int(out, "domid", lister->domid);
	json_add_string(out, "devid", id);
	device_add(lister, out, lister->back, "dev", "vdev");
	device_add(lister, out, lister->back, "params", "target");
	device_add(lister, out, lister->back, "mode", "mode");
	device_add(lister, out, lister->back, "physical-device", "physical_device");
	device_add(lister, out, lister->front, "state", "state");
	device_add(lister, out, lister->back, "state", "backend_state");
	json_add_string(out, "backend", lister->back);
	json_object_array_add(lister->json, out);
}

static void network_show(struct device_lister *lister, const char *id)
{
	struct json_object *out;

	if (!lister->json) {
		printf("%-3s ", id);
		device_print(lister, lister->front, "backend-id", "-", 2);
		device_print(lister, lister->front, "mac", "-", 17);
		device_print(lister, lister->front, "handle", "-", 6);
		device_print(lister, lister->front, "state", "-", 5);
		device_print(lister, lister->front, "event-channel-tx", "-1", 8);
		device_print(lister, lister->front, "tx-ring-ref", "-1", 6);
		device_print(lister, lister->front, "rx-ring-ref", "-1", 8);
		printf("%s\n", lister->back);
		return;
	}
	out = json_object_new_object();
	json_add_int(out, "domid", lister->domid);
	json_add_string(out, "devid", id);
	device_add(lister, out, lister->front, "mac", "mac");
	device_add(lister, out, lister->back, "bridge", "bridge");
	device_add(lister, out, lister->back, "ip", "ip");
	device_add(lister, out, lister->front, "state", "state");
	device_add(lister, out, lister->back, "state", "backend_state");
	json_add_string(out, "backend", lister->back);
	json_object_array_add(lister->json, out);
}

static int device_list_domain(struct device_lister *lister, const char *type)
{
	char dir[64], **ids;
	int i, nr;

	snprintf(dir, sizeof(dir), "/local/domain/%u/device/%s", lister->domid, type);
	nr = zstore_list(lister->zl->store, ZSTORE_NO_TX, dir, &ids);
	if (nr < 0)
		return nr == -ENOENT ? ZL_OK : zl_error("%s: %s", dir, strerror(-nr));
	for (i = 0; i < nr; i++) {
		snprintf(lister->front, sizeof(lister->front), "%s/%.20s", dir, ids[i]);
		snprintf(lister->back, sizeof(lister->back), "/local/domain/0/backend/%s/%u/%.20s",
			 type, lister->domid, ids[i]);
		if (!strcmp(type, "vbd"))
			block_show(lister, ids[i]);
		else
			network_show(lister, ids[i]);
	}
	zstore_free_names(ids, nr);
	return ZL_OK;
}

static int device_list(const struct command *command, int argc, char **argv, const char *type,
		       const char *header)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	struct device_lister lister = {.json = NULL};
	int option, status = ZL_OK;
	bool as_json = false;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "", options, &status)) > 0)
		as_json = true;
	if (!option)
		return status;
	if (optind == argc)
		return command_usage(command, "%s: expected a domain", command->name);
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	lister.zl = &zl;
	lister.json = as_json ? json_object_new_array() : NULL;
	if (!as_json)
		printf("%s\n", header);
	for (; optind < argc; optind++)
		if (zl_find_domain(&zl, argv[optind], &lister.domid) ||
		    device_list_domain(&lister, type))
			status = ZL_FAILED;
	if (lister.json && json_print(lister.json, stdout))
		status = ZL_FAILED;
	zl_close(&zl);
	return status;
}

int cmd_block_list(const struct command *command, int argc, char **argv)
{
	return device_list(command, argc, argv, "vbd",
			   "Vdev  BE  handle state evt-ch ring-ref BE-path");
}

int cmd_network_list(const struct command *command, int argc, char **argv)
{
	return device_list(
		command, argc, argv, "vif",
		"Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path");
}

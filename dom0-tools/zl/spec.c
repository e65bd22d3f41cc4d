/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: from a parsed configuration file to a domain specification: one small reader for each group
 * of keys of zl.cfg(5). Looks at nothing outside the configuration: whether files, bridges, CPUs
 * and memory are there is asked when the domain is created.
 */
#include "zl/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/net.h"
#include "hyp/abi.h"
#include "zl/spec_reader.h"

#define MEMORY_MAX_MIB (16LL << 20) /* 16 TiB, the reach of the machine-to-physical table */

bool spec_is_name(const char *name)
{
	bool is_number = true;
	size_t i;

	for (i = 0; name[i]; i++) {
		if (!isprint((unsigned char)name[i]) || name[i] == '/' || i == SPEC_NAME_MAX)
			return false;
		is_number = is_number && isdigit((unsigned char)name[i]);
	}
	return !is_number && strcmp(name, ".") && strcmp(name, "..");
}

static void read_identity(struct spec_reader *r)
{
	const char *name = read_string(r, "name");
	const char *uuid = read_string(r, "uuid");

	if (r->rc)
		return;
	if (!name)
		return reader_fail(r, NULL, -EINVAL, "expected name = \"...\", found no such key");
	if (!spec_is_name(name))
		return reader_fail(
			r, "name", -EINVAL,
			"expected a name of 1 to %d printable characters, no '/' and not "
			"a number, found \"%s\"",
			SPEC_NAME_MAX, name);
	r->spec->name = copy_string(r, name);
	if (!uuid)
		r->rc = r->rc ? r->rc : uuid_choose(r->spec->uuid);
	else if (uuid_parse(uuid, r->spec->uuid))
		reader_fail(r, "uuid", -EINVAL,
			    "expected a UUID such as 1b4e28ba-2fa1-41d2-883f-0016d3cca427, found "
			    "\"%s\"",
			    uuid);
}

static const char *const type_names[] = {
	[DOMAIN_PV] = "pv",
	[DOMAIN_PVH] = "pvh",
	[DOMAIN_HVM] = "hvm",
};

const char *domain_type_name(enum domain_type type)
{
	return type_names[type];
}

static void read_type(struct spec_reader *r)
{
	const char *type = read_string(r, "type");
	const char *key = "type";
	size_t i;

	if (!type && !r->rc) {
		key = "builder";
		type = read_string(r, key);
		if (type && (!strcmp(type, "generic") || !strcmp(type, "linux")))
			type = NULL;
	}
	if (r->rc || !type)
		return;
	for (i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		if (!strcmp(type, type_names[i])) {
			r->spec->type = (enum domain_type)i;
			return;
		}
	}
	reader_fail(r, key, -EINVAL, "expected \"pv\", \"pvh\" or \"hvm\", found \"%s\"", type);
}

/* cmdline is the whole command line; root and extra make one when it is not there. */
static void read_cmdline(struct spec_reader *r)
{
	const char *cmdline = read_string(r, "cmdline");
	const char *root = read_string(r, "root");
	const char *extra = read_string(r, "extra");
	char *text = NULL;

	if (r->rc)
		return;
	if (cmdline && (root || extra))
		return reader_fail(r, "cmdline", -EINVAL,
				   "expected either cmdline, or root and extra, found both");
	if (cmdline)
		r->spec->cmdline = copy_string(r, cmdline);
	else if (asprintf(&text, "%s%s%s%s", root ? "root=" : "", root ? root : "",
			  root && extra ? " " : "", extra ? extra : "") < 0)
		reader_fail(r, NULL, -ENOMEM, "out of memory");
	else
		r->spec->cmdline = text;
}

static void read_boot(struct spec_reader *r)
{
	const char *kernel = read_string(r, "kernel");

	if (!r->rc && has_key(r, "bootloader"))
		return reader_fail(
			r, "bootloader", -EOPNOTSUPP,
			"boot loaders are not run; give the kernel with kernel = \"...\"");
	if (r->rc)
		return;
	if ((!kernel || !*kernel) && r->spec->type == DOMAIN_HVM)
		kernel = NULL;
	else if (!kernel || !*kernel)
		return reader_fail(r, "kernel", -EINVAL,
				   "expected kernel = \"FILE\", found no such key");
	r->spec->kernel = copy_string(r, kernel);
	r->spec->ramdisk = copy_string(r, read_string(r, "ramdisk"));
	if (r->spec->ramdisk && !*r->spec->ramdisk) {
		free(r->spec->ramdisk);
		r->spec->ramdisk = NULL;
	}
	read_cmdline(r);
}

static void read_memory(struct spec_reader *r)
{
	long long memory = 0, maxmem = 0;
	bool has_memory = read_number(r, "memory", 1, MEMORY_MAX_MIB, &memory);
	bool has_maxmem = read_number(r, "maxmem", 1, MEMORY_MAX_MIB, &maxmem);

	if (r->rc)
		return;
	if (!has_memory && !has_maxmem)
		return reader_fail(r, NULL, -EINVAL, "expected memory = MIB, found no such key");
	if (!has_memory)
		memory = maxmem;
	if (!has_maxmem)
		maxmem = memory;
	if (maxmem < memory)
		return reader_fail(r, "maxmem", -ERANGE,
				   "expected maxmem of at least memory (%lld), found %lld", memory,
				   maxmem);
	r->spec->memory_kib = (uint64_t)memory * 1024;
	r->spec->maxmem_kib = (uint64_t)maxmem * 1024;
}

static void read_vcpus(struct spec_reader *r)
{
	long long vcpus = 1, maxvcpus = 0;
	bool has_vcpus = read_number(r, "vcpus", 1, SPEC_VCPUS_MAX, &vcpus);
	bool has_maxvcpus = read_number(r, "maxvcpus", 1, SPEC_VCPUS_MAX, &maxvcpus);

	if (r->rc)
		return;
	if (!has_maxvcpus)
		maxvcpus = vcpus;
	if (!has_vcpus)
		vcpus = maxvcpus;
	if (r->spec->type != DOMAIN_PV &&
	    (vcpus > SPEC_VCPUS_MAX_HVM || maxvcpus > SPEC_VCPUS_MAX_HVM))
		return reader_fail(r, maxvcpus > vcpus ? "maxvcpus" : "vcpus", -ERANGE,
				   "expected at most %d vCPUs for a %s domain, found %lld",
				   SPEC_VCPUS_MAX_HVM, domain_type_name(r->spec->type),
				   maxvcpus > vcpus ? maxvcpus : vcpus);
	if (maxvcpus < vcpus)
		return reader_fail(r, "maxvcpus", -ERANGE,
				   "expected maxvcpus of at least vcpus (%lld), found %lld", vcpus,
				   maxvcpus);
	r->spec->vcpus = (uint32_t)vcpus;
	r->spec->maxvcpus = (uint32_t)maxvcpus;
}

/*
 * A list of strings, each made an item of `size` bytes by `read`: 0, or -E and why. The items, which
 * the caller owns, and in *nr how many there are, also when one is in error: those before it.
 */
static void *read_list(struct spec_reader *r, const char *key, size_t size, size_t *nr,
		       int (*read)(struct spec_reader *r, const char *text, void *item,
				   struct config_error *error))
{
	struct config_error error;
	const char **texts = NULL;
	size_t nr_texts = 0;
	char *items = NULL;
	int rc = r->rc ? -ENOENT
		       : config_get_strings(r->config, key, &texts, &nr_texts, r->error);

	if (rc != -ENOENT)
		r->rc = rc;
	if (!rc && nr_texts) {
		items = calloc(nr_texts, size);
		if (!items)
			reader_fail(r, key, -ENOMEM, "out of memory");
	}
	while (items && !r->rc && *nr < nr_texts) {
		rc = read(r, texts[*nr], items + *nr * size, &error);
		if (rc)
			r->rc = config_error_at(r->config, reader_place(r, key, *nr), r->error, rc,
						"%s", error.text);
		else
			(*nr)++;
	}
	free(texts);
	return items;
}

static int read_cpu(struct spec_reader *r, const char *text, void *item, struct config_error *error)
{
	struct cpulist list;
	int rc = cpulist_parse(text, CPULIST_MAX, &list, error);

	if (!rc)
		*(char **)item = copy_string(r, text);
	return rc;
}

/* One string is for all vCPUs; in a list, entry N is for vCPU N. */
static void read_cpus(struct spec_reader *r)
{
	r->spec->cpus = read_list(r, "cpus", sizeof(*r->spec->cpus), &r->spec->nr_cpus, read_cpu);
}

static void read_time(struct spec_reader *r)
{
	static const char *const tsc_modes[] = {"default", "always_emulate", "native"};
	static const char *const timer_modes[] = {
		[HVMPTM_delay_for_missed_ticks] = "delay_for_missed_ticks",
		[HVMPTM_no_delay_for_missed_ticks] = "no_delay_for_missed_ticks",
		[HVMPTM_no_missed_ticks_pending] = "no_missed_ticks_pending",
		[HVMPTM_one_missed_tick_pending] = "one_missed_tick_pending",
	};

	r->spec->timer_mode = HVMPTM_no_delay_for_missed_ticks;
	read_word(r, "tsc_mode", tsc_modes, 3, &r->spec->tsc_mode);
	if (r->spec->type != DOMAIN_PV)
		read_word(r, "timer_mode", timer_modes, 4, &r->spec->timer_mode);
}

static void read_sched(struct spec_reader *r)
{
	long long weight = 0, cap = 0;

	read_number(r, "cpu_weight", 1, 65535, &weight);
	r->spec->has_cap = read_number(r, "cap", 0, 65535, &cap);
	r->spec->weight = (uint32_t)weight;
	r->spec->cap = (uint32_t)cap;
}

/* A long string is named before what is wrong in it. */
static int name_item(const char *key, const char *text, struct config_error *error, int rc)
{
	struct config_error inner = *error;

	if (rc)
		snprintf(error->text, sizeof(error->text), "%s \"%.200s\": %.300s", key, text,
			 inner.text);
	return rc;
}

static int read_disk(struct spec_reader *r, const char *text, void *item,
		     struct config_error *error)
{
	(void)r;
	return name_item("disk", text, error, disk_spec_parse(text, item, error));
}

static void read_disks(struct spec_reader *r)
{
	r->spec->disks =
		read_list(r, "disk", sizeof(*r->spec->disks), &r->spec->nr_disks, read_disk);
}

static int read_vif(struct spec_reader *r, const char *text, void *item, struct config_error *error)
{
	struct vif_spec *vif = item;
	int rc = name_item("vif", text, error, vif_spec_parse(text, vif, error));

	if (rc)
		return rc;
	if (!vif->has_mac && net_choose_mac(vif->mac))
		reader_fail(r, "vif", -EIO, "no random number for a MAC address");
	vif->has_mac = true;
	return 0;
}

static void read_vifs(struct spec_reader *r)
{
	r->spec->vifs = read_list(r, "vif", sizeof(*r->spec->vifs), &r->spec->nr_vifs, read_vif);
}

static int read_ports(struct spec_reader *r, const char *text, void *item,
		      struct config_error *error)
{
	(void)r;
	return ioports_parse(text, item, error);
}

static void read_ioports(struct spec_reader *r)
{
	r->spec->ioports = read_list(r, "ioports", sizeof(*r->spec->ioports),
				     &r->spec->nr_ioports, read_ports);
}

static void read_action(struct spec_reader *r, const char *key, enum lifecycle_action *action)
{
	const char *word = read_string(r, key);
	int rc;

	if (!word)
		return;
	rc = lifecycle_parse_action(word, action);
	if (rc == -EOPNOTSUPP)
		reader_fail(r, key, rc,
			    "%s is not offered; expected destroy, restart, rename-restart or "
			    "preserve",
			    word);
	else if (rc)
		reader_fail(r, key, rc,
			    "expected destroy, restart, rename-restart or preserve, found \"%s\"",
			    word);
}

static void read_actions(struct spec_reader *r)
{
	r->spec->actions = lifecycle_defaults;
	read_action(r, "on_poweroff", &r->spec->actions.on_poweroff);
	read_action(r, "on_reboot", &r->spec->actions.on_reboot);
	read_action(r, "on_watchdog", &r->spec->actions.on_watchdog);
	read_action(r, "on_crash", &r->spec->actions.on_crash);
}

int spec_read(struct config *config, struct domain_spec *spec, struct config_error *error)
{
	struct spec_reader r = {.config = config, .spec = spec, .error = error};

	memset(spec, 0, sizeof(*spec));
	memset(error, 0, sizeof(*error));
	read_identity(&r);
	read_type(&r);
	read_boot(&r);
	read_memory(&r);
	read_vcpus(&r);
	read_cpus(&r);
	read_sched(&r);
	read_time(&r);
	if (spec->type == DOMAIN_HVM)
		read_hvm(&r);
	read_disks(&r);
	read_vifs(&r);
	read_ioports(&r);
	read_actions(&r);
	if (r.rc)
		spec_free(spec);
	return r.rc;
}

void spec_free(struct domain_spec *spec)
{
	size_t i;

	for (i = 0; i < spec->nr_disks; i++)
		disk_spec_free(&spec->disks[i]);
	for (i = 0; i < spec->nr_vifs; i++)
		vif_spec_free(&spec->vifs[i]);
	for (i = 0; i < spec->nr_cpus; i++)
		free(spec->cpus[i]);
	free(spec->disks);
	free(spec->vifs);
	free(spec->ioports);
	free(spec->cpus);
	free(spec->name);
	free(spec->kernel);
	free(spec->ramdisk);
	free(spec->cmdline);
	free(spec->hvm.loader);
	free(spec->hvm.firmware);
	model_config_free(&spec->hvm.model);
	memset(spec, 0, sizeof(*spec));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: making a domain, in the order that leaves the least to undo: what can be checked is checked
 * first, disks are locked and opened next, then the domain is built, and its nodes appear in the
 * store at one stroke. The state file is always a step ahead of what was done: see state.h.
 */
#include "zl/create.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "device/deadline.h"
#include "hyp/domain.h"
#include "hyp/hyp.h"
#include "hyp/system.h"
#include "store/zstore.h"
#include "zl/domains.h"
#include "zl/teardown.h"
#include "zl/zl.h"

#define BACKEND_TIMEOUT_MS 10000
#define NAME_TIMEOUT_MS	   15000
#define PAGES_PER_MIB	   (1024 * 1024 / HYP_PAGE_SIZE)

int creation_fail(struct creation *c, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->error, sizeof(c->error), format, args);
	va_end(args);
	return code;
}

void creation_init(struct creation *c, struct zl *zl, const struct domain_spec *spec)
{
	memset(c, 0, sizeof(*c));
	c->zl = zl;
	c->spec = spec;
	c->devices.disks = spec->disks;
	c->devices.nr_disks = spec->nr_disks;
	c->devices.vifs = spec->vifs;
	c->devices.nr_vifs = spec->nr_vifs;
	c->devices.has_model = spec->type == DOMAIN_HVM;
	model_init(&c->model);
	c->state.fd = -1;
	c->cancel_fd = -1;
}

void creation_fini(struct creation *c)
{
	model_release(&c->model);
	devices_close(&c->devices);
	state_release(&c->state);
}

static bool creation_is_cancelled(const struct creation *c)
{
	struct pollfd fd = {.fd = c->cancel_fd, .events = POLLIN};

	return c->cancel_fd >= 0 && poll(&fd, 1, 0) > 0;
}

void creation_show(const struct creation *c, const char *step)
{
	if (c->progress)
		c->progress(c, step);
}

static int visit_building(void *arg, const struct state_record *record, bool is_owned)
{
	bool is_same = is_owned && record->stage == STATE_BUILDING && !strcmp(record->name, arg);

	return is_same ? -EBUSY : 0;
}

int name_check_building(const char *name)
{
	return state_visit(visit_building, (void *)(uintptr_t)name);
}

int name_check_free(struct zl *zl, const char *name)
{
	domid_t domid;
	int rc = domains_find_name(zl, name, &domid);

	if (rc != -ENOENT)
		return rc ? rc : -EEXIST;
	return name_check_building(name);
}

static int creation_take_name_locked(struct creation *c)
{
	domid_t domid;
	int rc = sweep_orphans(c->zl, NULL);

	if (rc)
		return creation_fail(c, rc, "cleaning up after an interrupted zl: %s",
				     strerror(-rc));
	rc = name_check_free(c->zl, c->spec->name);
	if (rc == -EEXIST)
		return creation_fail(c, rc, "%s: a domain of this name is there already",
				     c->spec->name);
	if (rc == -EBUSY)
		return creation_fail(c, rc, "%s: a domain of this name is being made",
				     c->spec->name);
	if (!rc)
		rc = domains_find_uuid(c->zl, c->spec->uuid, &domid);
	if (!rc)
		return creation_fail(c, -EEXIST, "%s: its UUID belongs to domain %u", c->spec->name,
				     domid);
	if (rc != -ENOENT)
		return creation_fail(c, rc, "looking at the other domains: %s", strerror(-rc));
	c->record.stage = STATE_BUILDING;
	c->record.domid = 0;
	memcpy(c->record.uuid, c->spec->uuid, sizeof(c->record.uuid));
	snprintf(c->record.name, sizeof(c->record.name), "%s", c->spec->name);
	rc = state_create(&c->state, &c->record);
	if (rc == -EEXIST)
		return creation_fail(c, rc, "%s: a domain with its UUID is being made",
				     c->spec->name);
	if (rc)
		return creation_fail(c, rc, "%s: %s", STATE_DIR, strerror(-rc));
	return 0;
}

static int creation_try_take_name(struct creation *c)
{
	int rc, lock = state_lock_creation();

	if (lock < 0)
		return creation_fail(c, lock, "%s: %s", STATE_DIR, strerror(-lock));
	rc = creation_take_name_locked(c);
	close(lock);
	return rc;
}

int creation_take_name(struct creation *c)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	int64_t deadline = deadline_after(NAME_TIMEOUT_MS);
	int rc = state_init();

	if (rc)
		return creation_fail(c, rc, "%s: %s", STATE_DIR, strerror(-rc));
	/* Who makes a domain of this name may be undoing it, its own zl having been killed. */
	while ((rc = creation_try_take_name(c)) == -EBUSY && deadline_left(deadline) &&
	       !creation_is_cancelled(c))
		nanosleep(&pause, NULL);
	return rc;
}

static int check_files(struct creation *c)
{
	const char *const files[] = {c->spec->kernel, c->spec->ramdisk, c->spec->hvm.firmware,
				     c->spec->hvm.loader, c->spec->hvm.model.program};
	static const char *const keys[] = {"kernel", "ramdisk", "bios", "firmware_override",
					   "device model"};
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!files[i])
			continue;
		if (access(files[i], R_OK) || stat(files[i], &st))
			return creation_fail(c, -errno, "%s: %s: %s", keys[i], files[i],
					     strerror(errno));
		if (!S_ISREG(st.st_mode))
			return creation_fail(c, -EINVAL, "%s: %s: is not a file", keys[i],
					     files[i]);
	}
	return 0;
}

static int check_affinity(struct creation *c, uint32_t nr_cpus)
{
	struct config_error error;
	struct cpulist list;
	size_t i;
	int rc;

	for (i = 0; i < c->spec->nr_cpus; i++) {
		rc = cpulist_parse(c->spec->cpus[i], nr_cpus, &list, &error);
		if (rc)
			return creation_fail(c, rc, "cpus: %s", error.text);
	}
	return 0;
}

static int check_machine(struct creation *c, struct xen_sysctl_physinfo *machine)
{
	unsigned long long need = c->spec->memory_kib / 1024, free;
	int rc = hyp_system_get_physinfo(c->zl->hyp, machine);

	if (rc)
		return creation_fail(c, rc, "asking the hypervisor for free memory: %s",
				     strerror(-rc));
	free = machine->free_pages - machine->outstanding_pages;
	free = machine->free_pages < machine->outstanding_pages ? 0 : free / PAGES_PER_MIB;
	if (need > free)
		return creation_fail(c, -ENOMEM,
				     "memory: %llu MiB asked for, %llu MiB free in the machine",
				     need, free);
	return check_affinity(c, machine->max_cpu_id + 1);
}

static int build_progress(void *arg, enum build_stage stage, domid_t domid)
{
	static const char *const steps[] = {
		[BUILD_READ_KERNEL] = "reading the kernel",  [BUILD_CREATE] = "creating the domain",
		[BUILD_POPULATE] = "giving it memory",	     [BUILD_LOAD] = "loading the kernel",
		[BUILD_START_STATE] = "preparing its start", [BUILD_DONE] = "built"};
	struct creation *c = arg;

	creation_show(c, steps[stage]);
	if (stage > BUILD_CREATE && c->record.domid != domid) {
		c->record.domid = domid;
		state_write(&c->state, &c->record);
	}
	return creation_is_cancelled(c) ? -ECANCELED : 0;
}

static int build_domain(struct creation *c, struct build_result *built)
{
	static int (*const builders[])(struct hyp *, const struct build_params *,
				       struct build_result *, struct build_error *) = {
		[DOMAIN_PV] = build_pv,
		[DOMAIN_PVH] = build_pvh,
		[DOMAIN_HVM] = build_hvm,
	};
	struct build_params params;
	struct build_error error = {""};
	int rc;

	build_params_init(&params);
	params.kernel = c->spec->kernel;
	params.ramdisk = c->spec->ramdisk;
	params.cmdline = c->spec->cmdline;
	params.cache_dir = BUILD_CACHE_DIR;
	memcpy(params.uuid, c->spec->uuid, sizeof(params.uuid));
	params.memory_kib = c->spec->memory_kib;
	params.maxmem_kib = c->spec->maxmem_kib;
	params.max_vcpus = c->spec->maxvcpus;
	params.tsc_mode = c->spec->tsc_mode;
	params.timer_mode = c->spec->timer_mode;
	params.has_reliable_tsc = hyp_has_reliable_tsc();
	params.progress = build_progress;
	params.progress_arg = c;
	if (c->spec->type == DOMAIN_HVM)
		creation_set_hvm_params(c, &params);
	rc = builders[c->spec->type](c->zl->hyp, &params, built, &error);
	if (rc == -ECANCELED)
		return creation_fail(c, rc, "interrupted");
	if (rc)
		return creation_fail(c, rc, "%s", *error.text ? error.text : strerror(-rc));
	c->record.domid = built->domid;
	return 0;
}

static int set_affinity(struct creation *c, uint32_t nr_cpus)
{
	struct config_error error;
	struct cpulist list;
	const char *text;
	uint32_t i;
	int rc;

	for (i = 0; i < c->spec->maxvcpus && c->spec->nr_cpus; i++) {
		text = c->spec->nr_cpus == 1  ? c->spec->cpus[0]
		       : i < c->spec->nr_cpus ? c->spec->cpus[i]
					      : "all";
		rc = cpulist_parse(text, nr_cpus, &list, &error);
		if (!rc)
			rc = hyp_vcpu_set_affinity(c->zl->hyp, c->record.domid, i, list.bits, NULL,
						   nr_cpus);
		if (rc)
			return creation_fail(c, rc, "cpus: vCPU %u on CPUs %s: %s", i, text,
					     strerror(-rc));
	}
	return 0;
}

static int set_sched(struct creation *c)
{
	uint16_t weight, cap;
	uint32_t id;
	int rc;

	if (!c->spec->weight && !c->spec->has_cap)
		return 0;
	rc = hyp_system_get_sched_id(c->zl->hyp, &id);
	if (!rc)
		rc = hyp_domain_get_sched(c->zl->hyp, c->record.domid, id, &weight, &cap);
	if (!rc)
		rc = hyp_domain_set_sched(c->zl->hyp, c->record.domid, id,
					  c->spec->weight ? (uint16_t)c->spec->weight : weight,
					  c->spec->has_cap ? (uint16_t)c->spec->cap : cap);
	if (rc)
		return creation_fail(c, rc, "cpu_weight, cap: %s", strerror(-rc));
	return 0;
}

static int set_ioports(struct creation *c)
{
	char text[IOPORTS_SIZE];
	int rc = 0;

	for (size_t i = 0; !rc && i < c->spec->nr_ioports; i++) {
		const struct ioports *ports = &c->spec->ioports[i];

		ioports_format(ports, text);
		rc = hyp_domain_set_ioport_permission(c->zl->hyp, c->record.domid, ports->first,
						      ports->last - ports->first + 1U, true);
		if (rc == -EPERM)
			return creation_fail(c, rc,
					     "ioports: %s: the hypervisor keeps all or some of "
					     "these ports to itself",
					     text);
		if (rc)
			return creation_fail(c, rc, "ioports: %s: %s", text, strerror(-rc));
	}
	return 0;
}

static int write_nodes(struct creation *c, const struct build_result *built)
{
	struct store_entries list;
	int rc;

	creation_show(c, "writing the store");
	entries_init(&list);
	domain_add_entries(&list, c->spec, &c->devices, built, (long long)time(NULL));
	rc = entries_write(c->zl->store, &list);
	entries_fini(&list);
	if (rc)
		return creation_fail(c, rc, "writing to the store: %s", strerror(-rc));
	rc = zstore_introduce(c->zl->store, built->domid, built->store_mfn, built->store_port);
	if (rc)
		return creation_fail(c, rc, "introducing the domain to the store: %s",
				     strerror(-rc));
	return 0;
}

static int wait_devices(struct creation *c)
{
	struct device_error error = {""};
	int rc;

	creation_show(c, "waiting for devices");
	rc = devices_wait_ready(c->zl->store, c->record.domid, &c->devices, BACKEND_TIMEOUT_MS,
				c->cancel_fd, &error);
	return rc ? creation_fail(c, rc, "%s", error.text) : 0;
}

static int open_devices(struct creation *c)
{
	struct device_error error = {""};
	int rc;

	if (c->devices.blocks) /* kept from before a restart */
		return 0;
	rc = devices_open(&c->devices, c->spec->name, &error);
	return rc ? creation_fail(c, rc, "%s", error.text) : 0;
}

int creation_build(struct creation *c)
{
	struct xen_sysctl_physinfo machine;
	struct build_result built;
	int rc = c->spec->type == DOMAIN_HVM ? creation_find_loader(c) : 0;

	if (!rc)
		rc = check_files(c);

	if (!rc)
		rc = check_machine(c, &machine);
	if (!rc)
		rc = open_devices(c);
	if (rc)
		return rc;
	rc = build_domain(c, &built);
	if (rc)
		goto close_devices;
	rc = set_affinity(c, machine.max_cpu_id + 1);
	if (!rc)
		rc = set_sched(c);
	if (!rc)
		rc = set_ioports(c);
	if (!rc)
		rc = write_nodes(c, &built);
	if (!rc)
		rc = wait_devices(c);
	if (!rc)
		rc = creation_start_model(c, built.boot_fd);
	if (built.boot_fd >= 0)
		close(built.boot_fd);
	if (rc)
		goto destroy_domain;
	return 0;

destroy_domain:
	model_stop(&c->model);
	devices_close(&c->devices);
	domain_teardown(c->zl, c->record.domid, c->record.uuid, true);
	c->record.domid = 0;
	return rc;

close_devices:
	devices_close(&c->devices);
	return rc;
}

int creation_finish(struct creation *c)
{
	int rc;

	c->record.stage = STATE_RUNNING;
	rc = state_write(&c->state, &c->record);
	return rc ? creation_fail(c, rc, "%s: %s", STATE_DIR, strerror(-rc)) : 0;
}

void creation_drop_name(struct creation *c)
{
	state_remove(&c->state);
}

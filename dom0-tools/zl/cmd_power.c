/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl pause, unpause, shutdown, reboot, destroy: stopping domains and letting them go on. What
 * happens after a shutdown or reboot is the monitor's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/deadline.h"
#include "hyp/domain.h"
#include "hyp/hvm.h"
#include "store/zstore.h"
#include "zl/commands.h"
#include "zl/domains.h"
#include "zl/state.h"
#include "zl/teardown.h"
#include "zl/zl.h"

/* A monitor that has not cleaned up by then never will. */
#define MONITOR_TIMEOUT_MS 60000

static int run_on_domain(const struct command *command, int argc, char **argv,
			 int (*action)(struct hyp *hyp, domid_t domid))
{
	domid_t domid;
	struct zl zl;
	int rc, status;

	if (command_plain(command, argc, argv, 1, 1, &status))
		return status;
	if (zl_open(&zl, ZL_HYP_AND_NAMES))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[optind], &domid);
	if (!status && domid == 0)
		status = zl_error("%s: not for dom0", command->name);
	if (!status) {
		rc = action(zl.hyp, domid);
		if (rc)
			status = zl_error("%s: %s", argv[optind], strerror(-rc));
	}
	zl_close(&zl);
	return status;
}

int cmd_pause(const struct command *command, int argc, char **argv)
{
	return run_on_domain(command, argc, argv, hyp_domain_pause);
}

int cmd_unpause(const struct command *command, int argc, char **argv)
{
	return run_on_domain(command, argc, argv, hyp_domain_unpause);
}

struct destroy_target {
	const char *name;
	uint8_t uuid[16];
	domid_t domid; /* 0: no domain at this moment */
};

static int visit_name(void *arg, const struct state_record *record, bool is_owned)
{
	struct destroy_target *target = arg;

	if (!is_owned || record->stage != STATE_BUILDING || strcmp(record->name, target->name))
		return 0;
	memcpy(target->uuid, record->uuid, sizeof(target->uuid));
	return 1;
}

/*
 * Who is meant: a domain, or one that is being made or restarted, which has no name in the store
 * yet. What killed creators left of it is swept away first: 1 when there is nothing more to do.
 */
static int destroy_find(struct zl *zl, const char *text, struct destroy_target *target)
{
	struct xen_domctl_getdomaininfo info;
	int lock, swept = 0;

	*target = (struct destroy_target){.name = text};
	lock = state_init() ? -1 : state_lock_creation();
	if (lock >= 0) {
		state_discard_unborn();
		swept = sweep_orphans(zl, text);
		close(lock);
	}
	if (state_visit(visit_name, target) == 1)
		return 0;
	if (swept == 1 && domains_find_name(zl, text, &target->domid) == -ENOENT)
		return 1;
	if (zl_find_domain(zl, text, &target->domid))
		return -ENOENT;
	if (!target->domid) {
		zl_error("destroy: dom0 cannot be destroyed");
		return -EPERM;
	}
	if (hyp_domain_get_info(zl->hyp, target->domid, &info)) {
		zl_error("%s: ended just now", text);
		return -ENOENT;
	}
	memcpy(target->uuid, info.handle, sizeof(target->uuid));
	return 0;
}

/*
 * Destroy whatever runs under this UUID until nobody answers for it any more, then clean up what
 * its monitor did not: it may have been killed, or there never was one.
 */
static int destroy_run(struct zl *zl, struct destroy_target *target)
{
	int64_t deadline = deadline_after(MONITOR_TIMEOUT_MS);
	struct state_record record;
	struct state_file file;
	int rc;

	do {
		if (!domains_find_uuid(zl, target->uuid, &target->domid)) {
			rc = hyp_domain_destroy(zl->hyp, target->domid);
			if (rc && rc != -ESRCH)
				return rc;
		}
		rc = state_adopt(target->uuid, 50, &file, &record);
	} while (rc == -EBUSY && deadline_left(deadline));
	if (rc == -EBUSY)
		return rc;
	rc = domain_teardown(zl, target->domid, target->uuid, true);
	if (!rc || rc == -ETIMEDOUT)
		state_remove(&file);
	else
		state_release(&file);
	return rc;
}

static int destroy_domain(struct zl *zl, const char *text)
{
	struct destroy_target target;
	int stop, rc = destroy_find(zl, text, &target);

	if (rc)
		return rc == 1 ? ZL_OK : ZL_FAILED;
	stop = state_request_stop(target.uuid);
	rc = destroy_run(zl, &target);
	if (stop >= 0)
		state_end_stop(target.uuid, stop);
	if (rc == -ETIMEDOUT)
		return zl_error("%s: destroyed, but some of its memory or devices are still held "
				"in dom0",
				text);
	if (rc == -EBUSY)
		return zl_error("%s: destroyed, but its monitor does not finish", text);
	return rc ? zl_error("%s: cannot be destroyed: %s", text, strerror(-rc)) : ZL_OK;
}

int cmd_destroy(const struct command *command, int argc, char **argv)
{
	int i, status;
	struct zl zl;

	if (command_plain(command, argc, argv, 1, 1024, &status))
		return status;
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = ZL_OK;
	for (i = optind; i < argc; i++)
		if (destroy_domain(&zl, argv[i]))
			status = ZL_FAILED;
	zl_close(&zl);
	return status;
}

struct power_arguments {
	const char *request; /* what goes into control/shutdown */
	bool all;
	bool wait;
	bool fall_back; /* to the machine's buttons, where no PV driver listens */
	int timeout_ms; /* < 0: none */
};

/* A domain that was asked; it is waited for until this number ends. */
struct power_target {
	domid_t domid;
	uint8_t uuid[16];
};

static bool power_is_done(struct zl *zl, const struct power_target *target)
{
	struct xen_domctl_getdomaininfo info;

	return hyp_domain_get_info(zl->hyp, target->domid, &info) || domain_is_dying(&info) ||
	       domain_is_shutdown(&info) || memcmp(info.handle, target->uuid, 16);
}

static int power_wait(struct zl *zl, const struct power_arguments *args,
		      const struct power_target *targets, size_t nr)
{
	int64_t deadline = deadline_after(args->timeout_ms < 0 ? 0 : args->timeout_ms);
	struct zstore_event event;
	size_t i;
	int rc;

	for (i = 0; i < nr;) {
		if (power_is_done(zl, &targets[i])) {
			i++;
			continue;
		}
		if (args->timeout_ms >= 0 && !deadline_left(deadline))
			return zl_error("domain %u has not done so in time", targets[i].domid);
		rc = zstore_next_event(zl->store,
				       args->timeout_ms < 0 ? -1 : deadline_left(deadline), &event);
		if (!rc)
			zstore_free_event(&event);
		else if (rc != -EAGAIN)
			return zl_error("waiting for domains: %s", strerror(-rc));
	}
	return ZL_OK;
}

/* No front end has asked for events: nobody reads control/shutdown either. */
static bool power_has_drivers(struct zl *zl, const struct xen_domctl_getdomaininfo *info)
{
	uint64_t callback;

	return !domain_has_model(info) ||
	       hyp_hvm_get_param(zl->hyp, info->domain, HVM_PARAM_CALLBACK_IRQ, &callback) ||
	       callback;
}

static int power_press(struct zl *zl, const struct power_arguments *args, domid_t domid)
{
	int rc;

	if (!args->fall_back)
		return zl_error("domain %u has no PV drivers that would do so; -F presses its "
				"machine's button instead",
				domid);
	rc = strcmp(args->request, "reboot")
		     ? hyp_domain_send_trigger(zl->hyp, domid, XEN_DOMCTL_SENDTRIGGER_POWER, 0)
		     : hyp_domain_shutdown(zl->hyp, domid, SHUTDOWN_reboot);
	return rc ? zl_error("domain %u: %s", domid, strerror(-rc)) : ZL_OK;
}

static int power_ask(struct zl *zl, const struct power_arguments *args, domid_t domid,
		     struct power_target *target)
{
	struct xen_domctl_getdomaininfo info;
	char path[64];
	int rc = hyp_domain_get_info(zl->hyp, domid, &info);

	if (rc)
		return zl_error("domain %u: %s", domid, strerror(-rc));
	target->domid = domid;
	memcpy(target->uuid, info.handle, sizeof(target->uuid));
	if (!power_has_drivers(zl, &info))
		return power_press(zl, args, domid);
	snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", domid);
	rc = zstore_write_string(zl->store, ZSTORE_NO_TX, path, args->request);
	return rc ? zl_error("%s: %s", path, strerror(-rc)) : ZL_OK;
}

static int power_ask_all(struct zl *zl, const struct power_arguments *args,
			 struct power_target **targets, size_t *nr)
{
	struct domain_view *views;
	size_t i, nr_views;
	int status = ZL_OK, rc = domains_get(zl, &views, &nr_views);

	if (rc)
		return zl_error("listing the domains: %s", strerror(-rc));
	*targets = calloc(nr_views ? nr_views : 1, sizeof(**targets));
	for (i = 0; *targets && i < nr_views; i++) {
		if (!views[i].domid || domain_is_dying(&views[i].info) ||
		    domain_is_shutdown(&views[i].info))
			continue;
		if (power_ask(zl, args, views[i].domid, &(*targets)[*nr]))
			status = ZL_FAILED;
		else
			(*nr)++;
	}
	domains_free(views, nr_views);
	return *targets ? status : zl_error("out of memory");
}

static int power_ask_named(struct zl *zl, const struct power_arguments *args, int argc, char **argv,
			   struct power_target **targets, size_t *nr)
{
	int i, status = ZL_OK;
	domid_t domid;

	*targets = calloc((size_t)argc, sizeof(**targets));
	for (i = 0; *targets && i < argc; i++) {
		if (zl_find_domain(zl, argv[i], &domid))
			status = ZL_FAILED;
		else if (!domid)
			status = zl_error("%s: not for dom0", args->request);
		else if (power_ask(zl, args, domid, &(*targets)[*nr]))
			status = ZL_FAILED;
		else
			(*nr)++;
	}
	return *targets ? status : zl_error("out of memory");
}

static int power_run(const struct power_arguments *args, int argc, char **argv)
{
	struct power_target *targets = NULL;
	int status = ZL_OK;
	size_t nr = 0;
	struct zl zl;

	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	if (args->wait && zstore_watch(zl.store, "@releaseDomain", "power"))
		status = zl_error("the store takes no watch");
	if (!status)
		status = args->all ? power_ask_all(&zl, args, &targets, &nr)
				   : power_ask_named(&zl, args, argc, argv, &targets, &nr);
	if (args->wait && nr && power_wait(&zl, args, targets, nr))
		status = ZL_FAILED;
	free(targets);
	zl_close(&zl);
	return status;
}

static int power_parse(const struct command *command, int argc, char **argv,
		       struct power_arguments *args, int *status)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"wait", no_argument, NULL, 'w'},
						{"timeout", required_argument, NULL, 't'},
						{NULL, 0, NULL, 0}};
	long long seconds;
	int option;

	while ((option = command_next_option(command, argc, argv, "awFt:", options, status)) > 0) {
		args->all |= option == 'a';
		args->wait |= option == 'w';
		args->fall_back |= option == 'F';
		if (option != 't')
			continue;
		if (zl_parse_number(optarg, &seconds) || seconds > 86400) {
			*status = command_usage(command, "%s: expected seconds, found \"%s\"",
						command->name, optarg);
			return -1;
		}
		args->timeout_ms = (int)seconds * 1000;
		args->wait = true;
	}
	if (!option)
		return -1;
	if (args->all == (optind < argc)) {
		*status =
			command_usage(command, "%s: expected either -a or domains", command->name);
		return -1;
	}
	return 0;
}

static int power_command(const struct command *command, int argc, char **argv, const char *request)
{
	struct power_arguments args = {.request = request, .timeout_ms = -1};
	int status = ZL_OK;

	if (power_parse(command, argc, argv, &args, &status))
		return status;
	return power_run(&args, argc - optind, argv + optind);
}

int cmd_shutdown(const struct command *command, int argc, char **argv)
{
	return power_command(command, argc, argv, "poweroff");
}

int cmd_reboot(const struct command *command, int argc, char **argv)
{
	return power_command(command, argc, argv, "reboot");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* zl list, domid, domname, rename: the domains that there are and what they are called. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hyp/domain.h"
#include "store/zstore.h"
#include "zl/commands.h"
#include "zl/create.h"
#include "zl/domains.h"
#include "zl/json.h"
#include "zl/reason.h"
#include "zl/spec.h"
#include "zl/state.h"
#include "zl/zl.h"

struct list_arguments {
	bool verbose;
	bool as_json;
	bool ended;
};

static int list_show(const struct list_arguments *args, const struct domain_view *views, size_t nr)
{
	if (args->as_json)
		return json_print(domains_to_json(views, nr), stdout) ? ZL_FAILED : ZL_OK;
	domains_print(views, nr, args->verbose, stdout);
	return ZL_OK;
}

/* Only the domains named, in that order; one that is not there makes the whole fail. */
static int list_named(struct zl *zl, const struct list_arguments *args, int nr, char **names)
{
	struct domain_view *views = calloc((size_t)nr, sizeof(*views)), *one;
	int i, found = 0, status = ZL_OK;
	domid_t domid;

	if (!views)
		return zl_error("out of memory");
	for (i = 0; i < nr; i++) {
		if (zl_find_domain(zl, names[i], &domid) || domains_get_one(zl, domid, &one)) {
			status = ZL_FAILED;
			continue;
		}
		views[found++] = *one;
		free(one);
	}
	if (!status)
		status = list_show(args, views, (size_t)found);
	domains_free(views, (size_t)found);
	return status;
}

static int list_all(struct zl *zl, const struct list_arguments *args)
{
	struct domain_view *views;
	size_t nr;
	int rc = domains_get(zl, &views, &nr), status;

	if (rc)
		return zl_error("listing the domains: %s", strerror(-rc));
	status = list_show(args, views, nr);
	domains_free(views, nr);
	return status;
}

int cmd_list(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"verbose", no_argument, NULL, 'v'},
						{"long", no_argument, NULL, 'l'},
						{"json", no_argument, NULL, 'l'},
						{"ended", no_argument, NULL, 'e'},
						{NULL, 0, NULL, 0}};
	struct list_arguments args = {false};
	int option, rc, status = ZL_OK;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "vle", options, &status)) > 0) {
		args.verbose |= option == 'v';
		args.as_json |= option == 'l';
		args.ended |= option == 'e';
	}
	if (!option)
		return status;
	if (args.ended) {
		rc = ended_print(ENDED_FILE, args.as_json, stdout);
		return rc ? zl_error("%s: %s", ENDED_FILE, strerror(-rc)) : ZL_OK;
	}
	if (zl_open(&zl, ZL_HYP_AND_NAMES))
		return ZL_FAILED;
	status = optind < argc ? list_named(&zl, &args, argc - optind, argv + optind)
			       : list_all(&zl, &args);
	zl_close(&zl);
	return status;
}

int cmd_domid(const struct command *command, int argc, char **argv)
{
	domid_t domid;
	struct zl zl;
	int status;

	if (command_plain(command, argc, argv, 1, 1, &status))
		return status;
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[optind], &domid);
	if (!status)
		printf("%u\n", domid);
	zl_close(&zl);
	return status;
}

int cmd_domname(const struct command *command, int argc, char **argv)
{
	struct domain_view *view = NULL;
	long long number;
	domid_t domid;
	struct zl zl;
	int status;

	if (command_plain(command, argc, argv, 1, 1, &status))
		return status;
	if (zl_parse_number(argv[optind], &number))
		return command_usage(command, "domname: expected a domain's number, found \"%s\"",
				     argv[optind]);
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[optind], &domid);
	if (!status && domains_get_one(&zl, domid, &view))
		status = zl_error("%s: ended just now", argv[optind]);
	if (view && view->name)
		printf("%s\n", view->name);
	else if (view)
		status = zl_error("%s: this domain has no name", argv[optind]);
	domains_free(view, view ? 1 : 0);
	zl_close(&zl);
	return status;
}

static int rename_write(struct zl *zl, domid_t domid, const char *name)
{
	struct xen_domctl_getdomaininfo info;
	char path[64], uuid[37];
	int rc = hyp_domain_get_info(zl->hyp, domid, &info);

	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	rc = zstore_write_string(zl->store, ZSTORE_NO_TX, path, name);
	if (rc)
		return rc;
	uuid_format(info.handle, uuid);
	snprintf(path, sizeof(path), "/vm/%s/name", uuid);
	return zstore_write_string(zl->store, ZSTORE_NO_TX, path, name);
}

static int rename_domain(struct zl *zl, const char *old, const char *name)
{
	domid_t domid;
	int lock, rc;

	if (zl_find_domain(zl, old, &domid))
		return ZL_FAILED;
	if (!spec_is_name(name))
		return zl_error("rename: expected a name of 1 to %d printable characters, no '/' "
				"and not a number, found \"%s\"",
				SPEC_NAME_MAX, name);
	rc = state_init();
	lock = rc ? rc : state_lock_creation();
	if (lock < 0)
		return zl_error("%s: %s", STATE_DIR, strerror(-lock));
	rc = name_check_free(zl, name);
	if (!rc)
		rc = rename_write(zl, domid, name);
	close(lock);
	if (rc == -EEXIST || rc == -EBUSY)
		return zl_error("%s: a domain of this name is there already", name);
	return rc ? zl_error("rename: %s", strerror(-rc)) : ZL_OK;
}

int cmd_rename(const struct command *command, int argc, char **argv)
{
	struct zl zl;
	int status;

	if (command_plain(command, argc, argv, 2, 2, &status))
		return status;
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = rename_domain(&zl, argv[optind], argv[optind + 1]);
	zl_close(&zl);
	return status;
}

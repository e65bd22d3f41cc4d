/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl mem-set, mem-max: the balloon target, which the guest follows when it can, and the ceiling,
 * which the hypervisor enforces.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/domain.h"
#include "store/zstore.h"
#include "zl/commands.h"
#include "zl/zl.h"

/* A guest's balloon driver may hold a little more than its target for a moment. */
#define SLACK_KIB 1024

/* "256", "256m", "1g", "262144k": in KiB. A bare number is MiB. */
static int parse_size(const char *text, uint64_t *kib)
{
	unsigned long long number;
	unsigned int shift;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	switch (*end) {
	case 'k':
	case 'K':
		shift = 0;
		break;
	case '\0':
	case 'm':
	case 'M':
		shift = 10;
		break;
	case 'g':
	case 'G':
		shift = 20;
		break;
	default:
		return -EINVAL;
	}
	if (errno || number == 0 || number > (1ULL << 44) >> shift || (*end && end[1]))
		return -EINVAL;
	*kib = number << shift;
	return 0;
}

/* How far it may grow: the store's word for PV, the hypervisor's limit for others. */
static uint64_t mem_ceiling(struct zl *zl, const struct xen_domctl_getdomaininfo *info)
{
	uint64_t limit = info->max_pages << 2;
	long long static_max;
	char path[64];

	if (info->flags & XEN_DOMINF_hvm_guest)
		return limit > SLACK_KIB ? limit - SLACK_KIB : 0;
	snprintf(path, sizeof(path), "/local/domain/%u/memory/static-max", info->domain);
	if (zstore_read_number(zl->store, ZSTORE_NO_TX, path, &static_max))
		return UINT64_MAX;
	return (uint64_t)static_max;
}

static int mem_set(struct zl *zl, domid_t domid, uint64_t kib)
{
	struct xen_domctl_getdomaininfo info;
	uint64_t ceiling;
	char path[64];
	int rc = hyp_domain_get_info(zl->hyp, domid, &info);

	if (rc)
		return zl_error("domain %u: %s", domid, strerror(-rc));
	ceiling = mem_ceiling(zl, &info);
	if (kib > ceiling)
		return zl_error("mem-set: %llu MiB is more than the domain's maxmem, %llu MiB",
				(unsigned long long)kib >> 10, (unsigned long long)ceiling >> 10);
	if (info.max_pages < (kib + SLACK_KIB) / 4)
		rc = hyp_domain_set_max_mem(zl->hyp, domid, kib + SLACK_KIB);
	snprintf(path, sizeof(path), "/local/domain/%u/memory/target", domid);
	if (!rc)
		rc = zstore_printf(zl->store, ZSTORE_NO_TX, path, "%llu", (unsigned long long)kib);
	return rc ? zl_error("mem-set: %s", strerror(-rc)) : ZL_OK;
}

static int mem_max(struct zl *zl, domid_t domid, uint64_t kib)
{
	struct xen_domctl_getdomaininfo info;
	char path[64];
	int rc = hyp_domain_set_max_mem(zl->hyp, domid, kib + SLACK_KIB);

	if (!rc)
		rc = hyp_domain_get_info(zl->hyp, domid, &info);
	snprintf(path, sizeof(path), "/local/domain/%u/memory/static-max", domid);
	/* See static_max_kib() of create_entries.c. */
	if (!rc && !(info.flags & XEN_DOMINF_hvm_guest))
		rc = zstore_printf(zl->store, ZSTORE_NO_TX, path, "%llu", (unsigned long long)kib);
	return rc ? zl_error("mem-max: %s", strerror(-rc)) : ZL_OK;
}

static int mem_command(const struct command *command, int argc, char **argv,
		       int (*action)(struct zl *zl, domid_t domid, uint64_t kib))
{
	domid_t domid;
	struct zl zl;
	uint64_t kib;
	int status;

	if (command_plain(command, argc, argv, 2, 2, &status))
		return status;
	if (parse_size(argv[optind + 1], &kib))
		return command_usage(command,
				     "%s: expected a size such as 256, 256m or 1g, found "
				     "\"%s\"",
				     command->name, argv[optind + 1]);
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[optind], &domid);
	if (!status)
		status = action(&zl, domid, kib);
	zl_close(&zl);
	return status;
}

int cmd_mem_set(const struct command *command, int argc, char **argv)
{
	return mem_command(command, argc, argv, mem_set);
}

int cmd_mem_max(const struct command *command, int argc, char **argv)
{
	return mem_command(command, argc, argv, mem_max);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: how domains are shown: xl's columns, so that scripts made for xl read them, and JSON with
 * c_info and b_info where `xl list -l` has them. No I/O but printing.
 */
#include <json-c/json.h>
#include <string.h>

#include "zl/domains.h"
#include "zl/json.h"
#include "zl/lifecycle.h"
#include "zl/spec.h"

bool domain_is_shutdown(const struct xen_domctl_getdomaininfo *info)
{
	return info->flags & XEN_DOMINF_shutdown;
}

bool domain_is_dying(const struct xen_domctl_getdomaininfo *info)
{
	return info->flags & XEN_DOMINF_dying;
}

bool domain_has_model(const struct xen_domctl_getdomaininfo *info)
{
	return info->flags & XEN_DOMINF_hvm_guest &&
	       info->arch_config.emulation_flags & ~XEN_X86_EMU_LAPIC;
}

const char *domain_kind(const struct xen_domctl_getdomaininfo *info)
{
	return domain_has_model(info) ? "hvm" : info->flags & XEN_DOMINF_hvm_guest ? "pvh" : "pv";
}

unsigned int domain_shutdown_code(const struct xen_domctl_getdomaininfo *info)
{
	return info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
}

const char *domain_reason(const struct xen_domctl_getdomaininfo *info)
{
	return domain_is_shutdown(info) ? shutdown_code_name(domain_shutdown_code(info)) : "-";
}

void domain_format_state(const struct xen_domctl_getdomaininfo *info, char *text)
{
	bool crashed = domain_is_shutdown(info) && domain_shutdown_code(info) == SHUTDOWN_crash;

	text[0] = info->flags & XEN_DOMINF_running ? 'r' : '-';
	text[1] = info->flags & XEN_DOMINF_blocked ? 'b' : '-';
	text[2] = info->flags & XEN_DOMINF_paused ? 'p' : '-';
	text[3] = domain_is_shutdown(info) ? 's' : '-';
	text[4] = crashed ? 'c' : '-';
	text[5] = domain_is_dying(info) ? 'd' : '-';
	text[6] = '\0';
}

static unsigned long long domain_memory_mib(const struct xen_domctl_getdomaininfo *info)
{
	return (info->tot_pages + info->outstanding_pages) >> (20 - HYP_PAGE_SHIFT);
}

static double domain_seconds(const struct xen_domctl_getdomaininfo *info)
{
	return (double)info->cpu_time / 1e9;
}

static void domain_print(const struct domain_view *view, bool verbose, FILE *out)
{
	char state[7], uuid[37];

	domain_format_state(&view->info, state);
	fprintf(out, "%-40s %5u %5llu %5u     %s  %8.1f", view->name ? view->name : "(null)",
		view->domid, domain_memory_mib(&view->info), view->info.nr_online_vcpus, state,
		domain_seconds(&view->info));
	if (verbose) {
		uuid_format(view->info.handle, uuid);
		fprintf(out, " %s %-11s", uuid, domain_reason(&view->info));
		if (view->reason_text)
			fprintf(out, " %s", view->reason_text);
	}
	fputc('\n', out);
}

void domains_print(const struct domain_view *views, size_t nr, bool verbose, FILE *out)
{
	size_t i;

	fprintf(out, "Name                                        ID   Mem VCPUs\tState\tTime(s)");
	fprintf(out, verbose ? "   UUID                            Reason-Code\tReason\n" : "\n");
	for (i = 0; i < nr; i++)
		domain_print(&views[i], verbose, out);
}

static struct json_object *config_to_json(const struct domain_view *view, const char *uuid)
{
	struct json_object *config = json_object_new_object();
	struct json_object *create = json_object_new_object();
	struct json_object *build = json_object_new_object();

	json_add_string(create, "type", domain_kind(&view->info));
	json_add_string(create, "name", view->name);
	json_add_string(create, "uuid", uuid);
	json_add_int(build, "max_vcpus", (int64_t)view->info.max_vcpu_id + 1);
	json_add_int(build, "max_memkb", (int64_t)(view->info.max_pages << 2));
	json_add_int(build, "target_memkb", (int64_t)(view->info.tot_pages << 2));
	json_object_object_add(config, "c_info", create);
	json_object_object_add(config, "b_info", build);
	return config;
}

static struct json_object *domain_to_json(const struct domain_view *view)
{
	struct json_object *out = json_object_new_object();
	char state[7], uuid[37];

	domain_format_state(&view->info, state);
	uuid_format(view->info.handle, uuid);
	json_add_int(out, "domid", view->domid);
	json_add_string(out, "name", view->name);
	json_add_string(out, "uuid", uuid);
	json_add_int(out, "memory_kib", (int64_t)(view->info.tot_pages << 2));
	json_add_int(out, "max_memory_kib", (int64_t)(view->info.max_pages << 2));
	json_add_int(out, "vcpus", view->info.nr_online_vcpus);
	json_add_string(out, "state", state);
	json_add_double(out, "cpu_seconds", domain_seconds(&view->info));
	if (domain_is_shutdown(&view->info))
		json_add_string(out, "reason", domain_reason(&view->info));
	json_add_string(out, "reason_text", view->reason_text);
	json_object_object_add(out, "config", config_to_json(view, uuid));
	return out;
}

struct json_object *domains_to_json(const struct domain_view *views, size_t nr)
{
	struct json_object *out = json_object_new_array();
	size_t i;

	for (i = 0; i < nr; i++)
		json_object_array_add(out, domain_to_json(&views[i]));
	return out;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* zl info, dmesg, debug-keys: the machine and the hypervisor. */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "hyp/hyp.h"
#include "hyp/system.h"
#include "zl/commands.h"
#include "zl/json.h"
#include "zl/zl.h"

#define CONSOLE_CHUNK 16384

/* One fact: xl's name for it, and either text or a number. */
struct fact {
	const char *name;
	char text[1024];
	bool is_number;
};

#define FACTS_MAX 40

struct facts {
	struct fact items[FACTS_MAX];
	size_t nr;
};

__attribute__((format(printf, 3, 4))) static void fact_add(struct facts *facts, const char *name,
							   const char *format, ...)
{
	struct fact *fact = &facts->items[facts->nr++];
	va_list args;

	fact->name = name;
	fact->is_number = !strcmp(format, "%llu");
	va_start(args, format);
	vsnprintf(fact->text, sizeof(fact->text), format, args);
	va_end(args);
}

static void fact_add_number(struct facts *facts, const char *name, unsigned long long number)
{
	fact_add(facts, name, "%llu", number);
}

static void facts_add_dom0(struct facts *facts)
{
	struct utsname uts;

	if (uname(&uts))
		return;
	fact_add(facts, "host", "%s", uts.nodename);
	fact_add(facts, "release", "%s", uts.release);
	fact_add(facts, "version", "%s", uts.version);
	fact_add(facts, "machine", "%s", uts.machine);
}

static int facts_add_machine(struct facts *facts, struct hyp *hyp)
{
	struct xen_sysctl_physinfo m;
	const uint32_t *c = m.hw_cap;
	int rc = hyp_system_get_physinfo(hyp, &m);

	if (rc)
		return rc;
	fact_add_number(facts, "nr_cpus", m.nr_cpus);
	fact_add_number(facts, "max_cpu_id", m.max_cpu_id);
	fact_add_number(facts, "nr_nodes", m.nr_nodes);
	fact_add_number(facts, "cores_per_socket", m.cores_per_socket);
	fact_add_number(facts, "threads_per_core", m.threads_per_core);
	fact_add(facts, "cpu_mhz", "%u.%03u", m.cpu_khz / 1000, m.cpu_khz % 1000);
	fact_add(facts, "hw_caps", "%08x:%08x:%08x:%08x:%08x:%08x:%08x:%08x", c[0], c[1], c[2],
		 c[3], c[4], c[5], c[6], c[7]);
	fact_add(facts, "virt_caps", "pv%s%s",
		 m.capabilities & XEN_SYSCTL_PHYSCAP_hvm ? " hvm" : "",
		 m.capabilities & XEN_SYSCTL_PHYSCAP_directio ? " hvm_directio" : "");
	fact_add_number(facts, "total_memory", m.total_pages >> 8);
	fact_add_number(facts, "free_memory", m.free_pages >> 8);
	fact_add_number(facts, "total_pages", m.total_pages);
	fact_add_number(facts, "free_pages", m.free_pages);
	fact_add_number(facts, "outstanding_claims", m.outstanding_pages >> 8);
	return 0;
}

static const char *scheduler_name(uint32_t id)
{
	switch (id) {
	case XEN_SCHEDULER_CREDIT:
		return "credit";
	case XEN_SCHEDULER_CREDIT2:
		return "credit2";
	case XEN_SCHEDULER_RTDS:
		return "rtds";
	case XEN_SCHEDULER_ARINC653:
		return "arinc653";
	case XEN_SCHEDULER_NULL:
		return "null";
	default:
		return "unknown";
	}
}

static int facts_add_hypervisor(struct facts *facts, struct hyp *hyp)
{
	struct xen_compile_info compile;
	unsigned int major, minor;
	uint64_t virt_start;
	char text[1024];
	uint32_t sched;
	int rc = hyp_version_get(hyp, &major, &minor);

	if (rc)
		return rc;
	if (hyp_version_get_extra(hyp, text, sizeof(text)))
		*text = '\0';
	fact_add_number(facts, "xen_major", major);
	fact_add_number(facts, "xen_minor", minor);
	fact_add(facts, "xen_extra", "%s", text);
	fact_add(facts, "xen_version", "%u.%u%.64s", major, minor, text);
	if (!hyp_version_get_capabilities(hyp, text, sizeof(text)))
		fact_add(facts, "xen_caps", "%s", text);
	if (!hyp_system_get_sched_id(hyp, &sched))
		fact_add(facts, "xen_scheduler", "%s", scheduler_name(sched));
	fact_add_number(facts, "xen_pagesize", HYP_PAGE_SIZE);
	if (!hyp_version_get_virt_start(hyp, &virt_start))
		fact_add(facts, "platform_params", "virt_start=0x%llx",
			 (unsigned long long)virt_start);
	if (!hyp_version_get_changeset(hyp, text, sizeof(text)))
		fact_add(facts, "xen_changeset", "%s", text);
	if (!hyp_version_get_cmdline(hyp, text, sizeof(text)))
		fact_add(facts, "xen_commandline", "%s", text);
	if (!hyp_version_get_compile(hyp, &compile)) {
		fact_add(facts, "cc_compiler", "%s", compile.compiler);
		fact_add(facts, "cc_compile_by", "%s", compile.compile_by);
		fact_add(facts, "cc_compile_domain", "%s", compile.compile_domain);
		fact_add(facts, "cc_compile_date", "%s", compile.compile_date);
	}
	return 0;
}

static void facts_add_build_id(struct facts *facts, struct hyp *hyp)
{
	char text[2 * 64 + 1];
	uint8_t id[64];
	int i, len = hyp_version_get_build_id(hyp, id, sizeof(id));

	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	if (len > 0)
		fact_add(facts, "build_id", "%s", text);
}

static int facts_print_json(const struct facts *facts)
{
	struct json_object *out = json_object_new_object();
	size_t i;

	for (i = 0; i < facts->nr; i++) {
		if (facts->items[i].is_number)
			json_add_int(out, facts->items[i].name,
				     strtoll(facts->items[i].text, NULL, 10));
		else
			json_add_string(out, facts->items[i].name, facts->items[i].text);
	}
	return json_print(out, stdout) ? ZL_FAILED : ZL_OK;
}

/* All facts, or the one of this name alone, without it. */
static int facts_print(const struct facts *facts, const char *name)
{
	bool found = !name;
	size_t i;

	for (i = 0; i < facts->nr; i++) {
		if (!name)
			printf("%-23s: %s\n", facts->items[i].name, facts->items[i].text);
		else if (!strcmp(name, facts->items[i].name)) {
			printf("%s\n", facts->items[i].text);
			found = true;
		}
	}
	return found ? ZL_OK : zl_error("info: nothing is called \"%s\"", name);
}

int cmd_info(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	struct facts facts = {.nr = 0};
	int option, rc, status = ZL_OK;
	bool as_json = false;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "", options, &status)) > 0)
		as_json = true;
	if (!option)
		return status;
	if (argc - optind > 1)
		return command_usage(command, "info: too many arguments");
	if (zl_open(&zl, ZL_HYP))
		return ZL_FAILED;
	facts_add_dom0(&facts);
	rc = facts_add_machine(&facts, zl.hyp);
	if (!rc)
		rc = facts_add_hypervisor(&facts, zl.hyp);
	facts_add_build_id(&facts, zl.hyp);
	zl_close(&zl);
	if (rc)
		return zl_error("asking the hypervisor: %s", strerror(-rc));
	return as_json ? facts_print_json(&facts) : facts_print(&facts, argv[optind]);
}

static int dmesg_print(struct hyp *hyp, bool clear)
{
	char *buf = malloc(CONSOLE_CHUNK);
	uint32_t index = 0;
	int len;

	if (!buf)
		return zl_error("out of memory");
	do {
		len = hyp_system_read_console(hyp, buf, CONSOLE_CHUNK, &index, false);
		if (len > 0)
			fwrite(buf, 1, (size_t)len, stdout);
	} while (len > 0);
	if (!len && clear)
		len = hyp_system_read_console(hyp, buf, 1, &index, true);
	free(buf);
	return len < 0 ? zl_error("reading the hypervisor's messages: %s", strerror(-len)) : ZL_OK;
}

int cmd_dmesg(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"clear", no_argument, NULL, 'c'},
						{NULL, 0, NULL, 0}};
	int option, status = ZL_OK;
	bool clear = false;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "c", options, &status)) > 0)
		clear = true;
	if (!option)
		return status;
	if (optind < argc)
		return command_usage(command, "dmesg: too many arguments");
	if (zl_open(&zl, ZL_HYP))
		return ZL_FAILED;
	status = dmesg_print(zl.hyp, clear);
	zl_close(&zl);
	return status;
}

int cmd_debug_keys(const struct command *command, int argc, char **argv)
{
	struct zl zl;
	int rc, status;

	if (command_plain(command, argc, argv, 1, 1, &status))
		return status;
	if (zl_open(&zl, ZL_HYP))
		return ZL_FAILED;
	rc = hyp_system_send_debug_keys(zl.hyp, argv[optind]);
	zl_close(&zl);
	return rc ? zl_error("debug-keys: %s", strerror(-rc)) : ZL_OK;
}

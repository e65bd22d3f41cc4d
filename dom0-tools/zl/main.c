/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the table of subcommands, and finding the one that was asked for. Everything else is in the
 * cmd_*.c files, one for each noun.
 */
#include <stdio.h>
#include <string.h>

#include "zl/commands.h"
#include "zl/zl.h"

#define JSON_OPTION "  --json                print JSON\n"

const struct command zl_commands[] = {
	{"create", cmd_create, "[OPTIONS] [FILE] [KEY=VALUE ...]",
	 "Make a domain from a configuration file and start it",
	 "  -c, --console         attach to its console\n"
	 "  -p, --paused          leave it paused\n"
	 "  -n, --dryrun          print the configuration as JSON and do nothing\n"
	 "  -q, --quiet           no progress, no warnings\n"
	 "  -e                    leave no process to act when the domain ends\n"
	 "  -f, --defconfig FILE  the configuration file, when not the first argument\n"},
	{"list", cmd_list, "[OPTIONS] [DOMAIN ...]", "Show the domains",
	 "  -v, --verbose         UUID and the reason why it ended, too\n"
	 "  -l, --long, --json    print JSON\n"
	 "  -e, --ended           show domains that ended, and why\n"},
	{"console", cmd_console, "[OPTIONS] DOMAIN",
	 "Attach to a domain's console; Ctrl-] leaves it",
	 "  -t, --type pv|serial  not the one that it would choose\n"
	 "  -n, --num NUMBER      which serial port, 0 to 3\n"},
	{"pause", cmd_pause, "DOMAIN", "Stop a domain's vCPUs", NULL},
	{"unpause", cmd_unpause, "DOMAIN", "Let a paused domain run", NULL},
	{"shutdown", cmd_shutdown, "[OPTIONS] -a|DOMAIN ...", "Ask domains to power off",
	 "  -a, --all             all but dom0\n"
	 "  -w, --wait            until they have\n"
	 "  -t, --timeout SECONDS give up waiting after this long\n"
	 "  -F                    press the power button of HVM domains without PV drivers\n"},
	{"reboot", cmd_reboot, "[OPTIONS] -a|DOMAIN ...", "Ask domains to restart",
	 "  -a, --all             all but dom0\n"
	 "  -w, --wait            until they have\n"
	 "  -t, --timeout SECONDS give up waiting after this long\n"
	 "  -F                    reset HVM domains without PV drivers\n"},
	{"trigger", cmd_trigger, "DOMAIN nmi|reset|power|sleep [VCPU]",
	 "Press a button of a domain's machine, or send a vCPU an NMI", NULL},
	{"destroy", cmd_destroy, "DOMAIN ...", "End domains at once and take all they have", NULL},
	{"domid", cmd_domid, "NAME", "Print a domain's number", NULL},
	{"domname", cmd_domname, "NUMBER", "Print a domain's name", NULL},
	{"rename", cmd_rename, "DOMAIN NAME", "Give a domain another name", NULL},
	{"vcpu-list", cmd_vcpu_list, "[OPTIONS] [DOMAIN ...]", "Show vCPUs and where they run",
	 JSON_OPTION},
	{"vcpu-pin", cmd_vcpu_pin, "DOMAIN VCPU|all HARD [SOFT]",
	 "Choose the CPUs that a vCPU may (HARD) and should (SOFT) run on; - leaves it", NULL},
	{"vcpu-set", cmd_vcpu_set, "DOMAIN NUMBER", "Choose how many vCPUs are online", NULL},
	{"sched-credit", cmd_sched_credit, "[OPTIONS]", "Show or set a domain's share of the CPUs",
	 "  -d, --domain DOMAIN   this one only\n"
	 "  -w, --weight WEIGHT   its share against the others', 1 to 65535\n"
	 "  -c, --cap PERCENT     of one CPU at most; 0: no limit\n" JSON_OPTION},
	{"sched-credit2", cmd_sched_credit, "[OPTIONS]", "The same, for the credit2 scheduler",
	 "  -d, --domain DOMAIN   this one only\n"
	 "  -w, --weight WEIGHT   its share against the others', 1 to 65535\n"
	 "  -c, --cap PERCENT     of one CPU at most; 0: no limit\n" JSON_OPTION},
	{"mem-set", cmd_mem_set, "DOMAIN SIZE",
	 "Ask a domain to shrink or grow to SIZE MiB (or with k, m or g after it)", NULL},
	{"mem-max", cmd_mem_max, "DOMAIN SIZE", "Set how far a domain's memory may grow", NULL},
	{"block-list", cmd_block_list, "[OPTIONS] DOMAIN ...", "Show the disks of domains",
	 JSON_OPTION},
	{"network-list", cmd_network_list, "[OPTIONS] DOMAIN ...",
	 "Show the network interfaces of domains", JSON_OPTION},
	{"vncviewer", cmd_vncviewer, "[OPTIONS] DOMAIN", "Show the screen of an HVM domain",
	 "  -p, --print           print where it is, and do nothing\n"},
	{"top", cmd_top, "[OPTIONS]", "Show what the domains are doing, again and again",
	 "  -b, --batch           print lines, not a screen\n"
	 "  -i, --iterations N    end after so many times\n"
	 "  -d, --delay SECONDS   between two times (default: 3)\n"
	 "  --json                print JSON, one object a line for each time\n"},
	{"exits", cmd_exits, "[OPTIONS] DOMAIN",
	 "Show how often a PVH or HVM domain came into the hypervisor, and what for",
	 "  -i, --interval SECONDS  how often in this time, and per second\n" JSON_OPTION},
	{"uptime", cmd_uptime, "[OPTIONS] [DOMAIN ...]", "Show how long domains have been running",
	 "  -s, --short           a line like that of uptime(1)\n" JSON_OPTION},
	{"info", cmd_info, "[OPTIONS] [NAME]", "Show the machine and the hypervisor", JSON_OPTION},
	{"dmesg", cmd_dmesg, "[OPTIONS]", "Print the hypervisor's messages",
	 "  -c, --clear           and forget them\n"},
	{"debug-keys", cmd_debug_keys, "KEYS", "Press keys on the hypervisor's console", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static void print_help(FILE *out)
{
	const struct command *command;

	fprintf(out, "Usage: zl COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
	for (command = zl_commands; command->name; command++)
		fprintf(out, "  %-14s %s\n", command->name, command->summary);
	fprintf(out, "\n`zl COMMAND --help` tells more; see also zl(1) and zl.cfg(5).\n");
}

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_help(stderr);
		return ZL_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help(stdout);
		return ZL_OK;
	}
	for (command = zl_commands; command->name; command++)
		if (!strcmp(argv[1], command->name))
			return command->run(command, argc - 1, argv + 1);
	zl_error("%s: no such command; `zl help` lists them", argv[1]);
	return ZL_USAGE;
}

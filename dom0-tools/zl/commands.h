/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the subcommands, for the table in main.c. Each prints its own help, reports its own errors
 * and returns an enum zl_status.
 */
#ifndef ZENDO_ZL_COMMANDS_H
#define ZENDO_ZL_COMMANDS_H

struct command;

int cmd_create(const struct command *command, int argc, char **argv);
int cmd_list(const struct command *command, int argc, char **argv);
int cmd_console(const struct command *command, int argc, char **argv);
int cmd_pause(const struct command *command, int argc, char **argv);
int cmd_unpause(const struct command *command, int argc, char **argv);
int cmd_shutdown(const struct command *command, int argc, char **argv);
int cmd_reboot(const struct command *command, int argc, char **argv);
int cmd_destroy(const struct command *command, int argc, char **argv);
int cmd_domid(const struct command *command, int argc, char **argv);
int cmd_domname(const struct command *command, int argc, char **argv);
int cmd_rename(const struct command *command, int argc, char **argv);
int cmd_vcpu_list(const struct command *command, int argc, char **argv);
int cmd_vcpu_pin(const struct command *command, int argc, char **argv);
int cmd_vcpu_set(const struct command *command, int argc, char **argv);
int cmd_sched_credit(const struct command *command, int argc, char **argv);
int cmd_mem_set(const struct command *command, int argc, char **argv);
int cmd_mem_max(const struct command *command, int argc, char **argv);
int cmd_block_list(const struct command *command, int argc, char **argv);
int cmd_network_list(const struct command *command, int argc, char **argv);
int cmd_trigger(const struct command *command, int argc, char **argv);
int cmd_vncviewer(const struct command *command, int argc, char **argv);
int cmd_top(const struct command *command, int argc, char **argv);
int cmd_exits(const struct command *command, int argc, char **argv);
int cmd_uptime(const struct command *command, int argc, char **argv);
int cmd_info(const struct command *command, int argc, char **argv);
int cmd_dmesg(const struct command *command, int argc, char **argv);
int cmd_debug_keys(const struct command *command, int argc, char **argv);

#endif

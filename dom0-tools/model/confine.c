/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking rights away: capabilities(7), namespaces(7), seccomp(2), prctl(2). */
#include "model/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_MAX   1024
#define THREADS_MAX 256 /* of its user */

/* To become another user in another root, and until then to read files of any owner. */
static bool is_capability_kept(int capability)
{
	return capability == CAP_SETUID || capability == CAP_SETGID ||
	       capability == CAP_SYS_CHROOT || capability == CAP_DAC_READ_SEARCH;
}

static int drop_capabilities(void)
{
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (!is_capability_kept(i) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) && errno != EINVAL)
			return -errno;
	return 0;
}

/* What emulating a machine needs none of, and what attacks on kernels begin with. */
static const uint16_t refused_calls[] = {
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsmount,
	SYS_fsconfig,
	SYS_fspick,
	SYS_unshare,
	SYS_setns,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
	SYS_personality,
	SYS_syslog,
	SYS_open_by_handle_at,
	SYS_name_to_handle_at,
	SYS_io_uring_setup,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_mknod,
	SYS_mknodat,
	SYS_vhangup,
	SYS_seccomp,
};

#define NR_REFUSED (sizeof(refused_calls) / sizeof(refused_calls[0]))

/*
 * A list of comparisons, each of which jumps to the last instruction. Numbers of other tables of
 * system calls (32-bit, x32) are refused as a whole.
 */
static int filter_calls(void)
{
	struct sock_filter code[NR_REFUSED + 8];
	struct sock_fprog program = {.filter = code};
	size_t at = 0;

	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, arch));
	code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0,
						  NR_REFUSED + 3);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, nr));
	code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u,
						  NR_REFUSED + 1, 0);
	for (size_t i = 0; i < NR_REFUSED; i++)
		code[at++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, refused_calls[i], (uint8_t)(NR_REFUSED - i), 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	program.len = (unsigned short)at;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ? -errno : 0;
}

static int set_limits(void)
{
	static const struct {
		int resource;
		rlim_t limit;
	} limits[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_NOFILE, FILES_MAX},
		{RLIMIT_NPROC, THREADS_MAX},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit = {limits[i].limit, limits[i].limit};

		if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit))
			return -errno;
	}
	return 0;
}

int confine_self(const char **what)
{
	int rc;

	/* The kernel forgets the parent's death signal when the process changes its user. */
	*what = "dying with its parent";
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	*what = "a network of its own";
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS))
		return -errno;
	*what = "resource limits";
	rc = set_limits();
	if (rc)
		return rc;
	*what = "giving capabilities up";
	rc = drop_capabilities();
	if (rc)
		return rc;
	*what = "a filter of system calls";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return filter_calls();
}

void confine_kill(uid_t uid, uid_t reaper)
{
	pid_t pid;

	if (uid < CONFINE_UID_BASE || uid >= CONFINE_REAPER_BASE || reaper < CONFINE_REAPER_BASE)
		return;
	pid = fork();
	if (pid < 0)
		return;
	if (!pid) {
		/* kill(-1) as root would end the machine: only as the very user that is meant. */
		if (!setresuid(reaper, uid, reaper) && geteuid() == uid && getuid() == reaper)
			kill(-1, SIGKILL);
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

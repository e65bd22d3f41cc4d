/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rights that a device model has from its first instruction on, seen from within: a child that
 * has given them up looks around. And ending processes by their user, which must never reach
 * others. Needs root; without it there is nothing to give up, and the tests are skipped.
 *
 * Tools: model/confine.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/confine.h"

/* What did not hold, by its number; 0: all did. 99: not allowed to try. */
static int look_around(void)
{
	struct rlimit limit;
	const char *what;

	if (confine_self(&what))
		return 99;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != -1 || errno != EPERM)
		return 1;
	if (unshare(CLONE_NEWNS) != -1 || mount("x", "/", "tmpfs", 0, NULL) != -1)
		return 2;
	/* The last in the list, and one by its number in another table. */
	if (syscall(SYS_seccomp, 0, 0, NULL) != -1 || errno != EPERM)
		return 3;
	if (syscall(0x40000000 + SYS_getpid) != -1 || errno != EPERM)
		return 4;
	if (syscall(SYS_getpid) != getpid())
		return 5;
	if (prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 0 ||
	    prctl(PR_CAPBSET_READ, CAP_NET_ADMIN, 0, 0, 0) != 0 ||
	    prctl(PR_CAPBSET_READ, CAP_SETUID, 0, 0, 0) != 1)
		return 6;
	if (getrlimit(RLIMIT_CORE, &limit) || limit.rlim_max != 0)
		return 7;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 8;
	return 0;
}

static void rights_are_gone(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	/* The sanitizers' own calls must not be in the way: nothing is freed on the way out. */
	pid = fork();
	if (!pid)
		_exit(look_around());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 99)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A child of the user, which sleeps until it is ended. */
static pid_t start_as(uid_t uid)
{
	pid_t pid = fork();

	if (!pid) {
		if (setresuid(uid, uid, uid))
			_exit(99);
		for (;;)
			pause();
	}
	return pid;
}

/* Has it ended by SIGKILL within a moment? */
static bool has_ended(pid_t pid)
{
	int status;

	for (int i = 0; i < 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		usleep(10000);
	}
	return false;
}

static void only_the_user_is_ended(void **state)
{
	uid_t uid = CONFINE_UID_BASE + 30001, other = CONFINE_UID_BASE + 30002;
	pid_t one, two;

	(void)state;
	if (getuid())
		skip();
	one = start_as(uid);
	two = start_as(other);
	usleep(200000);
	/* Root, and users of no device model, are refused. */
	confine_kill(0, CONFINE_REAPER_BASE);
	confine_kill(other, other);
	confine_kill(uid, CONFINE_REAPER_BASE + 30001);
	assert_true(has_ended(one));
	assert_int_equal(waitpid(two, NULL, WNOHANG), 0);
	kill(two, SIGKILL);
	assert_true(has_ended(two));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights_are_gone),
		cmocka_unit_test(only_the_user_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

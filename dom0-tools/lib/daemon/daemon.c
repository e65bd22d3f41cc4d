/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a daemon outside of its work: see daemon.h.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"

#define FILES_WANTED 16384

volatile sig_atomic_t daemon_must_stop;
volatile sig_atomic_t daemon_must_reopen;

static void on_signal(int number)
{
	if (number == SIGHUP)
		daemon_must_reopen = 1;
	else
		daemon_must_stop = 1;
}

/* Says where, then lets the signal do what it does. */
static void on_fatal_signal(int number)
{
	log_backtrace(number);
	raise(number);
}

void daemon_set_signals(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	struct sigaction action = {.sa_handler = on_signal};
	struct sigaction last = {.sa_handler = on_fatal_signal, .sa_flags = (int)SA_RESETHAND};
	void *frame;

	/* The first call loads a library, which a handler must not. */
	backtrace(&frame, 1);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &last, NULL);

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void daemon_set_limits(void)
{
	struct rlimit files;
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "-900", 4) < 0)
			log_debug("oom_score_adj: %s", strerror(errno));
		close(fd);
	}
	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < FILES_WANTED) {
		files.rlim_cur = FILES_WANTED;
		if (files.rlim_max < FILES_WANTED)
			files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	umask(022);
}

int daemon_start(int *ready_fd)
{
	int fds[2], null;
	unsigned char status = 1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid) {
		close(fds[1]);
		if (read(fds[0], &status, 1) != 1)
			status = 1;
		_exit(status);
	}
	close(fds[0]);
	*ready_fd = fds[1];
	setsid();
	if (chdir("/") < 0)
		return -errno;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	return 0;
}

void daemon_report_ready(int ready_fd, const char *log_path)
{
	unsigned char status = 0;
	int null, ret;

	daemon_make_directory_of(log_path);
	ret = log_open(log_path);
	if (ret)
		log_error("%s: %s", log_path, strerror(-ret));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
	if (write(ready_fd, &status, 1) < 0)
		log_error("parent: %s", strerror(errno));
	close(ready_fd);
}

void daemon_make_directory_of(const char *path)
{
	char *copy = strdup(path), *slash;

	if (!copy)
		return;
	slash = strrchr(copy, '/');
	if (slash && slash != copy) {
		*slash = '\0';
		daemon_make_directory_of(copy);
		mkdir(copy, 0755);
	}
	free(copy);
}

int daemon_take_lock(const char *dir)
{
	char path[4096];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/lock", dir);
	daemon_make_directory_of(path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int daemon_write_pid(const char *path)
{
	FILE *file;

	daemon_make_directory_of(path);
	file = fopen(path, "we");
	if (!file)
		return -errno;
	fprintf(file, "%d\n", (int)getpid());
	return fclose(file) ? -errno : 0;
}

int daemon_enter(const char *state_dir, int *ready_fd)
{
	int ret = 0;

	daemon_set_limits();
	daemon_set_signals();
	if (ready_fd)
		ret = daemon_start(ready_fd);
	if (ret) {
		log_error("cannot become a daemon: %s", strerror(-ret));
		return ret;
	}
	ret = daemon_take_lock(state_dir);
	if (ret == -EWOULDBLOCK)
		log_error("another one is running on %s", state_dir);
	else if (ret < 0)
		log_error("%s: %s", state_dir, strerror(-ret));
	return ret;
}

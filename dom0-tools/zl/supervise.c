/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: forking the supervisor, the handshake between it and `zl create`, and its first half: making
 * the domain. The second half is monitor.c's.
 *
 *	child                             parent
 *	  builds the domain, paused
 *	  BUILT, domid  ---------------->  attaches the console, if asked for one
 *	                <----------------  GO (end of file: undo)
 *	  unpauses; opens the log
 *	  DONE          ---------------->  returns to the shell
 */
#include "zl/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/domain.h"
#include "zl/create.h"
#include "zl/monitor.h"
#include "zl/reason.h"
#include "zl/teardown.h"
#include "zl/zl.h"

enum message_kind {
	MESSAGE_BUILT = 1,
	MESSAGE_GO,
	MESSAGE_DONE,
};

struct message {
	uint32_t kind;
	uint32_t domid;
};

static int message_send(int fd, enum message_kind kind, domid_t domid)
{
	struct message message = {.kind = kind, .domid = domid};

	return send(fd, &message, sizeof(message), MSG_NOSIGNAL) == sizeof(message) ? 0 : -EPIPE;
}

static int message_receive(int fd, enum message_kind kind, domid_t *domid)
{
	struct message message;
	ssize_t len;

	do
		len = recv(fd, &message, sizeof(message), 0);
	while (len < 0 && errno == EINTR);
	if (len != sizeof(message) || message.kind != kind)
		return -ECHILD;
	if (domid)
		*domid = (domid_t)message.domid;
	return 0;
}

static void show_progress(const struct creation *creation, const char *step)
{
	fprintf(stderr, "\r\033[Kzl: %s: %s ...", creation->spec->name, step);
}

static void clear_progress(const struct creation *creation)
{
	if (creation->progress)
		fprintf(stderr, "\r\033[K");
}

/* From here on the log is where this process talks to. */
static void open_log(const char *name)
{
	char path[160];
	int fd, null = open("/dev/null", O_RDWR);

	mkdir("/var", 0755);
	mkdir("/var/log", 0755);
	mkdir(ZL_LOG_DIR, 0755);
	snprintf(path, sizeof(path), ZL_LOG_DIR "/%s.log", name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	fflush(NULL);
	dup2(null, STDIN_FILENO);
	dup2(fd >= 0 ? fd : null, STDOUT_FILENO);
	dup2(fd >= 0 ? fd : null, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	if (null > STDERR_FILENO)
		close(null);
}

static int supervise_start_domain(struct creation *creation, int fd,
				  const struct supervise_options *options)
{
	domid_t domid = creation->record.domid;
	int rc = message_send(fd, MESSAGE_BUILT, domid);

	if (!rc)
		rc = message_receive(fd, MESSAGE_GO, NULL);
	if (rc)
		return -ECANCELED;
	rc = creation_finish(creation);
	if (!rc && !options->paused)
		rc = hyp_domain_unpause(creation->zl->hyp, domid);
	if (rc)
		zl_error("%s: cannot be started: %s", creation->spec->name, strerror(-rc));
	return rc;
}

static int supervise_create(struct creation *creation, int fd,
			    const struct supervise_options *options)
{
	bool is_shown = !options->quiet && isatty(STDERR_FILENO);
	int rc;

	creation->cancel_fd = fd;
	creation->progress = is_shown ? show_progress : NULL;
	rc = creation_take_name(creation);
	if (rc)
		return zl_error("%s", creation->error);
	rc = creation_build(creation);
	clear_progress(creation);
	if (rc) {
		zl_error("%s", creation->error);
		creation_drop_name(creation);
		return rc;
	}
	rc = supervise_start_domain(creation, fd, options);
	creation->cancel_fd = -1;
	creation->progress = NULL;
	if (!rc)
		return 0;
	devices_close(&creation->devices);
	domain_teardown(creation->zl, creation->record.domid, creation->record.uuid, true);
	creation_drop_name(creation);
	return rc;
}

static int supervise(int fd, const struct domain_spec *spec,
		     const struct supervise_options *options)
{
	struct creation creation;
	struct zl zl;

	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	creation_init(&creation, &zl, spec);
	if (supervise_create(&creation, fd, options)) {
		creation_fini(&creation);
		zl_close(&zl);
		return ZL_FAILED;
	}
	open_log(spec->name);
	message_send(fd, MESSAGE_DONE, creation.record.domid);
	close(fd);
	if (!options->unwatched)
		monitor_run(&creation);
	creation_fini(&creation);
	zl_close(&zl);
	return ZL_OK;
}

int supervisor_start(struct supervisor *supervisor, const struct domain_spec *spec,
		     const struct supervise_options *options)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return -errno;
	}
	if (!pid) {
		/* A session of its own: Ctrl-C in the terminal is for the parent alone. */
		setsid();
		signal(SIGPIPE, SIG_IGN);
		/* What the caller's caller had open is not ours to keep open for weeks. */
		dup2(fds[1], 3);
		close_range(4, ~0u, 0);
		if (chdir("/"))
			zl_warn("/: %s", strerror(errno));
		_exit(supervise(3, spec, options));
	}
	close(fds[1]);
	*supervisor = (struct supervisor){.fd = fds[0]};
	return 0;
}

int supervisor_wait_built(struct supervisor *supervisor)
{
	return message_receive(supervisor->fd, MESSAGE_BUILT, &supervisor->domid);
}

int supervisor_go(struct supervisor *supervisor)
{
	if (message_send(supervisor->fd, MESSAGE_GO, supervisor->domid))
		return -ECHILD;
	return message_receive(supervisor->fd, MESSAGE_DONE, NULL);
}

void supervisor_end(struct supervisor *supervisor)
{
	close(supervisor->fd);
	supervisor->fd = -1;
}

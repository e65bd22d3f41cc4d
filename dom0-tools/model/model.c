/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device model's life: the descriptors it is given, the process, the wait until it serves, its
 * end. Its rights are confine.c's, its command line arguments.c's.
 */
#include "model/model.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/arguments.h"
#include "model/confine.h"
#include "model/tap.h"
#include "model/vnc.h"

#define TAPS_MAX  32
#define PATH_SIZE 96
#define END_MS	  2000
/* Read at one time: it may write faster than anybody reads. */
#define SAID_READS_MAX 16
/* Descriptors are collected above those that the process is to have. */
#define FD_HIGH (ARGUMENTS_FIRST_FD + ARGUMENTS_FDS_MAX + 1)

void model_init(struct model *model)
{
	*model = (struct model){.qmp.fd = -1, .said_fd = -1, .log_fd = -1, .vnc_fd = -1};
}

static const char *state_dir(void)
{
	const char *dir = getenv("ZENDO_STATE_DIR");

	return dir && strlen(dir) < 64 ? dir : "/run/zendo";
}

static void model_path(unsigned int domid, const char *leaf, char *path, size_t size)
{
	snprintf(path, size, "%s/model/%u%s", state_dir(), domid, leaf);
}

/* Empty, and never the process's own to write to. */
static int make_dir(unsigned int domid, char *dir, size_t size)
{
	char path[PATH_SIZE];

	model_path(domid, "/vnc", path, sizeof(path));
	unlink(path);
	model_path(domid, "", dir, size);
	snprintf(path, sizeof(path), "%s/model", state_dir());
	if ((mkdir(state_dir(), 0755) && errno != EEXIST) ||
	    (mkdir(path, 0711) && errno != EEXIST) || (mkdir(dir, 0711) && errno != EEXIST))
		return -errno;
	return 0;
}

static int open_taps(const struct model_domain *domain, int *taps, struct device_error *error)
{
	const struct domain_devices *devices = domain->devices;

	if (devices->nr_vifs > TAPS_MAX)
		return device_error_set(error, -E2BIG, "vif: an HVM domain can have %d at most",
					TAPS_MAX);
	for (size_t i = 0; i < devices->nr_vifs; i++) {
		if (devices->vifs[i].type == VIF_TYPE_PV)
			continue;
		taps[i] = tap_open(&devices->vifs[i], domain->domid, devices_vif_id(devices, i),
				   error);
		if (taps[i] < 0)
			return taps[i];
	}
	return 0;
}

static int open_log(const char *path)
{
	char old[300];

	snprintf(old, sizeof(old), "%s.old", path);
	rename(path, old);
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* Does not return. What goes wrong is said where the process itself would say it. */
static void run_child(const struct arguments *args, int qmp_fd, int said_fd)
{
	const char *what = "its descriptors";
	int fds[ARGUMENTS_FDS_MAX + 1], null = open("/dev/null", O_RDONLY), rc = 0;
	int nr = (int)args->nr_fds + 1;

	dup2(said_fd, STDERR_FILENO);
	dup2(said_fd, STDOUT_FILENO);
	dup2(null, STDIN_FILENO);
	for (int i = 0; i < nr && !rc; i++) {
		fds[i] = fcntl(i ? args->fds[i - 1] : qmp_fd, F_DUPFD, FD_HIGH);
		rc = fds[i] < 0 ? -errno : 0;
	}
	for (int i = 0; i < nr && !rc; i++)
		rc = dup2(fds[i], ARGUMENTS_FIRST_FD + i) < 0 ? -errno : 0;
	close_range((unsigned int)(ARGUMENTS_FIRST_FD + nr), ~0u, 0);
	setsid();
	signal(SIGPIPE, SIG_DFL);
	if (!rc)
		rc = confine_self(&what);
	if (!rc) {
		execv(args->words[0], args->words);
		rc = -errno;
		what = args->words[0];
	}
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(-rc));
	_exit(1);
}

static int start_process(struct model *model, const struct arguments *args, const char *log)
{
	int pair[2], said[2], rc = 0;

	model->log_fd = open_log(log);
	model->log_left = MODEL_LOG_MAX;
	/* It must never wait for a reader: what does not fit is lost. */
	if (model->log_fd < 0 || pipe2(said, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	model->said_fd = said[0];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		rc = -errno;
		goto close_said;
	}
	model->pid = fork();
	if (!model->pid)
		run_child(args, pair[1], said[1]);
	rc = model->pid < 0 ? -errno : 0;
	close(pair[1]);
	if (rc) {
		model->pid = 0;
		close(pair[0]);
	} else {
		rc = qmp_init(&model->qmp, pair[0]);
	}

close_said:
	close(said[1]);
	return rc;
}

static void drain_said(struct model *model)
{
	char buf[4096];
	ssize_t len = -1;

	for (int i = 0; i < SAID_READS_MAX && model->said_fd >= 0; i++) {
		size_t kept;

		len = read(model->said_fd, buf, sizeof(buf));
		if (len <= 0)
			break;
		kept = (size_t)len < model->log_left ? (size_t)len : model->log_left;
		if (write(model->log_fd, buf, kept) != (ssize_t)kept)
			model->log_left = 0;
		else
			model->log_left -= kept;
	}
	if (len == 0) {
		close(model->said_fd);
		model->said_fd = -1;
	}
}

/* The ptys that it opened, by the names that it gives them: "pty:/dev/pts/3". */
static int read_serials(struct model *model, int timeout_ms)
{
	struct json_object *all, *label, *file;
	int rc = qmp_command(&model->qmp, "query-chardev", NULL, -1, timeout_ms, -1, &all);
	unsigned int index;
	const char *name;

	if (rc)
		return rc;
	for (size_t i = 0;
	     json_object_is_type(all, json_type_array) && i < json_object_array_length(all); i++) {
		struct json_object *one = json_object_array_get_idx(all, i);

		if (!json_object_object_get_ex(one, "label", &label) ||
		    !json_object_object_get_ex(one, "filename", &file) ||
		    !json_object_is_type(label, json_type_string) ||
		    !json_object_is_type(file, json_type_string) ||
		    sscanf(json_object_get_string(label), "serial%u", &index) != 1 ||
		    index >= MODEL_SERIALS_MAX)
			continue;
		name = json_object_get_string(file);
		if (!strncmp(name, "pty:/dev/pts/", 13))
			snprintf(model->serials[index], sizeof(model->serials[index]), "%s",
				 name + 4);
	}
	json_object_put(all);
	return 0;
}

/* It answers only when the machine is made and its rights are given up. */
static int wait_ready(struct model *model, const struct model_config *config, int timeout_ms,
		      int cancel_fd)
{
	int rc =
		qmp_command(&model->qmp, "qmp_capabilities", NULL, -1, timeout_ms, cancel_fd, NULL);

	if (!rc)
		rc = read_serials(model, timeout_ms);
	if (!rc && config->vnc_password && config->has_vnc)
		rc = vnc_set_password(model, config->vnc_password);
	return rc;
}

/* The last line that it wrote. */
static void read_last_line(const char *log, char *line, size_t size)
{
	char buf[4096], *end, *start;
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	off_t length = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	off_t from = length > (off_t)sizeof(buf) - 1 ? length - (off_t)sizeof(buf) + 1 : 0;
	ssize_t got = fd >= 0 ? pread(fd, buf, sizeof(buf) - 1, from) : 0;

	if (fd >= 0)
		close(fd);
	buf[got > 0 ? got : 0] = '\0';
	end = buf + strlen(buf);
	while (end > buf && end[-1] == '\n')
		*--end = '\0';
	start = strrchr(buf, '\n');
	snprintf(line, size, "%.299s", start ? start + 1 : buf);
}

static int fail_start(int rc, const char *log, int timeout_ms, struct device_error *error)
{
	char line[300];

	if (rc == -ECANCELED)
		return device_error_set(error, rc, "interrupted");
	if (rc == -ETIMEDOUT)
		return device_error_set(error, rc,
					"the device model is not ready after %d s; see "
					"%s",
					timeout_ms / 1000, log);
	read_last_line(log, line, sizeof(line));
	return device_error_set(error, rc, "the device model did not start: %s",
				*line ? line : strerror(-rc));
}

int model_start(struct model *model, const struct model_config *config,
		const struct model_domain *domain, const char *log, int timeout_ms, int cancel_fd,
		struct device_error *error)
{
	int taps[TAPS_MAX], rc;
	struct arguments args;
	char dir[PATH_SIZE];

	model_init(model);
	for (size_t i = 0; i < TAPS_MAX; i++)
		taps[i] = -1;
	rc = make_dir(domain->domid, dir, sizeof(dir));
	if (rc)
		return device_error_set(error, rc, "%s: %s", dir, strerror(-rc));
	rc = open_taps(domain, taps, error);
	if (!rc && config->has_vnc)
		rc = vnc_listen(model, config, error);
	if (rc)
		goto close_taps;
	arguments_make(&args, config, domain, taps, dir, CONFINE_UID_BASE + domain->domid);
	rc = args.is_short ? -E2BIG : start_process(model, &args, log);
	arguments_free(&args);
	if (!rc)
		rc = wait_ready(model, config, timeout_ms, cancel_fd);
	drain_said(model);
	if (rc)
		fail_start(rc, log, timeout_ms, error);

close_taps:
	for (size_t i = 0; i < TAPS_MAX; i++)
		if (taps[i] >= 0)
			close(taps[i]);
	if (rc)
		model_stop(model);
	return rc;
}

static int reap(struct model *model)
{
	int status = 0;

	while (waitpid(model->pid, &status, 0) < 0 && errno == EINTR)
		;
	model->pid = 0;
	return status;
}

/* It closed its end: most likely it is just ending, and how is worth a moment's wait. */
static int reap_ending(struct model *model)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int status = 0;

	for (int waited = 0; waited < END_MS; waited += 10) {
		if (waitpid(model->pid, &status, WNOHANG) == model->pid) {
			model->pid = 0;
			return status;
		}
		nanosleep(&pause, NULL);
	}
	kill(model->pid, SIGKILL);
	return reap(model);
}

void model_stop(struct model *model)
{
	if (model->pid) {
		kill(model->pid, SIGKILL);
		reap(model);
	}
	model_release(model);
}

void model_release(struct model *model)
{
	const int fds[] = {model->said_fd, model->log_fd, model->vnc_fd};

	qmp_fini(&model->qmp);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	model_init(model);
}

void model_kill(unsigned int domid)
{
	char path[PATH_SIZE];

	confine_kill(CONFINE_UID_BASE + domid, CONFINE_REAPER_BASE + domid);
	model_path(domid, "/vnc", path, sizeof(path));
	unlink(path);
	model_path(domid, "", path, sizeof(path));
	rmdir(path);
}

void model_add_entries(struct store_entries *list, const struct model *model,
		       const struct model_config *config, unsigned int domid)
{
	char dom[64], key[32];

	snprintf(dom, sizeof(dom), "/local/domain/%u", domid);
	entries_set(list, dom, "image/device-model-pid", "%d", model->pid);
	for (unsigned int i = 0; i < MODEL_SERIALS_MAX; i++) {
		snprintf(key, sizeof(key), "serial/%u/tty", i);
		if (*model->serials[i])
			entries_set(list, dom, key, "%s", model->serials[i]);
	}
	if (!model->vnc_port)
		return;
	entries_set(list, dom, "console/vnc-port", "%u", model->vnc_port);
	entries_set(list, dom, "console/vnc-listen", "%s", config->vnc_listen);
}

void model_get_fds(const struct model *model, int fds[MODEL_FDS])
{
	fds[0] = model->qmp.fd;
	fds[1] = model->vnc_fd;
	fds[2] = model->said_fd;
}

static void describe_end(int status, char *reason, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(reason, size, "the device model died: %s", strsignal(WTERMSIG(status)));
	else
		snprintf(reason, size, "the device model ended with status %d",
			 WEXITSTATUS(status));
}

int model_serve(struct model *model, char *reason, size_t size)
{
	int rc;

	if (!model->pid)
		return 0;
	drain_said(model);
	rc = qmp_drain(&model->qmp);
	if (!rc && model->vnc_fd >= 0)
		rc = vnc_accept(model);
	if (!rc)
		return 0;
	drain_said(model);
	/* One that talks nonsense, or not at all, is of no more use than a dead one. */
	if (rc == -ECHILD)
		describe_end(reap_ending(model), reason, size);
	else
		snprintf(reason, size, "the device model does not answer");
	model_stop(model);
	return -ECHILD;
}

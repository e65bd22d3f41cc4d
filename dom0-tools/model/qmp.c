/* SPDX-License-Identifier: BSD-2-Clause */
/* QMP: lines in, commands out, and waiting for the answer among events. */
#include "model/qmp.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device/deadline.h"

/* At one time: the other end may write faster than anybody reads. */
#define DRAIN_READS_MAX 4

int qmp_init(struct qmp *qmp, int fd)
{
	*qmp = (struct qmp){.fd = fd, .buf = malloc(QMP_LINE_MAX)};
	if (qmp->buf)
		return 0;
	close(fd);
	qmp->fd = -1;
	return -ENOMEM;
}

void qmp_fini(struct qmp *qmp)
{
	if (qmp->fd >= 0)
		close(qmp->fd);
	free(qmp->buf);
	*qmp = (struct qmp){.fd = -1};
}

static int send_line(struct qmp *qmp, const char *line, int pass_fd)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)line, .iov_len = strlen(line)};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (pass_fd >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &pass_fd, sizeof(int));
	}
	do
		sent = sendmsg(qmp->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	/* Commands are shorter than any socket's buffer: one that is full is not being read. */
	return sent == (ssize_t)part.iov_len ? 0 : sent < 0 && errno == EPIPE ? -ECHILD : -EPROTO;
}

/* A whole line out of the buffer, parsed; NULL with *rc 0: there is none yet. */
static struct json_object *take_line(struct qmp *qmp, int *rc)
{
	char *end = memchr(qmp->buf, '\n', qmp->size);
	struct json_object *object;

	*rc = 0;
	if (!end) {
		if (qmp->size == QMP_LINE_MAX)
			*rc = -EPROTO;
		return NULL;
	}
	*end = '\0';
	object = json_tokener_parse(qmp->buf);
	qmp->size -= (size_t)(end + 1 - qmp->buf);
	memmove(qmp->buf, end + 1, qmp->size);
	if (!json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		*rc = -EPROTO;
		return NULL;
	}
	return object;
}

/* What is there: 0, also when nothing was; or -E. */
static int fill(struct qmp *qmp)
{
	ssize_t len = recv(qmp->fd, qmp->buf + qmp->size, QMP_LINE_MAX - qmp->size, MSG_DONTWAIT);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -ECHILD;
	qmp->size += (size_t)len;
	return len ? 0 : -ECHILD;
}

static int wait_line(struct qmp *qmp, int64_t deadline, int cancel_fd, struct json_object **line)
{
	struct pollfd fds[2] = {{.fd = qmp->fd, .events = POLLIN},
				{.fd = cancel_fd, .events = POLLIN}};
	int rc;

	while (!(*line = take_line(qmp, &rc))) {
		if (rc)
			return rc;
		if (!deadline_left(deadline))
			return -ETIMEDOUT;
		if (poll(fds, 2, deadline_left(deadline)) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return -ECANCELED;
		rc = fds[0].revents ? fill(qmp) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static int send_command(struct qmp *qmp, const char *name, struct json_object *arguments,
			int pass_fd)
{
	struct json_object *command = json_object_new_object();
	const char *text;
	char *line;
	int rc = -ENOMEM;

	json_object_object_add(command, "execute", json_object_new_string(name));
	if (arguments)
		json_object_object_add(command, "arguments", arguments);
	text = json_object_to_json_string_ext(command, JSON_C_TO_STRING_PLAIN);
	line = malloc(strlen(text) + 2);
	if (line) {
		strcat(strcpy(line, text), "\n");
		rc = send_line(qmp, line, pass_fd);
	}
	free(line);
	json_object_put(command);
	return rc;
}

int qmp_command(struct qmp *qmp, const char *name, struct json_object *arguments, int pass_fd,
		int timeout_ms, int cancel_fd, struct json_object **answer)
{
	int64_t deadline = deadline_after(timeout_ms);
	struct json_object *line, *found;
	int rc = send_command(qmp, name, arguments, pass_fd);

	while (!rc) {
		rc = wait_line(qmp, deadline, cancel_fd, &line);
		if (rc)
			break;
		if (json_object_object_get_ex(line, "return", &found)) {
			if (answer)
				*answer = json_object_get(found);
			json_object_put(line);
			return 0;
		}
		if (json_object_object_get_ex(line, "error", &found))
			rc = -EREMOTEIO;
		else if (!deadline_left(deadline))
			rc = -ETIMEDOUT;
		json_object_put(line);
	}
	return rc;
}

int qmp_drain(struct qmp *qmp)
{
	struct json_object *line;
	size_t before;
	int rc = 0;

	for (int i = 0; i < DRAIN_READS_MAX && !rc; i++) {
		before = qmp->size;
		rc = fill(qmp);
		if (rc)
			return rc;
		before = qmp->size - before;
		while ((line = take_line(qmp, &rc)))
			json_object_put(line);
		if (!before)
			break;
	}
	return rc;
}

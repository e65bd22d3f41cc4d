/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages over the daemon's socket or over /dev/xen/xenbus.  Knows framing
 * and nothing of what the messages mean.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "transport.h"

static int socket_open(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int transport_open(const char *path, bool *is_socket)
{
	struct stat st;
	int fd;

	if (stat(path, &st) < 0)
		return -errno;
	*is_socket = S_ISSOCK(st.st_mode);
	if (*is_socket)
		return socket_open(path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_gone(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

static int send_all(int fd, bool is_socket, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = is_socket ? send(fd, data, len, MSG_NOSIGNAL) : write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return is_gone(errno) ? -EPIPE : -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int transport_send(int fd, bool is_socket, const struct xsd_sockmsg *hdr,
		   const struct store_part *parts, size_t count)
{
	char message[sizeof(*hdr) + XENSTORE_PAYLOAD_MAX];
	size_t used = sizeof(*hdr);

	if (hdr->len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	memcpy(message, hdr, sizeof(*hdr));
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len)
			memcpy(message + used, parts[i].data, parts[i].len);
		used += parts[i].len;
	}
	return send_all(fd, is_socket, message, used);
}

static int receive_all(int fd, char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = read(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return is_gone(errno) ? -EPIPE : -errno;
		if (n == 0)
			return -EPIPE;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int transport_receive(int fd, struct xsd_sockmsg *hdr, char **body)
{
	char *data;
	int ret;

	ret = receive_all(fd, (char *)hdr, sizeof(*hdr));
	if (ret)
		return ret;
	if (hdr->len > XENSTORE_PAYLOAD_MAX)
		return -EPROTO;
	data = malloc(hdr->len + 1);
	if (!data)
		return -ENOMEM;
	ret = receive_all(fd, data, hdr->len);
	if (ret) {
		free(data);
		return ret;
	}
	data[hdr->len] = '\0';
	*body = data;
	return 0;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

int transport_wait(int fd, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	long long end = now_ms() + timeout_ms;
	int ret;

	for (;;) {
		ret = poll(&pfd, 1, timeout_ms);
		if (ret >= 0)
			return ret;
		if (errno != EINTR)
			return -errno;
		if (timeout_ms > 0) {
			long long left = end - now_ms();

			timeout_ms = left > 0 ? (int)left : 0;
		}
	}
}

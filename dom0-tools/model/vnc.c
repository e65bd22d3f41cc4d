/* SPDX-License-Identifier: BSD-2-Clause */
/* VNC: the listening socket, and QEMU's "add_client" for what connects to it. */
#include "model/vnc.h"

#include <errno.h>
#include <json-c/json.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 5000

static int listen_on(const struct model_config *config, uint32_t display, int *out)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *address;
	int on = 1, rc = 0, fd;
	char port[12];

	snprintf(port, sizeof(port), "%u", MODEL_VNC_PORT + display);
	if (getaddrinfo(config->vnc_listen, port, &hints, &address))
		return -EINVAL;
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, 8))
		rc = -errno;
	freeaddrinfo(address);
	if (!rc)
		*out = fd;
	else if (fd >= 0)
		close(fd);
	return rc;
}

int vnc_listen(struct model *model, const struct model_config *config, struct device_error *error)
{
	uint32_t display = config->vnc_display;
	int rc = listen_on(config, display, &model->vnc_fd);

	while (rc == -EADDRINUSE && config->has_vnc_unused && display + 1 < MODEL_VNC_DISPLAYS)
		rc = listen_on(config, ++display, &model->vnc_fd);
	if (rc)
		return device_error_set(error, rc, "vnc: port %u of %s: %s",
					MODEL_VNC_PORT + display, config->vnc_listen,
					rc == -EINVAL ? "expected an address in numbers"
						      : strerror(-rc));
	model->vnc_port = MODEL_VNC_PORT + display;
	return 0;
}

static int give_client(struct model *model, int fd)
{
	struct json_object *arguments = json_object_new_object();
	int rc;

	json_object_object_add(arguments, "fdname", json_object_new_string("vnc"));
	rc = qmp_command(&model->qmp, "getfd", arguments, fd, ANSWER_MS, -1, NULL);
	if (rc)
		return rc;
	arguments = json_object_new_object();
	json_object_object_add(arguments, "protocol", json_object_new_string("vnc"));
	json_object_object_add(arguments, "fdname", json_object_new_string("vnc"));
	return qmp_command(&model->qmp, "add_client", arguments, -1, ANSWER_MS, -1, NULL);
}

int vnc_accept(struct model *model)
{
	int rc, fd = accept4(model->vnc_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return 0;
	rc = give_client(model, fd);
	close(fd);
	return rc == -EREMOTEIO ? 0 : rc;
}

int vnc_set_password(struct model *model, const char *password)
{
	struct json_object *arguments = json_object_new_object();

	json_object_object_add(arguments, "protocol", json_object_new_string("vnc"));
	json_object_object_add(arguments, "password", json_object_new_string(password));
	return qmp_command(&model->qmp, "set_password", arguments, -1, ANSWER_MS, -1, NULL);
}

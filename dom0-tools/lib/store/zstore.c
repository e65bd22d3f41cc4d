/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations of libzstore: each packs its arguments, asks, and unpacks the
 * answer.  See zstore.h for the contract, session.c for what carries them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

int zstore_open_path(struct zstore **out, const char *path, unsigned int flags)
{
	struct zstore *store = calloc(1, sizeof(*store));
	int ret;

	if (!store)
		return -ENOMEM;
	store->events_tail = &store->events;
	store->next_tx = 1;
	store->reconnects = flags & ZSTORE_RECONNECT;
	store->path = strdup(path);
	if (!store->path) {
		ret = -ENOMEM;
		goto free_store;
	}
	store->fd = transport_open(path, &store->is_socket);
	if (store->fd < 0) {
		ret = store->fd;
		goto free_path;
	}
	*out = store;
	return 0;

free_path:
	free(store->path);
free_store:
	free(store);
	return ret;
}

int zstore_open(struct zstore **store, unsigned int flags)
{
	const char *path = getenv("ZSTORE_SOCKET");
	int ret;

	if (path)
		return zstore_open_path(store, path, flags);
	ret = zstore_open_path(store, ZSTORE_SOCKET, flags);
	if (ret == -ENOENT)
		ret = zstore_open_path(store, ZSTORE_DEVICE, flags);
	return ret;
}

void zstore_close(struct zstore *store)
{
	if (!store)
		return;
	while (store->events) {
		struct queued_event *queued = store->events;

		store->events = queued->next;
		zstore_free_event(&queued->event);
		free(queued);
	}
	while (store->watches) {
		struct kept_watch *watch = store->watches;

		store->watches = watch->next;
		free(watch->path);
		free(watch->token);
		free(watch);
	}
	while (store->txs)
		session_drop_tx(store, store->txs->handle);
	close(store->fd);
	free(store->path);
	free(store);
}

int zstore_fd(const struct zstore *store)
{
	return store->fd;
}

static struct store_part part_string(const char *string)
{
	return (struct store_part){string, strlen(string) + 1};
}

/* A request with string arguments whose answer only says yes or no. */
static int request_strings(struct zstore *store, enum xsd_sockmsg_type type, uint32_t tx,
			   const char *first, const char *second)
{
	struct store_part parts[2] = {part_string(first)};
	size_t count = 1;
	int ret;

	if (second)
		parts[count++] = part_string(second);
	ret = session_request(store, type, tx, parts, count, NULL);
	return ret < 0 ? ret : 0;
}

int zstore_read(struct zstore *store, uint32_t tx, const char *path, char **value, size_t *len)
{
	struct store_part part = part_string(path);
	int ret = session_request(store, XS_READ, tx, &part, 1, value);

	if (ret < 0)
		return ret;
	if (len)
		*len = (size_t)ret;
	return 0;
}

int zstore_read_number(struct zstore *store, uint32_t tx, const char *path, long long *number)
{
	char *value, *end;
	size_t len;
	int ret = zstore_read(store, tx, path, &value, &len);

	if (ret)
		return ret;
	errno = 0;
	*number = strtoll(value, &end, 10);
	if (errno || end == value || end != value + len)
		ret = -EINVAL;
	free(value);
	return ret;
}

int zstore_write(struct zstore *store, uint32_t tx, const char *path, const void *value, size_t len)
{
	struct store_part parts[] = {part_string(path), {value, len}};
	int ret = session_request(store, XS_WRITE, tx, parts, 2, NULL);

	return ret < 0 ? ret : 0;
}

int zstore_write_string(struct zstore *store, uint32_t tx, const char *path, const char *value)
{
	return zstore_write(store, tx, path, value, strlen(value));
}

int zstore_printf(struct zstore *store, uint32_t tx, const char *path, const char *format, ...)
{
	char value[XENSTORE_PAYLOAD_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(value))
		return -E2BIG;
	return zstore_write(store, tx, path, value, (size_t)len);
}

int zstore_mkdir(struct zstore *store, uint32_t tx, const char *path)
{
	return request_strings(store, XS_MKDIR, tx, path, NULL);
}

int zstore_rm(struct zstore *store, uint32_t tx, const char *path)
{
	return request_strings(store, XS_RM, tx, path, NULL);
}

/* The children's names as one block; for lists that no single answer holds. */
static int list_in_parts(struct zstore *store, uint32_t tx, const char *path, char **block,
			 size_t *len)
{
	char generation[32] = "", offset[32], *body, *all = NULL, *grown;
	struct store_part parts[] = {part_string(path), {offset, 0}};
	size_t have = 0, skip, got;
	int ret;

	for (;;) {
		parts[1].len = (size_t)snprintf(offset, sizeof(offset), "%zu", have) + 1;
		ret = session_request(store, XS_DIRECTORY_PART, tx, parts, 2, &body);
		if (ret < 0)
			goto free_all;
		skip = strnlen(body, (size_t)ret) + 1;
		if (skip > (size_t)ret || skip > sizeof(generation)) {
			free(body);
			ret = -EPROTO;
			goto free_all;
		}
		if (have && strcmp(generation, body)) {
			/* The node changed in between: from the start. */
			free(body);
			have = 0;
			continue;
		}
		memcpy(generation, body, skip);
		got = (size_t)ret - skip;
		/* The end of the list is marked by an empty name. */
		bool last = got && !body[ret - 1] && (got == 1 || !body[ret - 2]);

		grown = realloc(all, have + got + 1);
		if (!grown) {
			free(body);
			ret = -ENOMEM;
			goto free_all;
		}
		all = grown;
		memcpy(all + have, body + skip, got);
		free(body);
		have += got;
		if (last) {
			*block = all;
			*len = have - 1;
			return 0;
		}
		if (!got) {
			ret = -EPROTO;
			goto free_all;
		}
	}
free_all:
	free(all);
	return ret;
}

int zstore_list(struct zstore *store, uint32_t tx, const char *path, char ***names)
{
	struct store_part part = part_string(path);
	size_t len, count = 0;
	char *block, **list;
	int ret;

	ret = session_request(store, XS_DIRECTORY, tx, &part, 1, &block);
	if (ret == -E2BIG)
		ret = list_in_parts(store, tx, path, &block, &len);
	else if (ret >= 0)
		len = (size_t)ret;
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < len; i++)
		count += !block[i];
	list = calloc(count + 1, sizeof(*list));
	if (!list) {
		free(block);
		return -ENOMEM;
	}
	for (size_t i = 0, at = 0; i < count; i++) {
		list[i] = strdup(block + at);
		if (!list[i]) {
			zstore_free_names(list, (int)i);
			free(block);
			return -ENOMEM;
		}
		at += strlen(block + at) + 1;
	}
	free(block);
	*names = list;
	return (int)count;
}

void zstore_free_names(char **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static const char perm_letters[] = {'n', 'r', 'w', 'b'};

int zstore_get_perms(struct zstore *store, uint32_t tx, const char *path,
		     struct zstore_perm **perms)
{
	struct store_part part = part_string(path);
	size_t len, count = 0, at = 0;
	struct zstore_perm *list;
	char *body;
	int ret;

	ret = session_request(store, XS_GET_PERMS, tx, &part, 1, &body);
	if (ret < 0)
		return ret;
	len = (size_t)ret;
	for (size_t i = 0; i < len; i++)
		count += !body[i];
	list = calloc(count + 1, sizeof(*list));
	if (!list) {
		ret = -ENOMEM;
		goto free_body;
	}
	for (size_t i = 0; i < count; i++) {
		const char *letter = memchr(perm_letters, body[at], sizeof(perm_letters));

		if (!letter) {
			free(list);
			ret = -EPROTO;
			goto free_body;
		}
		list[i].bits = (unsigned int)(letter - perm_letters);
		list[i].domid = (unsigned int)strtoul(body + at + 1, NULL, 10);
		at += strlen(body + at) + 1;
	}
	*perms = list;
	ret = (int)count;
free_body:
	free(body);
	return ret;
}

int zstore_set_perms(struct zstore *store, uint32_t tx, const char *path,
		     const struct zstore_perm *perms, size_t count)
{
	char list[XENSTORE_PAYLOAD_MAX];
	struct store_part parts[] = {part_string(path), {list, 0}};
	size_t used = 0;
	int ret;

	for (size_t i = 0; i < count; i++) {
		if (perms[i].bits > ZSTORE_PERM_BOTH)
			return -EINVAL;
		if (used + 16 > sizeof(list))
			return -E2BIG;
		used += (size_t)snprintf(list + used, 16, "%c%u", perm_letters[perms[i].bits],
					 perms[i].domid & 0xffff) +
			1;
	}
	parts[1].len = used;
	ret = session_request(store, XS_SET_PERMS, tx, parts, 2, NULL);
	return ret < 0 ? ret : 0;
}

int zstore_begin(struct zstore *store, uint32_t *handle)
{
	struct store_part part = part_string("");
	struct kept_tx *tx = calloc(1, sizeof(*tx));
	char *body;
	int ret;

	if (!tx)
		return -ENOMEM;
	ret = session_request(store, XS_TRANSACTION_START, ZSTORE_NO_TX, &part, 1, &body);
	if (ret < 0) {
		free(tx);
		return ret;
	}
	tx->wire_id = (uint32_t)strtoul(body, NULL, 10);
	free(body);
	tx->handle = store->next_tx++;
	if (!store->next_tx)
		store->next_tx = 1;
	tx->next = store->txs;
	store->txs = tx;
	*handle = tx->handle;
	return 0;
}

static int end_transaction(struct zstore *store, uint32_t handle, const char *verdict)
{
	int ret;

	if (handle == ZSTORE_NO_TX)
		return -EINVAL;
	ret = request_strings(store, XS_TRANSACTION_END, handle, verdict, NULL);
	session_drop_tx(store, handle);
	return ret;
}

int zstore_commit(struct zstore *store, uint32_t tx)
{
	return end_transaction(store, tx, "T");
}

int zstore_abort(struct zstore *store, uint32_t tx)
{
	int ret = end_transaction(store, tx, "F");

	/* Lost with the daemon it was opened at: aborted all the same. */
	return ret == -EAGAIN ? 0 : ret;
}

int zstore_watch(struct zstore *store, const char *path, const char *token)
{
	struct kept_watch *watch = calloc(1, sizeof(*watch));
	int ret = -ENOMEM;

	if (!watch)
		return ret;
	watch->path = strdup(path);
	watch->token = strdup(token);
	if (!watch->path || !watch->token)
		goto free_watch;
	ret = request_strings(store, XS_WATCH, ZSTORE_NO_TX, path, token);
	if (ret)
		goto free_watch;
	watch->next = store->watches;
	store->watches = watch;
	return 0;

free_watch:
	free(watch->path);
	free(watch->token);
	free(watch);
	return ret;
}

int zstore_unwatch(struct zstore *store, const char *path, const char *token)
{
	for (struct kept_watch **link = &store->watches; *link; link = &(*link)->next) {
		struct kept_watch *watch = *link;

		if (strcmp(watch->path, path) || strcmp(watch->token, token))
			continue;
		*link = watch->next;
		free(watch->path);
		free(watch->token);
		free(watch);
		break;
	}
	return request_strings(store, XS_UNWATCH, ZSTORE_NO_TX, path, token);
}

int zstore_next_event(struct zstore *store, int timeout_ms, struct zstore_event *event)
{
	struct queued_event *queued;
	int ret;

	while (!store->events) {
		ret = transport_wait(store->fd, timeout_ms);
		if (ret < 0)
			return ret;
		if (ret == 0)
			return -EAGAIN;
		ret = session_receive_event(store);
		if (ret == -EPIPE)
			ret = session_reconnect(store);
		if (ret)
			return ret;
	}
	queued = store->events;
	store->events = queued->next;
	if (!store->events)
		store->events_tail = &store->events;
	*event = queued->event;
	free(queued);
	return 0;
}

void zstore_free_event(struct zstore_event *event)
{
	free(event->path);
	free(event->token);
	event->path = event->token = NULL;
}

static int request_domain(struct zstore *store, enum xsd_sockmsg_type type, unsigned int domid,
			  const char *second)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", domid);
	return request_strings(store, type, ZSTORE_NO_TX, number, second);
}

int zstore_introduce(struct zstore *store, unsigned int domid, uint64_t gfn, unsigned int port)
{
	char id[16], frame[24], channel[16];
	struct store_part parts[3];
	int ret;

	snprintf(id, sizeof(id), "%u", domid);
	snprintf(frame, sizeof(frame), "%llu", (unsigned long long)gfn);
	snprintf(channel, sizeof(channel), "%u", port);
	parts[0] = part_string(id);
	parts[1] = part_string(frame);
	parts[2] = part_string(channel);
	ret = session_request(store, XS_INTRODUCE, ZSTORE_NO_TX, parts, 3, NULL);
	return ret < 0 ? ret : 0;
}

int zstore_release(struct zstore *store, unsigned int domid)
{
	return request_domain(store, XS_RELEASE, domid, NULL);
}

int zstore_resume(struct zstore *store, unsigned int domid)
{
	return request_domain(store, XS_RESUME, domid, NULL);
}

int zstore_set_target(struct zstore *store, unsigned int domid, unsigned int target)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", target);
	return request_domain(store, XS_SET_TARGET, domid, number);
}

int zstore_is_introduced(struct zstore *store, unsigned int domid, bool *introduced)
{
	struct store_part part;
	char number[16], *body;
	int ret;

	snprintf(number, sizeof(number), "%u", domid);
	part = part_string(number);
	ret = session_request(store, XS_IS_DOMAIN_INTRODUCED, ZSTORE_NO_TX, &part, 1, &body);
	if (ret < 0)
		return ret;
	*introduced = body[0] == 'T';
	free(body);
	return 0;
}

int zstore_get_domain_path(struct zstore *store, unsigned int domid, char **path)
{
	struct store_part part;
	char number[16];
	int ret;

	snprintf(number, sizeof(number), "%u", domid);
	part = part_string(number);
	ret = session_request(store, XS_GET_DOMAIN_PATH, ZSTORE_NO_TX, &part, 1, path);
	return ret < 0 ? ret : 0;
}

int zstore_control(struct zstore *store, const char *const *argv, size_t argc, char **reply)
{
	struct store_part parts[16];
	int ret;

	if (!argc || argc > sizeof(parts) / sizeof(parts[0]))
		return -EINVAL;
	for (size_t i = 0; i < argc; i++)
		parts[i] = part_string(argv[i]);
	ret = session_request(store, XS_CONTROL, ZSTORE_NO_TX, parts, argc, reply);
	return ret < 0 ? ret : 0;
}

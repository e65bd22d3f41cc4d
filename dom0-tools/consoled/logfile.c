/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logs with a bounded size: see logfile.h.  A full disk loses log, nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logfile.h"

static int open_file(struct logfile *log)
{
	struct stat st;

	/* A link could lead a guest's output elsewhere. */
	log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (log->fd < 0)
		return -errno;
	log->size = fstat(log->fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
	return 0;
}

int logfile_open(struct logfile *log, const char *path, uint64_t limit)
{
	int ret;

	*log = (struct logfile){.fd = -1, .limit = limit};
	log->path = strdup(path);
	if (!log->path)
		return -ENOMEM;
	ret = open_file(log);
	if (ret) {
		free(log->path);
		log->path = NULL;
	}
	return ret;
}

void logfile_close(struct logfile *log)
{
	if (log->fd >= 0)
		close(log->fd);
	free(log->path);
	*log = (struct logfile){.fd = -1};
}

void logfile_reopen(struct logfile *log)
{
	if (!log->path)
		return;
	if (log->fd >= 0)
		close(log->fd);
	open_file(log);
}

static void rotate(struct logfile *log)
{
	char from[4096], to[4096];

	for (int i = LOGFILE_KEPT; i > 0; i--) {
		if (i > 1)
			snprintf(from, sizeof(from), "%s.%d", log->path, i - 1);
		else
			snprintf(from, sizeof(from), "%s", log->path);
		snprintf(to, sizeof(to), "%s.%d", log->path, i);
		rename(from, to);
	}
	logfile_reopen(log);
}

void logfile_write(struct logfile *log, const char *data, size_t len)
{
	if (log->fd < 0 || !len)
		return;
	if (log->size && log->size + len > log->limit)
		rotate(log);
	while (len && log->fd >= 0) {
		ssize_t n = write(log->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
		log->size += (uint64_t)n;
	}
}

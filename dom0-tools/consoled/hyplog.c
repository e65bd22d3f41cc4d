/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's console ring, copied to a file.  The position in the ring is
 * kept in a tmpfs, so that a restarted daemon neither repeats nor skips.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "hyp/hyp.h"
#include "hyp/system.h"

#include "server.h"

#define CHUNK 16384

void hyplog_open(struct hyplog *log, const char *log_dir, const char *state_dir, uint64_t limit)
{
	char path[4096];
	uint32_t index;
	int ret;

	log->index = 0;
	log->index_fd = -1;
	log->file.fd = -1;
	if (!log_dir)
		return;
	snprintf(path, sizeof(path), "%s/hypervisor.log", log_dir);
	ret = logfile_open(&log->file, path, limit);
	if (ret)
		log_error("%s: %s", path, strerror(-ret));
	snprintf(path, sizeof(path), "%s/hypervisor-position", state_dir);
	log->index_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (log->index_fd < 0)
		log_error("%s: %s", path, strerror(errno));
	else if (pread(log->index_fd, &index, sizeof(index), 0) == sizeof(index))
		log->index = index;
}

void hyplog_close(struct hyplog *log)
{
	logfile_close(&log->file);
	if (log->index_fd >= 0)
		close(log->index_fd);
}

void hyplog_read(struct hyplog *log, struct hyp *hyp)
{
	char data[CHUNK];
	int len;

	if (log->file.fd < 0)
		return;
	do {
		len = hyp_system_read_console(hyp, data, sizeof(data), &log->index, false);
		if (len <= 0)
			return;
		logfile_write(&log->file, data, (size_t)len);
		if (log->index_fd >= 0 &&
		    pwrite(log->index_fd, &log->index, sizeof(log->index), 0) < 0)
			log_debug("position: %s", strerror(errno));
	} while (len == CHUNK);
}

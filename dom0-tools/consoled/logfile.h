/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is appended to and kept below a size: when it is full, FILE
 * becomes FILE.1, FILE.1 becomes FILE.2, and the last is dropped.
 */
#ifndef ZCONSOLED_LOGFILE_H
#define ZCONSOLED_LOGFILE_H

#include <stddef.h>
#include <stdint.h>

#define LOGFILE_KEPT 3 /* old ones */

struct logfile {
	char *path;
	int fd;
	uint64_t size;
	uint64_t limit;
};

/* Without a file (-1) writing does nothing; limit in bytes. */
int logfile_open(struct logfile *log, const char *path, uint64_t limit);
void logfile_close(struct logfile *log);
void logfile_write(struct logfile *log, const char *data, size_t len);
/* The file was moved away by somebody else. */
void logfile_reopen(struct logfile *log);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of a daemon: one line each, with the time when they go to a file.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static const char *log_name = "daemon";
static int log_level = LOG_LEVEL_INFO;
static int log_fd = STDERR_FILENO;
static char *log_path;

void log_set_name(const char *name)
{
	log_name = name;
}

void log_set_level(int level)
{
	log_level = level;
}

int log_open(const char *path)
{
	int fd = STDERR_FILENO;
	char *copy = NULL;

	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
		if (fd < 0)
			return -errno;
		copy = strdup(path);
	}
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	free(log_path);
	log_fd = fd;
	log_path = copy;
	return 0;
}

void log_reopen(void)
{
	int fd;

	if (!log_path)
		return;
	fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	close(log_fd);
	log_fd = fd;
}

void log_backtrace(int signal_number)
{
	char line[64];
	void *frames[64];
	int len = snprintf(line, sizeof(line), "killed by signal %d at:\n", signal_number);

	if (write(log_fd, line, (size_t)len) < 0)
		return;
	backtrace_symbols_fd(frames, backtrace(frames, 64), log_fd);
}

/* Bytes a guest chose must not drive a terminal. */
static void make_printable(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	}
}

void log_print(enum log_level level, const char *format, ...)
{
	char line[512];
	struct tm tm;
	size_t used;
	va_list args;
	time_t now;
	int len;

	if ((int)level > log_level)
		return;
	if (log_fd == STDERR_FILENO) {
		used = (size_t)snprintf(line, sizeof(line), "%s: ", log_name);
	} else {
		now = time(NULL);
		localtime_r(&now, &tm);
		used = strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S ", &tm);
	}
	va_start(args, format);
	len = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	if (len < 0)
		return;
	make_printable(line + used, strlen(line + used));
	used = strlen(line);
	line[used++] = '\n';
	if (write(log_fd, line, used) < 0)
		return;
}

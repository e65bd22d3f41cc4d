/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of a daemon: to stderr in the foreground, to a file otherwise.
 */
#ifndef ZENDO_DAEMON_LOG_H
#define ZENDO_DAEMON_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* In front of each message on stderr; kept, not copied. */
void log_set_name(const char *name);
void log_set_level(int level);
/* Also closes what was open; NULL: back to stderr.  -E. */
int log_open(const char *path);
/* After the file was moved away. */
void log_reopen(void);
/* Where the program is, from a handler of a fatal signal. */
void log_backtrace(int signal_number);
void log_print(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_print(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_info(...)  log_print(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif

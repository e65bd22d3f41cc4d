/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdaemon: what dom0's daemons have in common: going to the background, the
 * lock, the pid file, limits, signals.  Messages: see log.h.
 */
#ifndef ZENDO_DAEMON_H
#define ZENDO_DAEMON_H

#include <signal.h>

/* Set by SIGTERM and SIGINT, and by SIGHUP, once daemon_set_signals() was called. */
extern volatile sig_atomic_t daemon_must_stop;
extern volatile sig_atomic_t daemon_must_reopen;

/* A fatal signal leaves a backtrace in the log. */
void daemon_set_signals(void);
/*
 * Killed for memory after all others, many descriptors, no new privileges;
 * files of its making are writable for root only.
 */
void daemon_set_limits(void);

/*
 * Goes on in a child, whose *ready_fd is for daemon_report_ready().  The parent
 * stays until then and ends with status 0, or with 1 if the child ends first.
 * stderr stays as it is until the child is ready.  0 or -E, in the child.
 */
int daemon_start(int *ready_fd);
/*
 * The beginning of every daemon: limits, signals, the background (ready_fd NULL:
 * stays in the foreground) and the lock of its state directory, kept until its
 * end.  The lock's descriptor, or -E after a complaint.
 */
int daemon_enter(const char *state_dir, int *ready_fd);
/* Nobody waits any more: messages go to log_path, stderr to nowhere. */
void daemon_report_ready(int ready_fd, const char *log_path);

/* Makes the directory that a file is to lie in, and those above it. */
void daemon_make_directory_of(const char *path);
/*
 * The lock DIR/lock, held until the process ends however it ends; a descriptor,
 * or -EWOULDBLOCK if another process holds it, or -E.
 */
int daemon_take_lock(const char *dir);
int daemon_write_pid(const char *path);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzstore: a client of the xenstore protocol, over the daemon's socket or
 * the kernel's /dev/xen/xenbus.  One handle belongs to one thread.  The
 * library never prints and never exits.
 *
 * Every function returns 0 (or a count) or -E.  Errors the daemon reports come
 * back as the -E it named: -ENOENT, -EACCES, -EAGAIN, -EEXIST, ...  Strings
 * and arrays handed out are malloc()ed; the caller frees them.
 *
 * When the daemon is restarted, a handle opened with ZSTORE_RECONNECT waits
 * for it (10 s at most), sets its watches again (each fires once) and repeats
 * the request.  An open transaction then fails with -EAGAIN at its next use,
 * as it would after a conflict: begin again.
 */
#ifndef ZENDO_ZSTORE_H
#define ZENDO_ZSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZSTORE_SOCKET	 "/run/xenstored/socket"
#define ZSTORE_DEVICE	 "/dev/xen/xenbus"
#define ZSTORE_RECONNECT 1u

/* No transaction: the operation stands alone. */
#define ZSTORE_NO_TX	  0u

#define ZSTORE_PERM_NONE  0u
#define ZSTORE_PERM_READ  1u
#define ZSTORE_PERM_WRITE 2u
#define ZSTORE_PERM_BOTH  3u

struct zstore;

/* The first of a list names the owner, its bits are those of everyone else. */
struct zstore_perm {
	unsigned int domid;
	unsigned int bits;
};

struct zstore_event {
	char *path;
	char *token;
};

/* $ZSTORE_SOCKET if set, else the socket, else the device; no other fallback. */
int zstore_open(struct zstore **store, unsigned int flags);
int zstore_open_path(struct zstore **store, const char *path, unsigned int flags);
void zstore_close(struct zstore *store);

/*
 * *value is NUL-terminated beyond its *len bytes; len may be NULL.
 */
int zstore_read(struct zstore *store, uint32_t tx, const char *path, char **value, size_t *len);
/* The value as a whole decimal number, or -EINVAL. */
int zstore_read_number(struct zstore *store, uint32_t tx, const char *path, long long *number);
int zstore_write(struct zstore *store, uint32_t tx, const char *path, const void *value,
		 size_t len);
int zstore_write_string(struct zstore *store, uint32_t tx, const char *path, const char *value);
int zstore_printf(struct zstore *store, uint32_t tx, const char *path, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int zstore_mkdir(struct zstore *store, uint32_t tx, const char *path);
/* Removes the whole subtree.  Not an error if only the last part is missing. */
int zstore_rm(struct zstore *store, uint32_t tx, const char *path);
/* The names of the children; returns their number.  Free with zstore_free_names(). */
int zstore_list(struct zstore *store, uint32_t tx, const char *path, char ***names);
void zstore_free_names(char **names, int count);
/* Returns the number of entries in *perms. */
int zstore_get_perms(struct zstore *store, uint32_t tx, const char *path,
		     struct zstore_perm **perms);
int zstore_set_perms(struct zstore *store, uint32_t tx, const char *path,
		     const struct zstore_perm *perms, size_t count);

/*
 * Transactions.  On -EAGAIN from commit (or from any step, after a reconnect)
 * nothing was done: begin again.
 */
int zstore_begin(struct zstore *store, uint32_t *tx);
int zstore_commit(struct zstore *store, uint32_t tx);
int zstore_abort(struct zstore *store, uint32_t tx);

/*
 * Watches.  Setting one fires it once.  Events that arrive while other requests
 * wait for their answer are queued.
 */
int zstore_watch(struct zstore *store, const char *path, const char *token);
int zstore_unwatch(struct zstore *store, const char *path, const char *token);
/*
 * Waits timeout_ms (-1: for ever, 0: not at all) for the next event; -EAGAIN if
 * there was none.  Free with zstore_free_event().
 */
int zstore_next_event(struct zstore *store, int timeout_ms, struct zstore_event *event);
void zstore_free_event(struct zstore_event *event);
/*
 * The descriptor to poll for POLLIN; call zstore_next_event(.., 0, ..) until
 * -EAGAIN before sleeping on it.  It may change after a reconnect: ask again.
 */
int zstore_fd(const struct zstore *store);

/* What only a privileged client may ask for. */
int zstore_introduce(struct zstore *store, unsigned int domid, uint64_t gfn, unsigned int port);
int zstore_release(struct zstore *store, unsigned int domid);
int zstore_resume(struct zstore *store, unsigned int domid);
int zstore_set_target(struct zstore *store, unsigned int domid, unsigned int target);
int zstore_is_introduced(struct zstore *store, unsigned int domid, bool *introduced);
int zstore_get_domain_path(struct zstore *store, unsigned int domid, char **path);
/* argv[0] is the command ("help", "quota", "log", ...). */
int zstore_control(struct zstore *store, const char *const *argv, size_t argc, char **reply);

#endif

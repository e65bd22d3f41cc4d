/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the files in /run/zendo that make `zl create` safe to kill. One for each domain that zl made
 * or is making, written and locked before anything is done in its name:
 *
 *	/run/zendo/domains/UUID.json   {"name", "uuid", "domid", "stage"}
 *
 * The process that answers for the domain (creator, then monitor) holds a flock(2) on it. A file
 * without its lock tells that this process was killed, and the stage what is to be done about it.
 */
#ifndef ZENDO_ZL_STATE_H
#define ZENDO_ZL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "hyp/abi.h"
#include "zl/spec.h"

#define STATE_DIR "/run/zendo"

enum state_stage {
	STATE_BUILDING,	 /* without its owner: half a domain, to be swept away */
	STATE_RUNNING,	 /* without its owner: a domain that nobody watches */
	STATE_PRESERVED, /* ended and kept, for somebody to look at; has no owner */
};

struct state_record {
	char name[SPEC_NAME_MAX + 1];
	uint8_t uuid[16];
	domid_t domid; /* 0: not made yet */
	enum state_stage stage;
};

struct state_file {
	int fd; /* carries the lock; -1: none */
	char path[128];
};

/* $ZENDO_STATE_DIR or STATE_DIR; made if need be. 0 or -E. */
int state_init(void);

/*
 * One at a time through the part of creation that looks for a free name and takes it. Blocks;
 * returns a descriptor that holds the lock until it is closed, or -E.
 */
int state_lock_creation(void);

/* Under the creation lock: drops the record that a creator was killed over before it was whole. */
void state_discard_unborn(void);

/*
 * Under the creation lock. -EEXIST: this UUID is taken. The caller owns the lock on the file on
 * success.
 */
int state_create(struct state_file *file, const struct state_record *record);
int state_write(struct state_file *file, const struct state_record *record);
/* Let go of the file and leave it there. */
void state_release(struct state_file *file);
/* Remove the file and let go. */
void state_remove(struct state_file *file);

/*
 * Take over a file whose owner is gone. -EBUSY: the owner lives; -ENOENT: no such file.
 * `timeout_ms`: how long to wait for the owner to end.
 */
int state_adopt(const uint8_t uuid[16], int timeout_ms, struct state_file *file,
		struct state_record *record);

/*
 * Ask the owner not to start the domain again. Holds for as long as the asker lives and has not
 * called state_end_stop(); returns a descriptor for that, or -E.
 */
int state_request_stop(const uint8_t uuid[16]);
void state_end_stop(const uint8_t uuid[16], int fd);
bool state_is_stop_requested(const uint8_t uuid[16]);

/*
 * Call `visit` for every file, with is_owned when its owner lives. Files that make no sense and
 * have no owner are removed. A nonzero return of `visit` ends the walk with it.
 */
int state_visit(int (*visit)(void *arg, const struct state_record *record, bool is_owned),
		void *arg);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: why domains ended. The hypervisor's own words while the domain is still there; after that,
 * the record that the monitor keeps in ENDED_FILE, one JSON object a line.
 */
#ifndef ZENDO_ZL_REASON_H
#define ZENDO_ZL_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "hyp/abi.h"

struct zl;

#define ZL_LOG_DIR "/var/log/zendo"
#define ENDED_FILE ZL_LOG_DIR "/ended.jsonl"

/*
 * Why the domain was ended, malloc()ed, or NULL when nobody says: in the words of the tool that did
 * it, or else of the hypervisor.
 */
char *reason_get(struct zl *zl, domid_t domid);
/* Said before this process ends the domain; kept in the store for as long as it is there. */
int reason_set(struct zl *zl, domid_t domid, const char *reason);

struct ended_domain {
	const char *name;
	uint8_t uuid[16];
	domid_t domid;
	const char *reason; /* shutdown_code_name(), or "destroyed" */
	const char *text;   /* or NULL */
	const char *action; /* what was done about it */
	int64_t time;	    /* seconds since 1970 */
};

/* Append to the record in `path`; the record is kept below ENDED_BYTES_MAX by dropping the past. */
#define ENDED_BYTES_MAX (256 * 1024)
int ended_add(const char *path, const struct ended_domain *ended);

/* Print the record, oldest first: as columns, or as one JSON array. -ENOENT: nobody ended yet. */
int ended_print(const char *path, bool as_json, FILE *out);

#endif

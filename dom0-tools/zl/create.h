/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: making one domain from a specification: all of it, or nothing. Used by the supervisor for
 * the first start and for every restart.
 */
#ifndef ZENDO_ZL_CREATE_H
#define ZENDO_ZL_CREATE_H

#include <limits.h>
#include <stdbool.h>

#include "builder/build.h"
#include "device/devices.h"
#include "device/entries.h"
#include "model/model.h"
#include "zl/spec.h"
#include "zl/state.h"

struct zl;

struct creation {
	struct zl *zl;
	const struct domain_spec *spec;
	struct domain_devices devices; /* opened at the first use, kept for restarts */
	struct model model;	       /* of an HVM domain; model.pid 0: none */
	char loader[PATH_MAX];	       /* the first program of an HVM domain */
	struct state_file state;
	struct state_record record;
	int cancel_fd; /* readable: the person who asked has gone away; -1: nobody is asked */
	void (*progress)(const struct creation *creation, const char *step); /* or NULL */
	char error[600]; /* filled with every failure */
};

void creation_init(struct creation *creation, struct zl *zl, const struct domain_spec *spec);
/* Close what is open. Destroys nothing: a device model goes on alone. */
void creation_fini(struct creation *creation);

/*
 * Sweep up after others, check that name and UUID are free, and take them: from here on the state
 * file says that the domain is being built. One process at a time.
 */
int creation_take_name(struct creation *creation);

/*
 * Build the domain and leave it paused: its number is in record.domid. On error the domain, its
 * devices and its nodes are gone again; the name is still taken.
 */
int creation_build(struct creation *creation);

/* The domain runs, or waits paused as asked: the state file says so. */
int creation_finish(struct creation *creation);
/* Give the name back. */
void creation_drop_name(struct creation *creation);

/* The steps that only HVM domains have, for creation_build(). */
int creation_find_loader(struct creation *creation);
void creation_set_hvm_params(const struct creation *creation, struct build_params *params);
/* boot_fd: as the builder gave it; it stays the caller's. */
int creation_start_model(struct creation *creation, int boot_fd);

/* For the steps: tell why it failed, and what is being done; creation_fail() returns `code`. */
int creation_fail(struct creation *creation, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void creation_show(const struct creation *creation, const char *step);

/* The store's nodes for a domain and its devices; pure, for creation_build() and tests. */
void domain_add_entries(struct store_entries *list, const struct domain_spec *spec,
			const struct domain_devices *devices, const struct build_result *built,
			long long start_time);

/*
 * Is the name free? Looks at living domains and at those being made, under the creation lock.
 * 0; -EEXIST; -EBUSY: it is being made, and may come to nothing; or -E.
 */
int name_check_free(struct zl *zl, const char *name);
/* The second half alone: 0 or -EBUSY. */
int name_check_building(const char *name);

#endif

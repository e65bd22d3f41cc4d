/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzmodel only: the device model's command line and the descriptors that it names. Made
 * in memory, so that tests can look at it; nothing is opened here.
 */
#ifndef ZENDO_MODEL_ARGUMENTS_H
#define ZENDO_MODEL_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define ARGUMENTS_MAX	   256
#define ARGUMENTS_FDS_MAX  64
#define ARGUMENTS_FIRST_FD 3 /* the machine protocol's; those of fds[] follow */
#define ARGUMENTS_IDE_MAX  4

struct arguments {
	char *words[ARGUMENTS_MAX + 1]; /* ended by NULL */
	size_t nr;
	int fds[ARGUMENTS_FDS_MAX]; /* to be there as ARGUMENTS_FIRST_FD + 1 + index */
	size_t nr_fds;
	bool is_short; /* too many, or out of memory */
};

/*
 * `taps` has one descriptor for each interface, -1 for one that is not emulated. `dir` is the
 * process's own directory, `uid` what it is to be in the end.
 */
void arguments_make(struct arguments *args, const struct model_config *config,
		    const struct model_domain *domain, const int *taps, const char *dir, uid_t uid);
void arguments_free(struct arguments *args);

#endif

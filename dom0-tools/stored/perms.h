/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Permissions of a node: a list whose first entry names the owner and what
 * everybody not listed may do; the others name one domain each.
 */
#ifndef ZSTORED_PERMS_H
#define ZSTORED_PERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERM_NONE  0u
#define PERM_READ  1u
#define PERM_WRITE 2u
/* Asked for, never stored: only the owner has it. */
#define PERM_OWNER 4u

struct perm {
	uint16_t domid;
	uint16_t bits;
};

/* Who asks: domain 0 may do everything, a domain also what its target may. */
struct actor {
	uint16_t domid;
	uint16_t target;
	bool has_target;
};

static inline bool actor_is_privileged(const struct actor *actor)
{
	return actor->domid == 0;
}

bool perms_allow(const struct perm *perms, size_t count, const struct actor *actor,
		 unsigned int wanted);
/* One "r12" into *perm; -EINVAL. */
int perm_parse(const char *text, struct perm *perm);
/* Writes "r12" and its NUL; returns the length with the NUL, at most PERM_TEXT_MAX. */
#define PERM_TEXT_MAX 7
size_t perm_format(const struct perm *perm, char text[PERM_TEXT_MAX]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Permission lists: who may, and how they are written on the wire.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perms.h"

static const char letters[] = "nrwb";

static bool domain_may(const struct perm *perms, size_t count, uint16_t domid, unsigned int wanted)
{
	if (perms[0].domid == domid)
		return true;
	if (wanted & PERM_OWNER)
		return false;
	for (size_t i = 1; i < count; i++) {
		if (perms[i].domid == domid)
			return (perms[i].bits & wanted) == wanted;
	}
	return (perms[0].bits & wanted) == wanted;
}

bool perms_allow(const struct perm *perms, size_t count, const struct actor *actor,
		 unsigned int wanted)
{
	if (actor_is_privileged(actor))
		return true;
	if (domain_may(perms, count, actor->domid, wanted))
		return true;
	return actor->has_target && domain_may(perms, count, actor->target, wanted);
}

int perm_parse(const char *text, struct perm *perm)
{
	const char *letter;
	unsigned long domid;
	char *end;

	if (!text[0])
		return -EINVAL;
	letter = strchr(letters, text[0]);
	if (!letter || text[1] < '0' || text[1] > '9')
		return -EINVAL;
	domid = strtoul(text + 1, &end, 10);
	if (*end || domid > UINT16_MAX)
		return -EINVAL;
	perm->bits = (uint16_t)(letter - letters);
	perm->domid = (uint16_t)domid;
	return 0;
}

size_t perm_format(const struct perm *perm, char text[PERM_TEXT_MAX])
{
	return (size_t)snprintf(text, PERM_TEXT_MAX, "%c%u", letters[perm->bits & 3u],
				(unsigned int)perm->domid) +
	       1;
}

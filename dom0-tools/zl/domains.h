/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the domains that there are: what the hypervisor knows of them, with their names from the
 * store, and how they are shown. Reads only.
 */
#ifndef ZENDO_ZL_DOMAINS_H
#define ZENDO_ZL_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "hyp/abi.h"

struct zl;
struct json_object;

struct domain_view {
	domid_t domid;
	char *name;	   /* NULL: none in the store */
	char *reason_text; /* why the hypervisor ended it, in its words; NULL: not said */
	struct xen_domctl_getdomaininfo info;
};

/* All domains, in rising order. The caller frees them with domains_free(). */
int domains_get(struct zl *zl, struct domain_view **views, size_t *nr);
int domains_get_one(struct zl *zl, domid_t domid, struct domain_view **views);
void domains_free(struct domain_view *views, size_t nr);

/* The name of a domain in the store, malloc()ed, or NULL. */
char *domain_read_name(struct zl *zl, domid_t domid);
/* -ENOENT: no living domain is called so. */
int domains_find_name(struct zl *zl, const char *name, domid_t *domid);
/* -ENOENT: no domain has this UUID. */
int domains_find_uuid(struct zl *zl, const uint8_t uuid[16], domid_t *domid);

bool domain_is_shutdown(const struct xen_domctl_getdomaininfo *info);
/* An HVM domain, whose machine is emulated, as opposed to PVH and PV. */
bool domain_has_model(const struct xen_domctl_getdomaininfo *info);
/* "pv", "pvh" or "hvm". */
const char *domain_kind(const struct xen_domctl_getdomaininfo *info);
bool domain_is_dying(const struct xen_domctl_getdomaininfo *info);
unsigned int domain_shutdown_code(const struct xen_domctl_getdomaininfo *info);
/* "poweroff", "crash", ...; "-" for one that has not ended. */
const char *domain_reason(const struct xen_domctl_getdomaininfo *info);
/* xl's six letters, r b p s c d, "-" for what is not; `text` holds 7 bytes. */
void domain_format_state(const struct xen_domctl_getdomaininfo *info, char *text);

/* The columns of xl list; `verbose` adds UUID and reason, as xl list -v. */
void domains_print(const struct domain_view *views, size_t nr, bool verbose, FILE *out);
struct json_object *domains_to_json(const struct domain_view *views, size_t nr);

#endif

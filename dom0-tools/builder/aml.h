/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: writing ACPI Machine Language (ACPI Specification, "ACPI Machine Language
 * (AML) Specification"), as much of it as our tables need. Writing past the end of the buffer is
 * counted, not done: aml_fits() tells at the end.
 */
#ifndef ZENDO_BUILDER_AML_H
#define ZENDO_BUILDER_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *data;
	size_t size; /* of what was written */
	size_t room;
};

/* A block that has begun: where its length goes. */
struct aml_block {
	size_t length_at;
};

/* Names are single segments of four characters, "\\" in front for the root. */
struct aml_block aml_begin_scope(struct aml *aml, const char *name);
struct aml_block aml_begin_device(struct aml *aml, const char *name);
void aml_end(struct aml *aml, struct aml_block block);

void aml_name_string(struct aml *aml, const char *name, const char *value);
void aml_name_number(struct aml *aml, const char *name, uint32_t value);

static inline bool aml_fits(const struct aml *aml)
{
	return aml->size <= aml->room;
}

#endif

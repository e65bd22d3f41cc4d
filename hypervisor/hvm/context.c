/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream of records that saves an HVM domain (public hvm/save.h): a
 * header, what the tables of context.h describe, an end.  A set may hold any
 * of them; each is looked at before the first is loaded.
 */
#include "hvm/context.h"

#include <xen/hvm/save.h>

#include "cpu/features.h"
#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "time/time.h"

#define RECORD_MAX 8192 /* the longest of a kind */
#define KHZ 1000

/* Where the tables are: one for each owner. */
static const struct {
	const struct hvm_save_kind *kinds;
	const unsigned int *nr;
} tables[] = {
	{hvm_cpu_save_kinds, &hvm_cpu_nr_save_kinds},
	{hvm_platform_save_kinds, &hvm_platform_nr_save_kinds},
};

#define for_each_kind(k)                                                                           \
	for (unsigned int t_##k = 0; t_##k < ARRAY_SIZE(tables); t_##k++)                          \
		for (k = tables[t_##k].kinds; k < tables[t_##k].kinds + *tables[t_##k].nr; k++)

static const struct hvm_save_kind *kind_find(unsigned int type)
{
	const struct hvm_save_kind *k;

	for_each_kind (k)
		if (k->type == type)
			return k;
	return NULL;
}

static unsigned int instances_of(const struct domain *d, const struct hvm_save_kind *k)
{
	unsigned int n = 0;

	if (k->instances)
		return k->instances;
	while (n < d->max_vcpus && d->vcpus[n])
		n++;
	return n;
}

/* --- saving --- */

struct stream {
	char *buf;
	size_t at;
};

static void record_put(struct stream *s, uint16_t type, uint16_t instance, uint32_t length)
{
	struct hvm_save_descriptor desc = {type, instance, length};

	memcpy(s->buf + s->at, &desc, sizeof(desc));
	s->at += sizeof(desc) + length;
}

static void header_put(struct stream *s)
{
	struct hvm_save_header header = {
		.magic = HVM_FILE_MAGIC,
		.version = HVM_FILE_VERSION,
		.changeset = ~0ULL, /* "no changeset" */
		.cpuid = cpu_features.signature,
		.gtsc_khz = tsc_khz(),
	};

	memcpy(s->buf + s->at + sizeof(struct hvm_save_descriptor), &header, sizeof(header));
	record_put(s, HVM_SAVE_CODE(HEADER), 0, sizeof(header));
}

/* The length of the record at rec, or -E. */
static int kind_save(struct domain *d, const struct hvm_save_kind *k, unsigned int instance,
		     void *rec)
{
	int n;

	memset(rec, 0, k->size);
	n = k->save(d, instance, rec);
	return n ? n : (int)k->size;
}

size_t hvm_context_size(const struct domain *d)
{
	size_t size = 2 * sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header);
	const struct hvm_save_kind *k;

	for_each_kind (k)
		size += instances_of(d, k) * (sizeof(struct hvm_save_descriptor) + k->size);
	return size;
}

size_t hvm_context_save(struct domain *d, void *buf)
{
	struct stream s = {buf, 0};
	const struct hvm_save_kind *k;

	header_put(&s);
	for_each_kind (k) {
		for (unsigned int i = 0; i < instances_of(d, k); i++) {
			int n = kind_save(d, k, i,
					  s.buf + s.at + sizeof(struct hvm_save_descriptor));

			if (n > 0)
				record_put(&s, k->type, i, n);
		}
	}
	record_put(&s, HVM_SAVE_CODE(END), 0, 0);
	return s.at;
}

int hvm_context_save_one(struct domain *d, unsigned int type, unsigned int instance, void *buf,
			 size_t size)
{
	const struct hvm_save_kind *k = kind_find(type);
	void *rec;
	int n;

	if (!k || instance >= instances_of(d, k))
		return -EINVAL;
	rec = heap_alloc(k->size);
	if (!rec)
		return -ENOMEM;
	n = kind_save(d, k, instance, rec);
	if (n > 0 && (size_t)n > size)
		n = -ENOSPC;
	if (n > 0)
		memcpy(buf, rec, n);
	heap_free(rec);
	return n;
}

/* --- loading --- */

struct load {
	struct domain *d;
	void *rec; /* RECORD_MAX bytes: one record, whole and aligned */
	bool is_check;
};

static int record_load(const struct load *l, const struct hvm_save_descriptor *desc,
		       const char *body)
{
	const struct hvm_save_kind *k = kind_find(desc->typecode);
	uint32_t least;

	if (!k)
		return 0; /* of a device that this domain's machine does not have */
	least = k->size_min ? k->size_min : k->size;
	if (desc->instance >= instances_of(l->d, k) || desc->length > k->size ||
	    desc->length < least)
		return -EINVAL;
	memset(l->rec, 0, k->size);
	memcpy(l->rec, body, desc->length);
	if (!l->is_check)
		return k->load(l->d, desc->instance, l->rec);
	return k->check ? k->check(l->d, desc->instance, l->rec) : 0;
}

static int header_check(const char *buf, size_t size)
{
	struct hvm_save_descriptor desc;
	struct hvm_save_header header;

	if (size < sizeof(desc) + sizeof(header))
		return -EINVAL;
	memcpy(&desc, buf, sizeof(desc));
	memcpy(&header, buf + sizeof(desc), sizeof(header));
	if (desc.typecode != HVM_SAVE_CODE(HEADER) || desc.length != sizeof(header) ||
	    header.magic != HVM_FILE_MAGIC || header.version != HVM_FILE_VERSION)
		return -EINVAL;
	return 0;
}

static int records_load(const struct load *l, const char *buf, size_t size)
{
	size_t at = sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header);
	struct hvm_save_descriptor desc;
	int rc;

	for (;;) {
		if (size - at < sizeof(desc))
			return -EINVAL; /* no end */
		memcpy(&desc, buf + at, sizeof(desc));
		at += sizeof(desc);
		if (desc.typecode == HVM_SAVE_CODE(END))
			return 0;
		if (desc.length > size - at)
			return -EINVAL;
		rc = record_load(l, &desc, buf + at);
		if (rc)
			return rc;
		at += desc.length;
	}
}

int hvm_context_load(struct domain *d, const void *buf, size_t size)
{
	struct load l = {.d = d, .is_check = true};
	int rc = header_check(buf, size);

	if (rc)
		return rc;
	l.rec = heap_alloc(RECORD_MAX);
	if (!l.rec)
		return -ENOMEM;
	rc = records_load(&l, buf, size);
	l.is_check = false;
	if (!rc)
		rc = records_load(&l, buf, size);
	heap_free(l.rec);
	return rc;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The vendor of fake_vendor.h.  Entry: 63..60 type, 51..12 frame, 1 leaf, 0 not empty. */
#include "fake_vendor.h"

#include "lib/printk.h"

#define PTE_USED BIT(0)
#define PTE_LEAF BIT(1)

unsigned int fake_cpl;
struct hvm_segment fake_segments[HVM_SEGMENTS];

static uint64_t pte_leaf(mfn_t mfn, enum p2m_type type, unsigned int level)
{
	(void)level;
	return (uint64_t)type << 60 | mfn.v << PAGE_SHIFT | PTE_LEAF | PTE_USED;
}

static uint64_t pte_table(mfn_t table)
{
	return table.v << PAGE_SHIFT | PTE_USED;
}

static bool pte_is_leaf(uint64_t pte, unsigned int level)
{
	if (!pte || (level == 1 && !(pte & PTE_LEAF)))
		panic("no entry of level %u: %lx", level, pte);
	return pte & PTE_LEAF;
}

static enum p2m_type pte_type(uint64_t pte)
{
	return (enum p2m_type)(pte >> 60);
}

static mfn_t pte_mfn(uint64_t pte)
{
	return MFN((pte & 0x000ffffffffff000UL) >> PAGE_SHIFT);
}

static unsigned int cpl(const struct vcpu *v)
{
	(void)v;
	return fake_cpl;
}

static void controls_fetch(struct vcpu *v)
{
	(void)v;
}

static void segment_get(const struct vcpu *v, enum hvm_segment_name n, struct hvm_segment *s)
{
	(void)v;
	*s = fake_segments[n];
}

static void segment_set(struct vcpu *v, enum hvm_segment_name n, const struct hvm_segment *s)
{
	(void)v;
	fake_segments[n] = *s;
}

struct hvm_vendor fake_vendor = {
	.name = "fake",
	.has_1g_pages = true,
	.pte_leaf = pte_leaf,
	.pte_table = pte_table,
	.pte_is_leaf = pte_is_leaf,
	.pte_type = pte_type,
	.pte_mfn = pte_mfn,
	.cpl = cpl,
	.controls_fetch = controls_fetch,
	.segment_get = segment_get,
	.segment_set = segment_set,
};

const struct hvm_vendor *hvm_vendor = &fake_vendor;

struct domain *fake_hvm_domain(domid_t id, unsigned int nr_vcpus)
{
	struct domain *d = fake_domain(id, nr_vcpus);
	struct vcpu *v;

	d->type = DOMAIN_HVM;
	d->hvm = calloc(1, sizeof(*d->hvm));
	for_each_vcpu(d, v)
		v->hvm = calloc(1, sizeof(*v->hvm));
	return d;
}

void fake_hvm_free(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		free(v->hvm);
	free(d->hvm);
}

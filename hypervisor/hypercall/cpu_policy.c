/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID as the tools see it: the leaves of the CPU and those a guest is shown
 * (pv/cpuid.c, hvm/cpuid.c), listed in the ABI's serialised form, and the
 * feature words of xen/arch-x86/cpufeatureset.h taken from them.
 *
 * All PV guests are shown the same.  A policy set for one is checked for its
 * form, so that the stock tools' default passes, and is not kept.
 */
#include "cpu/asm.h"
#include "domain/cpuid.h"
#include "hvm/hvm.h"
#include "hvm/policy.h"
#include "hypercall/ctl.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "pv/emulate.h"

#define LEAF_HYP   0x40000000U
#define LEAF_HYP_2 0x40000100U
#define LEAVES_MAX 128 /* CPUID_SLOTS, two of the hypervisor's, and room to grow */
#define MSRS_MAX   128

/* Intel SDM vol. 2 "CPUID", AMD APM vol. 3 appendix E: where each word of features is. */
static const struct {
	uint32_t leaf, sub;
	unsigned int reg; /* 0..3: EAX EBX ECX EDX */
} feature_words[] = {
	{0x1, 0, 3},	    {0x1, 0, 2}, {0x80000001, 0, 3}, {0x80000001, 0, 2},
	{0xd, 1, 0},	    {0x7, 0, 1}, {0x7, 0, 2},	     {0x80000007, 0, 3},
	{0x80000008, 0, 1}, {0x7, 0, 3}, {0x7, 1, 0},	     {0x80000021, 0, 0},
};

/* A source of leaves: the CPU, what PV guests are shown, or a domain's policy (NULL: HVM's). */
typedef void (*view_fn)(const struct domain *d, uint32_t leaf, uint32_t sub, uint32_t r[4]);

static void view_host(const struct domain *d, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	(void)d;
	cpuid_count(leaf, sub, r);
}

static void view_pv(const struct domain *d, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	(void)d;
	pv_cpuid(current, leaf, sub, r);
}

static view_fn view_of(const struct domain *d)
{
	return d->type == DOMAIN_HVM ? hvm_cpuid_policy_leaf : view_pv;
}

/* Zeros for a leaf the CPU does not have. */
static void leaf_read_checked(view_fn view, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	view(NULL, leaf & CPUID_EXT, 0, r);
	if (leaf > r[0]) {
		r[0] = r[1] = r[2] = r[3] = 0;
		return;
	}
	view(NULL, leaf, sub, r);
}

/*
 * All leaves, empty ones too: the stock tools size the list they set by the
 * one they got.  At most LEAVES_MAX.
 */
static uint32_t leaves_list(view_fn view, const struct domain *d, xen_cpuid_leaf_t *out)
{
	uint32_t basic[4], ext[4], r[4], n = 0;

	view(d, 0, 0, basic);
	view(d, CPUID_EXT, 0, ext);
	for (unsigned int slot = 0; slot < CPUID_SLOTS; slot++) {
		uint32_t leaf, sub;

		cpuid_slot_leaf(slot, &leaf, &sub);
		if (leaf == CPUID_EXT) {
			out[n++] = (xen_cpuid_leaf_t){LEAF_HYP, XEN_CPUID_NO_SUBLEAF, 0, 0, 0, 0};
			out[n++] = (xen_cpuid_leaf_t){LEAF_HYP_2, XEN_CPUID_NO_SUBLEAF, 0, 0, 0, 0};
		}
		if (leaf > (leaf < CPUID_EXT ? basic[0] : ext[0]))
			continue;
		view(d, leaf, sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub, r);
		out[n++] = (xen_cpuid_leaf_t){leaf, sub, r[0], r[1], r[2], r[3]};
	}
	return n;
}

/* Into the caller's array of *nr leaves; NULL asks for the number alone. */
static int leaves_copy_out(view_fn view, struct domain *d, xen_cpuid_leaf_t *guest, uint32_t *nr)
{
	xen_cpuid_leaf_t *leaves;
	int rc = 0;
	uint32_t n;

	if (!guest) {
		*nr = LEAVES_MAX;
		return 0;
	}
	leaves = heap_alloc_array(LEAVES_MAX, sizeof(*leaves));
	if (!leaves)
		return -ENOMEM;
	if (d)
		spin_lock(&d->lock);
	n = leaves_list(view, d, leaves);
	if (d)
		spin_unlock(&d->lock);
	if (*nr < n)
		rc = -ENOBUFS;
	else
		rc = copy_out(guest, leaves, n * sizeof(*leaves));
	heap_free(leaves);
	if (!rc)
		*nr = n;
	return rc;
}

void ctl_hw_cap(uint32_t cap[8])
{
	for (unsigned int i = 0; i < 8; i++) {
		uint32_t r[4];

		leaf_read_checked(view_host, feature_words[i].leaf, feature_words[i].sub, r);
		cap[i] = r[feature_words[i].reg];
	}
}

int sysctl_get_cpu_levelling_caps(struct xen_sysctl *op)
{
	op->u.cpu_levelling_caps.caps = 0;
	return 0;
}

int sysctl_get_cpu_featureset(struct xen_sysctl *op)
{
	struct xen_sysctl_cpu_featureset *f = &op->u.cpu_featureset;
	uint32_t words[ARRAY_SIZE(feature_words)];
	uint32_t n = MIN(f->nr_features, (uint32_t)ARRAY_SIZE(words));
	view_fn view = view_host;

	switch (f->index) {
	case XEN_SYSCTL_cpu_featureset_raw:
	case XEN_SYSCTL_cpu_featureset_host:
		break;
	case XEN_SYSCTL_cpu_featureset_pv:
	case XEN_SYSCTL_cpu_featureset_pv_max:
		view = view_pv;
		break;
	case XEN_SYSCTL_cpu_featureset_hvm:
	case XEN_SYSCTL_cpu_featureset_hvm_max:
		if (!hvm_is_available())
			return -EOPNOTSUPP;
		view = hvm_cpuid_policy_leaf;
		break;
	default:
		return -EINVAL;
	}
	if (!f->features.p) {
		f->nr_features = ARRAY_SIZE(words);
		return 0;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
		uint32_t r[4];

		leaf_read_checked(view, feature_words[i].leaf, feature_words[i].sub, r);
		words[i] = r[feature_words[i].reg];
	}
	if (f->nr_features < ARRAY_SIZE(words))
		return -ENOBUFS;
	f->nr_features = n;
	return copy_out(f->features.p, words, n * sizeof(words[0]));
}

int sysctl_get_cpu_policy(struct xen_sysctl *op)
{
	struct xen_sysctl_cpu_policy *p = &op->u.cpu_policy;
	view_fn view = view_host;

	if (p->_rsvd)
		return -EINVAL;
	switch (p->index) {
	case XEN_SYSCTL_cpu_policy_raw:
	case XEN_SYSCTL_cpu_policy_host:
		break;
	case XEN_SYSCTL_cpu_policy_pv_max:
	case XEN_SYSCTL_cpu_policy_pv_default:
		view = view_pv;
		break;
	case XEN_SYSCTL_cpu_policy_hvm_max:
	case XEN_SYSCTL_cpu_policy_hvm_default:
		if (!hvm_is_available())
			return -EOPNOTSUPP;
		view = hvm_cpuid_policy_leaf;
		break;
	default:
		return -EINVAL;
	}
	p->nr_msrs = 0;
	return leaves_copy_out(view, NULL, p->leaves.p, &p->nr_leaves);
}

int domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

	p->nr_msrs = 0;
	return leaves_copy_out(view_of(d), d, p->leaves.p, &p->nr_leaves);
}

/* The range of a hypervisor's own leaves is answered by us whatever is said of it. */
static bool leaf_is_ours(const xen_cpuid_leaf_t *l)
{
	return l->leaf >> 16 == 0x4000 && l->subleaf == XEN_CPUID_NO_SUBLEAF;
}

/* Its slot in the form the ABI lists it in, or -1. */
static int leaf_slot(const xen_cpuid_leaf_t *l)
{
	int slot = cpuid_slot(l->leaf, l->subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : l->subleaf);
	uint32_t leaf, sub;

	if (slot < 0)
		return slot;
	cpuid_slot_leaf((unsigned int)slot, &leaf, &sub);
	return sub == l->subleaf ? slot : -1;
}

/* policy, where there is one, with the given leaves: 0, or -ERANGE and which is none of ours. */
static int leaves_apply(struct cpuid_policy *policy, const xen_cpuid_leaf_t *leaves,
			struct xen_domctl_cpu_policy *p)
{
	for (uint32_t i = 0; i < p->nr_leaves; i++) {
		const xen_cpuid_leaf_t *l = &leaves[i];
		int slot = leaf_slot(l);

		if (slot < 0 && !leaf_is_ours(l)) {
			p->err_leaf = l->leaf;
			p->err_subleaf = l->subleaf;
			return -ERANGE;
		}
		if (slot >= 0 && policy) {
			const uint32_t r[4] = {l->a, l->b, l->c, l->d};

			memcpy(policy->leaves[slot], r, sizeof(r));
		}
	}
	return 0;
}

/* An HVM domain's whole policy: what it has, changed by the leaves. */
static int hvm_leaves_set(struct domain *d, const xen_cpuid_leaf_t *leaves,
			  struct xen_domctl_cpu_policy *p)
{
	struct cpuid_policy *policy = heap_alloc(sizeof(*policy));
	int rc;

	if (!policy)
		return -ENOMEM;
	spin_lock(&d->lock);
	for (unsigned int slot = 0; slot < CPUID_SLOTS; slot++) {
		uint32_t leaf, sub;

		cpuid_slot_leaf(slot, &leaf, &sub);
		hvm_cpuid_policy_leaf(d, leaf, sub, policy->leaves[slot]);
	}
	spin_unlock(&d->lock);
	rc = leaves_apply(policy, leaves, p);
	if (!rc)
		rc = hvm_cpuid_policy_set(d, policy, &p->err_leaf, &p->err_subleaf);
	if (rc)
		heap_free(policy);
	return rc;
}

int domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	xen_cpuid_leaf_t *leaves;
	int rc;

	p->err_leaf = p->err_subleaf = p->err_msr = ~0U;
	if (d == current->domain)
		return -EINVAL;
	if (p->nr_leaves > LEAVES_MAX || p->nr_msrs > MSRS_MAX)
		return -E2BIG;
	leaves = heap_alloc_array(LEAVES_MAX, sizeof(*leaves));
	if (!leaves)
		return -ENOMEM;
	rc = copy_in(leaves, p->leaves.p, p->nr_leaves * sizeof(*leaves));
	if (!rc && d->type == DOMAIN_HVM)
		rc = hvm_leaves_set(d, leaves, p);
	else if (!rc)
		rc = leaves_apply(NULL, leaves, p);
	heap_free(leaves);
	return rc;
}

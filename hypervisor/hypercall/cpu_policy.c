/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID as the tools see it: the leaves of the CPU and those a PV guest is
 * shown (pv/emulate.h), listed in the ABI's serialised form, and the feature
 * words of xen/arch-x86/cpufeatureset.h taken from them.
 *
 * All PV guests are shown the same.  A policy set for a domain is checked for
 * its form, so that the stock tools' default passes, and is not kept.
 */
#include "cpu/asm.h"
#include "hypercall/ctl.h"
#include "mm/alloc.h"
#include "pv/emulate.h"

#define LEAVES_MAX     128
#define LEAF_BASIC_MAX 0xdU
#define LEAF_HYP       0x40000000U
#define LEAF_HYP_2     0x40000100U
#define LEAF_EXT       0x80000000U
#define LEAF_EXT_MAX   0x80000021U

/* Sub-leaves that exist in the serialised form, by basic leaf; 0: none, the leaf has one value. */
static const uint8_t subleaves[LEAF_BASIC_MAX + 1] = {
	[0x4] = 6,
	[0x7] = 2,
	[0xb] = 2,
	[0xd] = 63,
};

/* Intel SDM vol. 2 "CPUID", AMD APM vol. 3 appendix E: where each word of features is. */
static const struct {
	uint32_t leaf, sub;
	unsigned int reg; /* 0..3: EAX EBX ECX EDX */
} feature_words[] = {
	{0x1, 0, 3},	    {0x1, 0, 2}, {0x80000001, 0, 3}, {0x80000001, 0, 2},
	{0xd, 1, 0},	    {0x7, 0, 1}, {0x7, 0, 2},	     {0x80000007, 0, 3},
	{0x80000008, 0, 1}, {0x7, 0, 3}, {0x7, 1, 0},	     {0x80000021, 0, 0},
};

enum view { VIEW_HOST, VIEW_PV };

static void leaf_read(enum view view, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	if (view == VIEW_PV)
		pv_cpuid(current, leaf, sub, r);
	else
		cpuid_count(leaf, sub, r);
}

/* Zeros for a leaf the CPU does not have. */
static void leaf_read_checked(enum view view, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	leaf_read(view, leaf & LEAF_EXT, 0, r);
	if (leaf > r[0]) {
		r[0] = r[1] = r[2] = r[3] = 0;
		return;
	}
	leaf_read(view, leaf, sub, r);
}

static void leaf_add(enum view view, uint32_t leaf, uint32_t sub, xen_cpuid_leaf_t *out,
		     uint32_t *n)
{
	uint32_t r[4];

	leaf_read(view, leaf, sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub, r);
	out[(*n)++] = (xen_cpuid_leaf_t){leaf, sub, r[0], r[1], r[2], r[3]};
}

static void basic_leaf_add(enum view view, uint32_t leaf, xen_cpuid_leaf_t *out, uint32_t *n)
{
	if (!subleaves[leaf])
		leaf_add(view, leaf, XEN_CPUID_NO_SUBLEAF, out, n);
	for (uint32_t sub = 0; sub < subleaves[leaf]; sub++)
		leaf_add(view, leaf, sub, out, n);
}

/*
 * All leaves, empty ones too: the stock tools size the list they set by the
 * one they got.  At most LEAVES_MAX: 10 + 73 basic, 2 of the hypervisor, 34
 * extended.
 */
static uint32_t leaves_list(enum view view, xen_cpuid_leaf_t *out)
{
	uint32_t r[4], n = 0;

	leaf_read(view, 0, 0, r);
	for (uint32_t leaf = 0; leaf <= MIN(r[0], LEAF_BASIC_MAX); leaf++)
		basic_leaf_add(view, leaf, out, &n);
	out[n++] = (xen_cpuid_leaf_t){.leaf = LEAF_HYP, .subleaf = XEN_CPUID_NO_SUBLEAF};
	out[n++] = (xen_cpuid_leaf_t){.leaf = LEAF_HYP_2, .subleaf = XEN_CPUID_NO_SUBLEAF};
	leaf_read(view, LEAF_EXT, 0, r);
	for (uint32_t leaf = LEAF_EXT; leaf <= MIN(r[0], LEAF_EXT_MAX); leaf++)
		leaf_add(view, leaf, XEN_CPUID_NO_SUBLEAF, out, &n);
	return n;
}

/* Into the caller's array of *nr leaves; NULL asks for the number alone. */
static int leaves_copy_out(enum view view, xen_cpuid_leaf_t *guest, uint32_t *nr)
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
	n = leaves_list(view, leaves);
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

		leaf_read_checked(VIEW_HOST, feature_words[i].leaf, feature_words[i].sub, r);
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
	enum view view = VIEW_HOST;

	switch (f->index) {
	case XEN_SYSCTL_cpu_featureset_raw:
	case XEN_SYSCTL_cpu_featureset_host:
		break;
	case XEN_SYSCTL_cpu_featureset_pv:
	case XEN_SYSCTL_cpu_featureset_pv_max:
		view = VIEW_PV;
		break;
	case XEN_SYSCTL_cpu_featureset_hvm:
	case XEN_SYSCTL_cpu_featureset_hvm_max:
		return -EOPNOTSUPP;
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
	enum view view = VIEW_HOST;

	if (p->_rsvd)
		return -EINVAL;
	switch (p->index) {
	case XEN_SYSCTL_cpu_policy_raw:
	case XEN_SYSCTL_cpu_policy_host:
		break;
	case XEN_SYSCTL_cpu_policy_pv_max:
	case XEN_SYSCTL_cpu_policy_pv_default:
		view = VIEW_PV;
		break;
	case XEN_SYSCTL_cpu_policy_hvm_max:
	case XEN_SYSCTL_cpu_policy_hvm_default:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
	p->nr_msrs = 0;
	return leaves_copy_out(view, p->leaves.p, &p->nr_leaves);
}

int domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

	p->nr_msrs = 0;
	return leaves_copy_out(VIEW_PV, p->leaves.p, &p->nr_leaves);
}

static bool leaf_is_known(const xen_cpuid_leaf_t *l)
{
	if (l->leaf <= LEAF_BASIC_MAX && subleaves[l->leaf])
		return l->subleaf < subleaves[l->leaf];
	/* The range of a hypervisor's own leaves is answered by us whatever is said of it. */
	if (l->leaf <= LEAF_BASIC_MAX || (l->leaf >= LEAF_EXT && l->leaf <= LEAF_EXT_MAX) ||
	    l->leaf >> 16 == 0x4000)
		return l->subleaf == XEN_CPUID_NO_SUBLEAF;
	return false;
}

int domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	xen_cpuid_leaf_t *leaves;
	int rc;

	p->err_leaf = p->err_subleaf = p->err_msr = ~0U;
	if (d == current->domain)
		return -EINVAL;
	if (p->nr_leaves > LEAVES_MAX || p->nr_msrs > LEAVES_MAX)
		return -E2BIG;
	leaves = heap_alloc_array(LEAVES_MAX, sizeof(*leaves));
	if (!leaves)
		return -ENOMEM;
	rc = copy_in(leaves, p->leaves.p, p->nr_leaves * sizeof(*leaves));
	for (uint32_t i = 0; !rc && i < p->nr_leaves; i++) {
		if (leaf_is_known(&leaves[i]))
			continue;
		p->err_leaf = leaves[i].leaf;
		p->err_subleaf = leaves[i].subleaf;
		rc = -ERANGE;
	}
	heap_free(leaves);
	return rc;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_hvm_op: who may set and read which parameter, and every way in
 * which a call is refused, with nothing changed.
 *
 * Links: hvm/hvm_op.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fake_vendor.h"

#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>

#include "hvm/hvm.h"

static struct domain *guest, *pv;
static int callback_answer;
static uint64_t callback_seen;
static unsigned int flushes, raised;
static enum p2m_type mem_type;
static bool has_upcall;

int hvm_callback_set(struct domain *d, uint64_t via)
{
	CHECK(d == guest);
	callback_seen = via;
	return callback_answer;
}

mfn_t p2m_lookup(struct domain *d, gfn_t gfn, enum p2m_type *type)
{
	CHECK(d == guest);
	CHECK_EQ(gfn.v, 0x123);
	*type = mem_type;
	return MFN(1);
}

void p2m_flush(struct domain *d)
{
	CHECK(d == guest);
	flushes++;
}

void hvm_upcall_raise(struct vcpu *v)
{
	raised++;
}

bool vcpu_has_upcall(const struct vcpu *v)
{
	return has_upcall;
}

static void begin(void)
{
	fake_guest_any = true;
	fake_dom0(1);
	guest = fake_hvm_domain(5, 2);
	pv = fake_domain(6, 1);
	callback_answer = 0;
	callback_seen = 0;
	flushes = raised = 0;
	fake_vcpu_run(dom0->vcpus[0], 0);
}

static void end(void)
{
	CHECK_EQ(guest->references, 1);
	CHECK_EQ(pv->references, 1);
	fake_hvm_free(guest);
}

static void by_guest(void)
{
	fake_vcpu_run(guest->vcpus[0], 0);
}

static long call(uint64_t op, const void *arg)
{
	const uint64_t args[5] = {op, (uint64_t)arg};

	return hypercall_hvm_op(args);
}

static long set_of(domid_t id, uint32_t index, uint64_t value)
{
	struct xen_hvm_param p = {.domid = id, .index = index, .value = value};

	return call(HVMOP_set_param, &p);
}

static long set(uint32_t index, uint64_t value)
{
	return set_of(5, index, value);
}

/* The value, or -E. */
static long get(uint32_t index)
{
	struct xen_hvm_param p = {.domid = 5, .index = index, .value = 0xdead};
	long rc = call(HVMOP_get_param, &p);

	return rc ? rc : (long)p.value;
}

/* Who may: Guest or Tool, Read or Write.  What is not here nobody may. */
static const struct {
	uint8_t index;
	bool gr, gw, tw;
} rights[] = {
	{HVM_PARAM_CALLBACK_IRQ, true, true, true},
	{HVM_PARAM_STORE_PFN, true, false, true},
	{HVM_PARAM_STORE_EVTCHN, true, false, true},
	{HVM_PARAM_IOREQ_PFN, false, false, true},
	{HVM_PARAM_BUFIOREQ_PFN, false, false, true},
	{HVM_PARAM_PAE_ENABLED, false, false, true},
	{HVM_PARAM_VIRIDIAN, false, false, true},
	{HVM_PARAM_TIMER_MODE, false, false, true},
	{HVM_PARAM_HPET_ENABLED, false, false, true},
	{HVM_PARAM_IDENT_PT, false, false, true},
	{HVM_PARAM_DM_DOMAIN, false, false, true},
	{HVM_PARAM_ACPI_S_STATE, false, false, true},
	{HVM_PARAM_VM86_TSS, true, true, true},
	{HVM_PARAM_VPT_ALIGN, false, false, true},
	{HVM_PARAM_CONSOLE_PFN, true, false, true},
	{HVM_PARAM_CONSOLE_EVTCHN, true, false, true},
	{HVM_PARAM_ACPI_IOPORTS_LOCATION, false, true, true},
	{HVM_PARAM_NESTEDHVM, false, false, true},
	{HVM_PARAM_PAGING_RING_PFN, false, false, true},
	{HVM_PARAM_MONITOR_RING_PFN, false, false, true},
	{HVM_PARAM_SHARING_RING_PFN, false, false, true},
	{HVM_PARAM_TRIPLE_FAULT_REASON, false, false, true},
	{HVM_PARAM_IOREQ_SERVER_PFN, false, false, true},
	{HVM_PARAM_NR_IOREQ_SERVER_PAGES, false, false, true},
	{HVM_PARAM_VM_GENERATION_ID_ADDR, true, true, true},
	{HVM_PARAM_ALTP2M, true, false, true},
	{HVM_PARAM_X87_FIP_WIDTH, false, false, true},
	{HVM_PARAM_VM86_TSS_SIZED, false, true, true},
	{HVM_PARAM_MCA_CAP, false, false, true},
};

static int rights_find(unsigned int index)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rights); i++)
		if (rights[i].index == index)
			return i;
	return -1;
}

TEST(each_parameter_has_its_masters)
{
	begin();
	for (unsigned int index = 0; index < HVM_NR_PARAMS; index++) {
		int i = rights_find(index);

		fake_vcpu_run(dom0->vcpus[0], 0);
		CHECK_EQ(set(index, 0), i < 0 ? -EINVAL : 0);
		CHECK_EQ(get(index), i < 0 ? -EINVAL : 0);
		by_guest();
		CHECK_EQ(set(index, 0), i < 0 ? -EINVAL : rights[i].gw ? 0 : -EPERM);
		CHECK_EQ(get(index), i < 0 ? -EINVAL : rights[i].gr ? 0 : -EPERM);
	}
	end();
}

TEST(parameters_keep_what_is_set)
{
	begin();
	CHECK_EQ(set(HVM_PARAM_STORE_PFN, 0xfeffc), 0);
	CHECK_EQ(get(HVM_PARAM_STORE_PFN), 0xfeffc);
	by_guest();
	CHECK_EQ(get(HVM_PARAM_STORE_PFN), 0xfeffc);
	CHECK_EQ(set(HVM_PARAM_STORE_PFN, 1), -EPERM);
	CHECK_EQ(set_of(DOMID_SELF, HVM_PARAM_VM86_TSS, 0x1000), 0);
	CHECK_EQ(guest->hvm->params[HVM_PARAM_VM86_TSS], 0x1000);
	CHECK_EQ(guest->hvm->params[HVM_PARAM_STORE_PFN], 0xfeffc);
	end();
}

TEST(values_that_are_refused)
{
	static const uint8_t not_offered[] = {HVM_PARAM_VIRIDIAN,      HVM_PARAM_NESTEDHVM,
					      HVM_PARAM_ACPI_S_STATE,  HVM_PARAM_ALTP2M,
					      HVM_PARAM_X87_FIP_WIDTH, HVM_PARAM_MCA_CAP};

	begin();
	for (unsigned int i = 0; i < ARRAY_SIZE(not_offered); i++) {
		CHECK_EQ(set(not_offered[i], 1), -EOPNOTSUPP);
		CHECK_EQ(get(not_offered[i]), 0);
	}
	CHECK_EQ(set(HVM_PARAM_TRIPLE_FAULT_REASON, SHUTDOWN_MAX), 0);
	CHECK_EQ(set(HVM_PARAM_TRIPLE_FAULT_REASON, SHUTDOWN_MAX + 1), -EINVAL);
	CHECK_EQ(get(HVM_PARAM_TRIPLE_FAULT_REASON), SHUTDOWN_MAX);
	CHECK_EQ(set(HVM_PARAM_TIMER_MODE, HVMPTM_one_missed_tick_pending), 0);
	CHECK_EQ(set(HVM_PARAM_TIMER_MODE, HVMPTM_one_missed_tick_pending + 1), -EINVAL);
	CHECK_EQ(set(HVM_PARAM_NR_IOREQ_SERVER_PAGES, 4), 0);
	CHECK_EQ(set(HVM_PARAM_NR_IOREQ_SERVER_PAGES, 4), 0);
	CHECK_EQ(set(HVM_PARAM_NR_IOREQ_SERVER_PAGES, 5), -EEXIST);
	CHECK_EQ(get(HVM_PARAM_NR_IOREQ_SERVER_PAGES), 4);
	by_guest();
	CHECK_EQ(set(HVM_PARAM_CALLBACK_IRQ, 77), 0);
	CHECK_EQ(callback_seen, 77);
	callback_answer = -EINVAL;
	CHECK_EQ(set(HVM_PARAM_CALLBACK_IRQ, 78), -EINVAL);
	CHECK_EQ(get(HVM_PARAM_CALLBACK_IRQ), 77);
	end();
}

TEST(domains_that_are_refused)
{
	struct xen_hvm_param p = {.domid = 5, .index = HVM_PARAM_CALLBACK_IRQ};

	begin();
	CHECK_EQ(set(HVM_NR_PARAMS, 0), -EINVAL);
	CHECK_EQ(set(~0U, 0), -EINVAL);
	CHECK_EQ(set_of(99, HVM_PARAM_CALLBACK_IRQ, 0), -ESRCH);
	CHECK_EQ(set_of(6, HVM_PARAM_CALLBACK_IRQ, 0), -EINVAL);
	CHECK_EQ(set_of(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, 0), -EINVAL);
	fake_vcpu_run(pv->vcpus[0], 0);
	CHECK_EQ(set(HVM_PARAM_VM86_TSS, 1), -EPERM);
	CHECK_EQ(get(HVM_PARAM_VM86_TSS), -EPERM);
	by_guest();
	fake_guest_any = false;
	CHECK_EQ(call(HVMOP_set_param, &p), -EFAULT);
	fake_guest_any = true;
	fake_guest_fault_after = sizeof(p);
	CHECK_EQ(call(HVMOP_get_param, &p), -EFAULT);
	end();
}

TEST(upcall_vector)
{
	struct xen_hvm_evtchn_upcall_vector op = {.vcpu = 1, .vector = 0xf3};

	begin();
	CHECK_EQ(call(HVMOP_set_evtchn_upcall_vector, &op), -EINVAL); /* dom0 is PV */
	by_guest();
	has_upcall = false;
	CHECK_EQ(call(HVMOP_set_evtchn_upcall_vector, &op), 0);
	CHECK_EQ(guest->vcpus[1]->hvm->upcall_vector, 0xf3);
	CHECK_EQ(raised, 0);
	has_upcall = true; /* it would have been told otherwise */
	op.vector = 0x10;
	CHECK_EQ(call(HVMOP_set_evtchn_upcall_vector, &op), 0);
	CHECK_EQ(raised, 1);
	op.vector = 0xf;
	CHECK_EQ(call(HVMOP_set_evtchn_upcall_vector, &op), -EINVAL);
	CHECK_EQ(guest->vcpus[1]->hvm->upcall_vector, 0x10);
	op = (struct xen_hvm_evtchn_upcall_vector){.vcpu = 2, .vector = 0xf3};
	CHECK_EQ(call(HVMOP_set_evtchn_upcall_vector, &op), -ENOENT);
	op.vcpu = ~0U;
	CHECK_EQ(call(HVMOP_set_evtchn_upcall_vector, &op), -ENOENT);
	fake_guest_any = false;
	CHECK_EQ(call(HVMOP_set_evtchn_upcall_vector, &op), -EFAULT);
	end();
}

static long mem_type_of(domid_t id)
{
	struct xen_hvm_get_mem_type op = {.domid = id, .pfn = 0x123, .mem_type = 99};
	long rc = call(HVMOP_get_mem_type, &op);

	return rc ? rc : op.mem_type;
}

TEST(memory_types)
{
	begin();
	by_guest();
	mem_type = P2M_RAM;
	CHECK_EQ(mem_type_of(DOMID_SELF), HVMMEM_ram_rw);
	mem_type = P2M_LOGDIRTY;
	CHECK_EQ(mem_type_of(DOMID_SELF), HVMMEM_ram_rw);
	mem_type = P2M_RAM_RO;
	CHECK_EQ(mem_type_of(DOMID_SELF), HVMMEM_ram_ro);
	mem_type = P2M_NONE;
	CHECK_EQ(mem_type_of(DOMID_SELF), HVMMEM_mmio_dm);
	mem_type = P2M_MMIO;
	CHECK_EQ(mem_type_of(DOMID_SELF), HVMMEM_mmio_dm);
	mem_type = P2M_IOREQ;
	CHECK_EQ(mem_type_of(DOMID_SELF), HVMMEM_ioreq_server);
	CHECK_EQ(mem_type_of(6), -EPERM);
	fake_vcpu_run(dom0->vcpus[0], 0);
	CHECK_EQ(mem_type_of(5), HVMMEM_ioreq_server);
	CHECK_EQ(mem_type_of(6), -EINVAL);
	CHECK_EQ(mem_type_of(99), -ESRCH);
	fake_guest_any = false;
	CHECK_EQ(mem_type_of(5), -EFAULT);
	end();
}

TEST(the_others)
{
	struct xen_hvm_get_time time = {0};

	begin();
	fake_time = 12345;
	CHECK_EQ(call(HVMOP_get_time, &time), -EINVAL);
	CHECK_EQ(call(HVMOP_flush_tlbs, NULL), -EINVAL);
	by_guest();
	CHECK_EQ(call(HVMOP_get_time, &time), 0);
	CHECK_EQ(time.now, 12345);
	CHECK_EQ(call(HVMOP_flush_tlbs, &time), -EINVAL);
	CHECK_EQ(flushes, 0);
	CHECK_EQ(call(HVMOP_flush_tlbs, NULL), 0);
	CHECK_EQ(flushes, 1);
	CHECK_EQ(call(HVMOP_pagetable_dying, &time), -EINVAL);
	CHECK_EQ(call(HVMOP_altp2m, &time), -EOPNOTSUPP);
	CHECK_EQ(call(HVMOP_guest_request_vm_event, NULL), -ENOSYS);
	CHECK_EQ(call(~0UL, NULL), -ENOSYS);
	end();
}

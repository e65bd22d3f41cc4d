/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_platform_op (xen/platform.h), dom0's alone: the clock, the
 * firmware, sleep, memory types, our symbols.  CPUs are platform_cpu.c's.
 */
#include "dev/platform.h"

#include "cpu/asm.h"
#include "cpu/backtrace.h"
#include "dev/acpi.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "time/time.h"
#include "time/vtime.h"

#define NS_PER_SECOND 1000000000U

/* Intel SDM volume 3, "Memory Type Range Registers" */
#define MSR_MTRRCAP            0xfe
#define MTRRCAP_COUNT          0xff
#define MSR_MTRR_PHYSBASE(n)   (0x200 + 2 * (n))
#define MSR_MTRR_PHYSMASK(n)   (0x201 + 2 * (n))
#define MTRR_TYPE              0xff
#define MTRR_VALID             BIT(11)

static long set_clock(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
	struct domain *d;

	if (nsec >= NS_PER_SECOND)
		return -EINVAL;
	wallclock_set(sec, nsec, system_time);
	spin_lock(&domain_list_lock);
	for_each_domain (d)
		vtime_update_wallclock(d);
	spin_unlock(&domain_list_lock);
	return 0;
}

static long op_settime32(struct xen_platform_op *op)
{
	const struct xenpf_settime32 *t = &op->u.settime32;

	return set_clock(t->secs, t->nsecs, t->system_time);
}

static long op_settime64(struct xen_platform_op *op)
{
	const struct xenpf_settime64 *t = &op->u.settime64;

	return t->mbz ? -EINVAL : set_clock(t->secs, t->nsecs, t->system_time);
}

/* The ranges are the firmware's; a guest chooses types by its page tables (PAT). */
static long op_memtype_change(struct xen_platform_op *op)
{
	(void)op;
	return -EOPNOTSUPP;
}

static long op_read_memtype(struct xen_platform_op *op)
{
	struct xenpf_read_memtype *m = &op->u.read_memtype;
	uint64_t cap, base, mask;

	if (msr_read_safe(MSR_MTRRCAP, &cap))
		return -EOPNOTSUPP;
	if (m->reg >= (cap & MTRRCAP_COUNT))
		return -EINVAL;
	if (msr_read_safe(MSR_MTRR_PHYSBASE(m->reg), &base) ||
	    msr_read_safe(MSR_MTRR_PHYSMASK(m->reg), &mask))
		return -EIO;
	m->mfn = m->nr_mfns = m->type = 0;
	if (mask & MTRR_VALID) {
		m->mfn = base >> PAGE_SHIFT;
		/* the lowest bit of the mask is the size of the range */
		m->nr_mfns = mask >> PAGE_SHIFT ? 1UL << __builtin_ctzl(mask >> PAGE_SHIFT) : 0;
		m->type = base & MTRR_TYPE;
	}
	return 0;
}

/* Microcode, frequencies and hot-added parts: none of ring 0's business here. */
static long op_refused(struct xen_platform_op *op)
{
	(void)op;
	return -EOPNOTSUPP;
}

/* What the known quirks ask for is so anyway: IOREGSEL is written before each access. */
static long op_quirk(struct xen_platform_op *op)
{
	uint32_t id = op->u.platform_quirk.quirk_id;

	return id >= QUIRK_NOIRQBALANCING && id <= QUIRK_IOAPIC_GOOD_REGSEL ? 0 : -EINVAL;
}

/* Started by a Multiboot loader: no EFI runtime services are known. */
static long op_efi(struct xen_platform_op *op)
{
	(void)op;
	return -ENOSYS;
}

/* The BIOS is not called, so what only its calls tell is not there. */
static long op_firmware_info(struct xen_platform_op *op)
{
	switch (op->u.firmware_info.type) {
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
	case XEN_FW_KBD_SHIFT_FLAGS:
		return -ESRCH;
	case XEN_FW_EFI_INFO:
		return -ENOSYS;
	default:
		return -EINVAL;
	}
}

static long op_sleep(struct xen_platform_op *op)
{
	const struct xenpf_enter_acpi_sleep *s = &op->u.enter_acpi_sleep;

	if (s->flags || s->sleep_state > UINT8_MAX)
		return -EINVAL;
	return acpi_enter_sleep(s->sleep_state, s->val_a, s->val_b);
}

static long op_change_freq(struct xen_platform_op *op)
{
	return op->u.change_freq.flags ? -EINVAL : -EOPNOTSUPP;
}

static long op_get_symbol(struct xen_platform_op *op)
{
	struct xenpf_symdata *s = &op->u.symdata;
	uint32_t room = s->namelen;
	const char *name = symbol_by_number(s->symnum, &s->address);

	if (!name) {
		s->namelen = 0;
		s->address = 0;
		s->type = 0;
		return 0; /* symnum unchanged says the end */
	}
	s->namelen = strlen(name) + 1;
	s->type = 't';
	s->symnum++;
	if (room && copy_out(s->name.p, name, MIN(room, s->namelen)))
		return -EFAULT;
	return 0;
}

static long (*const ops[])(struct xen_platform_op *op) = {
	[XENPF_settime32] = op_settime32,
	[XENPF_settime64] = op_settime64,
	[XENPF_add_memtype] = op_memtype_change,
	[XENPF_del_memtype] = op_memtype_change,
	[XENPF_read_memtype] = op_read_memtype,
	[XENPF_microcode_update] = op_refused,
	[XENPF_platform_quirk] = op_quirk,
	[XENPF_get_cpu_version] = platform_pcpu_version,
	[XENPF_efi_runtime_call] = op_efi,
	[XENPF_firmware_info] = op_firmware_info,
	[XENPF_enter_acpi_sleep] = op_sleep,
	[XENPF_change_freq] = op_change_freq,
	[XENPF_getidletime] = platform_getidletime,
	[XENPF_set_processor_pminfo] = platform_set_pminfo,
	[XENPF_get_cpuinfo] = platform_cpuinfo,
	[XENPF_cpu_online] = platform_cpu_online,
	[XENPF_cpu_offline] = platform_cpu_offline,
	[XENPF_cpu_hotadd] = op_refused,
	[XENPF_mem_hotadd] = op_refused,
	[XENPF_core_parking] = platform_core_parking,
	[XENPF_resource_op] = platform_resource_op,
	[XENPF_get_symbol] = op_get_symbol,
};

long hypercall_platform_op(const uint64_t *args)
{
	void *guest = (void *)args[0];
	struct xen_platform_op op;
	long ret;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_in(&op, guest, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(ops) || !ops[op.cmd])
		return -ENOSYS;
	ret = ops[op.cmd](&op);
	if (ret >= 0 && copy_out(guest, &op, sizeof(op)))
		ret = -EFAULT;
	return ret;
}

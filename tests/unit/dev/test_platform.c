/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_platform_op: who may, which version, and each operation's checks.
 *
 * Links: dev/platform.c dev/platform_cpu.c lib/bits.c
 */
#include "cpu/asm.h"
#include "cpu/backtrace.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "dev/acpi.h"
#include "dev/platform.h"
#include "fake.h"
#include "hypercall/hypercall.h"
#include "time/time.h"
#include "time/vtime.h"

struct cpu_features cpu_features = {.vendor = "TestCpuMaker", .signature = 0x00860f31};
unsigned int cpu_count = 8;
uint32_t cpu_apic_ids[MAX_CPUS] = {0, 10, 20, 30};
uint32_t cpu_acpi_ids[MAX_CPUS] = {1, 2, 3, 4};

static struct xen_platform_op *op;
static uint64_t clock_sec;
static unsigned int clock_updates;
static unsigned int sleep_state;

const char *symbol_by_number(uint32_t n, uint64_t *addr)
{
	*addr = 0x1000 + n;
	return n == 0 ? "first" : n == 1 ? "second" : NULL;
}

int msr_read_safe(uint32_t msr, uint64_t *val)
{
	switch (msr) {
	case 0xfe:
		*val = 2;
		return 0;
	case 0x200:
		*val = 0xc0000000;
		return 0;
	case 0x201:
		*val = 0xffc0000800;
		return 0;
	case 0x202:
	case 0x203:
		*val = 0;
		return 0;
	default:
		return -EFAULT;
	}
}

int acpi_enter_sleep(uint8_t state, uint32_t pm1a, uint32_t pm1b)
{
	(void)pm1a;
	(void)pm1b;
	sleep_state = state;
	return 0;
}

void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
	(void)nsec;
	(void)system_time;
	clock_sec = sec;
}

void vtime_update_wallclock(struct domain *d)
{
	(void)d;
	clock_updates++;
}

uint64_t cpu_idle_time(unsigned int cpu)
{
	return 1000 + cpu;
}

static long call(uint32_t cmd)
{
	uint64_t args[5] = {(uintptr_t)op};

	op->cmd = cmd;
	op->interface_version = XENPF_INTERFACE_VERSION;
	return hypercall_platform_op(args);
}

static void setup(void)
{
	fake_vcpu_run(fake_dom0(1)->vcpus[0], 0);
	op = fake_guest_alloc(sizeof(*op));
	clock_sec = clock_updates = sleep_state = 0;
}

TEST(only_dom0_and_only_its_version)
{
	uint64_t args[5] = {0};

	setup();
	CHECK_EQ(hypercall_platform_op(args), -EFAULT);
	args[0] = (uintptr_t)op;
	op->cmd = XENPF_get_cpuinfo;
	op->interface_version = XENPF_INTERFACE_VERSION + 1;
	CHECK_EQ(hypercall_platform_op(args), -EACCES);
	CHECK_EQ(call(0), -ENOSYS);
	CHECK_EQ(call(~0U), -ENOSYS);
	fake_vcpu_run(fake_domain(3, 1)->vcpus[0], 1);
	CHECK_EQ(call(XENPF_get_cpuinfo), -EPERM);
}

TEST(clock_is_set_for_all_domains)
{
	setup();
	fake_domain(3, 1);
	op->u.settime64.secs = 77;
	CHECK_EQ(call(XENPF_settime64), 0);
	CHECK_EQ(clock_sec, 77);
	CHECK_EQ(clock_updates, 2);
	op->u.settime64.mbz = 1;
	CHECK_EQ(call(XENPF_settime64), -EINVAL);
	op->u.settime64.mbz = 0;
	op->u.settime64.nsecs = 1000000000;
	CHECK_EQ(call(XENPF_settime64), -EINVAL);
	op->u.settime32.secs = 5;
	op->u.settime32.nsecs = 999999999;
	CHECK_EQ(call(XENPF_settime32), 0);
	CHECK_EQ(clock_sec, 5);
}

TEST(memory_types_are_read_only)
{
	setup();
	CHECK_EQ(call(XENPF_add_memtype), -EOPNOTSUPP);
	CHECK_EQ(call(XENPF_del_memtype), -EOPNOTSUPP);
	op->u.read_memtype.reg = 0;
	CHECK_EQ(call(XENPF_read_memtype), 0);
	CHECK_EQ(op->u.read_memtype.mfn, 0xc0000);
	CHECK_EQ(op->u.read_memtype.nr_mfns, 0x40000);
	op->u.read_memtype.reg = 1;
	CHECK_EQ(call(XENPF_read_memtype), 0);
	CHECK_EQ(op->u.read_memtype.nr_mfns, 0);
	op->u.read_memtype.reg = 2;
	CHECK_EQ(call(XENPF_read_memtype), -EINVAL);
}

TEST(firmware_tells_nothing)
{
	setup();
	op->u.firmware_info.type = XEN_FW_DISK_INFO;
	CHECK_EQ(call(XENPF_firmware_info), -ESRCH);
	op->u.firmware_info.type = XEN_FW_EFI_INFO;
	CHECK_EQ(call(XENPF_firmware_info), -ENOSYS);
	op->u.firmware_info.type = 99;
	CHECK_EQ(call(XENPF_firmware_info), -EINVAL);
	CHECK_EQ(call(XENPF_efi_runtime_call), -ENOSYS);
	CHECK_EQ(call(XENPF_microcode_update), -EOPNOTSUPP);
	op->u.platform_quirk.quirk_id = 4;
	CHECK_EQ(call(XENPF_platform_quirk), -EINVAL);
	op->u.platform_quirk.quirk_id = 1;
	CHECK_EQ(call(XENPF_platform_quirk), 0);
}

TEST(sleep_is_checked)
{
	setup();
	op->u.enter_acpi_sleep.sleep_state = 256;
	CHECK_EQ(call(XENPF_enter_acpi_sleep), -EINVAL);
	op->u.enter_acpi_sleep.sleep_state = 5;
	op->u.enter_acpi_sleep.flags = XENPF_ACPI_SLEEP_EXTENDED;
	CHECK_EQ(call(XENPF_enter_acpi_sleep), -EINVAL);
	op->u.enter_acpi_sleep.flags = 0;
	CHECK_EQ(call(XENPF_enter_acpi_sleep), 0);
	CHECK_EQ(sleep_state, 5);
}

TEST(cpus_are_told)
{
	setup();
	op->u.pcpu_info.xen_cpuid = 1;
	CHECK_EQ(call(XENPF_get_cpuinfo), 0);
	CHECK_EQ(op->u.pcpu_info.flags, XEN_PCPU_FLAGS_ONLINE);
	CHECK_EQ(op->u.pcpu_info.apic_id, 10);
	CHECK_EQ(op->u.pcpu_info.acpi_id, 2);
	CHECK_EQ(op->u.pcpu_info.max_present, 7);
	op->u.pcpu_info.xen_cpuid = ~0U;
	CHECK_EQ(call(XENPF_get_cpuinfo), 0);
	CHECK_EQ(op->u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
	op->u.pcpu_version.xen_cpuid = 0;
	CHECK_EQ(call(XENPF_get_cpu_version), 0);
	CHECK_EQ(op->u.pcpu_version.family, 0xf + 8);
	CHECK_EQ(op->u.pcpu_version.model, 0x63);
	CHECK_EQ(op->u.pcpu_version.stepping, 1);
	CHECK(!memcmp(op->u.pcpu_version.vendor_id, "TestCpuMaker", 12));
	op->u.cpu_ol.cpuid = 0;
	CHECK_EQ(call(XENPF_cpu_online), 0);
	CHECK_EQ(call(XENPF_cpu_offline), -EOPNOTSUPP);
	op->u.cpu_ol.cpuid = 1000;
	CHECK_EQ(call(XENPF_cpu_online), -EINVAL);
	CHECK_EQ(call(XENPF_cpu_offline), -EINVAL);
	op->u.core_parking.type = XEN_CORE_PARKING_GET;
	CHECK_EQ(call(XENPF_core_parking), 0);
	op->u.core_parking.type = 3;
	CHECK_EQ(call(XENPF_core_parking), -EINVAL);
}

TEST(idle_times_are_for_cpus_there_are)
{
	uint64_t *times;
	uint8_t *map;

	setup();
	times = fake_guest_alloc(16 * sizeof(*times));
	map = fake_guest_alloc(2);
	op->u.getidletime.cpumap_bitmap.p = map;
	op->u.getidletime.idletime.p = times;
	op->u.getidletime.cpumap_nr_cpus = 12;
	map[0] = 0x82;
	map[1] = 0xff; /* 8..11 asked for, and there are 8; the others are beyond the number */
	CHECK_EQ(call(XENPF_getidletime), 0);
	CHECK_EQ(map[0], 0x82);
	CHECK_EQ(map[1], 0xf0);
	CHECK_EQ(times[1], 1001);
	CHECK_EQ(times[7], 1007);
	CHECK_EQ(times[0], 0);
	op->u.getidletime.cpumap_nr_cpus = MAX_CPUS + 1;
	CHECK_EQ(call(XENPF_getidletime), -EINVAL);
}

TEST(resources_are_the_time_alone)
{
	struct xenpf_resource_entry *e;

	setup();
	e = fake_guest_alloc(3 * sizeof(*e));
	op->u.resource_op.entries.p = e;
	op->u.resource_op.nr_entries = 3;
	e[0].idx = 0x10;
	e[1].idx = 0x174;
	fake_time = 4242;
	CHECK_EQ(call(XENPF_resource_op), 1);
	CHECK_EQ(e[0].val, 4242);
	CHECK_EQ(e[1].u.ret, -EACCES);
	e[1].idx = 0x10;
	e[1].u.cmd = XEN_RESOURCE_OP_MSR_WRITE;
	CHECK_EQ(call(XENPF_resource_op), 1);
	CHECK_EQ(e[1].u.ret, -EACCES);
	e[0].rsvd = 1;
	CHECK_EQ(call(XENPF_resource_op), 0);
	CHECK_EQ(e[0].u.ret, -EINVAL);
	op->u.resource_op.cpu = 9;
	CHECK_EQ(call(XENPF_resource_op), -ENODEV);
	op->u.resource_op.nr_entries = 65;
	CHECK_EQ(call(XENPF_resource_op), -E2BIG);
}

TEST(symbols_are_listed)
{
	char *name;

	setup();
	name = fake_guest_alloc(4);
	op->u.symdata.name.p = name;
	op->u.symdata.namelen = 4;
	CHECK_EQ(call(XENPF_get_symbol), 0);
	CHECK(!memcmp(name, "firs", 4));
	CHECK_EQ(op->u.symdata.namelen, 6);
	CHECK_EQ(op->u.symdata.symnum, 1);
	CHECK_EQ(op->u.symdata.address, 0x1000);
	op->u.symdata.symnum = 2;
	op->u.symdata.namelen = 4;
	CHECK_EQ(call(XENPF_get_symbol), 0);
	CHECK_EQ(op->u.symdata.symnum, 2);
}

TEST(power_management_is_refused)
{
	setup();
	op->u.set_pminfo.type = XEN_PM_CX;
	CHECK_EQ(call(XENPF_set_processor_pminfo), -EOPNOTSUPP);
	op->u.set_pminfo.type = 9;
	CHECK_EQ(call(XENPF_set_processor_pminfo), -EINVAL);
	CHECK_EQ(call(XENPF_change_freq), -EOPNOTSUPP);
	op->u.change_freq.flags = 1;
	CHECK_EQ(call(XENPF_change_freq), -EINVAL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake machine: every hyp_ function that a builder calls. Frames are handed out backwards and
 * full of junk, so that order and zeroing show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture_machine.h"
#include "hyp/domain.h"
#include "hyp/hvm.h"
#include "hyp/system.h"

#define PAGE	     4096UL
#define MACHINE_GFNS (1UL << 21)

struct machine fake;

/* Of a translated domain: the frame behind each of the guest's numbers; 0: none. */
static uint32_t gfn_to_frame[MACHINE_GFNS];

static bool is_translated(void)
{
	return fake.created.flags & XEN_DOMCTL_CDF_hvm;
}

static xen_pfn_t frame_of(xen_pfn_t number)
{
	if (is_translated()) {
		assert_true(number < MACHINE_GFNS);
		assert_int_not_equal(gfn_to_frame[number], 0);
		return gfn_to_frame[number];
	}
	assert_true(number < MACHINE_FRAMES);
	return number;
}

uint8_t *machine_at(uint64_t paddr)
{
	return fake.frames + frame_of(paddr / PAGE) * PAGE + paddr % PAGE;
}

bool machine_has(uint64_t paddr)
{
	return paddr / PAGE < MACHINE_GFNS && gfn_to_frame[paddr / PAGE];
}

/* Count a call; true: it is the one to fail. */
static bool fails(void)
{
	return ++fake.calls == fake.fail_at;
}

int hyp_system_get_physinfo(struct hyp *hyp, struct xen_sysctl_physinfo *info)
{
	(void)hyp;
	*info = (struct xen_sysctl_physinfo){
		.capabilities = fake.capabilities,
		.free_pages = fake.free_pages,
	};
	return fails() ? -EIO : 0;
}

int hyp_domain_create(struct hyp *hyp, const struct xen_domctl_createdomain *cfg, domid_t *domid)
{
	(void)hyp;
	if (fails())
		return -EINVAL;
	fake.created = *cfg;
	fake.exists = true;
	*domid = MACHINE_DOMID;
	return 0;
}

int hyp_domain_destroy(struct hyp *hyp, domid_t domid)
{
	(void)hyp;
	assert_int_equal(domid, MACHINE_DOMID);
	assert_true(fake.exists);
	fake.exists = false;
	return 0;
}

int hyp_domain_get_info(struct hyp *hyp, domid_t domid, struct xen_domctl_getdomaininfo *info)
{
	(void)hyp;
	*info = (struct xen_domctl_getdomaininfo){
		.domain = domid,
		.shared_info_frame = MACHINE_SHARED_INFO,
	};
	return fails() ? -EIO : 0;
}

int hyp_domain_set_max_mem(struct hyp *hyp, domid_t domid, uint64_t kib)
{
	(void)hyp, (void)domid;
	fake.max_kib = kib;
	return fails() ? -EIO : 0;
}

int hyp_domain_set_max_vcpus(struct hyp *hyp, domid_t domid, uint32_t vcpus)
{
	(void)hyp, (void)domid;
	fake.vcpus = vcpus;
	return fails() ? -EIO : 0;
}

int hyp_domain_set_tsc(struct hyp *hyp, domid_t domid, uint32_t mode)
{
	(void)hyp, (void)domid, (void)mode;
	return fails() ? -EIO : 0;
}

int hyp_domain_init_hypercall_page(struct hyp *hyp, domid_t domid, uint64_t gmfn)
{
	(void)hyp, (void)domid;
	fake.hypercall_mfn = gmfn;
	return fails() ? -EIO : 0;
}

int hyp_vcpu_set_context(struct hyp *hyp, domid_t domid, uint32_t vcpu,
			 const struct vcpu_guest_context *context)
{
	(void)hyp, (void)domid;
	assert_int_equal(vcpu, 0);
	fake.context = *context;
	return fails() ? -EIO : 0;
}

int hyp_event_alloc_unbound(struct hyp *hyp, domid_t domid, domid_t remote)
{
	static int port;

	(void)hyp, (void)domid, (void)remote;
	if (fails())
		return -EIO;
	return port = port % 2 + 1;
}

/* Frames go out backwards and are full of junk, so that order and zeroing show. */
long hyp_memory_populate(struct hyp *hyp, domid_t domid, unsigned int order, unsigned long nr,
			 xen_pfn_t *extents)
{
	(void)hyp, (void)domid;
	if (fails())
		return -EIO;
	if (order && fake.no_big_extents)
		return 0;
	for (unsigned long i = 0; i < nr; i++) {
		xen_pfn_t gfn = extents[i];

		if (fake.next_frame < 16 + (1UL << order))
			return (long)i;
		assert_int_equal(gfn & ((1UL << order) - 1),
				 is_translated() ? 0 : gfn & ((1UL << order) - 1));
		fake.next_frame -= 1UL << order;
		extents[i] = fake.next_frame;
		for (unsigned long j = 0; is_translated() && j < 1UL << order; j++) {
			assert_true(gfn + j < MACHINE_GFNS);
			assert_int_equal(gfn_to_frame[gfn + j], 0);
			gfn_to_frame[gfn + j] = (uint32_t)(extents[i] + j);
		}
		memset(fake.frames + extents[i] * PAGE, 0xcc, PAGE << order);
	}
	return (long)nr;
}

int hyp_memory_claim(struct hyp *hyp, domid_t domid, unsigned long pages)
{
	(void)hyp, (void)domid;
	fake.claim = pages;
	if (fake.no_claim)
		return -ENOSYS;
	return fails() ? -ENOMEM : 0;
}

int hyp_memory_set_map(struct hyp *hyp, domid_t domid, const struct hyp_memory_range *map,
		       unsigned int nr)
{
	(void)hyp, (void)domid;
	assert_true(nr <= MACHINE_MAP_MAX);
	memcpy(fake.map, map, nr * sizeof(*map));
	fake.nr_map = nr;
	return fails() ? -EIO : 0;
}

int hyp_mmu_pin_table(struct hyp *hyp, domid_t domid, unsigned int level, xen_pfn_t mfn)
{
	(void)hyp, (void)domid;
	assert_int_equal(level, 4);
	/* The hypervisor refuses tables that somebody could still write to. */
	assert_int_equal(fake.nr_maps, 0);
	fake.pinned = mfn;
	return fails() ? -EINVAL : 0;
}

int hyp_mmu_clear_frames(struct hyp *hyp, domid_t domid, const xen_pfn_t *mfns, unsigned long nr)
{
	(void)hyp, (void)domid;
	if (fake.no_clear)
		return -ENOSYS;
	for (unsigned long i = 0; i < nr; i++)
		memset(fake.frames + frame_of(mfns[i]) * PAGE, 0, PAGE);
	return 0;
}

int hyp_foreign_map(struct hyp *hyp, domid_t domid, int prot, const xen_pfn_t *frames,
		    unsigned long nr, void **addr)
{
	char *map;

	(void)hyp;
	assert_int_equal(domid, MACHINE_DOMID);
	assert_true(nr > 0);
	if (fails())
		return -ENOMEM;
	map = mmap(NULL, nr * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	for (unsigned long i = 0; i < nr; i++) {
		assert_true(mmap(map + i * PAGE, PAGE, prot, MAP_SHARED | MAP_FIXED, fake.memory,
				 (off_t)(frame_of(frames[i]) * PAGE)) != MAP_FAILED);
	}
	fake.nr_maps++;
	*addr = map;
	return 0;
}

void hyp_foreign_unmap(void *addr, unsigned long nr)
{
	fake.nr_maps--;
	assert_int_equal(munmap(addr, nr * PAGE), 0);
}

int hyp_grant_seed(struct hyp *hyp, domid_t domid, const struct hyp_grant *grants, unsigned int nr)
{
	(void)hyp, (void)domid;
	assert_int_equal(nr, 2);
	memcpy(fake.grants, grants, sizeof(fake.grants));
	return fails() ? -EIO : 0;
}

int hyp_hvm_set_param(struct hyp *hyp, domid_t domid, uint32_t index, uint64_t value)
{
	(void)hyp, (void)domid;
	assert_true(index < HVM_NR_PARAMS);
	fake.params[index] = value;
	return fails() ? -EINVAL : 0;
}

int hyp_hvm_set_paging_pool(struct hyp *hyp, domid_t domid, uint64_t bytes)
{
	(void)hyp, (void)domid;
	fake.pool_bytes = bytes;
	return fails() ? -ENOMEM : 0;
}

static size_t put_record(uint8_t *at, uint16_t type, uint16_t instance, uint32_t length)
{
	struct hvm_save_descriptor record = {type, instance, length};

	memcpy(at, &record, sizeof(record));
	memset(at + sizeof(record), 0x11, length);
	return sizeof(record) + length;
}

/* Two vCPUs' state, with MTRRs unless fake.no_mtrr, and records in between that nobody asked for.
 */
int hyp_hvm_get_context(struct hyp *hyp, domid_t domid, void **data, size_t *size)
{
	uint8_t *buffer = calloc(1, 8192);
	size_t at = 0;

	(void)hyp, (void)domid;
	assert_non_null(buffer);
	if (!fake.no_header)
		at += put_record(buffer, HVM_SAVE_CODE(HEADER), 0, HVM_SAVE_LENGTH(HEADER));
	for (uint16_t i = 0; i < 2; i++)
		at += put_record(buffer + at, HVM_SAVE_CODE(CPU), i, HVM_SAVE_LENGTH(CPU));
	at += put_record(buffer + at, 19, 0, 24);
	for (uint16_t i = 0; i < 2 && !fake.no_mtrr; i++)
		at += put_record(buffer + at, HVM_SAVE_CODE(MTRR), i, HVM_SAVE_LENGTH(MTRR));
	if (fake.cut_context)
		at -= 100;
	else
		at += put_record(buffer + at, 0, 0, 0);
	if (fails()) {
		free(buffer);
		return -EIO;
	}
	*data = buffer;
	*size = at;
	return 0;
}

int hyp_hvm_set_context(struct hyp *hyp, domid_t domid, const void *data, size_t size)
{
	(void)hyp, (void)domid;
	assert_true(size <= sizeof(fake.hvm_context));
	assert_int_equal(fake.nr_maps, 0);
	memcpy(fake.hvm_context, data, size);
	fake.hvm_context_size = size;
	return fails() ? -EINVAL : 0;
}

int hyp_policy_get(struct hyp *hyp, uint32_t index, struct hyp_policy *policy)
{
	(void)hyp;
	assert_int_equal(index, XEN_SYSCTL_cpu_policy_hvm_default);
	*policy = (struct hyp_policy){.nr_leaves = 2};
	if (fails())
		return -EOPNOTSUPP;
	policy->leaves = calloc(2, sizeof(*policy->leaves));
	policy->leaves[1].leaf = 1;
	return 0;
}

void hyp_policy_free(struct hyp_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
}

int hyp_domain_set_policy(struct hyp *hyp, domid_t domid, const struct hyp_policy *policy,
			  uint32_t *bad_leaf)
{
	(void)hyp, (void)domid;
	assert_int_equal(policy->nr_leaves, 2);
	fake.leaf1_ebx = policy->leaves[1].b;
	*bad_leaf = fake.next_leaf_error;
	return fake.next_leaf_error != UINT32_MAX || fails() ? -EINVAL : 0;
}

char machine_kernel_path[] = "/tmp/zendo-builder-kernel-XXXXXX";
char machine_ramdisk_path[] = "/tmp/zendo-builder-ramdisk-XXXXXX";

void machine_reset(void)
{
	int memory = fake.memory;
	uint8_t *frames = fake.frames;

	memset(&fake, 0, sizeof(fake));
	memset(gfn_to_frame, 0, sizeof(gfn_to_frame));
	fake.memory = memory;
	fake.frames = frames;
	fake.next_frame = MACHINE_SHARED_INFO;
	fake.free_pages = MACHINE_FRAMES;
	fake.capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_hvm |
			    XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v2;
	fake.next_leaf_error = UINT32_MAX;
	memset(frames + MACHINE_SHARED_INFO * PAGE, 0, PAGE);
}

int machine_setup(void **state)
{
	uint8_t ramdisk[MACHINE_RAMDISK_SIZE] = "-rom1fs-";
	int fd = mkstemp(machine_kernel_path);

	(void)state;
	close(fd);
	fd = mkstemp(machine_ramdisk_path);
	for (size_t i = 8; i < sizeof(ramdisk); i++)
		ramdisk[i] = fixture_pattern(i + 3);
	if (write(fd, ramdisk, sizeof(ramdisk)) != sizeof(ramdisk))
		return 1;
	close(fd);
	fake.memory = memfd_create("machine", 0);
	if (ftruncate(fake.memory, MACHINE_FRAMES * PAGE) < 0)
		return 1;
	fake.frames = mmap(NULL, MACHINE_FRAMES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fake.memory, 0);
	return fake.frames == MAP_FAILED;
}

int machine_teardown(void **state)
{
	(void)state;
	unlink(machine_kernel_path);
	unlink(machine_ramdisk_path);
	return 0;
}

void machine_use_kernel(struct image image)
{
	int fd = open(machine_kernel_path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, image.data, image.size), (ssize_t)image.size);
	close(fd);
	free(image.data);
}

struct build_params machine_params(uint64_t mib)
{
	struct build_params params;

	build_params_init(&params);
	params.kernel = machine_kernel_path;
	params.ramdisk = machine_ramdisk_path;
	params.cmdline = "console=hvc0 quiet";
	params.cache_dir = NULL;
	params.memory_kib = mib << 10;
	params.maxmem_kib = (mib + 8) << 10;
	params.max_vcpus = 3;
	params.uuid[0] = 0xab;
	params.store_domid = 4;
	params.console_domid = 5;
	return params;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building what PVH and HVM domains share. Frames are named by the guest's own numbers here: the
 * hypervisor translates.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "builder/hvm.h"
#include "builder/hvm_policy.h"
#include "hyp/domain.h"
#include "hyp/hvm.h"
#include "hyp/memory.h"

#define ORDER_1GIB 18
#define ORDER_2MIB 9

/*
 * The pool for nested page tables and what else the hypervisor keeps about the domain's memory:
 * 256 pages for each vCPU and two for each MiB, as stock tools reckon.
 */
static uint64_t paging_pool_bytes(const struct build_params *p)
{
	uint64_t kib = p->maxmem_kib > p->memory_kib ? p->maxmem_kib : p->memory_kib;

	return HYP_PAGE_SIZE * (256ULL * p->max_vcpus + 2 * (kib >> 10));
}

static int set_policy(struct builder *b)
{
	struct hyp_policy policy;
	uint32_t bad_leaf;
	int result = hyp_policy_get(b->hyp, XEN_SYSCTL_cpu_policy_hvm_default, &policy);

	if (result)
		return builder_fail_call(b, result, "tell its CPUID policy");
	hvm_policy_adjust(&policy, b->params->max_vcpus);
	result = hyp_domain_set_policy(b->hyp, b->domid, &policy, &bad_leaf);
	hyp_policy_free(&policy);
	if (result && bad_leaf != UINT32_MAX)
		return build_error_set(b->error, result,
				       "the hypervisor refused the CPUID policy at leaf 0x%x: %s",
				       bad_leaf, strerror(-result));
	return result ? builder_fail_call(b, result, "set the CPUID policy") : 0;
}

int hvm_check_vcpus(struct builder *b)
{
	if (b->params->max_vcpus <= HVM_MAX_VCPUS)
		return 0;
	return build_error_set(b->error, -EINVAL,
			       "%u vCPUs: a PVH or HVM domain can have at most %d",
			       b->params->max_vcpus, HVM_MAX_VCPUS);
}

int hvm_set_limits(struct builder *b, const struct hvm_layout *layout)
{
	int result = builder_set_limits(b);

	if (result)
		return result;
	result = hyp_hvm_set_paging_pool(b->hyp, b->domid, paging_pool_bytes(b->params));
	if (result)
		return builder_fail_call(b, result, "set memory apart for nested page tables");
	result = set_policy(b);
	if (result)
		return result;
	result = hyp_memory_set_map(b->hyp, b->domid, layout->map, layout->nr_map);
	return result ? builder_fail_call(b, result, "set the memory map") : 0;
}

/* Up to the next frame that is a multiple of 2^order, or `end`. */
static uint64_t align_end(uint64_t pfn, unsigned int order, uint64_t end)
{
	uint64_t aligned = ((pfn >> order) + ((pfn & ((1UL << order) - 1)) != 0)) << order;

	return aligned < end ? aligned : end;
}

/*
 * A run of RAM. The largest extents that fit, so that the hypervisor can map them by large entries;
 * where it has none left, or the run has no whole one, smaller ones.
 */
static int populate_run(struct builder *b, uint64_t pfn, uint64_t end)
{
	static const unsigned int orders[] = {ORDER_1GIB, ORDER_2MIB};
	uint64_t first = pfn;
	int result;

	result = builder_populate(b, 0, &pfn, align_end(pfn, ORDER_2MIB, end), NULL);
	if (!result)
		result = builder_populate(b, ORDER_2MIB, &pfn, align_end(pfn, ORDER_1GIB, end),
					  NULL);
	for (size_t i = 0; !result && i < sizeof(orders) / sizeof(orders[0]); i++)
		if (pfn == align_end(pfn, orders[i], end))
			result = builder_populate(b, orders[i], &pfn, end, NULL);
	if (!result)
		result = builder_populate(b, 0, &pfn, end, NULL);
	return !result && pfn < end ? builder_fail_memory(b, pfn - first) : result;
}

int hvm_populate_memory(struct builder *b, const struct hvm_layout *layout)
{
	const uint64_t runs[][2] = {
		{0, layout->has_vga_hole ? HVM_VGA_PFN : layout->low_end_pfn},
		{HVM_VGA_END_PFN, layout->has_vga_hole ? layout->low_end_pfn : 0},
		{HVM_4GIB_PFN, layout->high_end_pfn},
		{HVM_ACPI_PFN, HVM_ACPI_PFN + layout->acpi_pages},
		{HVM_SPECIAL_PFN, HVM_SPECIAL_END_PFN},
	};
	int result = builder_enter_stage(b, BUILD_POPULATE);

	for (size_t i = 0; !result && i < sizeof(runs) / sizeof(runs[0]); i++)
		if (runs[i][0] < runs[i][1])
			result = populate_run(b, runs[i][0], runs[i][1]);
	return result;
}

struct loader hvm_loader(struct builder *b)
{
	return (struct loader){.hyp = b->hyp, .domid = b->domid, .error = b->error};
}

int hvm_set_param(struct builder *b, uint32_t index, uint64_t value)
{
	int result = hyp_hvm_set_param(b->hyp, b->domid, index, value);

	return result ? build_error_set(b->error, result,
					"the hypervisor refused HVM parameter %u: %s", index,
					strerror(-result))
		      : 0;
}

/*
 * Empty rings, and an identity map of 4 GiB in 4 MiB pages without PAE: what a processor that
 * cannot run a guest with paging off (Intel SDM Vol. 3, "Unrestricted Guests") is given instead.
 */
static int fill_special_pages(struct builder *b)
{
	struct loader loader = hvm_loader(b);
	uint32_t *table;
	void *pages;
	int result = load_map_frames(&loader, HVM_SPECIAL_PFN, HVM_SPECIAL_NR, &pages);

	if (result)
		return result;
	memset(pages, 0, HVM_SPECIAL_NR * HYP_PAGE_SIZE);
	table = (uint32_t *)((char *)pages + HVM_SPECIAL_IDENT_PT * HYP_PAGE_SIZE);
	/* Present, writable, user, accessed, dirty, a large page. */
	for (uint32_t i = 0; i < HYP_PAGE_SIZE / sizeof(*table); i++)
		table[i] = i << 22 | 0xe7;
	hyp_foreign_unmap(pages, HVM_SPECIAL_NR);
	return 0;
}

static int set_params(struct builder *b)
{
	const struct {
		uint32_t index;
		uint64_t value;
	} params[] = {
		{HVM_PARAM_STORE_PFN, hvm_special_pfn(HVM_SPECIAL_STORE)},
		{HVM_PARAM_STORE_EVTCHN, b->result.store_port},
		{HVM_PARAM_CONSOLE_PFN, hvm_special_pfn(HVM_SPECIAL_CONSOLE)},
		{HVM_PARAM_CONSOLE_EVTCHN, b->result.console_port},
		{HVM_PARAM_IDENT_PT, hvm_special_pfn(HVM_SPECIAL_IDENT_PT) << HYP_PAGE_SHIFT},
		{HVM_PARAM_TIMER_MODE, b->params->timer_mode},
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]) && !result; i++)
		result = hvm_set_param(b, params[i].index, params[i].value);
	return result;
}

/* Start info and what it points to, one after another in one page. */
struct start_page {
	struct hvm_start_info info;
	struct hvm_modlist_entry modules[HVM_MODULES_MAX];
	struct hvm_memmap_table_entry map[HVM_MAP_MAX];
	char module_names[HVM_MODULES_MAX][16];
	char cmdline[HVM_CMDLINE_MAX];
};

_Static_assert(sizeof(struct start_page) <= HYP_PAGE_SIZE, "start info fits in its page");

static void fill_modules(struct start_page *page, uint64_t paddr, const struct hvm_start *start)
{
	for (uint32_t i = 0; i < start->nr_modules; i++) {
		const struct hvm_module *module = &start->modules[i];

		page->modules[i].paddr = module->paddr;
		page->modules[i].size = module->size;
		if (!module->name)
			continue;
		strncpy(page->module_names[i], module->name, sizeof(page->module_names[i]) - 1);
		page->modules[i].cmdline_paddr =
			paddr + offsetof(struct start_page, module_names[i]);
	}
	page->info.nr_modules = start->nr_modules;
	if (start->nr_modules)
		page->info.modlist_paddr = paddr + offsetof(struct start_page, modules);
}

void hvm_fill_start_info(void *at, uint64_t paddr, const struct hvm_start *start)
{
	struct start_page *page = at;

	memset(at, 0, HYP_PAGE_SIZE);
	page->info.magic = XEN_HVM_START_MAGIC_VALUE;
	page->info.version = 1;
	page->info.rsdp_paddr = start->rsdp_paddr;
	fill_modules(page, paddr, start);
	for (unsigned int i = 0; i < start->layout->nr_map; i++)
		page->map[i] = (struct hvm_memmap_table_entry){
			.addr = start->layout->map[i].addr,
			.size = start->layout->map[i].size,
			.type = start->layout->map[i].type,
		};
	page->info.memmap_entries = start->layout->nr_map;
	page->info.memmap_paddr = paddr + offsetof(struct start_page, map);
	if (start->cmdline) {
		strncpy(page->cmdline, start->cmdline, sizeof(page->cmdline) - 1);
		page->info.cmdline_paddr = paddr + offsetof(struct start_page, cmdline);
	}
}

/*
 * The next record in a saved state: its content, of record->length bytes, or NULL at the end. *at
 * counts the bytes passed.
 */
static const uint8_t *next_record(const uint8_t *state, size_t size, size_t *at,
				  struct hvm_save_descriptor *record)
{
	const uint8_t *content;

	if (size - *at < sizeof(*record))
		return NULL;
	memcpy(record, state + *at, sizeof(*record));
	if (record->typecode == HVM_SAVE_CODE(END) || record->length > size - *at - sizeof(*record))
		return NULL;
	content = state + *at + sizeof(*record);
	*at += sizeof(*record) + record->length;
	return content;
}

static size_t put_record(uint8_t *state, size_t at, uint16_t type, uint16_t instance,
			 const void *content, uint32_t length)
{
	struct hvm_save_descriptor record = {
		.typecode = type,
		.instance = instance,
		.length = length,
	};

	memcpy(state + at, &record, sizeof(record));
	memcpy(state + at + sizeof(record), content, length);
	return at + sizeof(record) + length;
}

#define CR0_PE		1u
#define CR0_ET		(1u << 4)
#define MTRR_ENABLED	(1u << 11)
#define MTRR_WRITE_BACK 6u

/* Access rights as a VMCS has them (Intel SDM Vol. 3, "Guest Register State"). */
#define RIGHTS_CODE 0xc9bu
#define RIGHTS_DATA 0xc93u
#define RIGHTS_TSS  0x8bu

static void fill_first_vcpu(struct hvm_hw_cpu *cpu, uint32_t entry, uint32_t start_info_paddr)
{
	*cpu = (struct hvm_hw_cpu){
		.rip = entry,
		.rbx = start_info_paddr,
		.rflags = 2, /* the bit that is always 1 */
		.cr0 = CR0_PE | CR0_ET,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.cs_limit = UINT32_MAX,
		.ds_limit = UINT32_MAX,
		.es_limit = UINT32_MAX,
		.ss_limit = UINT32_MAX,
		.tr_limit = 0x67,
		.cs_arbytes = RIGHTS_CODE,
		.ds_arbytes = RIGHTS_DATA,
		.es_arbytes = RIGHTS_DATA,
		.ss_arbytes = RIGHTS_DATA,
		.tr_arbytes = RIGHTS_TSS,
	};
}

/*
 * The state to start from, made of the one that the hypervisor gave the domain: its header as it
 * is, for it says who wrote the state; our first vCPU; and without firmware to do it, all memory
 * write-back in the MTRRs of every vCPU that has them. Returns its size, or 0: there is no header.
 */
static size_t make_state(const uint8_t *now, size_t now_size, const struct hvm_hw_cpu *cpu,
			 bool has_firmware, uint8_t *state)
{
	struct hvm_save_descriptor record;
	HVM_SAVE_TYPE(MTRR) mtrr;
	const uint8_t *content;
	size_t at = 0, size = 0;

	while ((content = next_record(now, now_size, &at, &record))) {
		if (record.typecode == HVM_SAVE_CODE(HEADER) && size == 0) {
			size = put_record(state, 0, record.typecode, 0, content, record.length);
			size = put_record(state, size, HVM_SAVE_CODE(CPU), 0, cpu, sizeof(*cpu));
		} else if (record.typecode == HVM_SAVE_CODE(MTRR) && size && !has_firmware &&
			   record.length == sizeof(mtrr)) {
			memcpy(&mtrr, content, sizeof(mtrr));
			mtrr.msr_mtrr_def_type = MTRR_ENABLED | MTRR_WRITE_BACK;
			size = put_record(state, size, record.typecode, record.instance, &mtrr,
					  sizeof(mtrr));
		}
	}
	return size ? put_record(state, size, HVM_SAVE_CODE(END), 0, "", 0) : 0;
}

static int set_first_vcpu(struct builder *b, uint32_t entry, uint32_t start_info_paddr)
{
	struct hvm_hw_cpu cpu;
	uint8_t *state;
	void *now;
	size_t size;
	int result = hyp_hvm_get_context(b->hyp, b->domid, &now, &size);

	if (result)
		return builder_fail_call(b, result, "tell the new domain's state");
	fill_first_vcpu(&cpu, entry, start_info_paddr);
	state = malloc(size + sizeof(cpu) + 2 * sizeof(struct hvm_save_descriptor));
	if (!state) {
		result = build_error_set(b->error, -ENOMEM, "out of memory");
		goto free_now;
	}
	size = make_state(now, size, &cpu, b->params->firmware != NULL, state);
	if (size)
		result = hyp_hvm_set_context(b->hyp, b->domid, state, size);
	if (!size)
		result = build_error_set(b->error, -EPROTO,
					 "the hypervisor's state of the new domain has no header");
	else if (result)
		builder_fail_call(b, result, "set the first vCPU's registers");
	free(state);

free_now:
	free(now);
	return result;
}

int hvm_set_start_state(struct builder *b, uint32_t entry, uint32_t start_info_paddr)
{
	int result = builder_make_channels(b);

	b->result.store_mfn = hvm_special_pfn(HVM_SPECIAL_STORE);
	b->result.console_mfn = hvm_special_pfn(HVM_SPECIAL_CONSOLE);
	if (!result)
		result = fill_special_pages(b);
	if (!result)
		result = set_params(b);
	if (!result)
		result = set_first_vcpu(b, entry, start_info_paddr);
	if (!result)
		result = builder_seed_grants(b);
	return result;
}

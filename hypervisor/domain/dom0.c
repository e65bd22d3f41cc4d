/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building dom0: its size by the options, its memory and kernel (by
 * dom0_image.c), validation of its page tables by the same code that checks
 * every guest's, its first vCPU, and what of the machine it may touch.
 */
#include "domain/dom0.h"

#include "boot/boot.h"
#include "cpu/features.h"
#include "cpu/softirq.h"
#include "dev/acpi.h"
#include "dev/ports.h"
#include "domain/dom0_image.h"
#include "domain/domain.h"
#include "evtchn/evtchn.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"

#include <xen/domctl.h>

#define RESERVE_SHARE 16 /* of free memory, for guests' and our own needs, ... */
#define RESERVE_MAX   (MB(128) >> PAGE_SHIFT) /* ... but no more than this */

/*
 * Event channels whose memory dom0 has from the start: with those of some tens of guests no page
 * of ours is taken that does not come back with its guest.
 */
#define PORTS_RESERVED 1024

/* Intel SDM vol. 3, "Message Address Register Format": the local APICs and their MSI window */
#define MSI_START 0xfee00000UL
#define MSI_END	  0xfeefffffUL

static init_text void must(int rc, const char *what)
{
	if (rc)
		panic("dom0: %s: error %d", what, rc);
}

/* --- how much --- */

struct dom0_size {
	uint64_t pages, max_pages;
};

/* dom0_mem=SIZE[,max:SIZE]; other words of the option's are for larger machines than ours. */
static init_text void size_option_read(struct dom0_size *size)
{
	char option[64];
	const char *p = option;

	if (!boot_option("dom0_mem", option, sizeof(option)))
		return;
	while (*p) {
		bool is_max = !strncmp(p, "max:", 4), is_min = !strncmp(p, "min:", 4);
		uint64_t bytes;

		if (is_max || is_min)
			p += 4;
		if (!dom0_size_parse(p, &bytes, &p) || (*p && *p != ','))
			panic("dom0_mem=%s: not a size", option);
		if (is_max)
			size->max_pages = bytes >> PAGE_SHIFT;
		else if (!is_min)
			size->pages = bytes >> PAGE_SHIFT;
		if (*p == ',')
			p++;
	}
}

static init_text void size_choose(struct dom0_size *size, uint64_t nr_initrd)
{
	uint64_t free = frames_free_count();
	uint64_t available = free - MIN(free / RESERVE_SHARE, RESERVE_MAX) + nr_initrd;

	size->pages = 0;
	size->max_pages = ~0UL;
	size_option_read(size);
	if (!size->pages)
		size->pages = MIN(available, size->max_pages);
	if (size->pages > free + nr_initrd)
		panic("dom0_mem: %lu MB wanted, %lu MB free", size->pages >> 8,
		      (free + nr_initrd) >> 8);
	size->pages = MIN(size->pages, size->max_pages);
	if (size->max_pages == ~0UL)
		size->max_pages = size->pages;
}

static init_text unsigned int vcpus_choose(void)
{
	uint64_t n = boot_option_size("dom0_max_vcpus", cpumask_weight(&cpu_online));

	return n < 1 ? 1 : MIN(n, MAX_VCPUS);
}

/* --- what it may touch --- */

static init_text void iomem_grant(struct domain *d)
{
	uint64_t last = (1UL << (cpu_features.phys_bits - PAGE_SHIFT)) - 1;

	/* RAM in here does no harm: frames of RAM are given by their owner, never as I/O memory. */
	must(rangeset_add(&d->iomem, 0, last), "I/O memory");
	must(rangeset_remove(&d->iomem, MSI_START >> PAGE_SHIFT, MSI_END >> PAGE_SHIFT),
	     "I/O memory");
	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++) {
		uint64_t frame = acpi_info.ioapics[i].base >> PAGE_SHIFT;

		must(rangeset_remove(&d->iomem, frame, frame), "I/O memory");
	}
}

static init_text void rights_grant(struct domain *d)
{
	iomem_grant(d);
	must(ports_grant(&d->ioports), "I/O ports");
	must(rangeset_add(&d->irqs, 0, ~0U), "interrupts");
}

/* --- making it --- */

static init_text struct domain *domain_make(const struct dom0_size *size, unsigned int nr_vcpus)
{
	struct xen_domctl_createdomain config = {
		.max_vcpus = nr_vcpus,
		.max_evtchn_port = INT32_MAX,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
	};
	struct domain *d;

	must(domain_create(0, &config, true, &d), "creation");
	d->mm.max_pages = size->max_pages;
	for (unsigned int id = 0; id < nr_vcpus; id++)
		must(vcpu_create(d, id), "a vCPU");
	for (unsigned int id = 0; id < XEN_LEGACY_MAX_VCPUS; id++)
		d->shared_info->vcpu_info[id].evtchn_upcall_mask = 1;
	dom0 = d;
	return d;
}

/*
 * Preemptible functions want to be left now and then; there is nothing to
 * preempt us for, but softirqs must be run before they go on.
 */
static init_text bool is_preempted(int rc)
{
	if (rc != -ERESTART && rc != -EINTR)
		return false;
	softirq_run();
	return true;
}

/* Linux begins by unpinning the table it was given. */
static init_text void l4_pin(struct dom0_image *im)
{
	mfn_t l4 = MFN(im->p2m[im->layout.tables]);
	struct page *pg = page_get_mfn(l4, im->d);
	int rc;

	if (!pg)
		panic("dom0 does not own its page tables");
	do
		rc = page_get_type(pg, PAGE_L4, true);
	while (is_preempted(rc));
	must(rc, "its page tables");
	if (!page_pin(pg))
		panic("dom0's page tables cannot be pinned");
}

static init_text void vcpu_prepare(struct dom0_image *im)
{
	struct vcpu_guest_context *ctx = heap_alloc(sizeof(*ctx));
	uint64_t stack = dom0_pfn_to_va(im, im->layout.stack + 1);
	int rc;

	if (!ctx)
		panic("dom0: no memory for its first context");
	ctx->flags = VGCF_in_kernel | VGCF_online;
	ctx->user_regs.rip = im->kernel->entry;
	ctx->user_regs.rsp = stack;
	ctx->user_regs.rsi = dom0_pfn_to_va(im, im->layout.start_info);
	ctx->user_regs.rflags = 1 << 9; /* IF */
	ctx->user_regs.cs = FLAT_KERNEL_CS;
	ctx->user_regs.ss = FLAT_KERNEL_SS;
	ctx->user_regs.ds = ctx->user_regs.es = FLAT_KERNEL_DS;
	ctx->user_regs.fs = ctx->user_regs.gs = FLAT_KERNEL_DS;
	ctx->kernel_ss = FLAT_KERNEL_SS;
	ctx->kernel_sp = stack;
	ctx->ctrlreg[3] = xen_pfn_to_cr3(im->p2m[im->layout.tables]);
	do
		rc = vcpu_context_set(im->d->vcpus[0], ctx);
	while (is_preempted(rc));
	must(rc, "its first context");
	heap_free(ctx);
}

static init_text void modules_check(const struct boot_info *bi)
{
	if (!bi->nr_modules)
		panic("no dom0 kernel: the boot loader gave no module");
	for (unsigned int i = 0; i < MIN(bi->nr_modules, 2u); i++)
		if (bi->modules[i].end <= bi->modules[i].start || bi->modules[i].start & ~PAGE_MASK)
			panic("boot module %u lies badly, at %lx", i, bi->modules[i].start);
}

init_text void dom0_build(const struct boot_info *bi)
{
	const struct boot_module *kernel = &bi->modules[0];
	const struct boot_module *initrd = bi->nr_modules > 1 ? &bi->modules[1] : NULL;
	uint64_t initrd_size = initrd ? initrd->end - initrd->start : 0;
	static struct elf_kernel elf;
	struct dom0_image im = {.kernel = &elf};
	struct dom0_size size;
	enum elf_result r;
	const void *image;

	modules_check(bi);
	image = paddr_to_virt(kernel->start);
	r = elf_kernel_parse(image, kernel->end - kernel->start, &elf);
	if (r)
		panic("dom0 kernel: %s", elf_result_name(r));
	if (!elf.has_init_p2m || (initrd && !elf.has_mod_start_pfn))
		panic("dom0 kernel: too old (no INIT_P2M or MOD_START_PFN note)");
	size_choose(&size, DIV_ROUND_UP(initrd_size, PAGE_SIZE));
	im.nr_pages = size.pages;
	must(dom0_layout_compute(&im.layout, &elf, im.nr_pages, initrd_size),
	     "its kernel and initrd do not fit its memory");

	im.d = domain_make(&size, vcpus_choose());
	must(evtchn_domain_reserve(im.d, PORTS_RESERVED), "event channels");
	must(dom0_memory_populate(&im, initrd), "memory");
	dom0_kernel_load(&im, image);
	dom0_tables_build(&im);
	dom0_start_info_fill(&im, kernel, initrd);
	frames_add(kernel->start, ROUND_DOWN(kernel->end, PAGE_SIZE));
	l4_pin(&im);
	vcpu_prepare(&im);
	rights_grant(im.d);
	printk("dom0: %lu MB, %u vCPUs, kernel entry %lx\n", im.nr_pages >> 8, im.d->max_vcpus,
	       elf.entry);
}

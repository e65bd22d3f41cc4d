/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PV builder over the fake machine: what it puts into the machine's frames
 * is read back as the guest's first instructions would see it, by walking its page tables; and
 * every call is made to fail in turn, after which no domain and no map may be left.
 *
 * Tools: builder
 * Also: tests/unit/builder/fixture_machine.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <xen/elfnote.h>

#include "builder/build.h"
#include "builder/pv_layout.h"
#include "fixture.h"
#include "fixture_machine.h"

#define PAGE 4096UL

static int build(const struct build_params *params, struct build_result *result,
		 struct build_error *error)
{
	return build_pv((struct hyp *)&fake, params, result, error);
}

/* Walk the pinned tables; the entry of the page at `vaddr`, or 0. */
static uint64_t entry_at(uint64_t vaddr)
{
	uint64_t mfn = fake.pinned, entry = 0;

	for (int shift = 39; shift >= 12; shift -= 9) {
		entry = ((uint64_t *)(fake.frames + mfn * PAGE))[vaddr >> shift & 511];
		if (!(entry & 1))
			return 0;
		mfn = entry >> 12;
	}
	return entry;
}

/* What the guest sees at `vaddr`, which must be mapped. */
static const uint8_t *guest_at(uint64_t vaddr)
{
	uint64_t entry = entry_at(vaddr);

	if (!entry)
		fail_msg("0x%llx is not mapped", (unsigned long long)vaddr);
	return fake.frames + (entry >> 12) * PAGE + vaddr % PAGE;
}

static const struct start_info *start_info(void)
{
	return (const struct start_info *)guest_at(fake.context.user_regs.rsi);
}

static uint64_t mfn_of(uint64_t pfn)
{
	uint64_t at = start_info()->mfn_list + pfn * 8;

	return *(const uint64_t *)guest_at(at);
}

static void check_kernel(void)
{
	uint64_t text = FIXTURE_VIRT_BASE + 0x100000, data = text + 8 * PAGE;

	for (size_t i = 0; i < 5 * PAGE + 100; i++)
		assert_int_equal(*guest_at(text + i), fixture_pattern(i));
	for (size_t i = 0; i < 40 * PAGE; i += 511)
		assert_int_equal(*guest_at(data + i), i < 2 * PAGE    ? 0xaa
						      : i < 38 * PAGE ? 0
								      : 0xbb);
	for (size_t i = 0; i < 3 * PAGE + 16; i++)
		assert_int_equal(*guest_at(data + 40 * PAGE + i), 0);
}

static void check_ramdisk(bool by_pfn)
{
	const struct start_info *start = start_info();

	assert_int_equal(start->mod_len, MACHINE_RAMDISK_SIZE);
	for (size_t i = 8; i < 4 * PAGE; i += i < MACHINE_RAMDISK_SIZE - 20 ? 97 : 1) {
		uint8_t expected = i < MACHINE_RAMDISK_SIZE ? fixture_pattern(i + 3) : 0;

		if (by_pfn)
			assert_int_equal(
				fake.frames[mfn_of(start->mod_start + i / PAGE) * PAGE + i % PAGE],
				expected);
		else
			assert_int_equal(*guest_at(start->mod_start + i), expected);
	}
}

/* Every frame once; tables read-only, all else writable; nothing mapped beyond the region. */
static void check_tables(uint64_t nr_pages)
{
	const struct start_info *start = start_info();
	uint64_t base = FIXTURE_VIRT_BASE, tables = (start->pt_base - base) / PAGE, pfn = 0;
	static uint8_t seen[MACHINE_FRAMES];

	memset(seen, 0, sizeof(seen));
	for (uint64_t i = 0; i < nr_pages; i++) {
		assert_true(mfn_of(i) < MACHINE_FRAMES);
		assert_int_equal(seen[mfn_of(i)]++, 0);
	}
	for (; entry_at(base + pfn * PAGE); pfn++) {
		uint64_t entry = entry_at(base + pfn * PAGE);
		bool is_table = pfn >= tables && pfn < tables + start->nr_pt_frames;

		assert_int_equal(entry >> 12, mfn_of(pfn));
		assert_int_equal(!!(entry & 2), !is_table);
	}
	assert_int_equal(pfn % 1024, 0);
	assert_int_equal(fake.pinned, mfn_of(tables));
	/* The stack, then at least 512 KiB of padding. */
	assert_int_equal(fake.context.user_regs.rsp,
			 start->pt_base + (start->nr_pt_frames + 1) * PAGE);
	assert_true(base + pfn * PAGE - fake.context.user_regs.rsp >= 512 * 1024);
}

static void check_start_info(const struct build_result *result, uint64_t nr_pages)
{
	const struct start_info *start = start_info();
	const struct shared_info *shared = (void *)(fake.frames + MACHINE_SHARED_INFO * PAGE);

	assert_string_equal(start->magic, "xen-3.0-x86_64");
	assert_int_equal(start->nr_pages, nr_pages);
	assert_int_equal(start->shared_info, MACHINE_SHARED_INFO * PAGE);
	assert_int_equal(start->store_mfn, result->store_mfn);
	assert_int_equal(start->store_evtchn, result->store_port);
	assert_int_equal(start->console.domU.mfn, result->console_mfn);
	assert_int_equal(start->console.domU.evtchn, result->console_port);
	assert_int_not_equal(result->store_port, result->console_port);
	assert_string_equal((const char *)start->cmd_line, "console=hvc0 quiet");
	assert_true(start->flags & SIF_VIRT_P2M_4TOOLS);
	for (size_t i = 0; i < PAGE; i++) {
		assert_int_equal(fake.frames[result->store_mfn * PAGE + i], 0);
		assert_int_equal(fake.frames[result->console_mfn * PAGE + i], 0);
	}
	for (int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		assert_int_equal(shared->vcpu_info[i].evtchn_upcall_mask, 1);
	assert_int_equal(fake.grants[0].ref, GNTTAB_RESERVED_CONSOLE);
	assert_int_equal(fake.grants[0].to, 5);
	assert_int_equal(fake.grants[0].frame, result->console_mfn);
	assert_int_equal(fake.grants[1].ref, GNTTAB_RESERVED_XENSTORE);
	assert_int_equal(fake.grants[1].to, 4);
	assert_int_equal(fake.grants[1].frame, result->store_mfn);
}

static void check_vcpu(void)
{
	assert_int_equal(fake.context.user_regs.rip, FIXTURE_ENTRY);
	assert_int_equal(fake.context.user_regs.cs, FLAT_KERNEL_CS);
	assert_int_equal(fake.context.user_regs.ss, FLAT_KERNEL_SS);
	assert_int_equal(fake.context.kernel_sp, fake.context.user_regs.rsp);
	assert_int_equal(fake.context.ctrlreg[3], fake.pinned << 12);
	assert_int_equal(fake.context.flags, VGCF_in_kernel | VGCF_online);
}

static void build_and_check(struct image image, uint64_t mib, bool mod_pfn)
{
	struct build_params params = machine_params(mib);
	struct build_result result;
	struct build_error error;

	machine_use_kernel(image);
	if (build(&params, &result, &error) != 0)
		fail_msg("%s", error.text);
	assert_true(fake.exists);
	assert_int_equal(fake.nr_maps, 0);
	assert_int_equal(result.domid, MACHINE_DOMID);
	assert_int_equal(result.nr_pages, mib * 256);
	check_vcpu();
	check_start_info(&result, mib * 256);
	check_tables(mib * 256);
	check_kernel();
	check_ramdisk(mod_pfn);
	assert_int_equal(!!(start_info()->flags & SIF_MOD_START_PFN), mod_pfn);
}

static void linux_is_built(void **state)
{
	const struct start_info *start;

	(void)state;
	machine_reset();
	build_and_check(fixture_elf(FIXTURE_LINUX), 16, true);
	start = start_info();
	assert_int_equal(start->mfn_list, FIXTURE_INIT_P2M);
	/* 8 pages of list, and an L3, an L2 and an L1 for them, behind the mapped region. */
	assert_int_equal(start->nr_p2m_frames, 8 + 3);
	assert_int_equal(entry_at(FIXTURE_INIT_P2M) >> 12, mfn_of(start->first_p2m_pfn + 3));
	assert_int_equal(entry_at(FIXTURE_VIRT_BASE + start->first_p2m_pfn * PAGE), 0);
	assert_int_equal(start->mod_start, start->first_p2m_pfn + start->nr_p2m_frames);
	assert_int_equal(fake.vcpus, 3);
	assert_int_equal(fake.created.max_vcpus, 3);
	assert_int_equal(fake.created.handle[0], 0xab);
	assert_int_equal(fake.created.grant_opts, 2);
	assert_int_equal(fake.max_kib, (24 << 10) + 1024);
	assert_int_equal(fake.map[0].size, 24 << 20);
	assert_int_equal(fake.nr_map, 1);
	assert_int_equal(fake.map[0].addr, 0);
	assert_int_equal(fake.map[0].type, 1);
	assert_int_equal(fake.claim, 16 * 256);
}

static void kernels_without_the_newer_notes_are_built(void **state)
{
	(void)state;
	machine_reset();
	build_and_check(fixture_elf(FIXTURE_PV | FIXTURE_HYPERCALL), 16, false);
	assert_int_equal(start_info()->mfn_list % PAGE, 0);
	assert_true(start_info()->mfn_list > FIXTURE_VIRT_BASE);
	assert_int_equal(start_info()->nr_p2m_frames, 0);
	assert_int_equal(fake.hypercall_mfn, mfn_of(0x101));
}

static void odd_sizes_and_fragments_are_built(void **state)
{
	(void)state;
	machine_reset();
	fake.no_big_extents = fake.no_clear = fake.no_claim = true;
	build_and_check(fixture_elf(FIXTURE_LINUX), 15, true);
}

static void segments_may_share_pages(void **state)
{
	struct image image = fixture_elf(FIXTURE_LINUX);
	/* Data right behind text, in the same page, and bss that ends within one. */
	uint64_t *paddr = (uint64_t *)(image.data + 64 + 56 + 24);
	struct build_params params = machine_params(16);
	uint64_t base = FIXTURE_VIRT_BASE + 0x100000, at = 5 * PAGE + 100;
	struct build_result result;
	struct build_error error;

	(void)state;
	machine_reset();
	*paddr = 0x100000 + at;
	machine_use_kernel(image);
	assert_int_equal(build(&params, &result, &error), 0);
	for (size_t i = 0; i < at; i += 3)
		assert_int_equal(*guest_at(base + i), fixture_pattern(i));
	for (size_t i = 0; i < 40 * PAGE; i += 511)
		assert_int_equal(*guest_at(base + at + i), i < 2 * PAGE	   ? 0xaa
							   : i < 38 * PAGE ? 0
									   : 0xbb);
	for (size_t i = 0; i < 3 * PAGE + 16; i++)
		assert_int_equal(*guest_at(base + at + 40 * PAGE + i), 0);
	/* And not a byte more than that. */
	assert_int_equal(*guest_at(base + at + 43 * PAGE + 16), 0xcc);
	assert_int_equal(*guest_at(base - 1), 0xcc);
}

static void no_ramdisk_is_fine(void **state)
{
	struct build_params params = machine_params(16);
	struct build_result result;
	struct build_error error;

	(void)state;
	machine_reset();
	params.ramdisk = NULL;
	params.cmdline = NULL;
	machine_use_kernel(fixture_elf(FIXTURE_LINUX));
	assert_int_equal(build(&params, &result, &error), 0);
	assert_int_equal(start_info()->mod_len, 0);
	assert_int_equal(start_info()->mod_start, 0);
	assert_int_equal(start_info()->flags & SIF_MOD_START_PFN, 0);
	assert_string_equal((const char *)start_info()->cmd_line, "");
}

/* Each call in turn fails: an error comes back, and nothing is left of the domain. */
static void every_failure_unwinds(void **state)
{
	struct build_params params = machine_params(16);
	struct build_result result;
	struct build_error error;
	unsigned int n;
	int code;

	(void)state;
	params.tsc_mode = 2;
	machine_use_kernel(fixture_elf(FIXTURE_LINUX | FIXTURE_HYPERCALL));
	for (n = 1;; n++) {
		machine_reset();
		fake.fail_at = n;
		error.text[0] = '\0';
		code = build(&params, &result, &error);
		if (fake.calls < n)
			break;
		assert_int_not_equal(code, 0);
		assert_true(strlen(error.text) > 10);
		assert_false(fake.exists);
		assert_int_equal(fake.nr_maps, 0);
	}
	assert_int_equal(code, 0);
	assert_true(n > 18);
}

static int stop_at(void *arg, enum build_stage stage, domid_t domid)
{
	enum build_stage *when = arg;

	assert_int_equal(domid, stage < BUILD_CREATE ? 0 : MACHINE_DOMID);
	return stage == *when ? -ECANCELED : 0;
}

static void progress_may_stop_it(void **state)
{
	struct build_params params = machine_params(16);
	struct build_result result;
	struct build_error error;
	enum build_stage when;

	(void)state;
	machine_use_kernel(fixture_elf(FIXTURE_LINUX));
	params.progress = stop_at;
	params.progress_arg = &when;
	for (when = BUILD_READ_KERNEL; when <= BUILD_DONE; when++) {
		machine_reset();
		assert_int_equal(build(&params, &result, &error), -ECANCELED);
		assert_false(fake.exists);
		assert_int_equal(fake.nr_maps, 0);
	}
}

/* Building must fail with `code` and words, and without having touched the hypervisor much. */
static void refuse(const struct build_params *params, int code, const char *what)
{
	struct build_result result;
	struct build_error error = {""};
	int got = build(params, &result, &error);

	if (got != code || !strstr(error.text, what))
		fail_msg("%d \"%s\"; expected %d \"%s\"", got, error.text, code, what);
	assert_false(fake.exists);
}

static void bad_parameters_are_refused(void **state)
{
	struct build_params params = machine_params(16);
	char cmdline[1025];

	(void)state;
	machine_reset();
	machine_use_kernel(fixture_elf(FIXTURE_LINUX));
	params.maxmem_kib = 15 << 10;
	refuse(&params, -EINVAL, "memory (16 MiB) must not be more than maxmem (15 MiB)");
	params = machine_params(16);
	params.memory_kib = 0;
	refuse(&params, -EINVAL, "memory of");
	params.memory_kib = params.maxmem_kib = 1ULL << 60;
	refuse(&params, -EINVAL, "memory of");
	params = machine_params(16);
	params.max_vcpus = 0;
	refuse(&params, -EINVAL, "at least one vCPU");
	params = machine_params(16);
	params.kernel = NULL;
	refuse(&params, -EINVAL, "no kernel");
	params = machine_params(16);
	memset(cmdline, 'x', 1024);
	cmdline[1024] = '\0';
	params.cmdline = cmdline;
	refuse(&params, -EINVAL, "1024 bytes: a PV guest takes at most 1023");
	params = machine_params(16);
	params.ramdisk = machine_kernel_path;
	refuse(&params, -ENOEXEC, "not a ramdisk");
	params = machine_params(4);
	refuse(&params, -ERANGE, "4 MiB are too little memory: kernel and ramdisk need 5 MiB");
	assert_int_equal(fake.calls, 0);
	params = machine_params(16);
	fake.free_pages = 4095;
	refuse(&params, -ENOMEM, "the domain needs 16 MiB, and 15 MiB are free");
	fake.free_pages = 1 << 20;
	params = machine_params(100);
	refuse(&params, -ENOMEM, "not enough memory");
}

/* A kernel with one note more or other, which no PV domain can be made of. */
static void refuse_note(uint32_t type, const void *desc, uint32_t size, int code, const char *what)
{
	struct build_params params = machine_params(16);

	machine_reset();
	/* Ours comes first and the fixture's after it, so numbers are changed in place below. */
	machine_use_kernel(fixture_elf_with_note(FIXTURE_LINUX, type, desc, size));
	refuse(&params, code, what);
}

/* The fixture's kernel with the 8 bytes `from` made `to`, wherever its notes hold them. */
static struct image with_number(enum fixture_notes notes, uint64_t from, uint64_t to)
{
	struct image image = fixture_elf(notes);
	bool found = false;

	for (size_t i = PAGE; i < PAGE + 1024; i += 4) {
		if (memcmp(image.data + i, &from, 8) == 0) {
			memcpy(image.data + i, &to, 8);
			found = true;
		}
	}
	assert_true(found);
	return image;
}

static void refuse_number(uint64_t from, uint64_t to, int code, const char *what)
{
	struct build_params params = machine_params(16);

	machine_reset();
	machine_use_kernel(with_number(FIXTURE_LINUX | FIXTURE_HYPERCALL, from, to));
	refuse(&params, code, what);
}

static void kernels_that_cannot_be_pv_are_refused(void **state)
{
	struct build_params params = machine_params(16);
	uint64_t hypercall = FIXTURE_VIRT_BASE + 0x101000;

	(void)state;
	machine_reset();
	machine_use_kernel(fixture_elf(FIXTURE_NO_NOTES));
	refuse(&params, -ENOEXEC, "not a PV kernel");
	machine_use_kernel(fixture_elf(FIXTURE_PVH));
	refuse(&params, -ENOEXEC, "it can start as PVH");
	refuse_note(XEN_ELFNOTE_FEATURES, "!supervisor_mode_kernel", 23, -ENOEXEC,
		    "requires features");
	refuse_note(XEN_ELFNOTE_FEATURES, "!auto_translated_physmap", 24, -ENOEXEC,
		    "requires features");
	/* The entry: outside the kernel, below and above. */
	refuse_number(FIXTURE_ENTRY, FIXTURE_VIRT_BASE, -EBADMSG, "its entry");
	refuse_number(FIXTURE_ENTRY, 0x100000, -EBADMSG, "its entry");
	refuse_number(FIXTURE_ENTRY, UINT64_MAX, -EBADMSG, "its entry");
	/* The base: in the hypervisor's hole, non-canonical, unaligned, at the very end. */
	refuse_number(FIXTURE_VIRT_BASE, 0xffff800000000000, -EBADMSG, "wants to be mapped");
	refuse_number(FIXTURE_VIRT_BASE, 0x0000900000000000, -EBADMSG, "wants to be mapped");
	refuse_number(FIXTURE_VIRT_BASE, 0xffffffff80000010, -EBADMSG, "wants to be mapped");
	refuse_number(FIXTURE_VIRT_BASE, 0xfffffffffffff000, -EBADMSG, "wants to be mapped");
	refuse_number(0xffff800000000000, 0xffff900000000000, -ENOEXEC, "wants the hypervisor at");
	/* The list of frames: in the hole, unaligned, in the kernel's own 512 GiB, wrapping. */
	refuse_number(FIXTURE_INIT_P2M, 0xffff800000000000, -EBADMSG, "its list of frames");
	refuse_number(FIXTURE_INIT_P2M, 0x8000000008, -EBADMSG, "its list of frames");
	refuse_number(FIXTURE_INIT_P2M, 0xffffff8000000000, -EBADMSG, "its list of frames");
	refuse_number(FIXTURE_INIT_P2M, 0xfffffffffffff000, -EBADMSG, "its list of frames");
	refuse_number(FIXTURE_INIT_P2M, 0x00007ffffffff000, -EBADMSG, "its list of frames");
	refuse_number(hypercall, hypercall + 8, -EBADMSG, "its hypercall page");
	refuse_number(hypercall, FIXTURE_VIRT_BASE - PAGE, -EBADMSG, "its hypercall page");
	refuse_number(hypercall, FIXTURE_VIRT_BASE, -EBADMSG, "its hypercall page");
	refuse_number(hypercall, FIXTURE_VIRT_BASE + 0x40000000, -EBADMSG, "its hypercall page");
	refuse_number(hypercall, 0xfffffffffffff000, -EBADMSG, "its hypercall page");
}

/* The list of frames across the ends of an L1, an L2 and an L3 table, at any of its pages. */
static void lists_across_table_ends_are_built(void **state)
{
	static const uint64_t ends[] = {0x8000200000, 0x8040000000, 0x10000000000};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (uint64_t before = 1; before < 8; before += 3) {
			machine_reset();
			build_and_check(with_number(FIXTURE_LINUX, FIXTURE_INIT_P2M,
						    ends[i] - before * PAGE),
					16, true);
			assert_int_equal(start_info()->nr_p2m_frames, 8 + 4 + i);
			assert_int_equal(entry_at(ends[i] - (before + 1) * PAGE), 0);
			assert_int_equal(entry_at(ends[i] + (8 - before) * PAGE), 0);
		}
	}
}

static void version_and_loader_are_checked(void **state)
{
	static const char *const replace[][3] = {
		{"xen-3.0", "xen-9.9", "made for hypervisor ABI \"xen-9.9\""},
		{"generic", "special", "wants the loader \"special\""},
	};

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		struct build_params params = machine_params(16);
		struct image image = fixture_elf(FIXTURE_LINUX);

		for (size_t i = PAGE; i < PAGE + 1024; i++) {
			if (memcmp(image.data + i, replace[n][0], 8) == 0)
				memcpy(image.data + i, replace[n][1], 8);
		}
		machine_reset();
		machine_use_kernel(image);
		refuse(&params, -ENOEXEC, replace[n][2]);
	}
}

static void segments_out_of_reach_are_refused(void **state)
{
	struct build_params params = machine_params(16);
	struct image image = fixture_elf(FIXTURE_LINUX);

	(void)state;
	machine_reset();
	*(uint64_t *)(image.data + 64 + 24) = 1ULL << 40; /* p_paddr of the first segment */
	machine_use_kernel(image);
	refuse(&params, -EBADMSG, "expected it within the first GiB");
	machine_use_kernel(fixture_elf_with_note(FIXTURE_LINUX, XEN_ELFNOTE_PADDR_OFFSET,
						 "\0\0\x20\0\0\0\0\0", 8));
	refuse(&params, -EBADMSG, "expected it within the first GiB from 0x200000");
	/* So little below the offset that the segment's end is above it. */
	machine_use_kernel(fixture_elf_with_note(FIXTURE_LINUX, XEN_ELFNOTE_PADDR_OFFSET,
						 "\0\x08\x10\0\0\0\0\0", 8));
	refuse(&params, -EBADMSG, "expected it within the first GiB from 0x100800");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_is_built),
		cmocka_unit_test(kernels_without_the_newer_notes_are_built),
		cmocka_unit_test(odd_sizes_and_fragments_are_built),
		cmocka_unit_test(segments_may_share_pages),
		cmocka_unit_test(no_ramdisk_is_fine),
		cmocka_unit_test(every_failure_unwinds),
		cmocka_unit_test(progress_may_stop_it),
		cmocka_unit_test(bad_parameters_are_refused),
		cmocka_unit_test(kernels_that_cannot_be_pv_are_refused),
		cmocka_unit_test(lists_across_table_ends_are_built),
		cmocka_unit_test(version_and_loader_are_checked),
		cmocka_unit_test(segments_out_of_reach_are_refused),
	};

	return cmocka_run_group_tests_name("pv", tests, machine_setup, machine_teardown);
}

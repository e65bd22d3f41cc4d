/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ELF side of a kernel image, with libelf: which machine it is for, its loadable segments and
 * its Xen notes (xen/elfnote.h). Every length is checked against the file before it is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gelf.h>
#include <libelf.h>

#include <xen/elfnote.h>
#include <xen/features.h>

#include "builder/kernel_internal.h"

#define ELF_HEADERS_MAX 128

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "32-bit x86";
	case EM_AARCH64:
		return "arm64";
	case EM_ARM:
		return "32-bit arm";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390";
	case EM_RISCV:
		return "RISC-V";
	}
	return "another machine";
}

static const char *what_is_expected(const struct kernel *kernel)
{
	return kernel->is_firmware ? "32-bit x86 firmware" : "a 64-bit x86 kernel";
}

/* What must hold before libelf may look any further. */
static int check_ident(const struct kernel *kernel, struct build_error *error)
{
	const uint8_t *ident = kernel->info.elf;

	if (kernel->info.elf_size < sizeof(Elf64_Ehdr))
		return build_error_set(error, -EBADMSG,
				       "%s: cut short: %zu bytes do not hold an ELF header of %zu",
				       kernel->name, kernel->info.elf_size, sizeof(Elf64_Ehdr));
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return build_error_set(error, -ENOEXEC, "%s: what the %s holds is not an ELF file",
				       kernel->name, kernel->info.container);
	if (ident[EI_CLASS] != (kernel->is_firmware ? ELFCLASS32 : ELFCLASS64))
		return build_error_set(error, -ENOEXEC, "%s: a %s ELF file: expected %s",
				       kernel->name, kernel->is_firmware ? "64-bit" : "32-bit",
				       what_is_expected(kernel));
	if (ident[EI_DATA] != ELFDATA2LSB)
		return build_error_set(error, -ENOEXEC, "%s: a big-endian ELF file: expected %s",
				       kernel->name, what_is_expected(kernel));
	return 0;
}

static int check_header(struct kernel *kernel, Elf *elf, size_t *nr_headers,
			struct build_error *error)
{
	GElf_Ehdr header;

	if (!gelf_getehdr(elf, &header))
		return build_error_set(error, -EBADMSG, "%s: broken ELF header: %s", kernel->name,
				       elf_errmsg(-1));
	if (header.e_machine != (kernel->is_firmware ? EM_386 : EM_X86_64))
		return build_error_set(error, -ENOEXEC, "%s: for %s (ELF machine %u): expected %s",
				       kernel->name, machine_name(header.e_machine),
				       header.e_machine, what_is_expected(kernel));
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return build_error_set(error, -ENOEXEC,
				       "%s: not an executable (ELF type %u): expected a kernel",
				       kernel->name, header.e_type);
	if (elf_getphdrnum(elf, nr_headers) < 0 || *nr_headers == 0)
		return build_error_set(error, -EBADMSG, "%s: the ELF file has no program headers",
				       kernel->name);
	if (*nr_headers > ELF_HEADERS_MAX)
		return build_error_set(error, -E2BIG,
				       "%s: %zu program headers: a kernel has at most %d",
				       kernel->name, *nr_headers, ELF_HEADERS_MAX);
	kernel->info.elf_entry = header.e_entry;
	return 0;
}

static int add_segment(struct kernel *kernel, size_t index, const GElf_Phdr *header,
		       uint64_t *total, struct build_error *error)
{
	struct kernel_info *info = &kernel->info;

	if (header->p_memsz == 0)
		return 0;
	if (header->p_offset > info->elf_size ||
	    header->p_filesz > info->elf_size - header->p_offset)
		return build_error_set(
			error, -EBADMSG,
			"%s: cut short: segment %zu is %llu bytes at offset %llu of a "
			"file of %zu",
			kernel->name, index, (unsigned long long)header->p_filesz,
			(unsigned long long)header->p_offset, info->elf_size);
	if (header->p_filesz > header->p_memsz)
		return build_error_set(
			error, -EBADMSG,
			"%s: segment %zu has %llu bytes in the file but %llu in memory",
			kernel->name, index, (unsigned long long)header->p_filesz,
			(unsigned long long)header->p_memsz);
	if (header->p_memsz > KERNEL_SIZE_MAX || *total + header->p_memsz > KERNEL_SIZE_MAX)
		return build_error_set(error, -E2BIG,
				       "%s: the kernel takes more than %lu MiB of memory",
				       kernel->name, KERNEL_SIZE_MAX >> 20);
	if (header->p_vaddr > UINT64_MAX - header->p_memsz ||
	    header->p_paddr > UINT64_MAX - header->p_memsz)
		return build_error_set(error, -EBADMSG,
				       "%s: segment %zu wraps round the end of the address space",
				       kernel->name, index);
	if (info->nr_segments == KERNEL_SEGMENTS_MAX)
		return build_error_set(error, -E2BIG, "%s: more than %d loadable segments",
				       kernel->name, KERNEL_SEGMENTS_MAX);
	*total += header->p_memsz;
	info->segments[info->nr_segments++] = (struct kernel_segment){
		.vaddr = header->p_vaddr,
		.paddr = header->p_paddr,
		.filesz = header->p_filesz,
		.memsz = header->p_memsz,
		.data = info->elf + header->p_offset,
	};
	return 0;
}

/* The text of a note; elfnote.h does not promise a NUL, and Linux writes one note without. */
static int read_string(struct kernel *kernel, const uint8_t *desc, size_t size, const char **out,
		       struct build_error *error)
{
	char *copy;

	if (kernel->nr_strings == KERNEL_STRINGS_MAX)
		return build_error_set(error, -EBADMSG, "%s: Xen ELF notes are repeated",
				       kernel->name);
	copy = strndup((const char *)desc, size);
	if (!copy)
		return build_error_set(error, -ENOMEM, "%s: out of memory", kernel->name);
	kernel->strings[kernel->nr_strings++] = copy;
	*out = copy;
	return 0;
}

static int read_number(struct kernel *kernel, uint32_t type, const uint8_t *desc, size_t size,
		       uint64_t *out, struct build_error *error)
{
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return build_error_set(
			error, -EBADMSG,
			"%s: Xen ELF note %u is %zu bytes: expected a number of 4 or 8",
			kernel->name, type, size);
	*out = 0;
	for (size_t i = 0; i < size; i++)
		*out |= (uint64_t)desc[i] << (8 * i);
	kernel->info.notes.present |= 1u << type;
	return 0;
}

/* Names as xen/features.h has them, without the prefix, in the order of their bits. */
static const char *const feature_names[] = {
	[XENFEAT_writable_page_tables] = "writable_page_tables",
	[XENFEAT_writable_descriptor_tables] = "writable_descriptor_tables",
	[XENFEAT_auto_translated_physmap] = "auto_translated_physmap",
	[XENFEAT_supervisor_mode_kernel] = "supervisor_mode_kernel",
	[XENFEAT_pae_pgdir_above_4gb] = "pae_pgdir_above_4gb",
	[XENFEAT_mmu_pt_update_preserve_ad] = "mmu_pt_update_preserve_ad",
	[XENFEAT_highmem_assist] = "highmem_assist",
	[XENFEAT_gnttab_map_avail_bits] = "gnttab_map_avail_bits",
	[XENFEAT_hvm_callback_vector] = "hvm_callback_vector",
	[XENFEAT_hvm_safe_pvclock] = "hvm_safe_pvclock",
	[XENFEAT_hvm_pirqs] = "hvm_pirqs",
	[XENFEAT_dom0] = "dom0",
};

/* "!a|b": names with bars between; an unknown name is a newer kernel's and not our concern. */
static void read_features(struct kernel_notes *notes)
{
	const char *at = notes->features;

	while (*at) {
		bool required = *at == '!';
		size_t length;

		at += required;
		length = strcspn(at, "|");
		for (size_t i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++) {
			if (strlen(feature_names[i]) != length ||
			    strncmp(feature_names[i], at, length) != 0)
				continue;
			notes->supported_features |= 1u << i;
			notes->required_features |= required ? 1u << i : 0;
		}
		at += length;
		at += *at == '|';
	}
}

static int read_note(struct kernel *kernel, uint32_t type, const uint8_t *desc, size_t size,
		     struct build_error *error)
{
	struct kernel_notes *notes = &kernel->info.notes;
	uint64_t number = 0;
	int result = 0;

	switch (type) {
	case XEN_ELFNOTE_ENTRY:
		return read_number(kernel, type, desc, size, &notes->entry, error);
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		return read_number(kernel, type, desc, size, &notes->hypercall_page, error);
	case XEN_ELFNOTE_VIRT_BASE:
		return read_number(kernel, type, desc, size, &notes->virt_base, error);
	case XEN_ELFNOTE_PADDR_OFFSET:
		return read_number(kernel, type, desc, size, &notes->paddr_offset, error);
	case XEN_ELFNOTE_HV_START_LOW:
		return read_number(kernel, type, desc, size, &notes->hv_start_low, error);
	case XEN_ELFNOTE_INIT_P2M:
		return read_number(kernel, type, desc, size, &notes->init_p2m, error);
	case XEN_ELFNOTE_PHYS32_ENTRY:
		return read_number(kernel, type, desc, size, &notes->phys32_entry, error);
	case XEN_ELFNOTE_MOD_START_PFN:
		result = read_number(kernel, type, desc, size, &number, error);
		notes->mod_start_pfn = number != 0;
		return result;
	case XEN_ELFNOTE_SUSPEND_CANCEL:
		result = read_number(kernel, type, desc, size, &number, error);
		notes->suspend_cancel = number != 0;
		return result;
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		result = read_number(kernel, type, desc, size, &number, error);
		notes->supported_features |= (uint32_t)number;
		return result;
	case XEN_ELFNOTE_XEN_VERSION:
		return read_string(kernel, desc, size, &notes->xen_version, error);
	case XEN_ELFNOTE_GUEST_OS:
		return read_string(kernel, desc, size, &notes->guest_os, error);
	case XEN_ELFNOTE_GUEST_VERSION:
		return read_string(kernel, desc, size, &notes->guest_version, error);
	case XEN_ELFNOTE_LOADER:
		return read_string(kernel, desc, size, &notes->loader, error);
	case XEN_ELFNOTE_PAE_MODE:
		return read_string(kernel, desc, size, &notes->pae_mode, error);
	case XEN_ELFNOTE_FEATURES:
		result = read_string(kernel, desc, size, &notes->features, error);
		if (!result)
			read_features(notes);
		return result;
	}
	return 0;
}

static int read_note_segment(struct kernel *kernel, Elf *elf, const GElf_Phdr *header,
			     struct build_error *error)
{
	size_t offset = 0, name_offset, desc_offset;
	const uint8_t *base;
	Elf_Data *data;
	GElf_Nhdr note;
	int result = 0;

	if (header->p_offset > kernel->info.elf_size ||
	    header->p_filesz > kernel->info.elf_size - header->p_offset)
		return build_error_set(error, -EBADMSG,
				       "%s: cut short: notes of %llu bytes at "
				       "offset %llu of a file of %zu",
				       kernel->name, (unsigned long long)header->p_filesz,
				       (unsigned long long)header->p_offset, kernel->info.elf_size);
	if (header->p_filesz == 0)
		return 0;
	data = elf_getdata_rawchunk(elf, (int64_t)header->p_offset, header->p_filesz,
				    header->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	if (!data)
		return build_error_set(error, -EBADMSG, "%s: broken ELF notes: %s", kernel->name,
				       elf_errmsg(-1));
	base = data->d_buf;
	while (!result &&
	       (offset = gelf_getnote(data, offset, &note, &name_offset, &desc_offset)) > 0) {
		if (note.n_namesz == sizeof("Xen") &&
		    memcmp(base + name_offset, "Xen", sizeof("Xen")) == 0)
			result = read_note(kernel, note.n_type, base + desc_offset, note.n_descsz,
					   error);
	}
	return result;
}

static void forget_notes(struct kernel *kernel)
{
	while (kernel->nr_strings > 0)
		free(kernel->strings[--kernel->nr_strings]);
	kernel->info.notes = (struct kernel_notes){0};
	kernel->info.nr_segments = 0;
}

int kernel_parse_elf(struct kernel *kernel, struct build_error *error)
{
	size_t nr_headers = 0;
	uint64_t total = 0;
	GElf_Phdr header;
	int result;
	Elf *elf;

	forget_notes(kernel);
	result = check_ident(kernel, error);
	if (result)
		return result;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return build_error_set(error, -ENOSYS, "libelf is older than this program");
	/* Opened for reading only, so the image is not written to. */
	elf = elf_memory((char *)(uintptr_t)kernel->info.elf, kernel->info.elf_size);
	if (!elf)
		return build_error_set(error, -EBADMSG, "%s: broken ELF file: %s", kernel->name,
				       elf_errmsg(-1));
	result = check_header(kernel, elf, &nr_headers, error);
	for (size_t i = 0; i < nr_headers && !result; i++) {
		if (!gelf_getphdr(elf, (int)i, &header))
			result = build_error_set(error, -EBADMSG,
						 "%s: cut short: program header %zu is outside the "
						 "file",
						 kernel->name, i);
		else if (header.p_type == PT_LOAD)
			result = add_segment(kernel, i, &header, &total, error);
		else if (header.p_type == PT_NOTE)
			result = read_note_segment(kernel, elf, &header, error);
	}
	if (!result && kernel->info.nr_segments == 0)
		result = build_error_set(error, -EBADMSG, "%s: the ELF file has nothing to load",
					 kernel->name);
	elf_end(elf);
	return result;
}

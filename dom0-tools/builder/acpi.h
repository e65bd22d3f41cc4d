/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: the ACPI tables of a PVH domain: a machine of the hardware-reduced kind
 * with processors and their local APICs, and nothing else. An HVM domain's firmware makes its own.
 */
#ifndef ZENDO_BUILDER_ACPI_H
#define ZENDO_BUILDER_ACPI_H

#include <stddef.h>
#include <stdint.h>

/* Enough for HVM_MAX_VCPUS. */
#define ACPI_SIZE_MAX 16384u

/* The APIC ID of a vCPU, as hypervisor and firmware of this ABI count them. */
#define ACPI_APIC_ID(vcpu) ((vcpu)*2)

/*
 * Write the tables for `nr_vcpus` (at most HVM_MAX_VCPUS) to `data`, to be seen by the guest at
 * physical address `paddr`, where the RSDP comes first. Returns their size in bytes.
 */
size_t acpi_build(uint8_t data[ACPI_SIZE_MAX], uint64_t paddr, unsigned int nr_vcpus);

#endif

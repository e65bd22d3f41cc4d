/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public Xen 4.17 headers, as a toolstack needs them: with __XEN_TOOLS__, which selects the
 * control structures and the latest interface version. Include this, never <xen/...> directly,
 * so that the whole of a program agrees about the structures' layout.
 */
#ifndef ZENDO_HYP_ABI_H
#define ZENDO_HYP_ABI_H

#include <stdint.h>

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif

#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/memory.h>
#include <xen/version.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sched.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/hvm_info_table.h>
#include <xen/arch-x86/cpuid.h>

_Static_assert(sizeof(struct xen_domctl) == 144, "domctl.h: struct xen_domctl");
_Static_assert(sizeof(struct xen_domctl_createdomain) == 64, "domctl.h: createdomain");
_Static_assert(sizeof(struct xen_domctl_getdomaininfo) == 112, "domctl.h: getdomaininfo");
_Static_assert(sizeof(struct xen_sysctl) == 136, "sysctl.h: struct xen_sysctl");
_Static_assert(sizeof(struct xen_sysctl_physinfo) == 112, "sysctl.h: physinfo");
_Static_assert(sizeof(struct vcpu_guest_context) == 5168, "arch-x86/xen.h: vcpu_guest_context");
_Static_assert(sizeof(struct start_info) == 1168, "xen.h: start_info");
_Static_assert(sizeof(struct hvm_start_info) == 56, "start_info.h: hvm_start_info");
_Static_assert(sizeof(struct hvm_hw_cpu) == 1032, "arch-x86/hvm/save.h: hvm_hw_cpu");

/* PV pages are 4 KiB, whatever the page size of the machine that the tools are built on. */
#define HYP_PAGE_SHIFT 12
#define HYP_PAGE_SIZE  4096UL

#endif

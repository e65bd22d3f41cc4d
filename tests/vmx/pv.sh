#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# PV guests where the CPU has PCIDs and INVPCID, which QEMU's has not: dom0 and a guest beside it run on
# them, test guests attack, and all memory comes back.
#
# seconds: 500
# lab: --bochs corei7_haswell_4770 -s 1 --dom0-memory 512M --dom0-vcpus 1

. /lab/lib.sh

ok "the CPU has PCIDs" hypervisor_said ", PCID"
before=$(free_kb)
ok "a guest is created" $ZL create "$(guest_config pv 'memory = 128' \
	'extra = "console=hvc0 jobs=idle cryptomgr.notests"')"
ok "it reaches its init" guest_says 120 pv "guest: init after"
ok "its console answers" guest_answers pv
beside=$(free_kb)
for file in /lab/guests/*.elf; do
	name=$(basename "$file" .elf)
	case $name in
	hvm-*)	;;
	*)	attack "$name" "$beside" ;;
	esac
done
ok "the guest answers as before" guest_tells pv 'echo still-$((5 * 5))' 'still-25'
ok "it has no PCID of its own" guest_tells pv 'echo flags-$(grep -cw pcid /proc/cpuinfo)' 'flags-0'
ok "shutdown from dom0" $ZL shutdown -w pv
wait_until 20 guest_gone pv
ok "no memory is lost" memory_is "$before"
done_testing

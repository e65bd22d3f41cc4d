#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# An HVM guest on VMX, with SeaBIOS, QEMU as its device model and a stock kernel that waits in memory:
# real mode, port and MMIO exits, emulated interrupts, then the PV drivers. It answers, is paused, is
# shut down, and all memory comes back.
#
# seconds: 700
# lab: --bochs corei7_haswell_4770 -s 1 --dom0-memory 768M --dom0-vcpus 1 --device-model
# lab: --bochs corei7_haswell_4770 -s 2 --dom0-memory 768M --dom0-vcpus 1 --device-model

. /lab/lib.sh
GUEST_TYPE=hvm

ok "the hypervisor uses VMX" hypervisor_said "HVM and PVH guests by VMX with EPT"
before=$(free_kb)
ok "a guest is created" $ZL create "$(guest_config direct 'memory = 160' "vcpus = $1" \
	'extra = "console=hvc0 jobs=idle cryptomgr.notests"')"
ok "it reaches its init" guest_says 200 direct "guest: init after .* $1 vCPUs"
ok "its console answers" guest_answers direct
ok "pause" $ZL pause direct
ok "unpause" $ZL unpause direct
ok "its console answers after that" guest_answers direct
ok "shutdown from dom0" $ZL shutdown -w direct
wait_until 20 guest_gone direct
ok "no memory is lost" memory_is "$before"
ok "nothing is left in the store" store_is_clean
done_testing

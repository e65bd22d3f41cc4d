#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# PVH guests on Intel's VMX: a stock kernel with one vCPU and with two comes up, answers, is paused,
# sees no harm while test guests attack from beside it (tests/guests/hvm-*), and is shut down; a
# triple fault ends its guest alone, with a reason. All memory comes back. The firmware has left VMX
# off, but not locked, so that the hypervisor has to turn it on (Bochs' own has done so in the others).
#
# seconds: 500
# lab: --bochs corei7_haswell_4770 -s 1 --dom0-memory 512M --dom0-vcpus 1 --bios seabios

. /lab/lib.sh
GUEST_TYPE=pvh
LINE="console=hvc0 jobs=idle cryptomgr.notests clearcpuid=xsavec"

ok "the hypervisor uses VMX" hypervisor_said "HVM and PVH guests by VMX with EPT"
before=$(free_kb)
ok "a guest with one vCPU is created" $ZL create "$(guest_config one 'memory = 128' "extra = \"$LINE\"")"
ok "it reaches its init" guest_says 60 one "guest: init after .* 1 vCPUs"
ok "its console answers" guest_answers one
ok "it has PCID and INVPCID" guest_tells one \
	'echo flags-$(grep -cw pcid /proc/cpuinfo)$(grep -cw invpcid /proc/cpuinfo)' 'flags-11'
ok "a guest with two vCPUs is created" $ZL create "$(guest_config two 'memory = 128' 'vcpus = 2' \
	"extra = \"$LINE\"")"
ok "it reaches its init" guest_says 90 two "guest: init after .* 2 vCPUs"
ok "pause" $ZL pause two
ok "a paused guest is listed so" guest_is two p
ok "unpause" $ZL unpause two
ok "its console answers after that" guest_answers two

beside=$(free_kb)
for name in hvm-exits hvm-memory; do
	attack "$name" "$beside"
done

# Of 11,500 uses of MSRs that hvm-exits makes 2,000 read a register of the local APIC that the CPU has in its page.
file=$(guest_config exits "kernel = \"$LAB/guests/hvm-exits.elf\"" 'memory = 32' 'on_poweroff = "preserve"')
sed -i '/^ramdisk/d' "$file"
$ZL create "$file"
wait_until 60 attack_ended exits
$ZL exits exits | tee /tmp/exits
ok "reads of the local APIC are no exits" \
	awk '$1 == "msr" && $2 < 10000 { found = 1 } END { exit !found }' /tmp/exits
ok "destroy it" $ZL destroy exits

file=$(guest_config triple "kernel = \"$LAB/tiny/triple\"" 'memory = 32' 'ramdisk = none' \
	'on_crash = "preserve"' 'on_reboot = "preserve"')
sed -i '/^ramdisk/d' "$file"
$ZL create "$file"
ok "a guest that has a triple fault is ended" wait_until 20 guest_is triple s
$ZL list -v triple | tee /tmp/reason
ok "and the reason is listed" grep -q "triple fault" /tmp/reason
ok "destroy it" $ZL destroy triple

ok "the first guest answers as before" guest_tells one 'echo still-$((5 * 5))' 'still-25'
ok "shutdown from dom0" $ZL shutdown -w one
ok "destroy" $ZL destroy two
wait_until 20 guest_gone one
ok "no memory is lost" memory_is "$before"
ok "nothing is left in the store" store_is_clean
done_testing

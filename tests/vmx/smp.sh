#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# PVH guests on VMX with two CPUs: one with two vCPUs comes up, its vCPUs are moved to the other CPU
# and back, which moves their VMCSs, and it still answers. The CPU is a later one than in the other
# tests: it has SMAP, AVX-512 and enhanced IBRS.
#
# seconds: 500
# lab: --bochs corei7_icelake_u -s 2 --dom0-memory 512M --dom0-vcpus 1

. /lab/lib.sh
GUEST_TYPE=pvh

ok "there are two CPUs" test "$($ZL info | sed -n 's/^nr_cpus *: //p')" = 2
ok "the hypervisor uses VMX" hypervisor_said "HVM and PVH guests by VMX with EPT"
before=$(free_kb)
ok "a guest with two vCPUs is created" $ZL create "$(guest_config two 'memory = 128' 'vcpus = 2' \
	'extra = "console=hvc0 jobs=idle cryptomgr.notests clearcpuid=xsavec"')"
ok "it reaches its init" guest_says 90 two "guest: init after .* 2 vCPUs"
for turn in 1 2 3; do
	ok "its vCPUs change places ($turn)" $ZL vcpu-pin two 0 $((turn % 2))
	ok "both of them ($turn)" $ZL vcpu-pin two 1 $(((turn + 1) % 2))
	ok "it answers ($turn)" guest_tells two "echo turn-\$(($turn * 7))" "turn-$((turn * 7))"
done
$ZL vcpu-list two
ok "shutdown from dom0" $ZL shutdown -w two
wait_until 20 guest_gone two
ok "no memory is lost" memory_is "$before"
done_testing

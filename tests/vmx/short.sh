#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The least that shows that VMX works, for `make test`: a stock kernel in a PVH guest comes up and
# answers. `make test-vmx` runs the others, which do this too.
#
# seconds: 500
# lab: --bochs corei7_haswell_4770 -s 1 --dom0-memory 512M --dom0-vcpus 1

. /lab/lib.sh
GUEST_TYPE=pvh

ok "the hypervisor uses VMX" hypervisor_said "HVM and PVH guests by VMX with EPT"
ok "a guest is created" $ZL create "$(guest_config short 'memory = 128' \
	'extra = "console=hvc0 jobs=idle cryptomgr.notests"')"
ok "it reaches its init" guest_says 60 short "guest: init after .* 1 vCPUs"
ok "its console answers" guest_answers short
done_testing

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# An Intel CPU without VMX, and one whose firmware has locked VMX off: the hypervisor says which it is,
# a PVH guest is refused, and a PV guest runs.
#
# seconds: 400
# lab: --bochs p4_prescott_celeron_336 -s 1 --dom0-memory 512M --dom0-vcpus 1
# lab: --bochs corei7_haswell_4770 -s 1 --dom0-memory 512M --dom0-vcpus 1 --grub "wrmsr 0x3a 1"

. /lab/lib.sh

case $4 in
p4_*)		why="this CPU has no VMX" ;;
*)		why="VMX is locked off by the firmware" ;;
esac

ok "the hypervisor says: $why" hypervisor_said "no HVM and PVH guests: $why"
ok "a PVH guest is refused" not $ZL create "$(guest_config pvh 'type = "pvh"' 'memory = 128')"
ok "a PV guest is created" $ZL create "$(guest_config pv 'memory = 128' \
	'extra = "console=hvc0 jobs=idle cryptomgr.notests"')"
ok "it reaches its init" guest_says 120 pv "guest: init after"
ok "destroy it" $ZL destroy pv
done_testing

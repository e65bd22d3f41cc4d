#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# An Intel CPU whose VMX lacks something, and one without VMX: the hypervisor says which it is, a PVH
# guest is refused, and a PV guest runs. (Not on the last, whose TSC is not invariant: dom0's clock, by
# which the test waits, stands still there for long.)
#
# seconds: 400
# lab: --bochs corei5_lynnfield_750 -s 1 --dom0-memory 512M --dom0-vcpus 1
# lab: --bochs p4_prescott_celeron_336 -s 1 --dom0-memory 512M --dom0-vcpus 1

. /lab/lib.sh

case $4 in
corei5_*)	why="this CPU's VMX has no unrestricted guest" ;;
*)		why="this CPU has no VMX" ;;
esac

ok "the hypervisor says: $why" hypervisor_said "no HVM and PVH guests: $why"
ok "a PVH guest is refused" not $ZL create "$(guest_config pvh 'type = "pvh"' 'memory = 128')"
case $4 in p4_*) done_testing ;; esac
ok "a PV guest is created" $ZL create "$(guest_config pv 'memory = 128' \
	'extra = "console=hvc0 jobs=idle cryptomgr.notests"')"
ok "it reaches its init" guest_says 120 pv "guest: init after"
ok "destroy it" $ZL destroy pv
done_testing

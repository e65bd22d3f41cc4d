#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# An Intel CPU whose VMX lacks something, one without VMX, and one whose firmware has locked VMX off:
# the hypervisor says which it is, a PVH guest is refused, and a PV guest runs. The second has a TSC
# that is not invariant besides, so that time is the PM timer's: a second has to be one.
#
# GRUB does the firmware's part: bit 0 of MSR 0x3a (IA32_FEATURE_CONTROL) is the lock, bit 2 VMX.
#
# seconds: 400
# lab: --bochs corei5_lynnfield_750 -s 1 --dom0-memory 512M --dom0-vcpus 1
# lab: --bochs p4_prescott_celeron_336 -s 1 --dom0-memory 512M --dom0-vcpus 1
# lab: --bochs corei7_haswell_4770 -s 1 --dom0-memory 512M --dom0-vcpus 1 --bios seabios --grub "wrmsr 0x3a 1"

. /lab/lib.sh

case $4 in
corei5_*)	why="this CPU's VMX has no unrestricted guest" ;;
p4_*)		why="this CPU has no VMX" ;;
*)		why="VMX is locked off by the firmware" ;;
esac

ok "the hypervisor says: $why" hypervisor_said "no HVM and PVH guests: $why"
$ZL create "$(guest_config pvh 'type = "pvh"' 'memory = 128')" > /tmp/out 2>&1
ok "a PVH guest is refused" [ $? -ne 0 ]
ok "the message says so" grep "runs no PVH guests" /tmp/out
case $4 in
p4_*)	read -r before _ < /proc/uptime
	sleep 2
	read -r after _ < /proc/uptime
	echo "uptime $before, 2 seconds later $after"
	ok "a sleep of 2 seconds is not much longer" [ $((${after%.*} - ${before%.*})) -le 6 ]
	;;
esac
ok "a PV guest is created" $ZL create "$(guest_config pv 'memory = 128' \
	'extra = "console=hvc0 jobs=idle cryptomgr.notests"')"
ok "it reaches its init" guest_says 120 pv "guest: init after"
ok "destroy it" $ZL destroy pv
done_testing

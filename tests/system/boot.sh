#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# dom0 comes up on every machine that is promised: q35 and pc; 1, 2 and 8 CPUs; 6 GB and, sparse,
# 64 GB; by -kernel and through GRUB from an ISO. On each it has its vCPUs, sees the machine's CPUs
# and memory, drives its disks (virtio, AHCI and NVMe; what it reads is compared with what was
# written there), gets interrupts and time, logs no warning, and turns the machine off in the end.
#
# lab: -s 1 -m 6G --dom0-vcpus 1 --disk virtio:@pattern
# lab: -s 2 -m 6G --disk ahci:@pattern --disk virtio:@pattern --disk nvme:@pattern
# lab: -s 8 -m 6G --dom0-vcpus 4 --disk virtio:@pattern
# lab: -s 2 -M pc --disk virtio:@pattern --disk ahci:@pattern
# lab: -s 2 -m 64G --sparse --disk virtio:@pattern
# lab: -s 2 -m 6G --iso @ --disk ahci:@pattern
# lab: -s 2 -M pc -m 6G --iso @ --disk virtio:@pattern

. /lab/lib.sh
cpus=$1
gigabytes=${2%G}

info_field()
{
	$ZL info | sed -n "s/^$1 *: *//p"
}

has_cpus()
{
	[ "$(info_field nr_cpus)" = "$cpus" ]
}

has_vcpus()
{
	[ "$(grep -c ^processor /proc/cpuinfo)" = "$(word_of dom0_max_vcpus)" ]
}

word_of()
{
	$ZL info | sed -n "s/^xen_commandline.*$1=\([0-9]*\).*/\1/p"
}

has_memory()
{
	total=$(info_field total_memory)
	note "total memory $total MB"
	[ "$total" -gt $((gigabytes * 1024 - 64)) ] && [ "$total" -le $((gigabytes * 1024)) ]
}

disk_is_right()
{
	[ "$(md5sum < "$1" | cut -d' ' -f1)" = "$(cat /lab/pattern.md5)" ]
}

log_is_clean()
{
	dmesg | grep -E 'WARNING:|BUG:|Call Trace|Oops|soft lockup|detected stall' && return 1
	return 0
}

interrupts_arrive()
{
	before=$(awk '/virtio|ahci|nvme/ { for (i = 2; i < 10; i++) n += $i } END { print n + 0 }' \
		/proc/interrupts)
	note "device interrupts: $before"
	[ "$before" -gt 10 ]
}

time_passes()
{
	a=$(cut -d. -f1 /proc/uptime)
	c=$(date +%s)
	sleep 2
	b=$(cut -d. -f1 /proc/uptime)
	d=$(date +%s)
	[ $((b - a)) -ge 1 ] && [ $((b - a)) -le 4 ] && [ $((d - c)) -ge 1 ] && [ $((d - c)) -le 4 ]
}

date_is_right()
{
	[ "$(date +%Y)" -ge 2023 ]
}

# Each vCPU can be made to work alone.
every_vcpu_works()
{
	for cpu in $(seq 0 $(($(grep -c ^processor /proc/cpuinfo) - 1))); do
		[ "$(taskset "$(printf '%x' $((1 << cpu)))" sh -c 'echo works')" = works ] || return 1
	done
}

grep -q 0x010802 /sys/bus/pci/devices/*/class && modprobe nvme && wait_until 10 test -b /dev/nvme0n1
ok "the hypervisor has $cpus CPUs" has_cpus
ok "dom0 has the vCPUs it was given" has_vcpus
ok "every vCPU of dom0 works" every_vcpu_works
ok "the machine's memory is seen" has_memory
for disk in /dev/vd? /dev/sd? /dev/nvme?n1; do
	[ -b "$disk" ] && ok "$disk reads right" disk_is_right "$disk"
done
ok "device interrupts arrive" interrupts_arrive
ok "time passes at its pace" time_passes
ok "the date is set" date_is_right
ok "the hypervisor's log can be read" sh -c "$ZL dmesg | grep -q ."
ok "the kernel log holds no warning" log_is_clean
done_testing

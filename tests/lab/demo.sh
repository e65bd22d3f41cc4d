#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The demonstration, as it runs in dom0: two PV guests, one on a raw file and one on a block
# device, each write and read back 64 MB and then exchange 16 MB over a bridge; a PVH guest, the
# same kernel, finds one of them; an HVM guest boots from a disk by its own GRUB; three are shut down,
# one is destroyed, and the hypervisor has all its memory again. Every step is a test.

. /lab/lib.sh

now()
{
	cut -d' ' -f1 /proc/uptime
}

step()
{
	step_name=$1
	step_start=$(now)
	echo "> $step_name"
}

# check COMMAND...: the outcome of the step, and how long it took.
check()
{
	if "$@"; then
		ok "$step_name ($(echo "$(now) $step_start" | awk '{ printf "%.1f", $1 - $2 }') s)" true
	else
		ok "$step_name" false
	fi
}

disks_prepare()
{
	mkdir -p /srv && mount -t ext4 /dev/vda /srv && truncate -s 160M /srv/alpha.img &&
		/usr/sbin/mke2fs -q -F -t ext4 /srv/alpha.img && truncate -s 32M /srv/delta.img &&
		/usr/sbin/mke2fs -q -F -t ext4 /srv/delta.img
}

bridge_create()
{
	brctl addbr br0 && ip link set br0 up && ip addr add 10.9.0.1/24 dev br0
}

guest_create()
{
	$ZL create "$1"
}

both_say()
{
	guest_says 90 alpha "$1" && guest_says 90 beta "$1"
}

all_listed()
{
	$ZL list
	[ "$($ZL list | grep -cE '^(alpha|beta|gamma|delta) ')" = 4 ]
}

has_exits()
{
	$ZL exits gamma
}

# What one guest sent is what the other received.
same_data()
{
	guest_says 90 alpha "guest: sent " && guest_says 90 beta "guest: received " || return 1
	sent=$(sed -n 's/.*guest: sent \([0-9a-f]*\).*/\1/p' "$(console_log alpha)")
	received=$(sed -n 's/.*guest: received \([0-9a-f]*\).*/\1/p' "$(console_log beta)")
	echo "  sent $sent, received $received"
	[ -n "$sent" ] && [ "$sent" = "$received" ]
}

guest_shutdown()
{
	$ZL shutdown -w "$1" && wait_until 30 guest_gone "$1"
}

guest_destroy()
{
	$ZL destroy "$1" && wait_until 10 guest_gone "$1"
}

memory_is_back()
{
	after=$(free_kb)
	[ -n "$before" ] && [ "$before" = "$after" ]
}

memory_returned()
{
	wait_until 15 memory_is_back
	status=$?
	echo "  free before: $before KB, now: $after KB"
	if [ $status != 0 ] && [ "$ZL" = zl ]; then
		zl list -v
		zl debug-keys mqge
		sleep 1
	fi
	return $status
}

has_pv_drivers()
{
	guest_says 60 "$1" "disk-rw done" && guest_says 60 "$1" "net done"
}

button_press()
{
	$ZL trigger "$1" power && wait_until 30 guest_gone "$1"
}

step "dom0 sees the hypervisor"
$ZL info | grep -E '^(nr_cpus|total_memory|free_memory|xen_version|xen_caps)' | sed 's/^/  /'
check $ZL info > /dev/null

step "prepare a raw file and a block device"
check disks_prepare
step "make a bridge"
check bridge_create
before=$(free_kb)

guest_config alpha 'extra = "console=hvc0 jobs=disk-rw,net,send addr=10.9.0.12 peer=10.9.0.13"' \
	'disk = [ "format=raw,vdev=xvda,access=rw,target=/srv/alpha.img" ]' \
	'vif = [ "mac=00:16:3e:00:00:02,bridge=br0" ]' > /dev/null
guest_config beta 'extra = "console=hvc0 jobs=disk-rw,net,receive addr=10.9.0.13 peer=10.9.0.12"' \
	'vcpus = 2' 'disk = [ "format=raw,vdev=xvda,access=rw,target=/dev/vdb" ]' \
	'vif = [ "mac=00:16:3e:00:00:03,bridge=br0" ]' > /dev/null

step "create alpha: 1 vCPU, its disk a raw file"
check guest_create $GUESTS/alpha.cfg
step "create beta: 2 vCPUs, its disk a block device"
check guest_create $GUESTS/beta.cfg
step "both kernels reach their init"
check both_say "guest: init after"
step "each writes 64 MB and reads it back with the same checksum"
check both_say "guest: disk-rw done"
step "they find each other over the bridge"
check both_say "guest: net done"
step "beta receives the 16 MB that alpha sends"
check same_data
(GUEST_TYPE=pvh && guest_config gamma 'vcpus = 2' \
	'extra = "console=hvc0 jobs=net addr=10.9.0.14 peer=10.9.0.12"' \
	'vif = [ "mac=00:16:3e:00:00:04,bridge=br0" ]') > /dev/null
step "create gamma: PVH, 2 vCPUs"
check guest_create $GUESTS/gamma.cfg
step "its kernel reaches its init"
check guest_says 90 gamma "guest: init after .* 2 vCPUs"
step "it finds alpha over the bridge"
check guest_says 90 gamma "guest: net done"
(GUEST_TYPE=hvm && guest_config_media delta 'memory = 192' 'boot = "c"' 'vnc = 1' 'serial = "pty"' \
	'disk = [ "/dev/vdc,raw,hda,w", "/srv/delta.img,raw,hdb,w" ]' 'vif = [ "mac=00:16:3e:00:00:05,bridge=br0" ]') > /dev/null
step "create delta: HVM, with QEMU as device model, from a disk with its own GRUB"
check guest_create $GUESTS/delta.cfg
step "its firmware finds GRUB on the emulated drive, which loads the kernel, up to its init"
check guest_says 200 delta "guest: init after"
step "the kernel drives PV disk and network instead of what is emulated"
check has_pv_drivers delta
step "all four are listed"
check all_listed
step "why gamma's vCPUs left the hardware's virtual machine, and how often"
check has_exits
step "shut gamma down"
check guest_shutdown gamma
step "press delta's power button"
check button_press delta
step "shut alpha down"
check guest_shutdown alpha
step "destroy beta"
check guest_destroy beta
step "all memory has come back"
check memory_returned
done_testing

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The life of a PVH guest with a stock kernel: 1 to 4 vCPUs; its disk a raw file, then a block
# device; network; its console both ways; pause; an I/O port, without exits; a vCPU added and one
# taken away; its balloon; a reboot from inside; shutdown from inside and from dom0; a kernel panic
# and a triple fault, each recorded with its reason. Memory is compared before and after, and the
# store is looked at for what should not be left.
#
# seconds: 600
# lab: -m 4G --disk virtio:@256 --disk virtio:@256

. /lab/lib.sh
GUEST_TYPE=pvh

vcpu_guests()
{
	for n in 1 2 3 4; do
		$ZL create "$(guest_config "v$n" "vcpus = $n" 'memory = 160' \
			'extra = "console=hvc0 jobs=idle"' \
			"$([ $n != 3 ] || echo 'ioports = [ "81", "1000-4fff" ]')")" || return 1
	done
}

# guest_mb NAME: the memory that a guest has, as dom0 lists it.
guest_mb()
{
	$ZL list "$1" | awk 'NR == 2 { print $3 }'
}

guest_has_mb()
{
	_mb=$(guest_mb "$1")
	[ "$_mb" -ge "$2" ] && [ "$_mb" -le "$3" ]
}

free_grew()
{
	[ $(($(free_kb) - $1)) -ge "$2" ]
}

# port_exits NAME: so many of its accesses to ports were exits.
port_exits()
{
	$ZL exits "$1" | awk '$1 == "port" { print $NF }'
}

# ports_are_exits NAME COUNT: since it had COUNT exits, the reads of guest_swaps_port were some, too.
ports_are_exits()
{
	_more=$(($(port_exits "$1") - $2))
	note "port exits of $1 since then: $_more"
	[ $_more -ge 1000 ]
}

# Stock Xen gives a PVH guest no ports.
test_ports()
{
	port_write 045
	exits=$(port_exits v3)
	ok "a port that it was given is read, dom0's value there" guest_swaps_port v3 25 132
	ok "and written, dom0 reads it" port_is 5a
	ok "without exits" not ports_are_exits v3 "$exits"
	exits=$(port_exits v4)
	ok "a guest that was given none reads ones" guest_swaps_port v4 ff 074
	ok "and changes nothing" port_is 5a
	ok "by an exit each" ports_are_exits v4 "$exits"
}

mkdir -p /srv && mount -t ext4 /dev/vda /srv && disk_make /srv/file.img 160
bridge_make
before=$(free_kb)

ok "guests with 1, 2, 3 and 4 vCPUs are created" vcpu_guests
for n in 1 2 3 4; do
	ok "v$n comes up with $n vCPUs" guest_says 120 "v$n" "guest: init after .* $n vCPUs"
	ok "vcpu-list shows $n" guest_has_vcpus "v$n" "$n"
done
ok "the console answers" guest_answers v2
ok "top shows its exits" top_shows_exits v2
ok "it keeps time by the TSC" guest_tells v1 \
	'echo clock-$(cat /sys/devices/system/clocksource/*/current_clocksource)' 'clock-tsc'
[ "$ZL" = xl ] || test_ports
ok "pause" $ZL pause v4
ok "a paused guest is listed so" guest_is v4 p
ok "unpause" $ZL unpause v4
ok "an unpaused guest is listed so" not guest_is v4 p
ok "the console answers after that" guest_answers v4
ok "shutdown from dom0" $ZL shutdown -w v1
ok "it is gone" wait_until 20 guest_gone v1
for n in 2 3 4; do
	ok "destroy v$n" $ZL destroy "v$n"
done
ok "no memory is lost" memory_is "$before"
ok "nothing is left in the store" store_is_clean

$ZL create "$(guest_config file 'extra = "console=hvc0 jobs=disk-rw,net addr=10.9.0.2 peer=10.9.0.1"' \
	'disk = [ "format=raw,vdev=xvda,access=rw,target=/srv/file.img" ]' \
	'vif = [ "bridge=br0" ]')"
$ZL create "$(guest_config block 'extra = "console=hvc0 jobs=disk-rw,net addr=10.9.0.3 peer=10.9.0.1"' \
	"kernel = \"$LAB/vmlinuz-cloud\"" 'vcpus = 2' \
	'disk = [ "format=raw,vdev=xvda,access=rw,target=/dev/vdb" ]' 'vif = [ "bridge=br0" ]')"
ok "a raw file as disk: 64 MB written and read back" guest_says 120 file "disk-rw done"
ok "network" guest_says 60 file "net done"
ok "the -cloud- kernel, a block device as disk: the same" guest_says 120 block "disk-rw done"
ok "network of the -cloud- kernel" guest_says 60 block "net done"
ok "dom0 reaches the guest" ping -c 2 -W 5 10.9.0.2
ok "shutdown of the first" $ZL shutdown -w file
ok "and of the second" $ZL shutdown -w block
wait_until 20 guest_gone file
wait_until 20 guest_gone block

# Its disk keeps what the first life wrote; the second life only checks it.
$ZL create "$(guest_config keeper 'extra = "console=hvc0 jobs=disk-check,reboot"' \
	'on_reboot = "restart"' \
	'disk = [ "format=raw,vdev=xvda,access=rw,target=/srv/file.img" ]')"
ok "after a reboot from inside it is there again" \
	wait_until 120 guest_said_times keeper "disk-check done" 2
ok "destroy it" $ZL destroy keeper
$ZL create "$(guest_config off 'extra = "console=hvc0 jobs=poweroff"')"
ok "a guest that turns itself off goes away" wait_until 60 guest_gone off

$ZL create "$(guest_config hot 'vcpus = 1' 'maxvcpus = 2' 'memory = 256' \
	'extra = "console=hvc0 jobs=hotplug"')"
ok "a guest starts with one vCPU of two" guest_says 60 hot "guest: init after .* 1 vCPUs"
ok "it is offered another" $ZL vcpu-set hot 2
ok "which comes up" guest_says 60 hot "guest: now 2 vCPUs"
ok "and is taken back" $ZL vcpu-set hot 1
ok "so that it has one" guest_says 60 hot "guest: now 1 vCPUs"

free=$(free_kb)
ok "its balloon is blown up" $ZL mem-set hot 160
ok "dom0 lists what it has left" wait_until 30 guest_has_mb hot 158 162
ok "the hypervisor has the rest" wait_until 10 free_grew "$free" $((90 * 1024))
ok "its balloon is let down" $ZL mem-set hot 256
ok "dom0 lists what it has again" wait_until 30 guest_has_mb hot 250 258
ok "it is still well" guest_answers hot
ok "shutdown of that" $ZL shutdown -w hot
wait_until 20 guest_gone hot

$ZL create "$(guest_config panic 'on_crash = "preserve"' 'memory = 128' \
	'extra = "console=hvc0 jobs=crash"')"
ok "a guest whose kernel panics is recorded as crashed" wait_until 60 guest_is panic c
ok "its console holds the kernel's last words" guest_said panic "Kernel panic"
ok "and its reason is listed" reason_is panic crash
ok "destroy that guest" $ZL destroy panic

file=$(guest_config triple "kernel = \"$LAB/tiny/triple\"" 'memory = 32' 'ramdisk = none' \
	'on_crash = "preserve"' 'on_reboot = "preserve"')
sed -i '/^ramdisk/d' "$file"
$ZL create "$file"
ok "a guest that has a triple fault is ended" wait_until 20 guest_is triple s
ok "and the reason is listed" reason_is triple "[Tt]riple fault"
ok "destroy that, too" $ZL destroy triple

ok "in the end no memory is lost" memory_is "$before"
ok "in the end nothing is left in the store" store_is_clean
done_testing

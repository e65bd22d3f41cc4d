#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The life of a PV guest with a stock kernel: 1 to 4 vCPUs; its disk a raw file, then a block
# device; a read-only disk; network; its console both ways; pause; an I/O port; reboot from inside,
# keeping its disk; shutdown from inside and from dom0; the -cloud- kernel; destruction. Memory is
# compared before and after, and the store is looked at for what should not be left.
#
# seconds: 600
# lab: -m 4G --disk virtio:@256 --disk virtio:@256

. /lab/lib.sh

vcpus_seen()
{
	guest_says 90 "$1" "guest: init after .* $2 vCPUs"
}

# One guest for each number of vCPUs, all at once.
vcpu_guests()
{
	for n in 1 2 3 4; do
		$ZL create "$(guest_config "v$n" "vcpus = $n" 'memory = 160' \
			'extra = "console=hvc0 jobs=idle"' \
			"$([ $n != 3 ] || echo 'ioports = [ "81", "1000-4fff" ]')")" || return 1
	done
}

mkdir -p /srv && mount -t ext4 /dev/vda /srv && disk_make /srv/file.img 160
bridge_make
before=$(free_kb)

ok "guests with 1, 2, 3 and 4 vCPUs are created" vcpu_guests
for n in 1 2 3 4; do
	ok "v$n comes up with $n vCPUs" vcpus_seen "v$n" "$n"
	ok "vcpu-list shows $n" guest_has_vcpus "v$n" "$n"
done
ok "the console answers" guest_answers v2
port_write 045
ok "a port that it was given is read, dom0's value there" guest_swaps_port v3 25 132
ok "and written, dom0 reads it" port_is 5a
ok "a guest that was given none reads ones" guest_swaps_port v4 ff 074
ok "and changes nothing" port_is 5a
ok "pause" $ZL pause v1
ok "a paused guest is listed so" guest_is v1 p
ok "unpause" $ZL unpause v1
ok "an unpaused guest is listed so" not guest_is v1 p
ok "the console answers after that" guest_answers v1
ok "domid and domname agree" [ "$($ZL domname "$($ZL domid v3)")" = v3 ]
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

# Its disk keeps what the first life wrote; the second life only checks it, then turns off.
$ZL create "$(guest_config keeper 'extra = "console=hvc0 jobs=disk-check,reboot"' \
	'on_reboot = "restart"' \
	'disk = [ "format=raw,vdev=xvda,access=rw,target=/srv/file.img" ]')"
ok "after a reboot from inside it is there again" wait_until 120 guest_said_times keeper "disk-check done" 2
ok "destroy it" $ZL destroy keeper
$ZL create "$(guest_config off 'extra = "console=hvc0 jobs=poweroff"')"
ok "a guest that turns itself off goes away" wait_until 60 guest_gone off
$ZL create "$(guest_config read 'extra = "console=hvc0 jobs=disk-rw"' \
	'disk = [ "format=raw,vdev=xvda,access=ro,target=/srv/file.img" ]')"
ok "a read-only disk refuses to be written" guest_says 60 read "disk-rw FAILED"
ok "destroy that" $ZL destroy read
ok "a guest created paused does not run" $ZL create -p "$(guest_config still)"
ok "it is listed as paused" guest_is still p
ok "it runs when let" $ZL unpause still
ok "and comes up" guest_says 60 still "guest: ready"
ok "reboot from dom0" $ZL reboot still
ok "it is there again" wait_until 90 guest_said_times still "guest: ready" 2
ok "destroy it too" $ZL destroy still

ok "in the end no memory is lost" memory_is "$before"
ok "in the end nothing is left in the store" store_is_clean
done_testing

#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The life of an HVM guest with a stock kernel. First from a disk: its own GRUB, from an emulated
# drive, starts the kernel, which then unplugs what is emulated and runs on PV disk and network;
# its serial port answers, its screen can be looked at, its power button turns it off. Then by a
# kernel that waits in memory, with two vCPUs and a USB tablet: a reboot from inside, shutdown by
# the PV way, and what is seen when its device model dies. Memory is compared before and after, and
# the store is looked at for what should not be left.
#
# seconds: 400
# lab: -m 4G --device-model --dom0-vcpus 1 --disk virtio:@grub

. /lab/lib.sh
GUEST_TYPE=hvm
LAB_DISKS='disk = [ "/dev/vda,raw,hda,w", "/srv/data.img,raw,hdb,w" ]'

# guest_ends SECONDS NAME: wait for that; on failure show the end of the console.
guest_ends()
{
	wait_until "$1" guest_gone "$2" && return 0
	tail -n 15 "$(console_log "$2")"
	$ZL list -v "$2"
	return 1
}

model_pid()
{
	xenstore-read "/local/domain/$($ZL domid "$1")/image/device-model-pid"
}

mkdir -p /srv
disk_make /srv/data.img 64
bridge_make
before=$(free_kb)

ok "a guest with a disk is created" $ZL create "$(guest_config_media disk 'memory = 192' 'boot = "c"' \
	'vnc = 1' 'serial = "pty"' "$LAB_DISKS" 'vif = [ "bridge=br0" ]')"
serial_open disk
ok "its GRUB loads the kernel from the emulated drive" serial_says 60 "GRUB of the test guest"
ok "its screen shows that" screen_has_colours 2 hvm-grub
ok "the kernel comes up" guest_says 200 disk "guest: init after .* 1 vCPUs"
ok "its serial port speaks" serial_says 30 "serial: guest speaks"
echo "are you there?" >&3
ok "and answers" serial_says 20 "serial: heard are you there?"
ok "PV disk: 16 MB written and read back" guest_says 60 disk "disk-rw done"
ok "PV network" guest_says 60 disk "net done"
ok "the PV console answers" guest_answers disk
ok "top shows its exits" top_shows_exits disk
ok "the emulated drive is unplugged" guest_tells disk \
	'ls /dev/sd* /proc/ide 2>&1 | grep -c "^/dev"; echo none-$((2 - 2))' 'none-0'
ok "its power button is pressed" $ZL trigger disk power
ok "and it turns itself off" guest_ends 30 disk
serial_close
ok "no memory is lost" memory_is "$before"
ok "nothing is left in the store" store_is_clean

ok "a guest with a kernel in memory is created" $ZL create "$(guest_config direct 'vcpus = 2' \
	'memory = 256' 'usb = 1' 'usbdevice = "tablet"' 'on_reboot = "restart"' \
	'extra = "console=hvc0 jobs=idle"' 'vif = [ "bridge=br0" ]')"
ok "it comes up with two vCPUs" guest_says 60 direct "guest: init after .* 2 vCPUs"
ok "it has a USB tablet" guest_tells direct \
	'modprobe -a uhci-hcd usbhid; sleep 2; cat /sys/bus/usb/devices/*/product' "QEMU USB Tablet"
ok "the console answers" guest_answers direct
{ sleep 1; echo 'reboot -f'; sleep 2; } | timeout 15 $ZL console -t pv direct > /dev/null 2>&1
ok "after a reboot from inside it is there again" \
	wait_until 60 guest_said_times direct "guest: init after" 2
ok "the console answers again" guest_answers direct
ok "shutdown by the PV way" $ZL shutdown direct
ok "it is gone" guest_ends 60 direct

$ZL create "$(guest_config orphan 'memory = 128' 'on_crash = "preserve"' \
	'extra = "console=hvc0 jobs=idle"')"
kill -9 "$(model_pid orphan)"
ok "a guest whose device model dies has crashed" wait_until 20 guest_is orphan c
ok "and the reason is listed" wait_until 10 reason_is orphan "device model"
ok "destroy it" $ZL destroy orphan

ok "in the end no memory is lost" memory_is "$before"
ok "in the end nothing is left in the store" store_is_clean
done_testing

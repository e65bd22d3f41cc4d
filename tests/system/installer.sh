#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Debian's installer in an HVM guest. Its kernel and its ramdisk of 40 MB, which an emulated drive
# would take minutes to read, are taken from its CD and started in memory, up to the first question,
# which screen and serial port show. Then the CD itself boots, to its menu. Pictures of both screens
# are part of what this gives.
#
# seconds: 400
# lab: -m 4G --device-model --dom0-vcpus 1 --disk virtio:@installer

. /lab/lib.sh
GUEST_TYPE=hvm
CD=/mnt/debian-installer/amd64
before=$(free_kb)

modprobe isofs && mount -t iso9660 -o ro /dev/vda /mnt
ok "a guest with the installer's kernel is created" $ZL create "$(guest_config text \
	"kernel = \"$CD/linux\"" "ramdisk = \"$CD/initrd.gz\"" 'memory = 1024' 'vnc = 1' \
	'serial = "pty"' 'extra = "console=ttyS0 console=tty0 quiet"')"
serial_open text
ok "its first question is on the serial port" serial_says 150 "Select a language"
ok "and on the screen" wait_until 30 screen_has_colours 4 installer-first-menu
ok "destroy it" $ZL destroy text
serial_close

ok "a guest with the installer's CD is created" $ZL create "$(guest_config_media cd 'memory = 128' \
	'boot = "d"' 'vnc = 1' 'serial = "pty"' 'disk = [ "/dev/vda,raw,hdc,cdrom" ]')"
serial_open cd
ok "its boot menu is on the serial port" serial_says 60 "Debian GNU/Linux installer menu"
ok "and on the screen" wait_until 20 screen_has_colours 16 installer-boot-menu
ok "destroy that, too" $ZL destroy cd
serial_close

ok "no memory is lost" memory_is "$before"
ok "nothing is left in the store" store_is_clean
done_testing

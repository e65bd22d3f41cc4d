#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# HVM guests that boot what is not a disk of theirs: a CD with GRUB, whose kernel keeps the emulated
# drive and network card and uses them; and OVMF in place of SeaBIOS, which finds nothing to boot
# and shows its logo.
#
# seconds: 400
# lab: -m 4G --device-model --dom0-vcpus 1 --disk virtio:@iso

. /lab/lib.sh
GUEST_TYPE=hvm
before=$(free_kb)

mkdir -p /srv
disk_make /srv/data.img 32
bridge_make
ok "a guest with a CD is created" $ZL create "$(guest_config_media cd 'memory = 192' 'boot = "d"' \
	'serial = "pty"' 'disk = [ "/srv/data.img,raw,hda,w", "/dev/vda,raw,hdc,cdrom" ]' \
	'vif = [ "bridge=br0,model=e1000" ]')"
serial_open cd
ok "the CD's GRUB loads the kernel" serial_says 100 "GRUB of the test guest"
ok "it comes up" serial_says 200 "guest: init after .* 1 vCPUs"
ok "emulated disk: 2 MB written and read back" serial_says 100 "disk-rw done"
ok "emulated network" serial_says 60 "net done"
ok "destroy it" $ZL destroy cd
serial_close

ok "a guest with OVMF is created" $ZL create "$(guest_config_media efi 'memory = 192' \
	'bios = "ovmf"' 'vnc = 1')"
ok "it shows its logo" wait_until 100 screen_has_colours 30 hvm-ovmf
ok "destroy that, too" $ZL destroy efi

ok "no memory is lost" memory_is "$before"
ok "nothing is left in the store" store_is_clean
done_testing

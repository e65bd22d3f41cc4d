#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# zl and the ends of domains: the actions of on_poweroff, on_reboot and on_crash; their record; the
# monitor killed; a creator and its monitor killed together; two creations of one name at once;
# disks that are in use. After each of them no domain, page, node, loop device or state file is
# left. The guests are tiny kernels that end, or never end, at once.
#
# seconds: 600
# lab: -m 3G --disk virtio:@64

. /lab/lib.sh
ZL=zl
# Stock daemons do for this test, too.
mkdir -p /var/log/zendo

# tiny NAME KERNEL [LINE...]: create a guest of that kernel.
tiny_config()
{
	_name=$1
	_kernel=$2
	shift 2
	_file=$(guest_config "$_name" "kernel = \"/lab/tiny/$_kernel\"" 'memory = 16' \
		'ramdisk = ""' "$@")
	echo "$_file"
}

tiny()
{
	zl create -q "$(tiny_config "$@")"
}

state_of()
{
	zl list "$1" 2> /dev/null | awk 'NR == 2 { print $5 }'
}

is_in_state()
{
	case $(state_of "$1") in *$2*) return 0 ;; esac
	return 1
}

# The last line about NAME in the record of ended domains.
ended()
{
	zl list --ended | awk -v name="$1" '$1 == name { last = $5 " " $6 } END { print last }'
}

loops()
{
	for _loop in /sys/block/loop*/loop/backing_file; do
		[ -e "$_loop" ] && cat "$_loop"
	done
}

clean()
{
	store_is_clean || return 1
	[ "$(zl list | wc -l)" = 2 ] || { zl list; return 1; }
	[ -z "$(loops)" ] || { note "loops: $(loops)"; return 1; }
	[ -z "$(ls -A /run/zendo/domains)" ] || { ls -A /run/zendo/domains; return 1; }
	memory_is "$before"
}

domid_over()
{
	_domid=$(zl domid "$1" 2> /dev/null)
	[ "${_domid:-0}" -gt "$2" ]
}

kill_all_zl()
{
	for _pid in $(pidof zl); do
		kill -9 "$_pid" 2> /dev/null
	done
}

truncate -s 4M /tmp/disk.img
DISK='disk = [ "/tmp/disk.img,raw,xvda,w" ]'
tiny warm off
wait_until 10 guest_gone warm
# What dom0 and the hypervisor allocate once, for the most that will be at once, is then there.
for n in 1 2 3 4 5; do
	truncate -s 4M /tmp/warm$n.img
	tiny warm$n spin "disk = [ \"/tmp/warm$n.img,raw,xvda,w\" ]"
done
zl destroy warm1 warm2 warm3 warm4 warm5
sleep 2
before=$(free_kb)

ok "a guest that powers off" tiny off off "$DISK"
ok "goes" wait_until 10 guest_gone off
ok "and leaves nothing" wait_until 5 clean
ok "but its record" [ "$(ended off)" = "poweroff destroy" ]

ok "on_crash = preserve: a guest that crashes" tiny keep fault 'on_crash = "preserve"' "$DISK"
ok "stays" wait_until 10 is_in_state keep c
ok "with its reason" sh -c "zl list --json keep | grep -q '\"reason\":\"crash\"'"
ok "shown by list -v, too" sh -c "zl list -v keep | grep -q crash"
ok "until it is destroyed" zl destroy keep
ok "which leaves nothing" clean

ok "on_crash = destroy: a guest that crashes" tiny crash fault
ok "goes" wait_until 10 guest_gone crash
ok "its record says so" [ "$(ended crash)" = "crash destroy" ]
ok "and nothing is left" wait_until 5 clean

ok "on_poweroff = preserve: a guest that powers off" tiny keep off 'on_poweroff = "preserve"'
ok "stays" wait_until 10 is_in_state keep s
ok "until it is destroyed" zl destroy keep

ok "on_reboot = restart: a guest that reboots for ever" tiny again reboot "$DISK"
first=$(zl domid again)
ok "comes back" wait_until 30 domid_over again $((first + 2))
ok "and can be destroyed, whatever moment of its lives that meets" zl destroy again
ok "for good" clean

ok "a guest whose monitor is killed" tiny alone spin "$DISK"
kill_all_zl
ok "runs on" wait_until 5 is_in_state alone r
ok "is left alone by another create" tiny other off
ok "that runs its course" wait_until 10 guest_gone other
ok "it can be destroyed" zl destroy alone
ok "and leaves nothing" clean

for tenths in 0 1 2 3 4 5 6 7 8; do
	zl create -q "$(tiny_config both spin "$DISK")" 2> /dev/null &
	usleep $((tenths * 30000))
	kill_all_zl
	wait
	zl destroy both 2> /dev/null
	ok "create and monitor killed after $((tenths * 30)) ms: destroy cleans" clean
done

twin=$(tiny_config twin spin)
zl create -q "$twin" > /tmp/one 2>&1 &
one=$!
zl create -q "$twin" > /tmp/two 2>&1
two=$?
wait $one
one=$?
ok "of two creations of one name one works" [ $((one + two)) = 1 ] || head /tmp/one /tmp/two
ok "the other says why" grep -q "twin" /tmp/one /tmp/two
ok "there is one" [ "$(zl list | grep -c '^twin ')" = 1 ]
zl destroy twin

ok "a guest with a disk" tiny a spin "$DISK"
ok "no other gets that disk" not tiny b spin "$DISK" 2> /tmp/err
ok "which is said" grep -q "in use by another domain" /tmp/err
ok "not even to read" not tiny b spin 'disk = [ "/tmp/disk.img,raw,xvda,r" ]' 2> /dev/null
zl destroy a
ok "two may read it" tiny a spin 'disk = [ "/tmp/disk.img,raw,xvda,r" ]'
ok "at once" tiny b spin 'disk = [ "/tmp/disk.img,raw,xvda,r" ]'
ok "both are destroyed" zl destroy a b
/usr/sbin/mke2fs -q -F -t ext4 /dev/vda
mkdir -p /mnt && mount -t ext4 /dev/vda /mnt
ok "a disk that dom0 has mounted is refused" \
	not tiny b spin 'disk = [ "/dev/vda,raw,xvda,w" ]' 2> /tmp/err
ok "which is said" grep -q "in use" /tmp/err
umount /mnt
ok "a block device" tiny a spin 'disk = [ "/dev/vda,raw,xvda,w" ]'
ok "is kept from being mounted meanwhile" not mount -t ext4 /dev/vda /mnt 2> /dev/null
ok "and no second guest gets it" not tiny b spin 'disk = [ "/dev/vda,raw,xvda,w" ]' 2> /dev/null
zl destroy a
ok "nothing of this is left" clean

ok "a dry run" sh -c "zl create -n $(tiny_config dry spin) memory=99 | grep -q 101376"
ok "makes no domain" guest_gone dry
ok "a paused guest" zl create -q -p "$(tiny_config p spin)"
ok "is paused" is_in_state p p
ok "rename" zl rename p q
ok "its name is free now" guest_gone p
ok "unpause" zl unpause q
ok "it runs" wait_until 5 is_in_state q r
ok "vcpu-pin" zl vcpu-pin q 0 1
ok "shows in vcpu-list" sh -c "zl vcpu-list q | grep -q '1 / all'"
ok "a CPU that is not there is refused" not zl vcpu-pin q 0 99 2> /dev/null
ok "weight and cap" zl sched-credit -d q -w 512 -c 50
ok "show" sh -c "zl sched-credit -d q | grep -qE '512 +50'"
ok "destroy by number" zl destroy "$(zl domid q)"
ok "destroying nobody fails" not zl destroy q 2> /dev/null
ok "dom0 is not destroyed" not zl destroy 0 2> /dev/null
ok "in the end nothing is left" clean
done_testing

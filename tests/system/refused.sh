#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What cannot be created is refused: kernels and ramdisks that are corrupt, cut short, of another
# kind or architecture; configurations with errors; a name in use; more memory or vCPUs than there
# are; a disk or bridge that is not there. Each time: a message, a status that is not 0, no
# domain, no page lost, nothing left in the store.
#
# seconds: 400

. /lab/lib.sh

# refuses WHAT PATTERN CONFIG: creation fails, says PATTERN, and leaves nothing.
refuses()
{
	timeout 60 $ZL create "$3" > /tmp/out 2>&1
	status=$?
	ok "$1: refused" [ $status -ne 0 ] && [ $status -lt 124 ] || cat /tmp/out
	ok "$1: the message says why" grep -qiE -- "$2" /tmp/out || cat /tmp/out
	ok "$1: no domain is left" [ "$($ZL list | wc -l)" = "$domains" ]
	ok "$1: no memory is lost" memory_is "$before"
	ok "$1: nothing is left in the store" [ "$(store_domains)" = "$store" ]
}

bad_kernel()
{
	refuses "$1" "$2" "$(guest_config bad "kernel = \"$3\"")"
}

bad_ramdisk()
{
	refuses "$1" "$2" "$(guest_config bad "ramdisk = \"$3\"")"
}

bad_line()
{
	refuses "$1" "$2" "$(guest_config bad "$3")"
}

# The broken files. offsets: a bzImage's setup part, its packed kernel.
size=$(wc -c < /lab/vmlinuz)
cd /tmp || exit 1
: > empty
head -c 100 /lab/vmlinuz > cut-100
head -c 3000 /lab/vmlinuz > cut-3000
head -c $((size / 2)) /lab/vmlinuz > cut-half
cp /lab/vmlinuz flipped
printf 'zendo' | dd of=flipped bs=1 seek=$((size / 2)) conv=notrunc 2> /dev/null
cp /lab/vmlinuz no-magic
printf 'xxxx' | dd of=no-magic bs=1 seek=514 conv=notrunc 2> /dev/null
head -c 300000 /dev/urandom > noise
# An ELF of another machine (EM_AARCH64), and one of 32 bits.
cp /bin/busybox arm
printf '\267\000' | dd of=arm bs=1 seek=18 conv=notrunc 2> /dev/null
cp /bin/busybox elf32
printf '\001' | dd of=elf32 bs=1 seek=4 conv=notrunc 2> /dev/null

ok "a guest that is in the way" $ZL create "$(guest_config taken 'memory = 128')"
guest_says 60 taken "guest: ready"
domains=$($ZL list | wc -l)
before=$(free_kb)
store=$(store_domains)

bad_kernel "no kernel file" "no such file|not found|cannot|open" /tmp/missing
bad_kernel "an empty kernel" "." empty
bad_kernel "a kernel of 100 bytes" "." cut-100
bad_kernel "a kernel cut in its setup part" "." cut-3000
bad_kernel "a kernel cut in its middle" "." cut-half
bad_kernel "a kernel with 5 bytes wrong" "." flipped
bad_kernel "a kernel without its magic" "." no-magic
bad_kernel "noise as kernel" "." noise
bad_kernel "a program as kernel" "." /bin/busybox
bad_kernel "an ELF for another machine" "." arm
bad_kernel "an ELF of 32 bits" "." elf32
bad_kernel "a directory as kernel" "." /tmp
bad_ramdisk "no ramdisk file" "." /tmp/missing
bad_ramdisk "a directory as ramdisk" "." /tmp
truncate -s 500M huge
bad_ramdisk "a ramdisk larger than the guest" "." huge
rm huge
bad_line "more memory than there is" "memory" 'memory = 100000'
bad_line "no memory" "." 'memory = 0'
bad_line "too little memory for the kernel" "." 'memory = 16'
bad_line "more vCPUs than can be" "." 'vcpus = 100000'
bad_line "more vCPUs than maxvcpus" "." 'vcpus = 4
maxvcpus = 2'
bad_line "a disk that is not there" "." 'disk = [ "format=raw,vdev=xvda,access=rw,target=/none" ]'
bad_line "a bridge that is not there" "." 'vif = [ "bridge=none0" ]'
bad_line "an I/O port that the hypervisor keeps" "ioports.*3f8" 'ioports = [ "81", "3f8-3ff" ]'
bad_line "I/O ports in the wrong order" "port" 'ioports = [ "3ff-2f8" ]'
bad_line "a line that is no setting" "bad.cfg:[0-9]+" 'this is wrong'
bad_line "a string that does not end" "bad.cfg:[0-9]+" 'extra = "abc'
bad_line "a list that does not end" "bad.cfg:[0-9]+" 'disk = [ "a"'
refuses "a name in use" "taken|exist|use" "$(guest_config taken 'memory = 128')"

if [ $ZL = zl ]; then
	head -c 4000000 /lab/guest.cpio > cut.cpio
	$ZL create "$(guest_config bad 'ramdisk = "/tmp/cut.cpio"' 'on_crash = "destroy"')" \
		> /tmp/out 2>&1
	ok "a ramdisk cut short is refused, or its guest ends and is cleaned up" \
		wait_until 60 guest_gone bad
	$ZL create "$(guest_config odd 'no_such_key = 5' 'memory = 128')" > /tmp/out 2>&1
	ok "an unknown key is named in a warning" grep -q no_such_key /tmp/out
	ok "and does not stop the guest" guest_says 60 odd "guest: ready"
	$ZL destroy odd
fi
ok "the guest in the way is still well" $ZL shutdown -w taken
wait_until 20 guest_gone taken
ok "nothing is left in the store in the end" store_is_clean
done_testing

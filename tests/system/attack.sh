#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The guests of tests/guests attack from inside: each is started alone, says what it tried and how
# it went, and powers off; those named crash-* must be ended by the hypervisor, with the reason in
# `zl list -v`. Meanwhile a guest with a stock kernel goes on answering, and in the end all memory
# is there again.
#
# seconds: 400

. /lab/lib.sh

ok "a bystander starts" $ZL create "$(guest_config bystander 'memory = 128' \
	'extra = "console=hvc0 jobs=idle"')"
guest_says 90 bystander "guest: ready"
before=$(free_kb)

ended()
{
	! guest_exists "$1" || $ZL list "$1" | tail -1 | grep -qE ' -*s[c-]*-* '
}

# What the guest said becomes ours, under its name.
relay()
{
	tr -d '\r' < "$(console_log "$1")" | sed -n 's/^\(ok\|not ok\) - /\1 - '"$1"': /p' > /tmp/said
	tr -d '\r' < "$(console_log "$1")" | grep '^# '
	while read -r line; do
		case $line in
		"ok - "*) ok "${line#ok - }" true ;;
		*) ok "${line#not ok - }" false ;;
		esac
	done < /tmp/said
}

attack()
{
	file=$(guest_config "$1" "kernel = \"/lab/guests/$1.elf\"" 'memory = 32' 'ramdisk = ""' \
		'on_crash = "preserve"' 'on_poweroff = "preserve"')
	sed -i '/^ramdisk/d' "$file"
	case $1 in
	hvm-*) echo 'type = "pvh"' >> "$file" ;;
	esac
	$ZL create "$file" > /tmp/created 2>&1 || cat /tmp/created
	wait_until 60 ended "$1"
}

# Part of the text that the hypervisor records for the end of each.
reason()
{
	case $1 in
	crash-iret) echo "iret frame" ;;
	crash-stack) echo "no kernel stack" ;;
	crash-triple) echo "without a handler" ;;
	*) echo "(a reason for $1 is missing in attack.sh)" ;;
	esac
}

for path in /lab/guests/*.elf; do
	name=$(basename "$path" .elf)
	attack "$name"
	case $name in
	crash-*)
		$ZL list -v "$name" | tee /tmp/list
		ok "$name: ended by the hypervisor, which says why" grep -q "$(reason "$name")" /tmp/list
		;;
	*)
		relay "$name"
		ok "$name: reaches its end" grep -q "guest: .* checks, 0 failed" "$(console_log "$name")"
		;;
	esac
	$ZL destroy "$name"
	wait_until 15 guest_gone "$name"
	ok "$name: all memory is back" memory_is "$before"
done
ok "the bystander never noticed" guest_exists bystander
$ZL destroy bystander
done_testing

# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# For scripts that run in the lab's dom0: TAP results, and guests through whichever toolstack the
# run has ($ZL is zl or xl). Sourced by tests; prints only through ok and note.

LAB=/lab
LAB_TESTS=0
LAB_FAILED=0
GUESTS=/run/guests
GUEST_TYPE=pv
mkdir -p $GUESTS

if [ "$LAB_TOOLS" = stock ]; then
	ZL=xl
	CONSOLE_LOG=/var/log/xen/console/guest-%s.log
	mkdir -p /var/log/xen/console
else
	ZL=zl
	CONSOLE_LOG=/var/log/zendo/console/%s.log
fi

# What dom0 itself has in /vm.
STORE_OWN=$(xenstore-read /local/domain/0/vm 2> /dev/null | sed 's|^/vm/||')

note()
{
	echo "# $*"
}

# ok NAME COMMAND...: one test, passed if the command succeeds.
ok()
{
	_name=$1
	shift
	LAB_TESTS=$((LAB_TESTS + 1))
	if "$@"; then
		echo "ok - $_name"
		return 0
	fi
	echo "not ok - $_name"
	LAB_FAILED=$((LAB_FAILED + 1))
	return 1
}

# done_testing: the plan, without which the run counts as cut short; the exit status.
done_testing()
{
	echo "1..$LAB_TESTS"
	exit $((LAB_FAILED != 0))
}

not()
{
	! "$@"
}

# wait_until SECONDS COMMAND...
wait_until()
{
	_end=$(($(cut -d. -f1 /proc/uptime) + $1 * LAB_PATIENCE))
	shift
	while ! "$@"; do
		[ "$(cut -d. -f1 /proc/uptime)" -lt "$_end" ] || return 1
		usleep 200000
	done
}

# guest_config NAME LINE...: write a configuration; LINEs replace or add settings. The guest is of
# type $GUEST_TYPE.
guest_config()
{
	_file=$GUESTS/$1.cfg
	{
		echo "name = \"$1\""
		echo "type = \"$GUEST_TYPE\""
		shift
		_all="$*"
		case $_all in *kernel*=*) ;; *) echo "kernel = \"$LAB/vmlinuz\"" ;; esac
		case $_all in *ramdisk*=*) ;; *) echo "ramdisk = \"$LAB/guest.cpio\"" ;; esac
		case $_all in *memory*=*) ;; *) echo "memory = 192" ;; esac
		case $_all in *vcpus*=*) ;; *) echo "vcpus = 1" ;; esac
		for _line in "$@"; do
			echo "$_line"
		done
	} > "$_file"
	echo "$_file"
}

console_log()
{
	# shellcheck disable=SC2059
	printf "$CONSOLE_LOG" "$1"
}

# guest_said NAME PATTERN: its console has shown this.
guest_said()
{
	grep -q -- "$2" "$(console_log "$1")" 2> /dev/null
}

# guest_says SECONDS NAME PATTERN: wait for that; on failure show the end of the console.
guest_says()
{
	wait_until "$1" guest_said "$2" "$3" && return 0
	note "console of $2, which never said '$3':"
	tail -n 15 "$(console_log "$2")" 2> /dev/null | sed 's/^/#   /'
	return 1
}

# hypervisor_said TEXT: it is in its log.
hypervisor_said()
{
	$ZL dmesg | grep -F -- "$1"
}

guest_exists()
{
	$ZL domid "$1" > /dev/null 2>&1
}

guest_gone()
{
	! guest_exists "$1"
}

# guest_state NAME: the six letters of `list`.
guest_state()
{
	$ZL list "$1" 2> /dev/null | awk 'NR == 2 { print $5 }'
}

# guest_is NAME LETTER: its state has that letter.
guest_is()
{
	case $(guest_state "$1") in *"$2"*) return 0 ;; esac
	return 1
}

# reason_is NAME PATTERN: why it ended, where the toolstack can say it.
reason_is()
{
	[ "$ZL" = xl ] || $ZL list -v "$1" | tee /tmp/reason | grep -q "$2" && return 0
	cat /tmp/reason
	return 1
}

# guest_said_times NAME PATTERN COUNT: its console has shown this so often, or more.
guest_said_times()
{
	[ "$(grep -c -- "$2" "$(console_log "$1")")" -ge "$3" ]
}

# guest_answers NAME: a command typed at its console is answered there.
guest_answers()
{
	{ sleep 2; echo 'echo answer-$((6 * 7))'; sleep 4; } | timeout 15 $ZL console -t pv "$1" \
		> /tmp/console.out 2> /dev/null
	wait_until 20 guest_said "$1" 'answer-42' || grep -q 'answer-42' /tmp/console.out
}

# guest_tells NAME COMMAND PATTERN: type the command there and wait for the pattern.
guest_tells()
{
	{ sleep 1; echo "$2"; sleep 3; } | timeout 15 $ZL console -t pv "$1" > /dev/null 2>&1
	guest_says 30 "$1" "$3"
}

# top_shows_exits NAME: the second sample of zl top has exits per second of it.
top_shows_exits()
{
	[ "$ZL" = xl ] || $ZL top -b -i 2 -d 1 | tee /tmp/top |
		awk -v name="$1" '$1 == name && $9 + 0 > 0 { found = 1 } END { exit !found }' && return 0
	cat /tmp/top
	return 1
}

guest_has_vcpus()
{
	[ "$($ZL vcpu-list "$1" | grep -c "^$1 ")" = "$2" ]
}

# free_kb: memory that belongs to no domain, exactly as the hypervisor counts it.
free_kb()
{
	if [ $ZL = zl ]; then
		zl info --json | sed -n 's/.*"free_pages": *\([0-9]*\).*/\1/p' | awk '{ print $1 * 4 }'
	else
		xl info | awk '/^free_memory/ { print $3 * 1024 }'
	fi
}

# memory_is KB: so much is free, at once or soon (what a dead domain had goes back in pieces).
memory_is()
{
	wait_until 15 free_equals "$1" && return 0
	note "free before: $1 KB, now: $(free_kb) KB"
	return 1
}

free_equals()
{
	[ -n "$1" ] && [ "$(free_kb)" = "$1" ]
}

# store_domains: what the store holds of domains other than dom0, in one line.
store_domains()
{
	for _dir in /local/domain /vm /libxl /local/domain/0/backend/vbd \
			/local/domain/0/backend/vif /local/domain/0/backend/console; do
		xenstore-list "$_dir" 2> /dev/null | grep -vE "^(0|$STORE_OWN)\$" | sed "s|^|$_dir/|"
	done | tr '\n' ' '
}

store_is_empty()
{
	[ -z "$(store_domains)" ]
}

# store_is_clean: no domain but dom0 is in the store, at once or soon: what watches over a domain
# takes its entries away when the domain has already gone from the list.
store_is_clean()
{
	wait_until 15 store_is_empty && return 0
	note "left in the store: $(store_domains)"
	return 1
}

disk_make()
{
	truncate -s "${2}M" "$1" && /usr/sbin/mke2fs -q -F -t ext4 "$1"
}

# bridge_make: br0, with dom0 at 10.9.0.1.
bridge_make()
{
	brctl addbr br0 && ip link set br0 up && ip addr add 10.9.0.1/24 dev br0
}

attack_ended()
{
	! guest_exists "$1" || $ZL list "$1" | tail -1 | grep -qE ' -*s[c-]*-* '
}

# What the guest said becomes ours, under its name.
attack_relay()
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

# Part of the text that the hypervisor records for the end of each.
attack_reason()
{
	case $1 in
	crash-iret) echo "iret frame" ;;
	crash-stack) echo "no kernel stack" ;;
	crash-triple) echo "without a handler" ;;
	*) echo "(a reason for $1 is missing in lib.sh)" ;;
	esac
}

# attack NAME KB: the guest of that name in tests/guests is started, ends, and so much memory is free.
attack()
{
	_file=$(guest_config "$1" "kernel = \"/lab/guests/$1.elf\"" 'memory = 32' 'ramdisk = ""' \
		'on_crash = "preserve"' 'on_poweroff = "preserve"')
	sed -i '/^ramdisk/d' "$_file"
	case $1 in
	hvm-*) echo 'type = "pvh"' >> "$_file" ;;
	esac
	$ZL create "$_file" > /tmp/created 2>&1 || cat /tmp/created
	wait_until 60 attack_ended "$1"
	case $1 in
	crash-*)
		$ZL list -v "$1" | tee /tmp/list
		ok "$1: ended by the hypervisor, which says why" grep -q "$(attack_reason "$1")" /tmp/list
		;;
	*)
		attack_relay "$1"
		ok "$1: reaches its end" grep -q "guest: .* checks, 0 failed" "$(console_log "$1")"
		;;
	esac
	$ZL destroy "$1"
	wait_until 15 guest_gone "$1"
	ok "$1: all memory is back" memory_is "$2"
}

# --- I/O ports ---

# Port 81 (129) is a page register of the DMA controller, of a channel that nothing here uses: it reads
# as what was written last.
PORT_READ='dd if=/dev/port bs=1 skip=129 count=1 2>/dev/null | hexdump -e "1/1 \"%02x\""'
PORT_WRITE='dd of=/dev/port bs=1 seek=129 count=1 conv=notrunc 2>/dev/null'

# port_is HEX: what dom0 reads there.
port_is()
{
	[ "$(eval "$PORT_READ")" = "$1" ]
}

# port_write OCTAL: by dom0.
port_write()
{
	printf "\\$1" | eval "$PORT_WRITE"
}

# guest_swaps_port NAME HEX OCTAL: it reads HEX there and writes OCTAL, then reads all of ports
# 1000 to 4fff, where the machine has nothing.
guest_swaps_port()
{
	guest_tells "$1" "echo port-\$($PORT_READ); printf '\\$3' | $PORT_WRITE; \
echo read-\$(dd if=/dev/port bs=4096 skip=1 count=4 2>/dev/null | wc -c)" "read-16384" &&
		guest_said "$1" "port-$2"
}

# file_give PATH NAME: hand a file to whoever runs this script, as NAME.
file_give()
{
	gzip -c "$1" | base64 | sed "s/^/lab: file $2 /"
	echo "lab: file $2 ."
}

# --- HVM guests ---

# guest_config_media NAME LINE...: a configuration without kernel and ramdisk: it boots its media.
guest_config_media()
{
	_cfg=$(guest_config "$@" 'kernel = ""' 'ramdisk = ""')
	sed -i '/^kernel\|^ramdisk/d' "$_cfg"
	echo "$_cfg"
}

# serial_open NAME: what its first serial port says goes to /run/serial, what is written to
# descriptor 3 is typed there.
serial_open()
{
	rm -f /run/typed
	mkfifo /run/typed
	$ZL console -t serial "$1" < /run/typed > /run/serial 2>&1 &
	exec 3> /run/typed
}

serial_close()
{
	exec 3>&-
}

serial_said()
{
	grep -q -- "$1" /run/serial
}

# serial_says SECONDS PATTERN
serial_says()
{
	wait_until "$1" serial_said "$2" && return 0
	note "the serial port, which never said '$2':"
	tail -n 15 /run/serial | tr -d '\033' | cut -c 1-200 | sed 's/^/#   /'
	return 1
}

# screen_has_colours LEAST NAME: of the guest at the first VNC display; NAME.ppm is given to
# whoever runs this.
screen_has_colours()
{
	/lab/vnc 127.0.0.1 5900 shot /run/screen.ppm | tee /run/screen.txt || return 1
	file_give /run/screen.ppm "$2.ppm"
	[ "$(sed -n 's/.*, \([0-9]*\) colours.*/\1/p' /run/screen.txt)" -ge "$1" ]
}

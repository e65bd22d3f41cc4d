#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# zstored and zconsoled are killed (SIGKILL) and started again while guests run: the guests go on,
# their consoles and their shutdown still work, new guests can be made, and the store has lost
# nothing.
#
# seconds: 400
# lab: -m 4G

. /lab/lib.sh

daemon_pid()
{
	pidof "$1" | cut -d' ' -f1
}

daemon_restart()
{
	old=$(daemon_pid "$1")
	kill -9 "$old" && sleep 1 && [ "$(daemon_pid "$1")" != "$old" ] || return 1
	[ -n "$(daemon_pid "$1")" ] || "$1"
}

store_dump()
{
	xenstore-ls -f -p / | sort
}

console_answers()
{
	{ sleep 2; echo "echo answer-$2-\$((6 * 7))"; sleep 4; } | timeout 15 $ZL console "$1" \
		> /tmp/console.out 2> /dev/null
	wait_until 20 guest_said "$1" "answer-$2-42" || grep -q "answer-$2-42" /tmp/console.out
}

new_guest()
{
	$ZL create "$(guest_config "$1" 'memory = 128' 'vif = [ "bridge=br0" ]' \
		"extra = \"console=hvc0 jobs=net addr=$2 peer=10.9.0.1\"")" &&
		guest_says 90 "$1" "net done"
}

# works NAME COMMAND...: one test; the daemons' own words if it fails.
works()
{
	ok "$@" && return 0
	note "zstored: $(pidof zstored), zconsoled: $(pidof zconsoled)"
	tail -n 40 /var/log/zendo/zstored.log /var/log/zendo/zconsoled.log 2>&1 | sed 's/^/#   /'
	dmesg | grep -E "segfault|traps:|BUG:|Oops" | tail -n 5
	return 1
}

if [ $ZL = xl ]; then
	ok "stock xenstored cannot be restarted # SKIP" true
	done_testing
fi

bridge_make
works "a first guest" new_guest first 10.9.0.2
xenstore-write /tool/kept "what was written before"
store_dump > /tmp/before
works "zstored is killed and started again" daemon_restart zstored
store_dump > /tmp/after
works "the store has lost nothing" cmp -s /tmp/before /tmp/after || diff /tmp/before /tmp/after
works "the first guest goes on" ping -c 2 -W 5 10.9.0.2
works "a second guest can be made" new_guest second 10.9.0.3
works "zconsoled is killed and started again" daemon_restart zconsoled
works "the first guest's console answers" console_answers first one
works "a third guest can be made" new_guest third 10.9.0.4
works "its console answers" console_answers third three
works "both are killed and started again" sh -c '
	kill -9 $(pidof zstored) $(pidof zconsoled); sleep 1; zstored && zconsoled'
works "the second guest's console answers" console_answers second two
for name in first second third; do
	works "$name shuts down when asked" $ZL shutdown -w $name
	works "$name is gone" wait_until 30 guest_gone $name
done
works "nothing is left in the store" store_is_clean
done_testing

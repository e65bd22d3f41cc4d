#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What `make bench` measures in dom0: prints "bench: NAME VALUE". Times come from `ops uptime`,
# in nanoseconds, which are instructions when the machine counts them so. The arguments are the
# types of guest to measure; what a guest measures in itself has its type before its name.

. /lab/lib.sh

uptime_ns()
{
	/lab/ops uptime | cut -d' ' -f3
}

# created NAME CONFIG: how long zl create takes until it returns.
created()
{
	start=$(uptime_ns)
	$ZL create "$2" > /tmp/out 2>&1 || { cat /tmp/out; return 1; }
	echo "bench: $1 $(($(uptime_ns) - start))"
}

# guest_figures TYPE: what a guest of that type measures; it is left running.
guest_figures()
{
	GUEST_TYPE=$1
	begin=$(uptime_ns)
	created "$1.create-first" "$(guest_config "$1" 'memory = 256' \
		'extra = "console=hvc0 quiet jobs=ops"')"
	ok "the $1 guest has reached its init" guest_says 600 "$1" "ops: start"
	echo "bench: $1.up $(($(uptime_ns) - begin))"
	ok "the $1 guest has run the figures" guest_says 900 "$1" "ops: end"
	sed -n "s/^.*ops: \(.*\)$/bench: $1.\1/p" "$(console_log "$1")" | tr -d '\r'
}

echo "bench: free-kb $(free_kb)"
echo "bench: dom0-mb $($ZL list 0 | awk 'NR == 2 { print $3 }')"
for type in "$@"; do
	guest_figures "$type"
	$ZL destroy "$type"
	created "$type.create" "$(guest_config again 'memory = 256' \
		'extra = "console=hvc0 quiet jobs=idle"')"
	start=$(uptime_ns)
	$ZL destroy again
	echo "bench: $type.destroy $(($(uptime_ns) - start))"
done
done_testing

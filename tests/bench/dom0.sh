#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What `make bench` measures in dom0: prints "bench: NAME VALUE". Times come from `ops uptime`,
# in nanoseconds, which are instructions when the machine counts them so.

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

echo "bench: free-kb $(free_kb)"
echo "bench: dom0-mb $($ZL list 0 | awk 'NR == 2 { print $3 }')"
created create-first "$(guest_config one 'memory = 256' 'extra = "console=hvc0 quiet jobs=ops"')"
ok "the guest has run the figures" guest_says 200 one "ops: end"
sed -n 's/^.*ops: \(.*\)$/bench: \1/p' "$(console_log one)" | tr -d '\r'
$ZL destroy one
created create "$(guest_config two 'memory = 256' 'extra = "console=hvc0 quiet jobs=idle"')"
start=$(uptime_ns)
$ZL destroy two
echo "bench: destroy $(($(uptime_ns) - start))"
done_testing

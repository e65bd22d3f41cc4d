#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# One guest goes wrong: its kernel panics, it faults with no handler, it loops for ever with its
# events masked. It is recorded as crashed, or just uses its share; dom0 and the other guests keep
# their share of the CPUs and their answers, and destroying it gives everything back.
#
# seconds: 400
# lab: -m 4G

. /lab/lib.sh

state_of()
{
	$ZL list "$1" | awk 'NR == 2 { print $5 }'
}

is_crashed()
{
	case $(state_of "$1") in *c*) return 0 ;; esac
	return 1
}

neighbour_answers()
{
	ping -c 3 -W 5 10.9.0.2 > /tmp/ping && grep -q ' 0% packet loss' /tmp/ping
}

# CPU time used by a guest, in tenths of a second.
cpu_tenths()
{
	$ZL list "$1" | awk 'NR == 2 { printf "%d", $6 * 10 }'
}

tiny_create()
{
	_config=$(guest_config "$1" "kernel = \"/lab/tiny/$2\"" "ramdisk = none" 'memory = 32' \
		'on_crash = "preserve"' "${3:-vcpus = 1}")
	sed -i '/^ramdisk/d' "$_config"
	$ZL create "$_config"
}

bridge_make
before=$(free_kb)
ok "a neighbour" $ZL create "$(guest_config near 'vif = [ "bridge=br0" ]' \
	'extra = "console=hvc0 jobs=net addr=10.9.0.2 peer=10.9.0.1"')"
ok "the neighbour has its network" guest_says 90 near "net done"
alone=$(free_kb)

# A kernel panic.
$ZL create "$(guest_config panic 'on_crash = "preserve"' 'memory = 128' \
	'extra = "console=hvc0 jobs=crash"')"
ok "a guest whose kernel panics is recorded as crashed" wait_until 60 is_crashed panic
ok "its console holds the kernel's last words" guest_said panic "Kernel panic"
ok "the neighbour answers" neighbour_answers
ok "the crashed guest is destroyed" $ZL destroy panic
$ZL create "$(guest_config panic 'on_crash = "destroy"' 'memory = 128' \
	'extra = "console=hvc0 jobs=crash"')"
ok "with on_crash = destroy it goes by itself" wait_until 60 guest_gone panic
ok "the memory of both is back" memory_is "$alone"

# A fault that nothing handles.
ok "a guest that faults at once can be created" tiny_create fault fault
ok "it is recorded as crashed" wait_until 20 is_crashed fault
[ $ZL = xl ] || ok "zl shows why" sh -c "zl list --json fault | grep -qi 'reason'"
ok "the neighbour answers" neighbour_answers
ok "it is destroyed" $ZL destroy fault
ok "its memory is back" memory_is "$alone"

# Endless loops with events masked: one more than there are CPUs.
for n in 1 2 3; do
	ok "spinning guest $n" tiny_create "spin$n" spin
done
sleep 2
ok "the neighbour answers beside three that spin" neighbour_answers
start=$(cut -d. -f1 /proc/uptime)
ok "dom0 works beside them" $ZL list
ok "and not slowly" [ $(($(cut -d. -f1 /proc/uptime) - start)) -le 10 ]
a=$(cpu_tenths spin1)
sleep 15
b=$(cpu_tenths spin1)
note "spin1 had $(((b - a) * 10 / 15)) % of a CPU"
ok "each spinning guest has its share" [ $((b - a)) -ge 50 ] && [ $((b - a)) -le 140 ]
ok "a guest can be created beside them" $ZL create "$(guest_config late 'memory = 128')"
ok "and comes up" guest_says 120 late "guest: ready"
for name in spin1 spin2 spin3 late near; do
	ok "destroy $name" $ZL destroy $name
done
ok "all memory is back" memory_is "$before"
done_testing

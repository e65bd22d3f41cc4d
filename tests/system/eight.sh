#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Eight guests at once on two CPUs: all come up, all have network, each answers for itself, and
# all the memory comes back when they go.
#
# seconds: 400
# lab: -m 4G

. /lab/lib.sh

create_all()
{
	for n in 1 2 3 4 5 6 7 8; do
		$ZL create "$(guest_config "e$n" 'memory = 128' 'vif = [ "bridge=br0" ]' \
			"extra = \"console=hvc0 jobs=net addr=10.9.0.1$n peer=10.9.0.1\"")" || return 1
	done
}

bridge_make
before=$(free_kb)
ok "eight guests are created" create_all
for n in 1 2 3 4 5 6 7 8; do
	ok "e$n has its network" guest_says 150 "e$n" "net done"
done
for n in 1 2 3 4 5 6 7 8; do
	ok "e$n answers" ping -c 1 -W 10 "10.9.0.1$n"
done
ok "all eight are listed" [ "$($ZL list | grep -c '^e[1-8] ')" = 8 ]
for n in 1 2 3 4; do
	$ZL shutdown "e$n"
done
for n in 1 2 3 4; do
	ok "e$n shuts down" wait_until 60 guest_gone "e$n"
done
for n in 5 6 7 8; do
	ok "e$n is destroyed" $ZL destroy "e$n"
done
ok "no memory is lost" memory_is "$before"
ok "nothing is left in the store" store_is_clean
done_testing

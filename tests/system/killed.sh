#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# zl create is killed (SIGKILL) at many moments of its life. Whatever it leaves, `zl destroy` or
# the next create cleans: no domain, no page, no store entry stays.
#
# seconds: 500
# lab: -m 4G --disk virtio:@64

. /lab/lib.sh

config=$(guest_config victim 'memory = 128' 'vif = [ "bridge=br0" ]' \
	'disk = [ "format=raw,vdev=xvda,access=rw,target=/dev/vda" ]')

milliseconds()
{
	awk '{ printf "%d", $1 * 1000 }' /proc/uptime
}

# kill_after MS: a create that is killed so long after its start.
kill_after()
{
	$ZL create "$config" > /tmp/out 2>&1 &
	pid=$!
	usleep $(($1 * 1000))
	kill -9 $pid 2> /dev/null
	wait $pid 2> /dev/null
}

cleaned_by_destroy()
{
	$ZL destroy victim > /tmp/destroy 2>&1
	[ "$($ZL list | wc -l)" = 2 ]
}

create_anew()
{
	if guest_exists victim; then
		$ZL destroy victim > /tmp/destroy 2>&1
	fi
	$ZL create "$config" > /tmp/out 2>&1
}

# Killed when it had just given its supervisor the word to start, the domain comes to be all the
# same, perhaps only after it was looked for: then it has to be there, and a second try works.
cleaned_by_create()
{
	create_anew || { guest_exists victim && create_anew; } || { cat /tmp/out; return 1; }
	$ZL destroy victim
}

bridge_make
# One quiet life first: what the kernel allocates once is then there.
$ZL create "$config"
$ZL destroy victim
sleep 2
before=$(free_kb)
start=$(milliseconds)
ok "one undisturbed create" $ZL create "$config"
span=$(($(milliseconds) - start))
ok "and destroy" $ZL destroy victim
ok "leave no trace" memory_is "$before"
note "a create takes $span ms"

moments=24
for n in $(seq 0 $moments); do
	at=$((span * n / moments))
	kill_after $at
	if [ $((n % 2)) = 0 ]; then
		ok "killed after $at ms: destroy cleans" cleaned_by_destroy || cat /tmp/destroy
	else
		ok "killed after $at ms: the next create works" cleaned_by_create
	fi
	ok "killed after $at ms: no memory is lost" memory_is "$before"
	ok "killed after $at ms: nothing is left in the store" store_is_clean
done
done_testing

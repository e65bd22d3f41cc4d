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

for path in /lab/guests/*.elf; do
	attack "$(basename "$path" .elf)" "$before"
done
ok "the bystander never noticed" guest_exists bystander
$ZL destroy bystander
done_testing

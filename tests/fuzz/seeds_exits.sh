#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Seeds for the fuzzer of exits: one exit of each kind, as fuzz_exits' struct input holds it, with
# an instruction that causes such a one.  seeds_exits.sh FOLDER
folder=$1

bytes() {
	for byte; do
		# shellcheck disable=SC2059
		printf "\\$(printf %o "0x$byte")"
	done
}

zeros() {
	head -c "$1" /dev/zero
}

# seed NAME CODE_LOW CODE_HIGH INFO1 MODE CPL BYTES...
seed() {
	name=$1 low=$2 high=$3 info1=$4 mode=$5 cpl=$6
	shift 6
	{
		bytes "$low" "$high"
		zeros 6
		bytes "$info1"
		zeros 7
		bytes 00 30 01 00 00 00 00 00
		zeros 24
		bytes "$mode" 01 "$cpl" 00 00 01 93 93 93 93 93 93 00
		zeros $((16 + 3 + 16 + 128))
		bytes "$@"
		zeros $((16 - $#))
	} >"$folder/$name"
}

seed cr0-read 00 00 00 01 00 0f 20 c0
seed cr0-write 10 00 00 01 00 0f 22 c0
seed cr4-write 14 00 00 01 00 0f 22 e0
seed lmsw 10 00 00 01 00 0f 01 f0
seed clts 10 00 00 01 00 0f 06
seed cr0-ring3 10 00 00 01 03 0f 22 c0
seed cpuid 72 00 00 01 00 0f a2
seed rdmsr 7c 00 00 01 00 0f 32
seed wrmsr 7c 00 01 01 00 0f 30
seed hlt 78 00 00 01 00 f4
seed in 7b 00 11 01 00 ec
seed outs 7b 00 14 01 00 f3 6e
seed xsetbv 8d 00 00 01 00 0f 01 d1
seed vmmcall 81 00 00 01 00 0f 01 d9
seed vmrun 80 00 00 01 00 0f 01 d8
seed iret 74 00 00 01 00 cf
seed npf 00 84 02 01 00 88 07
seed npf-fetch 00 84 14 01 00 90
seed shutdown 7f 00 00 01 00 cc
seed smsw 00 00 00 01 00 0f 01 e0

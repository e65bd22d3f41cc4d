#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Seeds for the fuzzer of the emulator: instructions as fuzz_emulate's struct input holds them,
# once to be compared with the CPU, once as a guest's with pages of all types.  seeds_emulate.sh FOLDER
folder=$1

bytes() {
	for byte; do
		# shellcheck disable=SC2059
		printf "\\$(printf %o "0x$byte")"
	done
}

# seed NAME PORT_SIZE BYTES...
seed() {
	name=$1 port_size=$2
	shift 2
	for as_cpu in 00 01; do
		{
			bytes 00 02 00 $as_cpu "$port_size" 00
			bytes 00 01 02 00 01 02 03 04 00 00 00 02 00 00 00 00
			bytes "$@"
			head -c $((15 - $#)) /dev/zero
			bytes "$(printf %x $#)" ff ff
			head -c 200 /dev/zero | tr '\0' '\23'
		} >"$folder/$name-$as_cpu"
	done
}

seed add 00 48 01 07
seed adc 00 10 47 08
seed mov 00 8b 04 0f
seed moffs 00 a2 00 10 00 00 00 00 00 00
seed movzx 00 0f b6 07
seed movsxd 00 48 63 07
seed cmpxchg 00 f0 0f b1 0f
seed xadd 00 0f c1 07
seed bts 00 0f ab 07
seed btc 00 0f ba 3f 05
seed test 00 f7 07 01 02 03 04
seed neg 00 f6 1f
seed dec 00 fe 0f
seed xchg 00 87 07
seed movs 00 f3 48 a5
seed stos 00 f3 aa
seed scas 00 f2 ae
seed cmps 00 f3 a6
seed lods 00 ad
seed ins 02 f3 66 6d
seed outs 03 f3 6f

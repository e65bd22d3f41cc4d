#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Turns `nm -n` of the first link into the table that backtraces search:
# 32-bit offsets from IMAGE_START in ascending order, then the names.
awk '
BEGIN { n = 0 }
$2 ~ /^[tT]$/ && $3 !~ /^\./ && $3 !~ /^image_/ {
	name[n] = $3
	value[n] = substr($1, 9)
	n++
}
END {
	print "\t.section .symbols,\"a\",@progbits"
	print "\t.globl symbol_count, symbol_offsets, symbol_names"
	print "\t.hidden symbol_count, symbol_offsets, symbol_names"
	print "\t.balign 4\nsymbol_count:\n\t.long " n + 0
	print "symbol_offsets:"
	for (i = 0; i < n; i++)
		print "\t.long 0x" value[i]
	print "symbol_names:"
	for (i = 0; i < n; i++)
		print "\t.asciz \"" name[i] "\""
	print "\t.byte 0"
	print "\t.section .note.GNU-stack,\"\",@progbits"
}'

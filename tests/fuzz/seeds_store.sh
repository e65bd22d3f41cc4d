#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Seeds for the fuzzer of the store's wire format: seeds_store.sh FOLDER
# In a step: \0, who (0 dom0, 1 and 2 guests, \200 in the transaction), type, length, body.
cd "$1" || exit 1
{
	printf '\0\1\13\010\363\0hi'                 # guest 1 writes data/x
	printf '\0\1\4\012data\0tok\0\0'             # watches it
	printf '\0\0\13\031/local/domain/1/data/x\0v2' # dom0 changes it
	printf '\0\2\2\027/local/domain/1/data/x\0'  # guest 2 reads it
	printf '\0\1\1\005data\0'                    # list
	printf '\0\1\3\005data\0'                    # permissions
	printf '\0\1\16\013data\0n1\0r2\0'           # set
	printf '\0\1\15\005data\0'                   # remove
} >nodes
{
	printf '\0\1\6\1\0'                          # transaction
	printf '\0\201\13\006abc\0hi'
	printf '\0\0\13\026/local/domain/1/abc\0hi'
	printf '\0\201\7\2T\0'
	printf '\0\1\6\1\0\0\201\14\004new\0\0\201\7\2T\0'
} >transaction
{
	printf '\0\0\10\006\062\0\061\0\061\0'       # introduce, release, target ...
	printf '\0\0\11\2\062\0\0\0\21\2\062\0\0\0\12\2\062\0'
	printf '\0\0\23\4\061\0\062\0\0\0\0\005help\0\0\0\0\006quota\0\0\0\25\1\0'
	printf '\0\0\16\024@releaseDomain\0n0\0r1\0'
	printf '\0\0\26\005/\0\060\0\0'
} >domains
{
	printf '\1\4\022\2\0\0\0\7\0\0\0\0\0\0\0\2\0\0\0x\0'
	printf '\1\4\031\13\0\0\0\7\0\0\0\0\0\0\0\010\0\0\0data/x\0z'
	printf '\1\4\025\4\0\0\0\7\0\0\0\0\0\0\0\005\0\0\0a\0tk\0'
} >ring

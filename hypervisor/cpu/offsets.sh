#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Turns the "->NAME value" lines of offsets.c's assembly into #defines.
echo "/* Generated: structure offsets for assembly. */"
sed -n 's/^.*->\([A-Z0-9_]*\) \$*\([-0-9]*\).*$/#define \1 \2/p' "$1"

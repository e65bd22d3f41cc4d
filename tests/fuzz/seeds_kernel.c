/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeds for the kernel-image fuzzer: the kernels that the unit tests make.
 *
 * Also: tests/unit/builder/fixture.c
 * Libs: -lz -llzma -lzstd -llz4 -lbz2 -llzo2
 */
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	for (unsigned int i = 0;; i++) {
		char path[4096];
		const char *name;
		struct image image = fixture_seed(i, &name);
		FILE *file;

		if (!name)
			return 0;
		snprintf(path, sizeof(path), "%s/%s", argv[1], name);
		file = fopen(path, "w");
		if (!file || fwrite(image.data, 1, image.size, file) != image.size || fclose(file))
			return 1;
		free(image.data);
	}
}

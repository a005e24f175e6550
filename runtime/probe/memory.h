/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_MEMORY_H
#define TIDEGATE_MEMORY_H

#include <stdint.h>

#include "serve.h"

/* What a program remembers from one packet to the next, in a map with values for each CPU. */
struct memory {
	int map;
	uint32_t entries;
	uint32_t size;		/* of a value, in multiples of 8 */
	uint32_t kept;		/* from this byte of a value on it is not forgotten */
	int cpus;
	char *values;		/* those of an entry */
};

/* Opens the map that is pinned there; `kept` says what is not forgotten. Each of them returns 0, or what fail() returned. */
int open_memory(const char *path, uint32_t kept, struct memory *memory, struct answer *answer);

int forget(const struct memory *memory, struct answer *answer);

void close_memory(const struct memory *memory);

#endif

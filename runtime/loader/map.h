/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_MAP_H
#define TIDEGATE_MAP_H

#include <bpf/bpf.h>

#include "serve.h"

struct map {
	int fd;
	struct bpf_map_info info;
};

/* A pinned map, to be closed by its fd. Returns 0, or what fail() returned. */
int map_open(const char *path, struct map *map, struct answer *answer);

#endif

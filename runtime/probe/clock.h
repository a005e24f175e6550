/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_CLOCK_H
#define TIDEGATE_CLOCK_H

#include <stdint.h>

#include "serve.h"

/* What a program under test takes for the time. */
struct clock {
	int map;
	volatile uint64_t *page; /* the map's value, or NULL where it cannot be mapped */
};

/* Opens the map that is pinned there. Each of them returns 0, or what fail() returned. */
int open_clock(const char *path, struct clock *clock, struct answer *answer);

int set_clock(const struct clock *clock, uint64_t now, struct answer *answer);

void close_clock(const struct clock *clock);

#endif

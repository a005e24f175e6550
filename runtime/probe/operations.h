/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_OPERATIONS_H
#define TIDEGATE_OPERATIONS_H

#include <stdbool.h>

#include "serve.h"

/* One table a file; arguments and results stand above each operation. */
extern const struct operation nft_operations[];
extern const struct operation xdp_operations[];

/* Walks a batch of `[u64 clock] | u32 length | bytes`, little-endian. */
struct batch {
	const char *data;
	uint32_t left;
	bool timed;
};

struct packet {
	const char *data;
	uint32_t size;
	uint64_t clock;
};

/* Counts the batch's packets. Returns 0, or what fail() returned if the batch is cut short. */
int batch_count(struct batch batch, uint32_t *count, struct answer *answer);

/* Takes the next packet of a batch that batch_count() has accepted. */
struct packet batch_next(struct batch *batch);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_SERVE_H
#define TIDEGATE_SERVE_H

#include <stdint.h>

#include "answer.h"
#include "frame.h"

/* A request's arguments; their number and, for text, the absence of NULs are already checked. */
struct request {
	uint32_t count;
	const struct field *arguments;
};

struct operation {
	const char *name;
	uint32_t min_arguments;
	uint32_t max_arguments;
	/* Bit i: argument i may hold any bytes; all others are text. */
	uint32_t binary;
	/* Returns 0 with results added to the answer, or what fail() returned. */
	int (*run)(const struct request *request, struct answer *answer);
};

/*
 * Answers requests from stdin on stdout until stdin ends. Each of the NULL-terminated groups is an
 * array of operations that ends with a NULL name. Returns the process's exit status.
 */
int serve(const struct operation *const groups[]);

/*
 * The same between two descriptors. Returns 0 when the stream ends, or -1 when it cannot be followed
 * any longer.
 */
int serve_stream(const struct operation *const groups[], int in, int out);

/* Answers one request. Returns 1 if another may follow, 0 at the end, -1 where the end is lost. */
int serve_one(const struct operation *const groups[], int in, int out);

static inline const char *request_text(const struct request *request, uint32_t index)
{
	return request->arguments[index].data;
}

/* Reads a decimal argument. Returns 0, or what fail() returned. */
int request_u32(const struct request *request, uint32_t index, uint32_t *number,
		struct answer *answer);
int request_u64(const struct request *request, uint32_t index, uint64_t *number,
		struct answer *answer);

#endif

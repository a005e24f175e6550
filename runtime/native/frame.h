/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_FRAME_H
#define TIDEGATE_FRAME_H

#include <stdint.h>

/*
 * The wire format, little-endian:
 *
 *	u32 length of the rest | u32 count | count * (u32 length, bytes)
 *
 * runtime/frame.ts is the other half.
 */

#define FRAME_MAX (64u * 1024 * 1024)
#define FIELDS_MAX 256

/* Bytes behind their end are a NUL, so that text fields are C strings. */
struct field {
	char *data;
	uint32_t size;
};

struct frame {
	char *buffer;
	uint32_t count;
	struct field fields[FIELDS_MAX];
};

enum frame_status {
	FRAME_READ,
	FRAME_END,	 /* the peer closed the stream between two frames */
	FRAME_MALFORMED, /* a bad frame, but its end is known: the next can be read */
	FRAME_LOST,	 /* the stream cannot be followed any longer */
};

/* Reads one frame; free it with frame_free() whatever the status. */
enum frame_status frame_read(int fd, struct frame *frame);
void frame_free(struct frame *frame);

/* Writes all bytes. Returns 0, or -1 with errno set. */
int write_all(int fd, const void *data, size_t size);

#endif

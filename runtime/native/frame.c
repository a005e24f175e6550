// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

#define WORD sizeof(uint32_t)

static uint32_t read_word(const char *data)
{
	uint32_t word;

	memcpy(&word, data, WORD);
	return le32toh(word);
}

/* Returns the number of bytes read: less than size only at the end of the stream, -1 on errors. */
static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd, data + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += got;
	}
	return done;
}

static enum frame_status split(struct frame *frame, uint32_t size)
{
	uint32_t offset = WORD;

	if (size < WORD)
		return FRAME_MALFORMED;
	frame->count = read_word(frame->buffer);
	if (frame->count > FIELDS_MAX)
		return FRAME_MALFORMED;
	for (uint32_t i = 0; i < frame->count; i++) {
		struct field *field = &frame->fields[i];

		if (size - offset < WORD)
			return FRAME_MALFORMED;
		field->size = read_word(frame->buffer + offset);
		offset += WORD;
		if (size - offset < field->size)
			return FRAME_MALFORMED;
		field->data = frame->buffer + offset;
		offset += field->size;
	}
	if (offset != size)
		return FRAME_MALFORMED;
	/* The NULs overwrite the next field's length, which is known by now. */
	for (uint32_t i = 0; i < frame->count; i++)
		frame->fields[i].data[frame->fields[i].size] = '\0';
	return FRAME_READ;
}

enum frame_status frame_read(int fd, struct frame *frame)
{
	char head[WORD];
	ssize_t got = read_all(fd, head, WORD);
	uint32_t size;

	memset(frame, 0, sizeof(*frame));
	if (got == 0)
		return FRAME_END;
	if (got != WORD)
		return FRAME_LOST;
	size = read_word(head);
	if (size > FRAME_MAX)
		return FRAME_LOST;
	frame->buffer = malloc((size_t)size + 1);
	if (!frame->buffer || read_all(fd, frame->buffer, size) != (ssize_t)size)
		return FRAME_LOST;
	return split(frame, size);
}

void frame_free(struct frame *frame)
{
	free(frame->buffer);
	memset(frame, 0, sizeof(*frame));
}

int write_all(int fd, const void *data, size_t size)
{
	const char *next = data;

	while (size > 0) {
		ssize_t put = write(fd, next, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		next += put;
		size -= put;
	}
	return 0;
}

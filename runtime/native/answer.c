// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "frame.h"
#include "messages.h"

#define WORD sizeof(uint32_t)
/* Room in front for the frame's length and field count. */
#define HEAD (2 * WORD)

void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

void *reallocate(void *old, size_t size)
{
	void *memory = realloc(old, size > 0 ? size : 1);

	if (!memory)
		die("out of memory");
	return memory;
}

void *allocate(size_t size)
{
	return reallocate(NULL, size);
}

static char *format_arguments(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		die("out of memory");
	return text;
}

char *format_text(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_arguments(format, arguments);
	va_end(arguments);
	return text;
}

static void put_word(struct answer *answer, size_t offset, uint32_t word)
{
	word = htole32(word);
	memcpy(answer->data + offset, &word, WORD);
}

static void answer_clear(struct answer *answer)
{
	answer->size = HEAD;
	answer->count = 0;
}

static void init(struct answer *answer, const char *first)
{
	memset(answer, 0, sizeof(*answer));
	answer->capacity = 4096;
	answer->data = allocate(answer->capacity);
	answer_clear(answer);
	answer_text(answer, first);
}

void answer_init(struct answer *answer)
{
	init(answer, "ok");
}

void event_init(struct answer *event)
{
	init(event, "event");
}

void answer_free(struct answer *answer)
{
	free(answer->data);
	free(answer->failure);
}

void *answer_reserve(struct answer *answer, size_t size)
{
	size_t start = answer->size + WORD;
	size_t end = start + size;

	if (size > UINT32_MAX)
		die("a result of %zu bytes", size);
	if (end > answer->capacity) {
		answer->capacity = 2 * end;
		answer->data = reallocate(answer->data, answer->capacity);
	}
	put_word(answer, answer->size, size);
	answer->size = end;
	answer->count++;
	return answer->data + start;
}

void answer_bytes(struct answer *answer, const void *data, size_t size)
{
	void *place = answer_reserve(answer, size);

	if (size > 0)
		memcpy(place, data, size);
}

void answer_text(struct answer *answer, const char *text)
{
	answer_bytes(answer, text, strlen(text));
}

void answer_number(struct answer *answer, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	answer_text(answer, text);
}

int fail(struct answer *answer, int error, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_arguments(format, arguments);
	va_end(arguments);
	free(answer->failure);
	answer->failure = error ? format_text("%s: %s", text, strerror(error)) :
				  format_text("%s", text);
	answer->error = error;
	free(text);
	return -1;
}

/* Replaces the results by the failure and what the libraries said about it. */
static void answer_failure(struct answer *answer)
{
	const char *messages = messages_text();
	char *text = format_text("%s%s%s", answer->failure, *messages ? "\n" : "", messages);

	answer_clear(answer);
	answer_text(answer, "error");
	answer_text(answer, text);
	answer_number(answer, answer->error);
	free(text);
}

int answer_send(struct answer *answer, int fd)
{
	if (!answer->failure && answer->size - WORD > FRAME_MAX)
		fail(answer, EMSGSIZE, "the answer has %zu bytes", answer->size);
	if (answer->failure)
		answer_failure(answer);
	put_word(answer, 0, answer->size - WORD);
	put_word(answer, WORD, answer->count);
	return write_all(fd, answer->data, answer->size);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_ANSWER_H
#define TIDEGATE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

/* What an operation answers: results, or one failure, which takes precedence. */
struct answer {
	char *data;
	size_t size;
	size_t capacity;
	uint32_t count;
	char *failure;
	int error;
};

void answer_init(struct answer *answer);
/* Of what nobody has asked for at this moment: sent between answers, it belongs to no request. */
void event_init(struct answer *event);
void answer_free(struct answer *answer);

/* Adds a result. */
void answer_bytes(struct answer *answer, const void *data, size_t size);
void answer_text(struct answer *answer, const char *text);
void answer_number(struct answer *answer, uint64_t number);

/*
 * Adds a result of `size` bytes for the caller to fill; the pointer is valid until the next call.
 */
void *answer_reserve(struct answer *answer, size_t size);

/*
 * Records why the operation failed; `error` is an errno, or 0 where there is none. Its text is
 * added to the message. Returns -1, so that operations can return the call's value.
 */
int fail(struct answer *answer, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sends the answer as a frame. Returns 0, or -1 with errno set. */
int answer_send(struct answer *answer, int fd);

/* Never return NULL: without memory the process ends, and with it all that is not pinned. */
void *allocate(size_t size);
void *reallocate(void *old, size_t size);
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes fatal words to stderr and ends the process. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif

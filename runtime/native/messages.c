// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "messages.h"

/* The end is kept: a verifier log names the reason in its last lines. */
#define MESSAGES_MAX (512 * 1024)

static char messages[MESSAGES_MAX + 1];
static size_t length;

static void append(const char *text, size_t size)
{
	if (size > MESSAGES_MAX) {
		text += size - MESSAGES_MAX;
		size = MESSAGES_MAX;
	}
	if (length + size > MESSAGES_MAX) {
		size_t excess = length + size - MESSAGES_MAX;

		memmove(messages, messages + excess, length - excess);
		length -= excess;
	}
	memcpy(messages + length, text, size);
	length += size;
	messages[length] = '\0';
}

static __attribute__((format(printf, 2, 0))) int
listen_to_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *text;
	int size;

	if (level != LIBBPF_WARN)
		return 0;
	size = vasprintf(&text, format, arguments);
	if (size < 0)
		die("out of memory");
	append(text, size);
	free(text);
	return size;
}

void messages_begin(void)
{
	length = 0;
	messages[0] = '\0';
	libbpf_set_print(listen_to_libbpf);
}

const char *messages_text(void)
{
	while (length > 0 && messages[length - 1] == '\n')
		messages[--length] = '\0';
	return messages;
}

// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "messages.h"
#include "serve.h"

int request_u64(const struct request *request, uint32_t index, uint64_t *number,
		struct answer *answer)
{
	const char *text = request_text(request, index);
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	/* strtoull() itself takes blanks and signs. */
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno)
		return fail(answer, EINVAL, "argument %u is not a number: %s", index + 1, text);
	return 0;
}

int request_u32(const struct request *request, uint32_t index, uint32_t *number,
		struct answer *answer)
{
	uint64_t wide;

	if (request_u64(request, index, &wide, answer))
		return -1;
	if (wide > UINT32_MAX)
		return fail(answer, ERANGE, "argument %u is too large", index + 1);
	*number = wide;
	return 0;
}

static const struct operation *find(const struct operation *const groups[],
				    const struct field *name)
{
	for (; *groups; groups++) {
		for (const struct operation *operation = *groups; operation->name; operation++) {
			if (strlen(operation->name) == name->size &&
			    memcmp(operation->name, name->data, name->size) == 0)
				return operation;
		}
	}
	return NULL;
}

static int check_arguments(const struct operation *operation, const struct request *request,
			   struct answer *answer)
{
	if (request->count < operation->min_arguments || request->count > operation->max_arguments)
		return fail(answer, EINVAL, "%s with %u arguments", operation->name,
			    request->count);
	for (uint32_t i = 0; i < request->count; i++) {
		const struct field *argument = &request->arguments[i];
		int is_binary = i < 32 && (operation->binary & (1u << i));

		if (!is_binary && memchr(argument->data, '\0', argument->size))
			return fail(answer, EINVAL, "argument %u of %s holds a NUL", i + 1,
				    operation->name);
	}
	return 0;
}

static int dispatch(const struct operation *const groups[], const struct frame *frame,
		    struct answer *answer)
{
	const struct operation *operation;
	struct request request;

	if (frame->count == 0)
		return fail(answer, EBADMSG, "a request without an operation");
	operation = find(groups, &frame->fields[0]);
	if (!operation)
		return fail(answer, ENOSYS, "unknown operation %s", frame->fields[0].data);
	request.count = frame->count - 1;
	request.arguments = frame->fields + 1;
	if (check_arguments(operation, &request, answer))
		return -1;
	return operation->run(&request, answer);
}

int serve_one(const struct operation *const groups[], int in, int out)
{
	struct frame frame;
	struct answer answer;
	enum frame_status status = frame_read(in, &frame);

	if (status == FRAME_END)
		return 0;
	answer_init(&answer);
	messages_begin();
	if (status == FRAME_READ)
		dispatch(groups, &frame, &answer);
	else
		fail(&answer, EBADMSG, "a malformed request");
	frame_free(&frame);
	if (answer_send(&answer, out))
		die("cannot answer: %s", strerror(errno));
	answer_free(&answer);
	return status == FRAME_LOST ? -1 : 1;
}

int serve_stream(const struct operation *const groups[], int in, int out)
{
	int more;

	do
		more = serve_one(groups, in, out);
	while (more > 0);
	return more;
}

int serve(const struct operation *const groups[])
{
	/*
	 * Ctrl-C reaches the whole process group, but whether to stop is the runtime's decision: it
	 * may still need us to undo. We end when our standard input does.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (serve_stream(groups, STDIN_FILENO, STDOUT_FILENO))
		die("the request stream is broken");
	return EXIT_SUCCESS;
}

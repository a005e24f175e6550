// SPDX-License-Identifier: Apache-2.0
/*
 * What libFuzzer runs: the bytes are what a native program reads from its standard input. All of the
 * program is the real one, but for the kernel and the libraries below it (pretend.c).
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PRETEND_ITSELF
#include "frame.h"
#include "pretend.h"
#include "serve.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The program's main(), under another name, and the serve() that it calls (Makefile). */
int program_main(void);
int program_serve(const struct operation *const groups[]);

static const struct operation *const *operations;
static int requests;
static int answers;

static int make_file(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static void fill(int fd, const void *data, size_t size)
{
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) < 0 || write_all(fd, data, size) ||
	    lseek(fd, 0, SEEK_SET) < 0)
		abort();
}

static void __attribute__((noreturn)) wrong(const char *what)
{
	fprintf(stderr, "wrong: %s\n", what);
	abort();
}

static int is(const struct field *field, const char *text)
{
	return field->size == strlen(text) && memcmp(field->data, text, field->size) == 0;
}

static void check_answer(const struct frame *frame)
{
	if (frame->count == 0)
		wrong("an answer without a word");
	if (is(&frame->fields[0], "ok"))
		return;
	if (!is(&frame->fields[0], "error") || frame->count != 3 || frame->fields[1].size == 0)
		wrong("an answer that is neither a result nor an error");
}

/* Every answer can be read by whoever asked. */
static void check_answers(void)
{
	enum frame_status status;
	struct frame frame;

	if (lseek(answers, 0, SEEK_SET) < 0)
		abort();
	while ((status = frame_read(answers, &frame)) == FRAME_READ) {
		check_answer(&frame);
		frame_free(&frame);
	}
	frame_free(&frame);
	if (status != FRAME_END)
		wrong("an answer that is no frame");
}

static int lowest_free_descriptor(void)
{
	int fd = dup(requests);

	close(fd);
	return fd;
}

int program_serve(const struct operation *const groups[])
{
	operations = groups;
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* What is not pretended has no network to do harm to; who may not make one may not change any. */
	if (unshare(CLONE_NEWNET) && geteuid() == 0)
		abort();
	if (program_main())
		abort();
	requests = make_file();
	answers = make_file();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int free_before = lowest_free_descriptor();

	fill(requests, data, size);
	fill(answers, NULL, 0);
	pretend_begin(data, size);
	serve_stream(operations, requests, answers);
	pretend_end();
	check_answers();
	if (lowest_free_descriptor() != free_before)
		wrong("a descriptor that nobody closes");
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "operations.h"
#include "pin.h"
#include "world.h"

static int test_run(int program, const struct packet *packet, uint32_t index,
		    struct bpf_test_run_opts *options, struct answer *answer)
{
	options->data_in = packet->data;
	options->data_size_in = packet->size;
	if (packet->size < ETH_HLEN)
		return fail(answer, EINVAL, "packet %u is shorter than an Ethernet header", index);
	if (bpf_prog_test_run_opts(program, options))
		return fail(answer, errno, "cannot run packet %u of %u bytes", index, packet->size);
	return 0;
}

static int run_packet(int program, const struct packet *packet, uint32_t index, uint32_t *action,
		      struct answer *answer)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = 1);

	if (test_run(program, packet, index, &options, answer))
		return -1;
	*action = htole32(options.retval);
	return 0;
}

/* Runs a batch; with a clock (not NULL) sets it before each packet. */
static int run_batch(int program, const struct clock *clock, struct batch batch, struct answer *answer)
{
	uint32_t count, *actions;

	if (batch_count(batch, &count, answer))
		return -1;
	actions = allocate(count * sizeof(*actions));
	for (uint32_t i = 0; i < count; i++) {
		struct packet packet = batch_next(&batch);

		if ((clock && set_clock(clock, packet.clock, answer)) ||
		    run_packet(program, &packet, i, &actions[i], answer)) {
			free(actions);
			return -1;
		}
	}
	answer_bytes(answer, actions, count * sizeof(*actions));
	free(actions);
	return 0;
}

/* xdp.run PROGRAM BATCH -> a u32 action a packet */
static int run(const struct request *request, struct answer *answer)
{
	const struct field *bytes = &request->arguments[1];
	struct batch batch = { .data = bytes->data, .left = bytes->size };
	int program = pin_open(request_text(request, 0), PIN_PROGRAM, answer);
	int status;

	if (program < 0)
		return -1;
	status = run_batch(program, NULL, batch, answer);
	close(program);
	return status;
}

/* Room for headers that a program puts before a packet, and no more than the kernel gives back. */
#define HEADERS_MAX 256

/* Frames as programs left them: each a u32 action, a u32 size, and the bytes. */
struct frames {
	char *data;
	uint32_t size;
	uint32_t capacity;
};

static void frames_reserve(struct frames *frames, uint32_t more)
{
	if (frames->size + more <= frames->capacity)
		return;
	frames->capacity = 2 * (frames->size + more);
	frames->data = reallocate(frames->data, frames->capacity);
}

static int run_for_frame(int program, const struct packet *packet, uint32_t index, struct frames *frames,
			 struct answer *answer)
{
	const uint32_t room = packet->size + HEADERS_MAX;
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = 1, .data_size_out = room);
	uint32_t head[2];

	frames_reserve(frames, sizeof(head) + room);
	options.data_out = frames->data + frames->size + sizeof(head);
	if (test_run(program, packet, index, &options, answer))
		return -1;
	head[0] = htole32(options.retval);
	head[1] = htole32(options.data_size_out);
	memcpy(frames->data + frames->size, head, sizeof(head));
	frames->size += sizeof(head) + options.data_size_out;
	return 0;
}

static int follow(int program, const struct clock *clock, const struct memory *memory,
		  struct batch batch, struct answer *answer)
{
	struct frames frames = { 0 };
	uint32_t count;
	int status = batch_count(batch, &count, answer);

	for (uint32_t i = 0; !status && i < count; i++) {
		struct packet packet = batch_next(&batch);

		status = clock ? set_clock(clock, packet.clock, answer) : forget(memory, answer);
		if (!status)
			status = run_for_frame(program, &packet, i, &frames, answer);
	}
	if (!status)
		answer_bytes(answer, frames.data, frames.size);
	free(frames.data);
	return status;
}

static int run_frames_of(int program, const struct clock *clock, struct batch batch, struct answer *answer)
{
	return follow(program, clock, NULL, batch, answer);
}

typedef int batch_work(int program, const struct clock *clock, struct batch batch, struct answer *answer);

/* Arguments PROGRAM CLOCK BATCH, of which each packet says its time. */
static int with_clock(const struct request *request, batch_work *work, struct answer *answer)
{
	const struct field *bytes = &request->arguments[2];
	struct batch batch = { .data = bytes->data, .left = bytes->size, .timed = true };
	struct clock clock;
	int program, status;

	if (open_clock(request_text(request, 1), &clock, answer))
		return -1;
	program = pin_open(request_text(request, 0), PIN_PROGRAM, answer);
	status = program < 0 ? -1 : work(program, &clock, batch, answer);
	if (program >= 0)
		close(program);
	close_clock(&clock);
	return status;
}

/* xdp.run-timed PROGRAM CLOCK BATCH -> a u32 action a packet */
static int run_timed(const struct request *request, struct answer *answer)
{
	return with_clock(request, run_batch, answer);
}

/* xdp.run-frames PROGRAM CLOCK BATCH -> for each packet a u32 action, a u32 size, and the frame as the program left it */
static int run_frames(const struct request *request, struct answer *answer)
{
	return with_clock(request, run_frames_of, answer);
}

/* xdp.run-fresh PROGRAM MAP KEPT BATCH -> as xdp.run-frames; before each packet the map is forgotten up to KEPT */
static int run_fresh(const struct request *request, struct answer *answer)
{
	const struct field *bytes = &request->arguments[3];
	struct batch batch = { .data = bytes->data, .left = bytes->size };
	struct memory memory;
	uint32_t kept;
	int program, status;

	if (request_u32(request, 2, &kept, answer) ||
	    open_memory(request_text(request, 1), kept, &memory, answer))
		return -1;
	program = pin_open(request_text(request, 0), PIN_PROGRAM, answer);
	status = program < 0 ? -1 : follow(program, NULL, &memory, batch, answer);
	if (program >= 0)
		close(program);
	close_memory(&memory);
	return status;
}

static int compare_times(const void *a, const void *b)
{
	const uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return (one > other) - (one < other);
}

/* The median of `count` test runs of one repetition each. */
static int time_singly(int program, const struct packet *packet, uint32_t index, uint32_t count,
		       uint32_t *time, struct answer *answer)
{
	uint32_t *times = allocate(count * sizeof(*times));

	for (uint32_t i = 0; i < count; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = 1);

		if (test_run(program, packet, index, &options, answer)) {
			free(times);
			return -1;
		}
		times[i] = options.duration;
	}
	qsort(times, count, sizeof(*times), compare_times);
	*time = times[count / 2];
	free(times);
	return 0;
}

/* The mean of one test run's `count` repetitions. */
static int time_looped(int program, const struct packet *packet, uint32_t index, uint32_t count,
		       uint32_t *time, struct answer *answer)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = count);

	if (test_run(program, packet, index, &options, answer))
		return -1;
	*time = options.duration;
	return 0;
}

typedef int time_packet(int program, const struct packet *packet, uint32_t index, uint32_t count,
			uint32_t *time, struct answer *answer);

static int time_batch(int program, time_packet *measure, uint32_t repeat, struct batch batch,
		      struct answer *answer)
{
	uint32_t count, *times;

	if (batch_count(batch, &count, answer))
		return -1;
	times = allocate(count * sizeof(*times));
	for (uint32_t i = 0; i < count; i++) {
		struct packet packet = batch_next(&batch);

		if (measure(program, &packet, i, repeat, &times[i], answer)) {
			free(times);
			return -1;
		}
		times[i] = htole32(times[i]);
	}
	answer_bytes(answer, times, count * sizeof(*times));
	free(times);
	return 0;
}

/* Each of so many runs has its time kept. */
#define REPEAT_MAX 1000000

/* Arguments: PROGRAM REPEAT BATCH */
static int open_timed(const struct request *request, uint32_t *repeat, struct answer *answer)
{
	if (request_u32(request, 1, repeat, answer))
		return -1;
	if (*repeat == 0 || *repeat > REPEAT_MAX)
		return fail(answer, EINVAL, "a packet cannot be run %u times", *repeat);
	return pin_open(request_text(request, 0), PIN_PROGRAM, answer);
}

/* xdp.time PROGRAM REPEAT BATCH -> a u32 a packet: nanoseconds, the median of single test runs */
static int time_single_runs(const struct request *request, struct answer *answer)
{
	const struct field *bytes = &request->arguments[2];
	struct batch batch = { .data = bytes->data, .left = bytes->size };
	uint32_t repeat;
	int program = open_timed(request, &repeat, answer);
	int status;

	if (program < 0)
		return -1;
	status = time_batch(program, time_singly, repeat, batch, answer);
	close(program);
	return status;
}

/*
 * A test run with repetitions calls the program by the kernel's dispatcher of XDP programs, and waits
 * tens of milliseconds for RCU to put it there and to take it out (bpf_prog_change_xdp()). One that
 * a device has is there already.
 */
static int enter_dispatcher(int program, struct answer *answer)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
	int link;

	if (world_enter(answer))
		return -1;
	link = bpf_link_create(program, if_nametoindex("lo"), BPF_XDP, &options);
	if (link < 0)
		return fail(answer, errno, "cannot attach the program to a device");
	return link;
}

/* xdp.time-loop PROGRAM REPEAT BATCH -> a u32 a packet: nanoseconds, the mean of one test run's loop */
static int time_loops(const struct request *request, struct answer *answer)
{
	const struct field *bytes = &request->arguments[2];
	struct batch batch = { .data = bytes->data, .left = bytes->size };
	uint32_t repeat;
	int program = open_timed(request, &repeat, answer);
	int link, status = -1;

	if (program < 0)
		return -1;
	link = enter_dispatcher(program, answer);
	if (link >= 0) {
		status = time_batch(program, time_looped, repeat, batch, answer);
		close(link);
	}
	close(program);
	return status;
}

/* As many as fit into the queue of a veth, four times. */
#define FLOOD_BATCH 64
#define FLOOD_MAX 100000000

/*
 * xdp.flood PROGRAM COUNT FRAME -> nanoseconds a frame. The kernel does what the program says of each, in this process, and
 * with it most of what the frames meet behind (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18).
 */
static int flood(const struct request *request, struct answer *answer)
{
	const struct field *frame = &request->arguments[2];
	LIBBPF_OPTS(bpf_test_run_opts, options, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .batch_size = FLOOD_BATCH, .data_in = frame->data, .data_size_in = frame->size);
	uint32_t count;
	int program, status = 0;

	if (request_u32(request, 1, &count, answer))
		return -1;
	if (count == 0 || count > FLOOD_MAX)
		return fail(answer, EINVAL, "cannot send %u frames", count);
	program = pin_open(request_text(request, 0), PIN_PROGRAM, answer);
	if (program < 0)
		return -1;
	options.repeat = count;
	if (bpf_prog_test_run_opts(program, &options))
		status = fail(answer, errno, "cannot send %u frames", count);
	else
		answer_number(answer, options.duration);
	close(program);
	return status;
}

/* clock.set CLOCK NANOSECONDS */
static int clock_set(const struct request *request, struct answer *answer)
{
	struct clock clock;
	uint64_t now;
	int status;

	if (request_u64(request, 1, &now, answer))
		return -1;
	if (open_clock(request_text(request, 0), &clock, answer))
		return -1;
	status = set_clock(&clock, now, answer);
	close_clock(&clock);
	return status;
}

const struct operation xdp_operations[] = {
	{ "xdp.run", 2, 2, 1u << 1, run },
	{ "xdp.run-timed", 3, 3, 1u << 2, run_timed },
	{ "xdp.run-frames", 3, 3, 1u << 2, run_frames },
	{ "xdp.run-fresh", 4, 4, 1u << 3, run_fresh },
	{ "xdp.time", 3, 3, 1u << 2, time_single_runs },
	{ "xdp.time-loop", 3, 3, 1u << 2, time_loops },
	{ "xdp.flood", 3, 3, 1u << 2, flood },
	{ "clock.set", 2, 2, 0, clock_set },
	{ 0 },
};

// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "operations.h"
#include "pin.h"

/* What a program under test takes for the time. */
struct clock {
	int map;
	volatile uint64_t *page; /* the map's value, or NULL where it cannot be mapped */
};

static int set_clock(const struct clock *clock, uint64_t now, struct answer *answer)
{
	__u32 zero = 0;

	if (clock->page)
		*clock->page = now;
	else if (bpf_map_update_elem(clock->map, &zero, &now, BPF_ANY))
		return fail(answer, errno, "cannot set the clock");
	return 0;
}

static void close_clock(const struct clock *clock)
{
	if (clock->page)
		munmap((void *)clock->page, sysconf(_SC_PAGESIZE));
	close(clock->map);
}

/* A store into a mapped page instead of a system call for each packet: that is half of a run's time. */
static void map_clock(struct clock *clock)
{
	void *page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			  clock->map, 0);

	clock->page = page == MAP_FAILED ? NULL : page;
}

/* A clock that is not one u64 would make the kernel read past `now`. */
static int open_clock(const char *path, struct clock *clock, struct answer *answer)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	clock->page = NULL;
	clock->map = pin_open(path, PIN_MAP, answer);
	if (clock->map < 0)
		return -1;
	if (bpf_obj_get_info_by_fd(clock->map, &info, &size) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.key_size != sizeof(__u32) || info.value_size != sizeof(uint64_t)) {
		close(clock->map);
		return fail(answer, EINVAL, "%s is not an array of u64", path);
	}
	if (info.map_flags & BPF_F_MMAPABLE)
		map_clock(clock);
	return 0;
}

static int run_packet(int program, const struct packet *packet, uint32_t index, uint32_t *action,
		      struct answer *answer)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->data,
		    .data_size_in = packet->size, .repeat = 1);

	if (packet->size < ETH_HLEN)
		return fail(answer, EINVAL, "packet %u is shorter than an Ethernet header", index);
	if (bpf_prog_test_run_opts(program, &options))
		return fail(answer, errno, "cannot run packet %u of %u bytes", index, packet->size);
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

/* xdp.run-timed PROGRAM CLOCK BATCH -> a u32 action a packet */
static int run_timed(const struct request *request, struct answer *answer)
{
	const struct field *bytes = &request->arguments[2];
	struct batch batch = { .data = bytes->data, .left = bytes->size, .timed = true };
	struct clock clock;
	int program, status;

	if (open_clock(request_text(request, 1), &clock, answer))
		return -1;
	program = pin_open(request_text(request, 0), PIN_PROGRAM, answer);
	if (program < 0) {
		close_clock(&clock);
		return -1;
	}
	status = run_batch(program, &clock, batch, answer);
	close(program);
	close_clock(&clock);
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
	{ "clock.set", 2, 2, 0, clock_set },
	{ 0 },
};

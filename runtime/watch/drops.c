// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "operations.h"
#include "pin.h"

#define SECOND 1000000000ULL
/* Without a sign of life for so long, the programs do nothing any more. */
#define PATIENCE (5 * SECOND)

/* Of bpf-templates/watch.bpf.c. */
struct terms {
	uint64_t until;
	uint64_t interval;
	uint64_t burst;
	uint32_t every;
	uint32_t chosen;
};

struct tally {
	uint64_t seen;
	uint64_t taken;
	uint64_t lost;
};

/* Maps of the root program's, and the programs in the order of their places in `watchers`. */
static const char *const shared[] = { "packet", "watchers", "customers_4", "customers_6" };
static const char *const programs[] = { "watch_rule", "watch_malformed", "watch_closed" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct {
	struct bpf_object *object;
	struct ring_buffer *ring;
	struct terms terms;
} watch;

static int map_fd(const char *name)
{
	return bpf_object__find_map_fd_by_name(watch.object, name);
}

static int share(const char *root, const char *name, struct answer *answer)
{
	struct bpf_map *map = bpf_object__find_map_by_name(watch.object, name);
	char *path = format_text("%s/map_%s", root, name);
	int fd = pin_open(path, PIN_MAP, answer);
	int status = fd < 0 ? -1 : 0;

	if (!status && (!map || bpf_map__reuse_fd(map, fd)))
		status = fail(answer, errno, "cannot use %s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return status;
}

static int load(const char *object, const char *root, struct answer *answer)
{
	int error;

	watch.object = bpf_object__open_file(object, NULL);
	if (!watch.object)
		return fail(answer, errno, "cannot read the BPF object %s", object);
	for (size_t i = 0; i < COUNT(shared); i++) {
		if (share(root, shared[i], answer))
			return -1;
	}
	error = bpf_object__load(watch.object);
	if (error)
		return fail(answer, -error, "the kernel does not accept %s", object);
	return 0;
}

/* Both clocks count from boot without the time asleep. */
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static int write_terms(void)
{
	const uint32_t zero = 0;

	watch.terms.until = now_ns() + PATIENCE;
	return bpf_map_update_elem(map_fd("terms"), &zero, &watch.terms, BPF_ANY);
}

static int choose(const struct field *slots, struct answer *answer)
{
	const uint8_t yes = 1;

	for (uint32_t at = 0; at + sizeof(uint32_t) <= slots->size; at += sizeof(uint32_t)) {
		uint32_t slot;

		memcpy(&slot, slots->data + at, sizeof(slot));
		if (bpf_map_update_elem(map_fd("chosen"), &slot, &yes, BPF_ANY))
			return fail(answer, errno, "cannot choose slot %u", slot);
	}
	watch.terms.chosen = slots->size > 0;
	return 0;
}

static int forward(void *context, void *data, size_t size)
{
	struct answer event;

	(void)context;
	event_init(&event);
	answer_text(&event, "drop");
	answer_bytes(&event, data, size);
	if (answer_send(&event, STDOUT_FILENO))
		die("cannot tell of a sample: %s", strerror(errno));
	answer_free(&event);
	return 0;
}

/* From here on there are samples. */
static int put_in_place(struct answer *answer)
{
	for (uint32_t place = 0; place < COUNT(programs); place++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(watch.object, programs[place]);
		int fd = bpf_program__fd(program);

		if (bpf_map_update_elem(map_fd("watchers"), &place, &fd, BPF_ANY))
			return fail(answer, errno, "cannot put %s in its place", programs[place]);
	}
	return 0;
}

static int begin(const struct request *request, struct answer *answer)
{
	if (load(request_text(request, 0), request_text(request, 1), answer) ||
	    choose(&request->arguments[4], answer))
		return -1;
	watch.ring = ring_buffer__new(map_fd("samples"), forward, NULL, NULL);
	if (!watch.ring)
		return fail(answer, errno, "cannot read the ring buffer");
	if (write_terms())
		return fail(answer, errno, "cannot say what to sample");
	return put_in_place(answer);
}

/*
 * drops.watch OBJECT ROOT EVERY PER-SECOND SLOTS: of so many drops one, and of each rule at most so many a second on each
 * CPU; only of the customers in these slots (u32 each), unless there are none. ROOT is the folder of the root program's
 * pins. Each sample becomes an event `drop`, struct tg_sample.
 */
static int watch_drops(const struct request *request, struct answer *answer)
{
	uint32_t per_second;

	if (watch.object)
		return fail(answer, EBUSY, "drops are watched already");
	if (request_u32(request, 2, &watch.terms.every, answer) ||
	    request_u32(request, 3, &per_second, answer))
		return -1;
	if (watch.terms.every == 0 || per_second == 0)
		return fail(answer, EINVAL, "nothing would be sampled");
	watch.terms.interval = SECOND / per_second;
	watch.terms.burst = per_second;
	if (begin(request, answer)) {
		drops_end();
		return -1;
	}
	return 0;
}

/* drops.tally -> drops that were asked for, samples that were taken of them, samples lost as nobody read them in time */
static int tell_tally(const struct request *request, struct answer *answer)
{
	int cpus = libbpf_num_possible_cpus();
	const uint32_t zero = 0;
	struct tally sum = { 0 };
	struct tally *each;

	(void)request;
	if (!watch.object || cpus < 1)
		return fail(answer, EINVAL, "nobody watches drops");
	each = allocate(cpus * sizeof(*each));
	if (bpf_map_lookup_elem(map_fd("tally"), &zero, each)) {
		free(each);
		return fail(answer, errno, "cannot read the tally");
	}
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum.seen += each[cpu].seen;
		sum.taken += each[cpu].taken;
		sum.lost += each[cpu].lost;
	}
	free(each);
	answer_number(answer, sum.seen);
	answer_number(answer, sum.taken);
	answer_number(answer, sum.lost);
	return 0;
}

int drops_fd(void)
{
	return watch.ring ? ring_buffer__epoll_fd(watch.ring) : -1;
}

void drops_forward(void)
{
	ring_buffer__consume(watch.ring);
}

void drops_renew(void)
{
	if (watch.ring && write_terms())
		die("cannot go on to watch: %s", strerror(errno));
}

void drops_end(void)
{
	if (!watch.object)
		return;
	for (uint32_t place = 0; place < COUNT(programs); place++)
		bpf_map_delete_elem(map_fd("watchers"), &place);
	ring_buffer__free(watch.ring);
	bpf_object__close(watch.object);
	memset(&watch, 0, sizeof(watch));
}

const struct operation drop_operations[] = {
	{ "drops.watch", 5, 5, 1u << 4, watch_drops },
	{ "drops.tally", 0, 0, 0, tell_tally },
	{ 0 },
};

// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "operations.h"
#include "pin.h"

/* Where a classifier sits: arguments DEVICE ingress|egress PRIORITY HANDLE. */
struct place {
	struct bpf_tc_hook hook;
	struct bpf_tc_opts options;
};

static int parse_place(const struct request *request, struct place *place, struct answer *answer)
{
	const char *direction = request_text(request, 1);
	unsigned int ifindex;

	memset(place, 0, sizeof(*place));
	place->hook.sz = sizeof(place->hook);
	place->options.sz = sizeof(place->options);
	if (strcmp(direction, "ingress") == 0)
		place->hook.attach_point = BPF_TC_INGRESS;
	else if (strcmp(direction, "egress") == 0)
		place->hook.attach_point = BPF_TC_EGRESS;
	else
		return fail(answer, EINVAL, "no tc direction %s", direction);
	if (request_u32(request, 2, &place->options.priority, answer) ||
	    request_u32(request, 3, &place->options.handle, answer) ||
	    find_device(request_text(request, 0), &ifindex, answer))
		return -1;
	/* For 0 the kernel would choose one, and nobody would know which. */
	if (place->options.priority == 0 || place->options.priority > UINT16_MAX ||
	    place->options.handle == 0)
		return fail(answer, ERANGE, "tc priority %u, handle %u", place->options.priority,
			    place->options.handle);
	place->hook.ifindex = ifindex;
	return 0;
}

/* tc.attach DEVICE DIRECTION PRIORITY HANDLE PROGRAM: in place of what sits there. */
static int attach(const struct request *request, struct answer *answer)
{
	struct place place;
	int error;

	if (parse_place(request, &place, answer))
		return -1;
	error = bpf_tc_hook_create(&place.hook);
	if (error && error != -EEXIST)
		return fail(answer, -error, "cannot make clsact on %s", request_text(request, 0));
	place.options.flags = BPF_TC_F_REPLACE;
	place.options.prog_fd = pin_open(request_text(request, 4), PIN_PROGRAM, answer);
	if (place.options.prog_fd < 0)
		return -1;
	error = bpf_tc_attach(&place.hook, &place.options);
	close(place.options.prog_fd);
	if (error)
		return fail(answer, -error, "cannot attach to tc %s of %s",
			    request_text(request, 1), request_text(request, 0));
	return 0;
}

/* tc.detach DEVICE DIRECTION PRIORITY HANDLE */
static int detach(const struct request *request, struct answer *answer)
{
	struct place place;
	int error;

	if (parse_place(request, &place, answer))
		return -1;
	error = bpf_tc_detach(&place.hook, &place.options);
	if (error)
		return fail(answer, -error, "cannot detach from tc %s of %s",
			    request_text(request, 1), request_text(request, 0));
	return 0;
}

/* tc.query DEVICE DIRECTION PRIORITY HANDLE -> id of the program */
static int query(const struct request *request, struct answer *answer)
{
	struct place place;
	int error;

	if (parse_place(request, &place, answer))
		return -1;
	error = bpf_tc_query(&place.hook, &place.options);
	if (error)
		return fail(answer, -error, "cannot ask tc %s of %s", request_text(request, 1),
			    request_text(request, 0));
	answer_number(answer, place.options.prog_id);
	return 0;
}

const struct operation tc_operations[] = {
	{ "tc.attach", 5, 5, 0, attach },
	{ "tc.detach", 4, 4, 0, detach },
	{ "tc.query", 4, 4, 0, query },
	{ 0 },
};

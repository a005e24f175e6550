// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "map.h"
#include "operations.h"
#include "pin.h"

/* Maps whose values are programs or other maps. */

static int open_program_array(const struct request *request, struct map *map, uint32_t *slot,
			      struct answer *answer)
{
	if (request_u32(request, 1, slot, answer) ||
	    map_open(request_text(request, 0), map, answer))
		return -1;
	if (map->info.type != BPF_MAP_TYPE_PROG_ARRAY) {
		close(map->fd);
		return fail(answer, EINVAL, "%s is not a program array", request_text(request, 0));
	}
	return 0;
}

/* map.set-program PIN SLOT PROGRAM */
static int set_program(const struct request *request, struct answer *answer)
{
	int program, status = 0;
	struct map map;
	uint32_t slot;

	program = pin_open(request_text(request, 2), PIN_PROGRAM, answer);
	if (program < 0)
		return -1;
	if (open_program_array(request, &map, &slot, answer)) {
		close(program);
		return -1;
	}
	if (bpf_map_update_elem(map.fd, &slot, &program, BPF_ANY))
		status = fail(answer, errno, "cannot put %s into slot %u",
			      request_text(request, 2), slot);
	close(map.fd);
	close(program);
	return status;
}

/* map.clear-program PIN SLOT */
static int clear_program(const struct request *request, struct answer *answer)
{
	struct map map;
	uint32_t slot;
	int status = 0;

	if (open_program_array(request, &map, &slot, answer))
		return -1;
	if (bpf_map_delete_elem(map.fd, &slot))
		status = fail(answer, errno, "cannot clear slot %u", slot);
	close(map.fd);
	return status;
}

/* map.set-map PIN SLOT MAP: into an array of maps */
static int set_map(const struct request *request, struct answer *answer)
{
	struct map outer;
	uint32_t slot;
	int inner, status = 0;

	inner = pin_open(request_text(request, 2), PIN_MAP, answer);
	if (inner < 0)
		return -1;
	if (request_u32(request, 1, &slot, answer) ||
	    map_open(request_text(request, 0), &outer, answer)) {
		close(inner);
		return -1;
	}
	if (outer.info.type != BPF_MAP_TYPE_ARRAY_OF_MAPS)
		status = fail(answer, EINVAL, "%s is not an array of maps",
			      request_text(request, 0));
	else if (bpf_map_update_elem(outer.fd, &slot, &inner, BPF_ANY))
		status = fail(answer, errno, "cannot put %s into slot %u",
			      request_text(request, 2), slot);
	close(outer.fd);
	close(inner);
	return status;
}

const struct operation slot_operations[] = {
	{ "map.set-program", 3, 3, 0, set_program },
	{ "map.clear-program", 2, 2, 0, clear_program },
	{ "map.set-map", 3, 3, 0, set_map },
	{ 0 },
};

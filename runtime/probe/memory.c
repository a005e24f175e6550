// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "pin.h"

int open_memory(const char *path, uint32_t kept, struct memory *memory, struct answer *answer)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	memory->map = pin_open(path, PIN_MAP, answer);
	if (memory->map < 0)
		return -1;
	memory->cpus = libbpf_num_possible_cpus();
	if (memory->cpus < 0 || bpf_obj_get_info_by_fd(memory->map, &info, &size) ||
	    info.type != BPF_MAP_TYPE_PERCPU_ARRAY || kept > info.value_size) {
		close(memory->map);
		return fail(answer, EINVAL, "%s is not an array of such values for each CPU", path);
	}
	memory->kept = kept;
	memory->entries = info.max_entries;
	memory->size = (info.value_size + 7) & ~7u;
	memory->values = allocate((size_t)memory->size * memory->cpus);
	return 0;
}

void close_memory(const struct memory *memory)
{
	free(memory->values);
	close(memory->map);
}

int forget(const struct memory *memory, struct answer *answer)
{
	for (__u32 i = 0; i < memory->entries; i++) {
		if (bpf_map_lookup_elem(memory->map, &i, memory->values))
			return fail(answer, errno, "cannot read what the program remembers");
		for (int cpu = 0; cpu < memory->cpus; cpu++)
			memset(memory->values + (size_t)cpu * memory->size, 0, memory->kept);
		if (bpf_map_update_elem(memory->map, &i, memory->values, BPF_ANY))
			return fail(answer, errno, "cannot make the program forget");
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map.h"
#include "operations.h"
#include "pin.h"

/* The kernel's own ENOTSUPP (include/linux/errno.h), which bpf(2) lets through to user space. */
#define KERNEL_ENOTSUPP 524

/* As many maps as a program can use (MAX_USED_MAPS, include/linux/bpf_verifier.h). */
#define PROGRAM_MAPS 64

int map_open(const char *path, struct map *map, struct answer *answer)
{
	__u32 size = sizeof(map->info);

	memset(map, 0, sizeof(*map));
	map->fd = pin_open(path, PIN_MAP, answer);
	if (map->fd < 0)
		return -1;
	if (bpf_obj_get_info_by_fd(map->fd, &map->info, &size)) {
		fail(answer, errno, "cannot read the shape of %s", path);
		close(map->fd);
		return -1;
	}
	return 0;
}

static int is_per_cpu(const struct map *map)
{
	return map->info.type == BPF_MAP_TYPE_PERCPU_HASH ||
	       map->info.type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       map->info.type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static int holds_descriptors(const struct map *map)
{
	return map->info.type == BPF_MAP_TYPE_PROG_ARRAY ||
	       map->info.type == BPF_MAP_TYPE_PERF_EVENT_ARRAY ||
	       map->info.type == BPF_MAP_TYPE_CGROUP_ARRAY ||
	       map->info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	       map->info.type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

/* Whether `bytes` are exactly `count` items of the map's `size`. */
static int check_items(const struct field *bytes, uint32_t count, uint32_t size, const char *what,
		       struct answer *answer)
{
	if (bytes->size != (uint64_t)count * size)
		return fail(answer, EINVAL, "%u bytes are not %u %s of %u bytes", bytes->size,
			    count, what, size);
	return 0;
}

static int update_singly(const struct map *map, const char *keys, const char *values,
			 uint32_t count, struct answer *answer)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *key = keys + (size_t)i * map->info.key_size;
		const char *value = values + (size_t)i * map->info.value_size;

		if (bpf_map_update_elem(map->fd, key, value, BPF_ANY))
			return fail(answer, errno, "entry %u of %u cannot be written", i + 1,
				    count);
	}
	return 0;
}

static int update_entries(const struct map *map, const struct request *request, uint32_t count,
			  struct answer *answer)
{
	const struct field *keys = &request->arguments[2];
	const struct field *values = &request->arguments[3];
	uint32_t done = count;

	if (is_per_cpu(map) || holds_descriptors(map))
		return fail(answer, EINVAL, "maps of type %u cannot be filled with bytes",
			    map->info.type);
	if (check_items(keys, count, map->info.key_size, "keys", answer) ||
	    check_items(values, count, map->info.value_size, "values", answer))
		return -1;
	if (count == 0)
		return 0;
	if (bpf_map_update_batch(map->fd, keys->data, values->data, &done, NULL) == 0)
		return 0;
	if (errno == KERNEL_ENOTSUPP)
		return update_singly(map, keys->data, values->data, count, answer);
	return fail(answer, errno, "entry %u of %u cannot be written", done + 1, count);
}

/* map.update PIN COUNT KEYS VALUES */
static int update(const struct request *request, struct answer *answer)
{
	struct map map;
	uint32_t count;
	int status;

	if (request_u32(request, 1, &count, answer) ||
	    map_open(request_text(request, 0), &map, answer))
		return -1;
	status = update_entries(&map, request, count, answer);
	close(map.fd);
	return status;
}

static int delete_entries(const struct map *map, const struct field *keys, uint32_t count,
			  struct answer *answer)
{
	uint32_t missing = 0;

	if (check_items(keys, count, map->info.key_size, "keys", answer))
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		if (bpf_map_delete_elem(map->fd, keys->data + (size_t)i * map->info.key_size) == 0)
			continue;
		if (errno != ENOENT)
			return fail(answer, errno, "key %u of %u cannot be deleted", i + 1, count);
		missing++;
	}
	if (missing > 0)
		return fail(answer, ENOENT, "%u of %u keys were not in the map", missing, count);
	return 0;
}

typedef int key_work(const struct map *map, const struct field *keys, uint32_t count,
		     struct answer *answer);

/* Arguments PIN COUNT KEYS. */
static int with_keys(const struct request *request, key_work *work, struct answer *answer)
{
	struct map map;
	uint32_t count;
	int status;

	if (request_u32(request, 1, &count, answer) ||
	    map_open(request_text(request, 0), &map, answer))
		return -1;
	status = work(&map, &request->arguments[2], count, answer);
	close(map.fd);
	return status;
}

/* map.delete PIN COUNT KEYS: all that are there; ENOENT at the end if some were not. */
static int delete(const struct request *request, struct answer *answer)
{
	return with_keys(request, delete_entries, answer);
}

/* Keys and values as they are collected; others may add entries meanwhile. */
struct dump {
	char *keys;
	char *values;
	uint32_t count;
	uint32_t capacity;
	/* Values of one entry, and the bytes of one, without the kernel's padding to 8. */
	uint32_t copies;
	size_t value_size;
};

static void dump_grow(struct dump *dump, const struct map *map)
{
	if (dump->count < dump->capacity)
		return;
	dump->capacity = dump->capacity ? 2 * dump->capacity : 64;
	dump->keys = reallocate(dump->keys, (size_t)dump->capacity * map->info.key_size);
	dump->values = reallocate(dump->values,
				  (size_t)dump->capacity * dump->copies * dump->value_size);
}

static void dump_add(struct dump *dump, const struct map *map, const char *key, const char *value)
{
	size_t stride = is_per_cpu(map) ? (dump->value_size + 7) / 8 * 8 : dump->value_size;

	dump_grow(dump, map);
	memcpy(dump->keys + (size_t)dump->count * map->info.key_size, key, map->info.key_size);
	for (uint32_t copy = 0; copy < dump->copies; copy++) {
		size_t place = (size_t)dump->count * dump->copies + copy;

		memcpy(dump->values + place * dump->value_size, value + copy * stride,
		       dump->value_size);
	}
	dump->count++;
}

static int dump_collect(struct dump *dump, const struct map *map, char *key, char *value,
			struct answer *answer)
{
	/* If others change the map, a walk can start over: the bound makes it end. */
	for (uint64_t step = 0; step < 2 * (uint64_t)map->info.max_entries; step++) {
		if (bpf_map_get_next_key(map->fd, step == 0 ? NULL : key, key)) {
			if (errno == ENOENT)
				return 0;
			return fail(answer, errno, "cannot walk the map");
		}
		if (bpf_map_lookup_elem(map->fd, key, value) == 0)
			dump_add(dump, map, key, value);
		else if (errno != ENOENT)
			return fail(answer, errno, "cannot read an entry");
	}
	return 0;
}

static int dump_entries(const struct map *map, struct answer *answer)
{
	int cpus = is_per_cpu(map) ? libbpf_num_possible_cpus() : 1;
	struct dump dump = { .copies = cpus, .value_size = map->info.value_size };
	char *key, *value;
	int status;

	if (cpus < 1)
		return fail(answer, -cpus, "cannot count the CPUs");
	key = allocate(map->info.key_size);
	value = allocate(((size_t)map->info.value_size + 7) / 8 * 8 * cpus);
	status = dump_collect(&dump, map, key, value, answer);
	answer_number(answer, map->info.key_size);
	answer_number(answer, map->info.value_size);
	answer_number(answer, dump.copies);
	answer_bytes(answer, dump.keys, (size_t)dump.count * map->info.key_size);
	answer_bytes(answer, dump.values, (size_t)dump.count * dump.copies * dump.value_size);
	free(key);
	free(value);
	free(dump.keys);
	free(dump.values);
	return status;
}

/* map.dump PIN -> key size, value size, values an entry, keys, values */
static int dump(const struct request *request, struct answer *answer)
{
	struct map map;
	int status;

	if (map_open(request_text(request, 0), &map, answer))
		return -1;
	status = dump_entries(&map, answer);
	close(map.fd);
	return status;
}

/* Of values and of what says whether they are there: a larger frame would end whoever asked. */
#define LOOKUP_BYTES (16u << 20)

/* Reads each key's value, or leaves zeroes; `found` says which. */
static int lookup_entries(const struct map *map, const char *keys, uint32_t count, uint32_t copies,
			  struct answer *answer)
{
	size_t size = map->info.value_size;
	size_t stride = is_per_cpu(map) ? (size + 7) / 8 * 8 : size;
	char *value = allocate(stride * copies);
	char *found = allocate((size_t)count + 1);
	char *values;
	int status = 0;

	values = answer_reserve(answer, (size_t)count * copies * size);
	memset(values, 0, (size_t)count * copies * size);
	for (uint32_t i = 0; i < count; i++) {
		const char *key = keys + (size_t)i * map->info.key_size;

		found[i] = bpf_map_lookup_elem(map->fd, key, value) == 0;
		if (!found[i] && errno != ENOENT) {
			status = fail(answer, errno, "key %u of %u cannot be read", i + 1, count);
			break;
		}
		for (uint32_t copy = 0; found[i] && copy < copies; copy++)
			memcpy(values + ((size_t)i * copies + copy) * size, value + copy * stride,
			       size);
	}
	if (status == 0)
		answer_bytes(answer, found, count);
	free(value);
	free(found);
	return status;
}

static int lookup_in(const struct map *map, const struct field *keys, uint32_t count,
		     struct answer *answer)
{
	int copies = is_per_cpu(map) ? libbpf_num_possible_cpus() : 1;

	if (copies < 1)
		return fail(answer, -copies, "cannot count the CPUs");
	if (check_items(keys, count, map->info.key_size, "keys", answer))
		return -1;
	if (count > LOOKUP_BYTES / ((uint64_t)copies * map->info.value_size + 1))
		return fail(answer, EMSGSIZE, "%u values of %u bytes are too many", count,
			    map->info.value_size);
	answer_number(answer, map->info.value_size);
	answer_number(answer, copies);
	return lookup_entries(map, keys->data, count, copies, answer);
}

/* map.lookup PIN COUNT KEYS -> value size, values a key, values, a byte for each key: is it there? */
static int lookup(const struct request *request, struct answer *answer)
{
	return with_keys(request, lookup_in, answer);
}

/* map.like PIN NEW: an empty map of the shape of the one at PIN, pinned at NEW */
static int like(const struct request *request, struct answer *answer)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	struct map map;
	int fd, status = 0;

	if (map_open(request_text(request, 0), &map, answer))
		return -1;
	options.map_flags = map.info.map_flags;
	fd = bpf_map_create(map.info.type, map.info.name, map.info.key_size, map.info.value_size,
			    map.info.max_entries, &options);
	if (fd < 0)
		status = fail(answer, errno, "cannot make a map like %s", request_text(request, 0));
	else if (bpf_obj_pin(fd, request_text(request, 1)))
		status = fail(answer, errno, "cannot pin %s", request_text(request, 1));
	if (fd >= 0)
		close(fd);
	close(map.fd);
	return status;
}

/* The map of this name among those that a program uses. Returns a descriptor, or what fail() returned. */
static int map_of_program(int program, const char *name, struct answer *answer)
{
	struct bpf_prog_info info = { 0 };
	__u32 ids[PROGRAM_MAPS], size = sizeof(info);

	info.nr_map_ids = PROGRAM_MAPS;
	info.map_ids = (__u64)(uintptr_t)ids;
	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return fail(answer, errno, "cannot read the program's description");
	/* The kernel says how many there are, and writes no more than there is room for. */
	for (__u32 i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS; i++) {
		struct bpf_map_info map = { 0 };
		__u32 map_size = sizeof(map);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &map, &map_size) && !strcmp(map.name, name))
			return fd;
		close(fd);
	}
	return fail(answer, ENOENT, "the program uses no map %s", name);
}

/* map.pin-again PROGRAM NAME NEW: a map that the program at PROGRAM uses, pinned at NEW */
static int pin_again(const struct request *request, struct answer *answer)
{
	int program, fd, status = 0;

	program = pin_open(request_text(request, 0), PIN_PROGRAM, answer);
	if (program < 0)
		return -1;
	fd = map_of_program(program, request_text(request, 1), answer);
	close(program);
	if (fd < 0)
		return -1;
	if (bpf_obj_pin(fd, request_text(request, 2)))
		status = fail(answer, errno, "cannot pin %s", request_text(request, 2));
	close(fd);
	return status;
}

const struct operation map_operations[] = {
	{ "map.update", 4, 4, 1u << 2 | 1u << 3, update },
	{ "map.delete", 3, 3, 1u << 2, delete },
	{ "map.dump", 1, 1, 0, dump },
	{ "map.lookup", 3, 3, 1u << 2, lookup },
	{ "map.like", 2, 2, 0, like },
	{ "map.pin-again", 3, 3, 0, pin_again },
	{ 0 },
};

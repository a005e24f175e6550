// SPDX-License-Identifier: Apache-2.0
/* In place of libbpf: reads what it would read, writes what it would write. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "choose.h"

#define DESCRIPTORS 1024
#define MAPS 3
#define PROGRAMS 2

struct bpf_map {
	int fd;
	const char *name;
};

struct bpf_program {
	int fd;
};

struct bpf_object {
	struct bpf_map maps[MAPS];
	struct bpf_program programs[PROGRAMS];
};

static const char *kinds[DESCRIPTORS];
static struct bpf_map_info shape;
static uint32_t cpus;
static libbpf_print_fn_t print;

static int holds_descriptors(void)
{
	return shape.type == BPF_MAP_TYPE_PROG_ARRAY || shape.type == BPF_MAP_TYPE_ARRAY_OF_MAPS;
}

/* As the kernel wants them. */
static int is_array(void)
{
	return holds_descriptors() || shape.type == BPF_MAP_TYPE_ARRAY ||
	       shape.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

void shape_begin(void)
{
	static const uint32_t types[] = {
		BPF_MAP_TYPE_HASH,	   BPF_MAP_TYPE_ARRAY,	       BPF_MAP_TYPE_PROG_ARRAY,
		BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_LPM_TRIE,
	};

	memset(&shape, 0, sizeof(shape));
	shape.type = types[choose(sizeof(types) / sizeof(types[0]))];
	shape.key_size = is_array() || choose(2) ? sizeof(uint32_t) : 1 + choose(40);
	shape.value_size = holds_descriptors() ? sizeof(uint32_t) : 1 + choose(70);
	shape.max_entries = 1 + choose(20);
	shape.map_flags = choose(4) ? 0 : BPF_F_MMAPABLE;
	cpus = 1 + choose(4);
}

const char *kind_name(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS && kinds[fd] ? kinds[fd] : "eventpoll";
}

static size_t value_bytes(void)
{
	if (shape.type == BPF_MAP_TYPE_PERCPU_ARRAY)
		return ((size_t)shape.value_size + 7) / 8 * 8 * cpus;
	return shape.value_size;
}

static __attribute__((format(printf, 1, 2))) void warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (print)
		print(LIBBPF_WARN, format, arguments);
	va_end(arguments);
}

/* A refusal as libbpf tells of it, sometimes at great length: a verifier's log. */
static int fails(void)
{
	int length = choose(64) ? (int)choose(80) : (int)choose(700000);

	if (!refused())
		return 0;
	warn("libbpf: %*s\n", length, "refused");
	return -errno;
}

libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t fn)
{
	libbpf_print_fn_t before = print;

	print = fn;
	return before;
}

int libbpf_num_possible_cpus(void)
{
	return refused() ? -EINVAL : (int)cpus;
}

int bpf_obj_get(const char *path)
{
	int fd;

	touch(path, strlen(path));
	if (refused())
		return -1;
	fd = descriptor();
	if (fd >= DESCRIPTORS)
		abort();
	kinds[fd] = strstr(path, "prog") ? "bpf-prog" : strstr(path, "link") ? "bpf-link" : "bpf-map";
	return fd;
}

int bpf_obj_pin(int fd, const char *path)
{
	(void)fd;
	touch(path, strlen(path));
	return fails();
}

/* As many maps as it has, of which it writes those that there is room for. */
static void describe_program(struct bpf_prog_info *info)
{
	uint32_t room = info->nr_map_ids, *ids = (uint32_t *)(uintptr_t)info->map_ids;

	memset(info, 0, sizeof(*info));
	info->nr_map_ids = choose(100);
	for (uint32_t i = 0; i < room && i < info->nr_map_ids; i++)
		ids[i] = i + 1;
}

int bpf_map_get_fd_by_id(__u32 id)
{
	touch(&id, sizeof(id));
	return refused() ? -1 : descriptor();
}

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *size)
{
	(void)fd;
	if (refused())
		return -1;
	if (*size == sizeof(struct bpf_prog_info)) {
		describe_program(info);
		return 0;
	}
	memset(info, 0, *size);
	if (*size == sizeof(shape))
		memcpy(info, &shape, sizeof(shape));
	return 0;
}

int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key_size, __u32 value_size,
		   __u32 max_entries, const struct bpf_map_create_opts *opts)
{
	(void)type, (void)key_size, (void)value_size, (void)max_entries, (void)opts;
	touch(name, strlen(name));
	return refused() ? -1 : descriptor();
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	(void)fd, (void)flags;
	touch(key, shape.key_size);
	touch(value, shape.value_size);
	return refused() ? -1 : 0;
}

int bpf_map_update_batch(int fd, const void *keys, const void *values, __u32 *count,
			 const struct bpf_map_batch_opts *opts)
{
	(void)fd, (void)opts;
	touch(keys, (size_t)*count * shape.key_size);
	touch(values, (size_t)*count * shape.value_size);
	if (!refused())
		return 0;
	*count = choose(*count + 1);
	return -1;
}

int bpf_map_delete_elem(int fd, const void *key)
{
	(void)fd;
	touch(key, shape.key_size);
	return refused() ? -1 : 0;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	(void)fd;
	touch(key, shape.key_size);
	memset(value, 0x5a, value_bytes());
	return refused() ? -1 : 0;
}

int bpf_map_get_next_key(int fd, const void *key, void *next)
{
	(void)fd;
	if (key)
		touch(key, shape.key_size);
	memset(next, 0xa5, shape.key_size);
	return refused() ? -1 : 0;
}

int bpf_link_create(int program, int target, enum bpf_attach_type type,
		    const struct bpf_link_create_opts *opts)
{
	(void)program, (void)target, (void)type, (void)opts;
	return refused() ? -1 : descriptor();
}

int bpf_link_update(int link, int program, const struct bpf_link_update_opts *opts)
{
	(void)link, (void)program, (void)opts;
	return refused() ? -1 : 0;
}

int bpf_link_detach(int link)
{
	(void)link;
	return refused() ? -1 : 0;
}

int bpf_xdp_query_id(int ifindex, int flags, __u32 *id)
{
	(void)ifindex, (void)flags;
	*id = choose(3);
	return fails();
}

int bpf_tc_hook_create(struct bpf_tc_hook *hook)
{
	touch(hook, sizeof(*hook));
	return fails();
}

int bpf_tc_attach(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	touch(hook, sizeof(*hook));
	touch(opts, sizeof(*opts));
	return fails();
}

int bpf_tc_detach(const struct bpf_tc_hook *hook, const struct bpf_tc_opts *opts)
{
	touch(hook, sizeof(*hook));
	touch(opts, sizeof(*opts));
	return fails();
}

int bpf_tc_query(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	touch(hook, sizeof(*hook));
	touch(opts, sizeof(*opts));
	opts->prog_id = choose(1000);
	return fails();
}

int bpf_prog_test_run_opts(int program, struct bpf_test_run_opts *opts)
{
	(void)program;
	touch(opts->data_in, opts->data_size_in);
	opts->retval = choose(5);
	opts->duration = choose(1000);
	return refused() ? -1 : 0;
}

/* Of an ELF file nothing is read: a signature is to stand before that (docs/security.md). */
static struct bpf_object *open_object(void)
{
	static const char *const names[MAPS] = { "data", "packet", ".rodata" };
	struct bpf_object *object;

	if (fails())
		return NULL;
	object = calloc(1, sizeof(*object));
	if (!object)
		abort();
	for (size_t i = 0; i < MAPS; i++)
		object->maps[i] = (struct bpf_map){ .fd = descriptor(), .name = names[i] };
	for (size_t i = 0; i < PROGRAMS; i++)
		object->programs[i].fd = descriptor();
	return object;
}

struct bpf_object *bpf_object__open_file(const char *path, const struct bpf_object_open_opts *opts)
{
	(void)opts;
	touch(path, strlen(path));
	return open_object();
}

struct bpf_object *bpf_object__open_mem(const void *bytes, size_t size,
					const struct bpf_object_open_opts *opts)
{
	touch(bytes, size);
	touch(opts->object_name, strlen(opts->object_name));
	return open_object();
}

int bpf_object__load(struct bpf_object *object)
{
	(void)object;
	return fails();
}

void bpf_object__close(struct bpf_object *object)
{
	for (size_t i = 0; i < MAPS; i++)
		close(object->maps[i].fd);
	for (size_t i = 0; i < PROGRAMS; i++)
		close(object->programs[i].fd);
	free(object);
}

struct bpf_map *bpf_object__next_map(const struct bpf_object *object, const struct bpf_map *map)
{
	size_t next = map ? (size_t)(map - object->maps) + 1 : 0;

	return next < MAPS ? (struct bpf_map *)&object->maps[next] : NULL;
}

struct bpf_program *bpf_object__next_program(const struct bpf_object *object,
					     struct bpf_program *program)
{
	size_t next = program ? (size_t)(program - object->programs) + 1 : 0;

	return next < PROGRAMS ? (struct bpf_program *)&object->programs[next] : NULL;
}

struct bpf_map *bpf_object__find_map_by_name(const struct bpf_object *object, const char *name)
{
	for (size_t i = 0; i < MAPS; i++) {
		if (strcmp(object->maps[i].name, name) == 0)
			return (struct bpf_map *)&object->maps[i];
	}
	errno = ENOENT;
	return NULL;
}

int bpf_program__fd(const struct bpf_program *program)
{
	return program->fd;
}

const char *bpf_program__name(const struct bpf_program *program)
{
	(void)program;
	return "tidegate_root";
}

int bpf_map__fd(const struct bpf_map *map)
{
	return map->fd;
}

const char *bpf_map__name(const struct bpf_map *map)
{
	return map->name;
}

int bpf_map__set_pin_path(struct bpf_map *map, const char *path)
{
	(void)map, (void)path;
	return fails();
}

int bpf_map__reuse_fd(struct bpf_map *map, int fd)
{
	(void)map, (void)fd;
	return fails();
}

enum bpf_map_type bpf_map__type(const struct bpf_map *map)
{
	(void)map;
	return shape.type;
}

__u32 bpf_map__key_size(const struct bpf_map *map)
{
	(void)map;
	return shape.key_size;
}

__u32 bpf_map__value_size(const struct bpf_map *map)
{
	(void)map;
	return shape.value_size;
}

__u32 bpf_map__max_entries(const struct bpf_map *map)
{
	(void)map;
	return shape.max_entries;
}

__u32 bpf_map__map_flags(const struct bpf_map *map)
{
	(void)map;
	return choose(8) ? shape.map_flags : 1;
}

// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operations.h"
#include "pin.h"

/* What this request has pinned, to be taken back if it fails. */
struct pins {
	const char *directory;
	int made_directory;
	char **paths;
	size_t count;
};

static void pins_remove(const struct pins *pins)
{
	for (size_t i = 0; i < pins->count; i++)
		unlink(pins->paths[i]);
	if (pins->made_directory)
		rmdir(pins->directory);
}

static void pins_free(struct pins *pins)
{
	for (size_t i = 0; i < pins->count; i++)
		free(pins->paths[i]);
	free(pins->paths);
}

/* Pins DIRECTORY/PREFIX_NAME. The BPF file system refuses dots, which libbpf's own maps have. */
static int pin(struct pins *pins, int fd, const char *prefix, const char *name,
	       struct answer *answer)
{
	char *path = format_text("%s/%s_%s", pins->directory, prefix, name);

	for (char *c = path + strlen(pins->directory) + 1; *c; c++) {
		if (*c == '.')
			*c = '_';
	}
	if (bpf_obj_pin(fd, path)) {
		fail(answer, errno, "cannot pin %s", path);
		free(path);
		return -1;
	}
	pins->paths = reallocate(pins->paths, (pins->count + 1) * sizeof(*pins->paths));
	pins->paths[pins->count++] = path;
	return 0;
}

static int is_reused(const struct request *request, const char *map)
{
	for (uint32_t i = 2; i < request->count; i += 2) {
		if (strcmp(request_text(request, i), map) == 0)
			return 1;
	}
	return 0;
}

static int pin_object(struct bpf_object *object, const struct request *request, struct pins *pins,
		      struct answer *answer)
{
	struct bpf_program *program;
	struct bpf_map *map;

	if (mkdir(pins->directory, 0700) == 0)
		pins->made_directory = 1;
	else if (errno != EEXIST)
		return fail(answer, errno, "cannot make %s", pins->directory);
	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map);

		if (!is_reused(request, name) && pin(pins, bpf_map__fd(map), "map", name, answer))
			return -1;
	}
	bpf_object__for_each_program(program, object) {
		if (pin(pins, bpf_program__fd(program), "prog", bpf_program__name(program), answer))
			return -1;
	}
	return 0;
}

/* bpf_map__reuse_fd() takes any map; one of another shape would be misread without a word. */
static int check_shape(const struct bpf_map *map, int fd, const char *path, struct answer *answer)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return fail(answer, errno, "cannot read the shape of %s", path);
	if (info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map) ||
	    info.max_entries != bpf_map__max_entries(map) ||
	    info.map_flags != bpf_map__map_flags(map))
		return fail(answer, EINVAL, "%s has not the shape of the object's map %s", path,
			    bpf_map__name(map));
	return 0;
}

static int reuse_map(struct bpf_object *object, const char *name, const char *path,
		     struct answer *answer)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);
	int fd, status;

	if (!map)
		return fail(answer, EINVAL, "the object has no map %s to replace", name);
	fd = pin_open(path, PIN_MAP, answer);
	if (fd < 0)
		return -1;
	status = check_shape(map, fd, path, answer);
	if (!status && bpf_map__reuse_fd(map, fd))
		status = fail(answer, errno, "cannot use %s as the map %s", path, name);
	close(fd);
	return status;
}

static int prepare_maps(struct bpf_object *object, const struct request *request,
			struct answer *answer)
{
	struct bpf_map *map;

	/* Where maps are pinned is the request's choice, not the object's (LIBBPF_PIN_BY_NAME). */
	bpf_object__for_each_map(map, object) {
		if (bpf_map__set_pin_path(map, NULL))
			return fail(answer, EINVAL, "cannot unset the pin of %s",
				    bpf_map__name(map));
	}
	for (uint32_t i = 2; i < request->count; i += 2) {
		if (reuse_map(object, request_text(request, i), request_text(request, i + 1),
			      answer))
			return -1;
	}
	return 0;
}

static int load_and_pin(struct bpf_object *object, const struct request *request,
			struct answer *answer)
{
	struct pins pins = { .directory = request_text(request, 1) };
	int status;

	if (prepare_maps(object, request, answer))
		return -1;
	status = bpf_object__load(object);
	if (status)
		return fail(answer, -status, "the kernel does not accept %s",
			    request_text(request, 0));
	status = pin_object(object, request, &pins, answer);
	if (status)
		pins_remove(&pins);
	pins_free(&pins);
	return status;
}

static int load_opened(struct bpf_object *object, const struct request *request,
		       struct answer *answer)
{
	int status;

	if (!object)
		return fail(answer, errno, "cannot read the BPF object %s",
			    request_text(request, 0));
	status = load_and_pin(object, request, answer);
	bpf_object__close(object);
	return status;
}

/* object.load FILE DIRECTORY (MAP PIN)...: loads all programs and pins them and the other maps. */
static int load(const struct request *request, struct answer *answer)
{
	if (request->count % 2 != 0)
		return fail(answer, EINVAL, "a map to reuse without its pin");
	return load_opened(bpf_object__open_file(request_text(request, 0), NULL), request, answer);
}

/*
 * object.load_bytes ELF NAME DIRECTORY (MAP PIN)...: the same of an object that the caller has read
 * and judged, so that no file can be changed in between.
 */
static int load_bytes(const struct request *request, struct answer *answer)
{
	const struct request rest = { request->count - 1, request->arguments + 1 };
	const struct field *elf = &request->arguments[0];
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = request_text(&rest, 0));

	if (rest.count % 2 != 0)
		return fail(answer, EINVAL, "a map to reuse without its pin");
	return load_opened(bpf_object__open_mem(elf->data, elf->size, &options), &rest, answer);
}

static int link_info(int fd, struct answer *answer)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return fail(answer, errno, "cannot read the link's description");
	answer_number(answer, info.id);
	answer_number(answer, info.prog_id);
	answer_number(answer, info.type == BPF_LINK_TYPE_XDP ? info.xdp.ifindex : 0);
	return 0;
}

static int program_info(int fd, struct answer *answer)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return fail(answer, errno, "cannot read the program's description");
	answer_number(answer, info.id);
	return 0;
}

static int map_info(int fd, struct answer *answer)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return fail(answer, errno, "cannot read the map's description");
	answer_number(answer, info.id);
	return 0;
}

/* pin.info PIN -> kind, id; of a link also program id and XDP device */
static int pinned(const struct request *request, struct answer *answer)
{
	static int (*const describe[])(int fd, struct answer *answer) = {
		[PIN_PROGRAM] = program_info,
		[PIN_MAP] = map_info,
		[PIN_LINK] = link_info,
	};
	enum pin_kind kind;
	int fd = pin_open_any(request_text(request, 0), &kind, answer);
	int status;

	if (fd < 0)
		return -1;
	answer_text(answer, pin_kind_name(kind));
	status = describe[kind](fd, answer);
	close(fd);
	return status;
}

const struct operation object_operations[] = {
	{ "object.load", 2, FIELDS_MAX, 0, load },
	{ "object.load_bytes", 3, FIELDS_MAX, 1, load_bytes },
	{ "pin.info", 1, 1, 0, pinned },
	{ 0 },
};

// SPDX-License-Identifier: Apache-2.0
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/netfilter.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hooks.h"

/* Newer (6.4) than the libbpf and kernel headers that we build with: include/uapi/linux/bpf.h */
#define PROG_TYPE_NETFILTER 32
#define ATTACH_NETFILTER 45

/* Outside all priorities that nft names (raw is -300, srcnat 100). */
#define PRIORITY_FIRST (-2000)
#define PRIORITY_LAST 2000

/* union bpf_attr's link_create, with its netfilter part. */
struct link_create {
	uint32_t program;
	uint32_t target;
	uint32_t attach_type;
	uint32_t flags;
	uint32_t family;
	uint32_t hook;
	int32_t priority;
	uint32_t netfilter_flags;
};

static int attach(struct bpf_object *object, const char *name, uint32_t family, int32_t priority,
		  struct answer *answer)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	struct link_create create = {
		.attach_type = ATTACH_NETFILTER,
		.family = family,
		.hook = NF_INET_PRE_ROUTING,
		.priority = priority,
	};

	if (!program)
		return fail(answer, ENOENT, "the hook object has no program %s", name);
	create.program = bpf_program__fd(program);
	/* The link's descriptor stays open until the process ends: the link lives by it. */
	if (syscall(SYS_bpf, BPF_LINK_CREATE, &create, sizeof(create)) < 0)
		return fail(answer, errno, "cannot attach %s to netfilter", name);
	return 0;
}

static int load(struct bpf_object *object, struct answer *answer)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		if (bpf_program__set_type(program, (enum bpf_prog_type)PROG_TYPE_NETFILTER) ||
		    bpf_program__set_expected_attach_type(program,
							  (enum bpf_attach_type)ATTACH_NETFILTER))
			return fail(answer, EINVAL, "cannot make a netfilter program");
	}
	if (bpf_object__load(object))
		return fail(answer, errno, "the kernel does not accept the hook programs");
	return 0;
}

static int attach_all(struct bpf_object *object, struct answer *answer)
{
	static const uint32_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (attach(object, "hook_first", families[i], PRIORITY_FIRST, answer) ||
		    attach(object, "hook_last", families[i], PRIORITY_LAST, answer))
			return -1;
	}
	return 0;
}

static volatile uint32_t *map_mark(struct bpf_object *object, struct answer *answer)
{
	int map = bpf_object__find_map_fd_by_name(object, "mark");
	void *page;

	if (map < 0) {
		fail(answer, -map, "the hook object has no map mark");
		return NULL;
	}
	page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (page == MAP_FAILED) {
		fail(answer, errno, "cannot map the hooks' mark");
		return NULL;
	}
	return page;
}

volatile uint32_t *hooks_attach(const char *path, struct answer *answer)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	volatile uint32_t *mark = NULL;

	if (!object) {
		fail(answer, errno, "cannot read the hook object %s", path);
		return NULL;
	}
	if (load(object, answer) == 0 && attach_all(object, answer) == 0)
		mark = map_mark(object, answer);
	/* Links keep their programs, and the mapping its map. */
	bpf_object__close(object);
	return mark;
}

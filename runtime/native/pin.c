// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pin.h"

/* Names as in errors and in answers, and as the kernel names the inodes of descriptors of pins. */
static const struct {
	const char *name;
	const char *inode;
} kinds[] = {
	[PIN_PROGRAM] = { "program", "anon_inode:bpf-prog" },
	[PIN_MAP] = { "map", "anon_inode:bpf-map" },
	[PIN_LINK] = { "link", "anon_inode:bpf-link" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *pin_kind_name(enum pin_kind kind)
{
	return kinds[kind].name;
}

/*
 * BPF_OBJ_GET_INFO_BY_FD fills another structure for each kind and does not tell which, so the
 * descriptor's inode is asked. Returns -1 for a kind we do not know.
 */
static int kind_of(int fd)
{
	char path[64], inode[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, inode, sizeof(inode) - 1) < 0)
		return -1;
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(inode, kinds[i].inode) == 0)
			return i;
	}
	return -1;
}

int pin_open_any(const char *path, enum pin_kind *kind, struct answer *answer)
{
	int fd = bpf_obj_get(path);
	int found;

	if (fd < 0)
		return fail(answer, errno, "cannot open the BPF pin %s", path);
	found = kind_of(fd);
	if (found < 0) {
		close(fd);
		return fail(answer, EINVAL, "%s is neither a program, a map nor a link", path);
	}
	*kind = found;
	return fd;
}

int pin_open(const char *path, enum pin_kind kind, struct answer *answer)
{
	enum pin_kind found;
	int fd = pin_open_any(path, &found, answer);

	if (fd < 0)
		return fd;
	if (found != kind) {
		close(fd);
		return fail(answer, EINVAL, "%s is a %s, not a %s", path, pin_kind_name(found),
			    pin_kind_name(kind));
	}
	return fd;
}

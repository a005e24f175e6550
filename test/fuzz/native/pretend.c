// SPDX-License-Identifier: Apache-2.0
#define PRETEND_ITSELF
#include "pretend.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"

/* The lock of this input: open until the process ends, as it should be. */
static int kept = -1;
static int entered;
static uint64_t state;
/* The number of the netlink request that is to be answered. */
static uint32_t sequence;

void pretend_begin(const uint8_t *data, size_t size)
{
	/* FNV-1a */
	state = 0xcbf29ce484222325;
	for (size_t i = 0; i < size; i++)
		state = (state ^ data[i]) * 0x100000001b3;
	entered = 0;
	shape_begin();
}

void pretend_end(void)
{
	if (kept >= 0)
		close(kept);
	kept = -1;
}

uint32_t choose(uint32_t below)
{
	/* Knuth's MMIX generator; its upper half is the better one. */
	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(state >> 32) % below;
}

void touch(const void *data, size_t size)
{
	const volatile unsigned char *bytes = data;

	while (size-- > 0)
		(void)*bytes++;
}

int refused(void)
{
	static const int errors[] = { ENOENT, EPERM, EINVAL, EBUSY, EEXIST, ENOMEM, EAGAIN, 524 };

	if (choose(8))
		return 0;
	errno = errors[choose(sizeof(errors) / sizeof(errors[0]))];
	return 1;
}

/* What can be read, written and mapped, and is nothing. */
int descriptor(void)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

int pretend_open(const char *path, int flags, ...)
{
	touch(path, strlen(path));
	(void)flags;
	return refused() ? -1 : descriptor();
}

int pretend_call(void)
{
	return refused() ? -1 : 0;
}

/* The way home never fails: then the process ends, as it must. */
int pretend_setns(void)
{
	if (entered) {
		entered = 0;
		return 0;
	}
	entered = !refused();
	return entered ? 0 : -1;
}

int pretend_ftruncate(int fd)
{
	if (refused())
		return -1;
	/* A second lock of one process is as good as the first one. */
	pretend_end();
	kept = fd;
	return 0;
}

int pretend_index(const char *name)
{
	touch(name, strlen(name));
	return refused() ? 0 : 1 + (int)choose(1000);
}

ssize_t pretend_readlink(const char *path, char *text, size_t size)
{
	const char *kind = kind_name(atoi(path + strlen("/proc/self/fd/")));

	if (refused())
		return -1;
	return snprintf(text, size, "anon_inode:%s", kind);
}

int pretend_socket(void)
{
	return refused() ? -1 : descriptor();
}

ssize_t pretend_send(const void *data, size_t size)
{
	const struct nlmsghdr *request = data;

	touch(data, size);
	sequence = request->nlmsg_seq;
	return refused() ? -1 : (ssize_t)size;
}

/* One message, of which the type, the flags and all that is in it are chosen: every other one ends the answer. */
ssize_t pretend_recv(void *data, size_t size)
{
	static const uint16_t types[] = { NLMSG_ERROR, NLMSG_DONE, 16, 24 };
	static const uint16_t flags[] = { 0, NLM_F_MULTI, NLM_F_DUMP_INTR, NLM_F_CAPPED | NLM_F_ACK_TLVS };
	struct nlmsghdr *message = data;
	size_t length = NLMSG_HDRLEN + choose(64);
	char *body = NLMSG_DATA(message);

	if (refused())
		return -1;
	if (length > size)
		abort();
	memset(message, 0, sizeof(*message));
	message->nlmsg_len = length;
	message->nlmsg_type = types[choose(4)];
	message->nlmsg_flags = flags[choose(4)];
	message->nlmsg_seq = sequence;
	for (size_t i = 0; i < length - NLMSG_HDRLEN; i++)
		body[i] = choose(4) ? 0 : choose(256);
	/* Attributes whose length may be right. */
	if (length >= NLMSG_HDRLEN + 24)
		body[20] = choose(32);
	return length;
}

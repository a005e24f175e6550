// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "operations.h"

#define ICMP_HEADER 8

/* What all probes of this daemon begin with behind ICMP's header (probe-packet.ts), in words of BPF. */
#define OPENING_WORDS 4
#define OPENING (OPENING_WORDS * 4)

/* A whole IPv4 header and a probe; what is longer is none, and is cut off. */
#define LARGEST 256

/* So many at a time, lest a flood of answers keep requests waiting; and room for those that wait themselves. */
#define MOST 64
#define ROOM (1 << 20)

static struct ears {
	int fd4;
	int fd6;
} ears = { -1, -1 };

/*
 * Lets only messages with the opening through, so that others' pings cost no more than this. A raw socket sees a packet from
 * the IP header on with IPv4, and from ICMPv6's own with IPv6. What is too short for a load is dropped.
 */
static int filter_opening(int fd, int family, const uint8_t *opening)
{
	struct sock_filter code[2 * OPENING_WORDS + 3], *next = code;
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };
	uint32_t word;
	int i;

	if (family == AF_INET)
		*next++ = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
	else
		*next++ = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
	for (i = 0; i < OPENING_WORDS; i++) {
		memcpy(&word, opening + 4 * i, sizeof(word));
		*next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_IND, ICMP_HEADER + 4 * i);
		/* Past the words that are left, two instructions each, and what lets through. */
		*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(word), 0,
						       2 * (OPENING_WORDS - i) - 1);
	}
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int filter_type(int fd, int family)
{
	struct icmp_filter others = { .data = ~(1u << ICMP_ECHOREPLY) };
	struct icmp6_filter only;

	if (family == AF_INET)
		return setsockopt(fd, SOL_RAW, ICMP_FILTER, &others, sizeof(others));
	ICMP6_FILTER_SETBLOCKALL(&only);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only));
}

/* Returns a socket, or -1 with errno. */
static int hear(int family, const uint8_t *opening)
{
	const int protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, room = ROOM;
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol), error;

	if (fd < 0)
		return -1;
	if (!filter_opening(fd, family, opening) && !filter_type(fd, family) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/*
 * listen OPENING ->
 * From now on tells of answers that begin so behind ICMP's header. Once.
 */
static int listen_to(const struct request *request, struct answer *answer)
{
	const struct field *opening = &request->arguments[0];

	if (opening->size != OPENING)
		return fail(answer, EINVAL, "an opening has %d bytes", OPENING);
	if (ears.fd4 >= 0 || ears.fd6 >= 0)
		return fail(answer, EBUSY, "already listening to ICMP");
	ears.fd4 = hear(AF_INET, (const uint8_t *)opening->data);
	if (ears.fd4 < 0)
		return fail(answer, errno, "cannot listen to ICMP");
	ears.fd6 = hear(AF_INET6, (const uint8_t *)opening->data);
	if (ears.fd6 < 0)
		return fail(answer, errno, "cannot listen to ICMPv6");
	return 0;
}

const struct operation answers_operations[] = {
	{ "listen", 1, 1, 1u << 0, listen_to },
	{ 0 },
};

void answers_poll(struct pollfd ready[2])
{
	ready[0] = (struct pollfd){ .fd = ears.fd4, .events = POLLIN };
	ready[1] = (struct pollfd){ .fd = ears.fd6, .events = POLLIN };
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* The ICMP message in what a raw socket gives: behind IPv4's header, which it gives too. NULL: there is none. */
static const uint8_t *message_in(int is_ipv4, const uint8_t *data, size_t *size)
{
	size_t header = is_ipv4 && *size > 0 ? (data[0] & 0xf) * 4u : 0;

	if (*size < header + ICMP_HEADER + OPENING)
		return NULL;
	*size -= header;
	return data + header;
}

/* Event: answer MONOTONIC-NANOSECONDS BYTES-BEHIND-ICMP'S-HEADER */
static void tell(const uint8_t *message, size_t size)
{
	struct answer event;

	event_init(&event);
	answer_text(&event, "answer");
	answer_number(&event, now_ns());
	answer_bytes(&event, message + ICMP_HEADER, size - ICMP_HEADER);
	if (answer_send(&event, STDOUT_FILENO))
		die("cannot tell of an answer: %s", strerror(errno));
	answer_free(&event);
}

void answers_forward(int fd)
{
	uint8_t data[LARGEST];
	struct sockaddr_storage from;
	int i;

	for (i = 0; i < MOST; i++) {
		socklen_t from_size = sizeof(from);
		ssize_t got = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_size);
		const uint8_t *message;
		size_t size = got;

		if (got < 0 && errno == EINTR)
			continue;
		/* Nothing is left, or an error that is over with being read. */
		if (got < 0)
			return;
		message = message_in(from.ss_family == AF_INET, data, &size);
		if (message)
			tell(message, size);
	}
}

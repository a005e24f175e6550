// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
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

/* ICMP's header, and behind it what all probes begin with (probe-packet.ts), so that other pings are not passed on. */
#define ICMP_HEADER 8
#define MAGIC "tidegate"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)

/* A whole IPv4 header and a probe; what is longer is none, and is cut off. */
#define LARGEST 256

static void filter(int fd, int level, int option, const void *value, socklen_t size)
{
	if (setsockopt(fd, level, option, value, size))
		die("cannot filter ICMP: %s", strerror(errno));
}

static int listen_to(int family, int protocol)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		die("cannot listen to ICMP: %s", strerror(errno));
	return fd;
}

void answers_listen(struct ears *ears)
{
	struct icmp_filter others = { .data = ~(1u << ICMP_ECHOREPLY) };
	struct icmp6_filter only;

	ears->fd4 = listen_to(AF_INET, IPPROTO_ICMP);
	filter(ears->fd4, SOL_RAW, ICMP_FILTER, &others, sizeof(others));
	ICMP6_FILTER_SETBLOCKALL(&only);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
	ears->fd6 = listen_to(AF_INET6, IPPROTO_ICMPV6);
	filter(ears->fd6, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only));
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

	if (*size < header + ICMP_HEADER + MAGIC_SIZE)
		return NULL;
	*size -= header;
	return data + header;
}

/* Event: answer MONOTONIC-NANOSECONDS BYTES-BEHIND-ICMP'S-HEADER */
static void tell(const uint8_t *message, size_t size)
{
	struct answer event;

	if (memcmp(message + ICMP_HEADER, MAGIC, MAGIC_SIZE) != 0)
		return;
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

	for (;;) {
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

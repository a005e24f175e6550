// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "operations.h"

/* Any but 0: nothing is ever sent there. */
#define SOME_PORT 9

union address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

/* Returns the size of the address, or 0 for a text that is none. */
static socklen_t parse(const char *text, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->ip4.sin_addr) == 1) {
		address->ip4.sin_family = AF_INET;
		address->ip4.sin_port = htons(SOME_PORT);
		return sizeof(address->ip4);
	}
	if (inet_pton(AF_INET6, text, &address->ip6.sin6_addr) == 1) {
		address->ip6.sin6_family = AF_INET6;
		address->ip6.sin6_port = htons(SOME_PORT);
		return sizeof(address->ip6);
	}
	return 0;
}

/* To connect a UDP socket sends nothing, and has the kernel choose the source. */
static int ask(int fd, union address *address, socklen_t size, struct answer *answer)
{
	char text[INET6_ADDRSTRLEN];
	const void *chosen;

	if (connect(fd, &address->any, size))
		return fail(answer, errno, "no way there");
	if (getsockname(fd, &address->any, &size))
		return fail(answer, errno, "cannot ask for the source");
	chosen = address->any.sa_family == AF_INET ? (const void *)&address->ip4.sin_addr :
						     (const void *)&address->ip6.sin6_addr;
	if (!inet_ntop(address->any.sa_family, chosen, text, sizeof(text)))
		return fail(answer, errno, "cannot write the source");
	answer_text(answer, text);
	return 0;
}

/*
 * own-address DESTINATION -> the source that packets of the node's own have there
 */
static int own_address(const struct request *request, struct answer *answer)
{
	union address address;
	socklen_t size = parse(request_text(request, 0), &address);
	int fd, status;

	if (!size)
		return fail(answer, EINVAL, "not an address: %s", request_text(request, 0));
	fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(answer, errno, "cannot open a socket");
	status = ask(fd, &address, size, answer);
	close(fd);
	return status;
}

const struct operation own_address_operations[] = {
	{ "own-address", 1, 1, 0, own_address },
	{ 0 },
};

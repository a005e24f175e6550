// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "namespace.h"
#include "operations.h"

/* MAX_ADDR_LEN of linux/netdevice.h: what a device's address may have at most. */
#define LONGEST_ADDRESS 32

/*
 * A socket in each namespace that probes go out of, kept: to close one makes the kernel wait for everybody who may be looking
 * (packet_release()). It keeps the namespace, too, until it is forgotten.
 */
struct way {
	struct way *next;
	int fd;
	char path[];
};

static struct way *ways;

static struct way **find_way(const char *path)
{
	struct way **way = &ways;

	while (*way && strcmp((*way)->path, path) != 0)
		way = &(*way)->next;
	return way;
}

static void forget_way(struct way **place)
{
	struct way *way = *place;

	*place = way->next;
	close(way->fd);
	free(way);
}

/* Of no protocol: it only sends. */
static int open_way(void *context, struct answer *answer)
{
	int *fd = context;

	*fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *fd < 0 ? fail(answer, errno, "cannot open a packet socket") : 0;
}

static struct way *make_way(const char *path, struct answer *answer)
{
	struct way *way;
	int fd;

	if (within_namespace(path, open_way, &fd, answer))
		return NULL;
	way = allocate(sizeof(*way) + strlen(path) + 1);
	way->fd = fd;
	strcpy(way->path, path);
	way->next = ways;
	ways = way;
	return way;
}

static int is_ipv6(const struct field *packet)
{
	return packet->size > 0 && (uint8_t)packet->data[0] >> 4 == 6;
}

/* Returns 0 or an errno. The device has its name in the socket's namespace, whatever its number is now. */
static int put_out(int fd, const char *device, const struct field *packet)
{
	/*
	 * The kernel wants as many bytes of address as the device has (packet_snd()): tunnels over IPv6 have 16, which is more
	 * than sockaddr_ll has room for.
	 */
	union {
		struct sockaddr_ll ll;
		char room[offsetof(struct sockaddr_ll, sll_addr) + LONGEST_ADDRESS];
	} to = { 0 };
	struct ifreq named = { 0 };

	if (strlen(device) >= sizeof(named.ifr_name))
		return ENAMETOOLONG;
	strcpy(named.ifr_name, device);
	if (ioctl(fd, SIOCGIFINDEX, &named))
		return errno;
	to.ll.sll_family = AF_PACKET;
	to.ll.sll_halen = ETH_ALEN;
	to.ll.sll_ifindex = named.ifr_ifindex;
	to.ll.sll_protocol = htons(is_ipv6(packet) ? ETH_P_IPV6 : ETH_P_IP);
	if (sendto(fd, packet->data, packet->size, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	return 0;
}

/*
 * send NAMESPACE DEVICE PACKET ->
 * Puts an IP packet out of a device, past routing and packet filters.
 */
static int send_packet(const struct request *request, struct answer *answer)
{
	const char *path = request_text(request, 0), *device = request_text(request, 1);
	struct way **known = find_way(path);
	struct way *way = *known ? *known : make_way(path, answer);
	int error;

	if (!way)
		return -1;
	error = put_out(way->fd, device, &request->arguments[2]);
	if (!error)
		return 0;
	/* The namespace may be another one of the same name by now. */
	forget_way(find_way(path));
	way = make_way(path, answer);
	if (!way)
		return -1;
	error = put_out(way->fd, device, &request->arguments[2]);
	return error ? fail(answer, error, "cannot send out of %s", device) : 0;
}

/*
 * forget NAMESPACE ->
 * Lets go of a namespace; one that is not held is as good.
 */
static int forget(const struct request *request, struct answer *answer)
{
	struct way **way = find_way(request_text(request, 0));

	(void)answer;
	if (*way)
		forget_way(way);
	return 0;
}

const struct operation send_operations[] = {
	{ "send", 3, 3, 1u << 2, send_packet },
	{ "forget", 1, 1, 0, forget },
	{ 0 },
};

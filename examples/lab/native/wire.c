// SPDX-License-Identifier: Apache-2.0
/*
 * wire DEVICE NEXT-HOP-MAC [COUNT [RATE [TYPE]]]
 *
 * Sends the IP packets on stdin, byte for byte, past every check of the host's own network stack: a bogon
 * source or a broken header leaves as it is. Input: per packet a u32 length (little-endian) and its bytes.
 * COUNT packets are sent in all (default: each once), going round, at RATE packets a second (default: no
 * pause); after a stall it makes up for a few only, and ends later. Prints {"sent":N,"nanoseconds":D}, D from
 * the first to the last packet. TYPE is the EtherType of all, which is that of IP by default.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PACKETS 4096
#define MAX_PACKET 65535
#define NSEC_PER_SEC 1000000000ULL
/* Sleeping for each packet would cap the rate at the timer's resolution. */
#define PACKETS_PER_PAUSE 10
/* Sent at once after it did not run for a while: a veth that runs XDP has room for 256 (VETH_RING_SIZE). */
#define MOST_LATE 128

struct packet {
	uint32_t length;
	unsigned char *bytes;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "wire: %s: %s\n", what, errno ? strerror(errno) : "bad input");
	exit(1);
}

static unsigned long long number(const char *text)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end)
		die(text);
	return value;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void sleep_until(uint64_t when)
{
	struct timespec ts = {
		.tv_sec = (time_t)(when / NSEC_PER_SEC),
		.tv_nsec = (long)(when % NSEC_PER_SEC),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static size_t read_packets(struct packet *packets)
{
	size_t count = 0;
	uint32_t length;

	while (fread(&length, sizeof(length), 1, stdin) == 1) {
		length = le32toh(length);
		if (count == MAX_PACKETS || length == 0 || length > MAX_PACKET)
			die("packet on stdin");
		packets[count].length = length;
		packets[count].bytes = malloc(length);
		if (!packets[count].bytes || fread(packets[count].bytes, length, 1, stdin) != 1)
			die("packet on stdin");
		count++;
	}
	if (count == 0 || ferror(stdin))
		die("no packets on stdin");
	return count;
}

static struct sockaddr_ll next_hop(const char *device, const char *mac)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	unsigned char *a = to.sll_addr;

	to.sll_ifindex = (int)if_nametoindex(device);
	if (!to.sll_ifindex)
		die(device);
	if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]) != 6)
		die(mac);
	return to;
}

/* The version is taken from the packet; whatever is not 6 goes out as IPv4, to be refused by who gets it. */
static uint16_t ether_type(const struct packet *packet)
{
	return packet->bytes[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
}

/* `type`: 0, or what stands in the Ethernet header whatever the packet is. */
static void send_one(int fd, const struct packet *packet, struct sockaddr_ll *to, uint16_t type)
{
	to->sll_protocol = htons(type ? type : ether_type(packet));
	while (sendto(fd, packet->bytes, packet->length, 0, (struct sockaddr *)to, sizeof(*to)) < 0) {
		if (errno != ENOBUFS && errno != EINTR)
			die("send");
		usleep(100);
	}
}

/* Waits until `when`. Gives when that was, or what is as late as it may be. */
static uint64_t keep_pace(uint64_t when, uint64_t rate)
{
	uint64_t earliest;

	sleep_until(when);
	earliest = now() - MOST_LATE * NSEC_PER_SEC / rate;
	return when < earliest ? earliest : when;
}

int main(int argc, char **argv)
{
	static struct packet packets[MAX_PACKETS];
	uint64_t start, due, last, sent, count, rate;
	struct sockaddr_ll to;
	uint16_t type;
	size_t given;
	int fd;

	if (argc < 3 || argc > 6) {
		fprintf(stderr, "usage: wire DEVICE NEXT-HOP-MAC [COUNT [RATE [TYPE]]] < PACKETS\n");
		return 2;
	}
	given = read_packets(packets);
	count = argc > 3 ? number(argv[3]) : given;
	rate = argc > 4 ? number(argv[4]) : 0;
	type = argc > 5 ? (uint16_t)number(argv[5]) : 0;
	to = next_hop(argv[1], argv[2]);
	/* Protocol 0: the socket only sends, nothing is queued for it. */
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("AF_PACKET socket");

	start = due = now();
	for (sent = 0; sent < count; sent++) {
		if (rate && sent % PACKETS_PER_PAUSE == 0)
			due = keep_pace(due, rate) + PACKETS_PER_PAUSE * NSEC_PER_SEC / rate;
		send_one(fd, &packets[sent % given], &to, type);
	}
	last = now();
	printf("{\"sent\":%llu,\"nanoseconds\":%llu}\n", (unsigned long long)sent,
	       (unsigned long long)(last - start));
	return 0;
}

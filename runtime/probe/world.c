// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "world.h"

/* Packets come in by EDGE; what a ruleset answers (reject) is routed to SINK. */
#define EDGE "edge"
#define SINK "sink"

/* Documentation/networking/ip-sysctl.rst; /proc/sys/net shows the namespace of the process. */
static const struct {
	const char *path;
	const char *value;
} settings[] = {
	{ "ipv4/ip_forward", "1" },
	{ "ipv4/conf/all/rp_filter", "0" },
	{ "ipv4/conf/" EDGE "/rp_filter", "0" },
	{ "ipv4/conf/" SINK "/rp_filter", "0" },
	{ "ipv4/conf/all/accept_local", "1" },
	{ "ipv4/conf/all/route_localnet", "1" },
	{ "ipv4/icmp_ratelimit", "0" },
	{ "ipv6/conf/all/disable_ipv6", "0" },
	{ "ipv6/conf/all/forwarding", "1" },
	{ "ipv6/conf/" EDGE "/accept_dad", "0" },
	{ "ipv6/conf/" SINK "/accept_dad", "0" },
	{ "ipv6/icmp/ratelimit", "0" },
};

static int write_setting(const char *name, const char *value, struct answer *answer)
{
	char path[128];
	int fd, status = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(answer, errno, "cannot open %s", path);
	if (write_all(fd, value, strlen(value)))
		status = fail(answer, errno, "cannot write %s to %s", value, path);
	close(fd);
	return status;
}

/* Without NAPI, a write() to the device runs the whole receive path before it returns. */
static int make_tun(const char *name, struct answer *answer)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return fail(answer, errno, "cannot open /dev/net/tun");
	strcpy(request.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &request)) {
		close(fd);
		return fail(answer, errno, "cannot make the TUN device %s", name);
	}
	return fd;
}

static int bring_up(int control, const char *name, struct answer *answer)
{
	struct ifreq request = { .ifr_flags = IFF_UP };

	strcpy(request.ifr_name, name);
	if (ioctl(control, SIOCSIFFLAGS, &request))
		return fail(answer, errno, "cannot bring up %s", name);
	return 0;
}

static int add_default_routes(int control4, int control6, struct answer *answer)
{
	char device[] = SINK;
	struct rtentry route4 = {
		.rt_dst.sa_family = AF_INET,
		.rt_genmask.sa_family = AF_INET,
		.rt_flags = RTF_UP,
		.rt_dev = device,
	};
	struct in6_rtmsg route6 = {
		.rtmsg_flags = RTF_UP,
		.rtmsg_metric = 1,
		.rtmsg_ifindex = if_nametoindex(SINK),
	};

	if (ioctl(control4, SIOCADDRT, &route4))
		return fail(answer, errno, "cannot add the IPv4 default route");
	if (ioctl(control6, SIOCADDRT, &route6))
		return fail(answer, errno, "cannot add the IPv6 default route");
	return 0;
}

static int set_up_links(struct answer *answer)
{
	int control4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int control6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int status;

	if (control4 < 0 || control6 < 0)
		status = fail(answer, errno, "cannot open a control socket");
	else
		status = bring_up(control4, "lo", answer) || bring_up(control4, EDGE, answer) ||
			 bring_up(control4, SINK, answer) ||
			 add_default_routes(control4, control6, answer);
	if (control4 >= 0)
		close(control4);
	if (control6 >= 0)
		close(control6);
	return status ? -1 : 0;
}

int world_enter(struct answer *answer)
{
	static bool entered;

	if (!entered && unshare(CLONE_NEWNET))
		return fail(answer, errno, "cannot make a network namespace");
	entered = true;
	return 0;
}

int world_make(struct answer *answer)
{
	int edge;

	if (world_enter(answer))
		return -1;
	edge = make_tun(EDGE, answer);
	/* The descriptor of SINK stays open until the process ends: the device lives by it. */
	if (edge < 0 || make_tun(SINK, answer) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (write_setting(settings[i].path, settings[i].value, answer))
			return -1;
	}
	if (set_up_links(answer))
		return -1;
	return edge;
}

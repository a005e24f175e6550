// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "namespace.h"
#include "operations.h"

/* One of ethtool's questions or orders about a device that consist of a single number (ethtool(8)). */
struct order {
	const char *device;
	const char *what;
	struct ethtool_value value;
};

static int give(void *context, struct answer *answer)
{
	struct order *order = context;
	struct ifreq request = { .ifr_data = (void *)&order->value };
	int status = 0;
	int fd;

	if (strlen(order->device) >= sizeof(request.ifr_name))
		return fail(answer, ENODEV, "no network device %s", order->device);
	strcpy(request.ifr_name, order->device);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(answer, errno, "cannot open a socket");
	if (ioctl(fd, SIOCETHTOOL, &request))
		status = fail(answer, errno, "%s of %s", order->what, order->device);
	close(fd);
	return status;
}

static int ask(const char *namespace, struct order *order, struct answer *answer)
{
	if (within_namespace(namespace, give, order, answer))
		return -1;
	answer_number(answer, order->value.data);
	return 0;
}

static int set(const char *namespace, struct order *order, const char *wanted, struct answer *answer)
{
	if (strcmp(wanted, "0") != 0 && strcmp(wanted, "1") != 0)
		return fail(answer, EINVAL, "%s is neither 0 nor 1", wanted);
	order->value.data = *wanted == '1';
	return within_namespace(namespace, give, order, answer);
}

#define MERGING "generic receive offload"
#define SUMMING "transmit checksum offload"

/* gro.get DEVICE -> 0|1 */
static int get_gro(const struct request *request, struct answer *answer)
{
	struct order order = { request_text(request, 0), MERGING, { .cmd = ETHTOOL_GGRO } };

	return ask("", &order, answer);
}

/* gro.set DEVICE 0|1 */
static int set_gro(const struct request *request, struct answer *answer)
{
	struct order order = { request_text(request, 0), MERGING, { .cmd = ETHTOOL_SGRO } };

	return set("", &order, request_text(request, 1), answer);
}

/* tx-checksum.get NAMESPACE DEVICE -> 0|1; NAMESPACE is a file, or empty: that of the process */
static int get_tx_checksum(const struct request *request, struct answer *answer)
{
	struct order order = { request_text(request, 1), SUMMING, { .cmd = ETHTOOL_GTXCSUM } };

	return ask(request_text(request, 0), &order, answer);
}

/* tx-checksum.set NAMESPACE DEVICE 0|1 */
static int set_tx_checksum(const struct request *request, struct answer *answer)
{
	struct order order = { request_text(request, 1), SUMMING, { .cmd = ETHTOOL_STXCSUM } };

	return set(request_text(request, 0), &order, request_text(request, 2), answer);
}

const struct operation offload_operations[] = {
	{ "gro.get", 1, 1, 0, get_gro },
	{ "gro.set", 2, 2, 0, set_gro },
	{ "tx-checksum.get", 2, 2, 0, get_tx_checksum },
	{ "tx-checksum.set", 3, 3, 0, set_tx_checksum },
	{ 0 },
};

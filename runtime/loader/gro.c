// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "operations.h"

/* One of ethtool's questions or orders about a device that consist of a single number (ethtool(8)). */
static int ask_device(const char *device, struct ethtool_value *value, struct answer *answer)
{
	struct ifreq request = { .ifr_data = (void *)value };
	int status = 0;
	int fd;

	if (strlen(device) >= sizeof(request.ifr_name))
		return fail(answer, ENODEV, "no network device %s", device);
	strcpy(request.ifr_name, device);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(answer, errno, "cannot open a socket");
	if (ioctl(fd, SIOCETHTOOL, &request))
		status = fail(answer, errno, "generic receive offload of %s", device);
	close(fd);
	return status;
}

/* gro.get DEVICE -> 0|1 */
static int get(const struct request *request, struct answer *answer)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GGRO };

	if (ask_device(request_text(request, 0), &value, answer))
		return -1;
	answer_number(answer, value.data);
	return 0;
}

/* gro.set DEVICE 0|1 */
static int set(const struct request *request, struct answer *answer)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO };
	const char *wanted = request_text(request, 1);

	if (strcmp(wanted, "0") != 0 && strcmp(wanted, "1") != 0)
		return fail(answer, EINVAL, "%s is neither 0 nor 1", wanted);
	value.data = *wanted == '1';
	return ask_device(request_text(request, 0), &value, answer);
}

const struct operation gro_operations[] = {
	{ "gro.get", 1, 1, 0, get },
	{ "gro.set", 2, 2, 0, set },
	{ 0 },
};

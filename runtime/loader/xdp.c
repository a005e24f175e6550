// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "operations.h"
#include "pin.h"

int find_device(const char *name, unsigned int *ifindex, struct answer *answer)
{
	*ifindex = if_nametoindex(name);
	if (*ifindex == 0)
		return fail(answer, errno, "no network device %s", name);
	return 0;
}

static int parse_mode(const char *text, __u32 *flags, struct answer *answer)
{
	if (strcmp(text, "native") == 0)
		*flags = XDP_FLAGS_DRV_MODE;
	else if (strcmp(text, "generic") == 0)
		*flags = XDP_FLAGS_SKB_MODE;
	else
		return fail(answer, EINVAL, "no XDP mode %s", text);
	return 0;
}

/*
 * A device takes one XDP program: EBUSY for another in the same mode, EEXIST for one in the
 * other. The caller sees EBUSY, and the sitting one's id tells the operator whose it is.
 */
static int fail_attach(int error, const char *device, unsigned int ifindex, struct answer *answer)
{
	__u32 id = 0;

	if (error != EBUSY && error != EEXIST)
		return fail(answer, error, "cannot attach XDP to %s", device);
	if (bpf_xdp_query_id(ifindex, 0, &id) || id == 0)
		return fail(answer, EBUSY, "XDP is taken on %s", device);
	return fail(answer, EBUSY, "XDP program %u is attached to %s already", id, device);
}

static int attach_and_pin(int program, unsigned int ifindex, __u32 flags,
			  const struct request *request, struct answer *answer)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int link = bpf_link_create(program, ifindex, BPF_XDP, &options);
	int status = 0;

	if (link < 0)
		return fail_attach(errno, request_text(request, 0), ifindex, answer);
	/* Without the pin the link goes with its descriptor. */
	if (bpf_obj_pin(link, request_text(request, 2)))
		status = fail(answer, errno, "cannot pin the link %s", request_text(request, 2));
	close(link);
	return status;
}

/* xdp.attach DEVICE PROGRAM LINK native|generic */
static int attach(const struct request *request, struct answer *answer)
{
	unsigned int ifindex;
	int program, status;
	__u32 flags = 0;

	if (parse_mode(request_text(request, 3), &flags, answer) ||
	    find_device(request_text(request, 0), &ifindex, answer))
		return -1;
	program = pin_open(request_text(request, 1), PIN_PROGRAM, answer);
	if (program < 0)
		return -1;
	status = attach_and_pin(program, ifindex, flags, request, answer);
	close(program);
	return status;
}

static int update_link(int link, int program, const char *old_path, struct answer *answer)
{
	LIBBPF_OPTS(bpf_link_update_opts, options);
	int old = -1;
	int status = 0;

	if (old_path) {
		old = pin_open(old_path, PIN_PROGRAM, answer);
		if (old < 0)
			return -1;
		options.flags = BPF_F_REPLACE;
		options.old_prog_fd = old;
	}
	if (bpf_link_update(link, program, &options))
		status = fail(answer, errno, "cannot replace the link's program");
	if (old >= 0)
		close(old);
	return status;
}

/* xdp.update LINK PROGRAM [OLD]: with OLD only if that is the present program. */
static int update(const struct request *request, struct answer *answer)
{
	const char *old = request->count > 2 ? request_text(request, 2) : NULL;
	int program, status;
	int link = pin_open(request_text(request, 0), PIN_LINK, answer);

	if (link < 0)
		return -1;
	program = pin_open(request_text(request, 1), PIN_PROGRAM, answer);
	if (program < 0) {
		close(link);
		return -1;
	}
	status = update_link(link, program, old, answer);
	close(program);
	close(link);
	return status;
}

/* xdp.detach LINK: at once, even if others hold the link, and removes the pin. */
static int detach(const struct request *request, struct answer *answer)
{
	const char *path = request_text(request, 0);
	int link = pin_open(path, PIN_LINK, answer);
	int status = 0;

	if (link < 0)
		return -1;
	if (bpf_link_detach(link))
		status = fail(answer, errno, "cannot detach the link %s", path);
	else if (unlink(path))
		status = fail(answer, errno, "cannot remove the pin %s", path);
	close(link);
	return status;
}

/* ifindex DEVICE -> index */
static int device_index(const struct request *request, struct answer *answer)
{
	unsigned int ifindex;

	if (find_device(request_text(request, 0), &ifindex, answer))
		return -1;
	answer_number(answer, ifindex);
	return 0;
}

const struct operation xdp_operations[] = {
	{ "xdp.attach", 4, 4, 0, attach },
	{ "xdp.update", 2, 3, 0, update },
	{ "xdp.detach", 1, 1, 0, detach },
	{ "ifindex", 1, 1, 0, device_index },
	{ 0 },
};

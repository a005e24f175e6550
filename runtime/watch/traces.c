// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "namespace.h"
#include "operations.h"

#define TRACE_TYPE (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE)
#define RECEIVE_BYTES (4 * 1024 * 1024)
/* What one wait tells of at most. */
#define READY_MAX 64

/* A namespace whose traces are heard, and the context whose socket owns the table that asks for them. */
struct trace {
	struct trace *next;
	char *name;
	int fd;
	struct nft_ctx *nft;
};

static struct trace *traces;
static int epoll = -1;

static int listen_to_traces(struct answer *answer)
{
	const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	const int group = NFNLGRP_NFTRACE, size = RECEIVE_BYTES;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

	if (fd < 0)
		return fail(answer, errno, "cannot open a netlink socket");
	/* Without a port of its own it would be taken for the kernel, which does not hear itself. */
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group))) {
		close(fd);
		return fail(answer, errno, "cannot listen to traces");
	}
	return fd;
}

static struct nft_ctx *run(const char *commands, struct answer *answer)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (!nft || nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))
		die("out of memory");
	if (nft_run_cmd_from_buffer(nft, commands) == 0)
		return nft;
	fail(answer, 0, "nft refuses:\n%s", nft_ctx_get_error_buffer(nft));
	nft_ctx_free(nft);
	return NULL;
}

static void end(struct trace *trace)
{
	if (trace->nft)
		nft_ctx_free(trace->nft);
	if (trace->fd >= 0)
		close(trace->fd);
	free(trace->name);
	free(trace);
}

struct beginning {
	struct trace *trace;
	const char *commands;
};

/* A socket stays in the namespace that it was made in. */
static int begin(void *context, struct answer *answer)
{
	const struct beginning *beginning = context;
	struct trace *trace = beginning->trace;
	struct epoll_event ready = { .events = EPOLLIN, .data.ptr = trace };

	trace->fd = listen_to_traces(answer);
	if (trace->fd < 0)
		return -1;
	trace->nft = run(beginning->commands, answer);
	if (!trace->nft)
		return -1;
	if (epoll < 0)
		epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, trace->fd, &ready))
		return fail(answer, errno, "cannot wait for traces");
	return 0;
}

/*
 * traces.watch NAME NAMESPACE COMMANDS: runs nft commands in a network namespace; a table of theirs with `flags owner` goes with
 * this watch, at the latest with this process. Each message of a trace there becomes an event `trace`: NAME and its
 * attributes (enum nft_trace_attributes). Where some were lost, there is an event `lost`: NAME.
 */
static int watch(const struct request *request, struct answer *answer)
{
	struct trace *trace = allocate(sizeof(*trace));
	struct beginning beginning = { .trace = trace, .commands = request_text(request, 2) };

	*trace = (struct trace){ .name = format_text("%s", request_text(request, 0)), .fd = -1 };
	if (within_namespace(request_text(request, 1), begin, &beginning, answer)) {
		end(trace);
		return -1;
	}
	trace->next = traces;
	traces = trace;
	return 0;
}

/* traces.end NAME: lets go of the namespace. ENOENT: it is not watched. */
static int unwatch(const struct request *request, struct answer *answer)
{
	const char *name = request_text(request, 0);

	for (struct trace **link = &traces; *link; link = &(*link)->next) {
		struct trace *trace = *link;

		if (strcmp(trace->name, name))
			continue;
		*link = trace->next;
		end(trace);
		return 0;
	}
	return fail(answer, ENOENT, "%s is not watched", name);
}

static void tell(const char *what, const struct trace *trace, const void *data, size_t size)
{
	struct answer event;

	event_init(&event);
	answer_text(&event, what);
	answer_text(&event, trace->name);
	if (data)
		answer_bytes(&event, data, size);
	if (answer_send(&event, STDOUT_FILENO))
		die("cannot tell of a trace: %s", strerror(errno));
	answer_free(&event);
}

static void forward_messages(const struct trace *trace, const char *data, size_t size)
{
	const struct nlmsghdr *message = (const void *)data;

	for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
		const size_t head = NLMSG_SPACE(sizeof(struct nfgenmsg));

		if (message->nlmsg_type != TRACE_TYPE || message->nlmsg_len < head)
			continue;
		tell("trace", trace, (const char *)message + head, message->nlmsg_len - head);
	}
}

static void forward_all(const struct trace *trace)
{
	static char data[64 * 1024] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (;;) {
		ssize_t got = recv(trace->fd, data, sizeof(data), 0);

		if (got >= 0)
			forward_messages(trace, data, got);
		else if (errno == ENOBUFS)
			tell("lost", trace, NULL, 0);
		else if (errno != EINTR)
			return;
	}
}

int traces_fd(void)
{
	return epoll;
}

void traces_forward(void)
{
	struct epoll_event ready[READY_MAX];
	int count = epoll_wait(epoll, ready, READY_MAX, 0);

	for (int i = 0; i < count; i++)
		forward_all(ready[i].data.ptr);
}

const struct operation trace_operations[] = {
	{ "traces.watch", 3, 3, 0, watch },
	{ "traces.end", 1, 1, 0, unwatch },
	{ 0 },
};

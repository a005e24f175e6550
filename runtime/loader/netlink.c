// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "namespace.h"
#include "operations.h"

/* Of the kinds of a message that follow one another, RTM_NEW…, RTM_DEL… and RTM_GET…, the third. */
#define GET_KIND 2

/* The descriptor by which requests name the other namespace (IFLA_NET_NS_FD). */
#define OTHER_FD 100

/* A dump is cut into pieces of at most 32 KiB (netlink_dump()); larger is only what one device says. */
#define BUFFER_SIZE (256 * 1024)

/* How often a dump is begun anew because others changed what it shows. */
#define DUMPS_MAX 20

/* All answers of the kernel, one message behind the other. */
struct replies {
	char *data;
	size_t size;
	size_t capacity;
};

/* What the kernel says of one request, apart from messages. */
struct outcome {
	int is_over;
	int is_interrupted;
	int error;
	/* The kernel's own words; empty where it has none. */
	char words[256];
};

/* The message that begins at an offset, if there is a whole one. The data are aligned. */
static struct nlmsghdr *message_at(char *data, size_t size, size_t offset)
{
	struct nlmsghdr *message = (void *)(data + offset);

	if (offset >= size || size - offset < NLMSG_HDRLEN)
		return NULL;
	if (message->nlmsg_len < NLMSG_HDRLEN || message->nlmsg_len > size - offset)
		return NULL;
	return message;
}

static void replies_add(struct replies *replies, const struct nlmsghdr *message)
{
	size_t size = NLMSG_ALIGN(message->nlmsg_len);

	if (replies->size + size > replies->capacity) {
		replies->capacity = 2 * (replies->size + size);
		replies->data = reallocate(replies->data, replies->capacity);
	}
	memset(replies->data + replies->size + size - NLMSG_ALIGNTO, 0, NLMSG_ALIGNTO);
	memcpy(replies->data + replies->size, message, message->nlmsg_len);
	replies->size += size;
}

/* The extended acknowledgement: attributes behind the `skip` bytes of a message's payload. */
static void read_words(const struct nlmsghdr *message, size_t skip, struct outcome *outcome)
{
	const char *at = (const char *)NLMSG_DATA(message) + skip;
	const char *end = (const char *)message + message->nlmsg_len;

	while (end - at >= NLA_HDRLEN) {
		const struct nlattr *attribute = (const void *)at;
		size_t size = attribute->nla_len;

		if (size < NLA_HDRLEN || size > (size_t)(end - at))
			return;
		size -= NLA_HDRLEN;
		if ((attribute->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
			if (size >= sizeof(outcome->words))
				size = sizeof(outcome->words) - 1;
			memcpy(outcome->words, at + NLA_HDRLEN, size);
			outcome->words[size] = '\0';
		}
		at += NLA_ALIGN(attribute->nla_len);
	}
}

/* NLMSG_ERROR, with 0 an acknowledgement; the request in it is left out (NETLINK_CAP_ACK). */
static void read_error(const struct nlmsghdr *message, struct outcome *outcome)
{
	const struct nlmsgerr *error = NLMSG_DATA(message);

	outcome->is_over = 1;
	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*error))) {
		outcome->error = EBADMSG;
		return;
	}
	/* An errno is at most 4095; anything else is no kernel's. */
	outcome->error = error->error > 0 || error->error < -4095 ? EBADMSG : -error->error;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		read_words(message, sizeof(*error), outcome);
}

/* NLMSG_DONE: the end of a dump, with an error if it could not go on. */
static void read_done(const struct nlmsghdr *message, struct outcome *outcome)
{
	int error = 0;

	outcome->is_over = 1;
	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
		return;
	memcpy(&error, NLMSG_DATA(message), sizeof(error));
	if (error >= 0)
		return;
	outcome->error = error < -4095 ? EBADMSG : -error;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		read_words(message, sizeof(error), outcome);
}

static void read_messages(char *buffer, size_t size, uint32_t sequence, struct replies *replies,
			  struct outcome *outcome)
{
	const struct nlmsghdr *message;

	for (size_t at = 0; (message = message_at(buffer, size, at));
	     at += NLMSG_ALIGN(message->nlmsg_len)) {
		if (message->nlmsg_seq != sequence)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			outcome->is_interrupted = 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			read_error(message, outcome);
		else if (message->nlmsg_type == NLMSG_DONE)
			read_done(message, outcome);
		else
			replies_add(replies, message);
	}
}

/* Sends one request and reads until the kernel is done with it. */
static int exchange(int fd, const struct nlmsghdr *request, char *buffer, struct replies *replies,
		    struct outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	if (send(fd, request, request->nlmsg_len, 0) < 0)
		return errno;
	while (!outcome->is_over) {
		ssize_t size = recv(fd, buffer, BUFFER_SIZE, MSG_TRUNC);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno;
		if (size > BUFFER_SIZE)
			return EMSGSIZE;
		read_messages(buffer, size, request->nlmsg_seq, replies, outcome);
	}
	return outcome->error;
}

/* The same; a dump that others have interfered with is not the truth, and is begun anew. */
static int exchange_whole(int fd, const struct nlmsghdr *request, char *buffer,
			  struct replies *replies, struct outcome *outcome)
{
	size_t before = replies->size;

	for (int i = 0; i < DUMPS_MAX; i++) {
		int error = exchange(fd, request, buffer, replies, outcome);

		if (error || !outcome->is_interrupted)
			return error;
		replies->size = before;
	}
	return EAGAIN;
}

static int open_socket(void *context, struct answer *answer)
{
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	const int on = 1;
	int *fd = context;

	*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (*fd < 0)
		return fail(answer, errno, "cannot open a netlink socket");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (setsockopt(*fd, SOL_NETLINK, options[i], &on, sizeof(on))) {
			fail(answer, errno, "cannot set netlink option %d", options[i]);
			close(*fd);
			return -1;
		}
	}
	return 0;
}

/* The length of the line that begins at `text`. */
static int line_length(const char *text)
{
	return strcspn(text, "\n");
}

static int fail_request(const char *line, int error, const struct outcome *outcome,
			struct answer *answer)
{
	if (outcome->words[0] != '\0')
		return fail(answer, error, "%.*s: %s", line_length(line), line, outcome->words);
	return fail(answer, error, "%.*s", line_length(line), line);
}

/* Requests one after the other; the first that fails is the last. */
static int run_requests(int fd, const struct field *messages, const char *line,
			struct replies *replies, struct answer *answer)
{
	/* The fields of a frame lie anywhere, messages have to be aligned. */
	char *requests = allocate(messages->size);
	char *buffer = allocate(BUFFER_SIZE);
	struct nlmsghdr *request;
	uint32_t sequence = 0;
	size_t at = 0;
	int status = 0;

	memcpy(requests, messages->data, messages->size);
	while (!status && (request = message_at(requests, messages->size, at))) {
		struct outcome outcome;
		int error;

		request->nlmsg_seq = sequence++;
		/*
		 * A dump ends by itself; all else is over when it is acknowledged. Only a GET
		 * is a dump: of a NEW the same bits are NLM_F_REPLACE and NLM_F_EXCL.
		 */
		request->nlmsg_flags |= NLM_F_REQUEST;
		if ((request->nlmsg_type & 3) != GET_KIND ||
		    (request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
			request->nlmsg_flags |= NLM_F_ACK;
		error = exchange_whole(fd, request, buffer, replies, &outcome);
		if (error)
			status = fail_request(line, error, &outcome, answer);
		line += line_length(line);
		line += *line == '\n';
		at += NLMSG_ALIGN(request->nlmsg_len);
	}
	if (!status && at < messages->size)
		status = fail(answer, EBADMSG, "%zu bytes behind the last netlink request",
			      messages->size - at);
	free(buffer);
	free(requests);
	return status;
}

/* Opens the namespace that requests name by OTHER_FD, if there is one. */
static int open_other(const char *path, struct answer *answer)
{
	int fd, status = 0;

	if (path[0] == '\0')
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(answer, errno, "cannot open the network namespace %s", path);
	if (dup3(fd, OTHER_FD, O_CLOEXEC) < 0)
		status = fail(answer, errno, "cannot hold the network namespace %s", path);
	close(fd);
	return status;
}

/*
 * netlink NAMESPACE-OR-EMPTY OTHER-OR-EMPTY WORDS MESSAGES -> messages
 * MESSAGES are rtnetlink requests, one behind the other, and a line of WORDS says for people what
 * each is. The answers of the kernel have the number of their request, from 0, as nlmsg_seq.
 */
static int netlink(const struct request *request, struct answer *answer)
{
	const char *other = request_text(request, 1);
	struct replies replies = { 0 };
	int fd, status;

	if (within_namespace(request_text(request, 0), open_socket, &fd, answer))
		return -1;
	status = open_other(other, answer);
	if (!status)
		status = run_requests(fd, &request->arguments[3], request_text(request, 2), &replies,
				      answer);
	if (!status)
		answer_bytes(answer, replies.data, replies.size);
	if (other[0] != '\0')
		close(OTHER_FD);
	free(replies.data);
	close(fd);
	return status;
}

const struct operation netlink_operations[] = {
	{ "netlink", 4, 4, 1u << 3, netlink },
	{ 0 },
};

// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "nft-run.h"
#include "operations.h"

static int enter(const char *namespace, struct answer *answer)
{
	int fd = open(namespace, O_RDONLY | O_CLOEXEC);
	int status = 0;

	if (fd < 0)
		return fail(answer, errno, "cannot open the network namespace %s", namespace);
	if (setns(fd, CLONE_NEWNET))
		status = fail(answer, errno, "cannot enter the network namespace %s", namespace);
	close(fd);
	return status;
}

static int run_within(const char *namespace, const char *commands, bool check_only,
		      unsigned int output, struct answer *answer)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int status;

	if (home < 0)
		return fail(answer, errno, "cannot open the own network namespace");
	if (enter(namespace, answer)) {
		close(home);
		return -1;
	}
	status = nft_run(commands, check_only, output, answer);
	/* Anything done from here in the wrong namespace would hit a customer: rather end. */
	if (setns(home, CLONE_NEWNET))
		die("cannot return from the network namespace %s: %s", namespace, strerror(errno));
	close(home);
	return status;
}

/* What stands for nft's own output flags; terse: without the elements of sets. */
static int parse_output(const char *text, unsigned int *output, struct answer *answer)
{
	if (strcmp(text, "text") == 0)
		*output = 0;
	else if (strcmp(text, "json") == 0)
		*output = NFT_CTX_OUTPUT_JSON;
	else if (strcmp(text, "terse") == 0)
		*output = NFT_CTX_OUTPUT_TERSE;
	else
		return fail(answer, EINVAL, "no nft output %s", text);
	return 0;
}

/* nft NAMESPACE-OR-EMPTY check|apply json|text|terse COMMANDS -> output */
static int nft(const struct request *request, struct answer *answer)
{
	const char *namespace = request_text(request, 0);
	bool check_only = strcmp(request_text(request, 1), "check") == 0;
	const char *commands = request_text(request, 3);
	unsigned int output = 0;

	if (!check_only && strcmp(request_text(request, 1), "apply") != 0)
		return fail(answer, EINVAL, "no nft mode %s", request_text(request, 1));
	if (parse_output(request_text(request, 2), &output, answer))
		return -1;
	if (namespace[0] == '\0')
		return nft_run(commands, check_only, output, answer);
	return run_within(namespace, commands, check_only, output, answer);
}

const struct operation nft_operations[] = {
	{ "nft", 4, 4, 0, nft },
	{ 0 },
};

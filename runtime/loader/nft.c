// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

#include "namespace.h"
#include "nft-run.h"
#include "operations.h"

struct run {
	const char *commands;
	bool check_only;
	unsigned int output;
};

static int run_here(void *context, struct answer *answer)
{
	const struct run *run = context;

	return nft_run(run->commands, run->check_only, run->output, answer);
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
	struct run run = {
		.commands = request_text(request, 3),
		.check_only = strcmp(request_text(request, 1), "check") == 0,
	};

	if (!run.check_only && strcmp(request_text(request, 1), "apply") != 0)
		return fail(answer, EINVAL, "no nft mode %s", request_text(request, 1));
	if (parse_output(request_text(request, 2), &run.output, answer))
		return -1;
	return within_namespace(request_text(request, 0), run_here, &run, answer);
}

const struct operation nft_operations[] = {
	{ "nft", 4, 4, 0, nft },
	{ 0 },
};

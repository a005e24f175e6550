// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

#include "nft-run.h"

static int fail_as_nft(const char *errors, struct answer *answer)
{
	size_t length = strlen(errors);

	while (length > 0 && errors[length - 1] == '\n')
		length--;
	if (length == 0)
		return fail(answer, 0, "nft failed without a message");
	return fail(answer, 0, "%.*s", (int)length, errors);
}

static int run(struct nft_ctx *nft, const char *commands, struct answer *answer)
{
	if (nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))
		return fail(answer, ENOMEM, "cannot capture nft's output");
	if (nft_run_cmd_from_buffer(nft, commands))
		return fail_as_nft(nft_ctx_get_error_buffer(nft), answer);
	answer_text(answer, nft_ctx_get_output_buffer(nft));
	return 0;
}

int nft_run(const char *commands, bool check_only, bool json, struct answer *answer)
{
	/* A context's socket belongs to the namespace in which it is made, so it is never kept. */
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	int status;

	if (!nft)
		return fail(answer, ENOMEM, "cannot make an nft context");
	nft_ctx_set_dry_run(nft, check_only);
	if (json)
		nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON);
	status = run(nft, commands, answer);
	nft_ctx_free(nft);
	return status;
}

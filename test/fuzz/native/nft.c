// SPDX-License-Identifier: Apache-2.0
/* In place of libnftables. */
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"

struct nft_ctx {
	char errors[256];
};

struct nft_ctx *nft_ctx_new(uint32_t flags)
{
	(void)flags;
	return refused() ? NULL : calloc(1, sizeof(struct nft_ctx));
}

void nft_ctx_free(struct nft_ctx *nft)
{
	free(nft);
}

void nft_ctx_set_dry_run(struct nft_ctx *nft, bool dry)
{
	(void)nft, (void)dry;
}

void nft_ctx_output_set_flags(struct nft_ctx *nft, unsigned int flags)
{
	(void)nft, (void)flags;
}

int nft_ctx_buffer_output(struct nft_ctx *nft)
{
	(void)nft;
	return refused();
}

int nft_ctx_buffer_error(struct nft_ctx *nft)
{
	(void)nft;
	return refused();
}

/* Names its file once in each error, or never. */
int nft_run_cmd_from_filename(struct nft_ctx *nft, const char *path)
{
	static const char *const formats[] = {
		"%s:1:2-3: Error: syntax error\n%s:2:1-1: Error: unexpected end\n",
		"%.0s%.0sError: cannot talk to the kernel\n",
		"%.0s%.0s",
	};
	const char *format = formats[choose(3)];

	touch(path, strlen(path));
	if (!refused())
		return 0;
	snprintf(nft->errors, sizeof(nft->errors), format, path, path);
	return -1;
}

const char *nft_ctx_get_output_buffer(struct nft_ctx *nft)
{
	(void)nft;
	return "table inet tidegate\n";
}

const char *nft_ctx_get_error_buffer(struct nft_ctx *nft)
{
	return nft->errors;
}

// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame.h"
#include "nft-run.h"

/* nft names lines only in what it reads from a file: one in memory, by a path that it can open. */
struct script {
	int fd;
	char *path;
};

static int script_make(struct script *script, const char *commands, struct answer *answer)
{
	script->fd = memfd_create("nft", MFD_CLOEXEC);
	if (script->fd < 0)
		return fail(answer, errno, "cannot make a file for nft");
	if (write_all(script->fd, commands, strlen(commands))) {
		fail(answer, errno, "cannot write the file for nft");
		close(script->fd);
		return -1;
	}
	script->path = format_text("/proc/self/fd/%d", script->fd);
	return 0;
}

static void script_free(struct script *script)
{
	close(script->fd);
	free(script->path);
}

/* Answers with nft's words, in which "line 3:5-9:" stands for "/proc/self/fd/7:3:5-9:". */
static int fail_as_nft(const char *errors, const struct script *script, struct answer *answer)
{
	char *prefix = format_text("%s:", script->path);
	char *text = format_text("nft refuses:\n");
	const char *hit;

	while ((hit = strstr(errors, prefix))) {
		char *longer = format_text("%s%.*sline ", text, (int)(hit - errors), errors);

		free(text);
		text = longer;
		errors = hit + strlen(prefix);
	}
	fail(answer, 0, "%s%s", text, errors);
	free(text);
	free(prefix);
	return -1;
}

static int run(struct nft_ctx *nft, const struct script *script, struct answer *answer)
{
	if (nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))
		return fail(answer, ENOMEM, "cannot capture nft's output");
	if (nft_run_cmd_from_filename(nft, script->path))
		return fail_as_nft(nft_ctx_get_error_buffer(nft), script, answer);
	answer_text(answer, nft_ctx_get_output_buffer(nft));
	return 0;
}

int nft_run(const char *commands, bool check_only, unsigned int output, struct answer *answer)
{
	struct script script = { .fd = -1 };
	struct nft_ctx *nft;
	int status;

	if (script_make(&script, commands, answer))
		return -1;
	/* A context's socket belongs to the namespace in which it is made, so it is never kept. */
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (nft) {
		nft_ctx_set_dry_run(nft, check_only);
		nft_ctx_output_set_flags(nft, output);
		status = run(nft, &script, answer);
		nft_ctx_free(nft);
	} else {
		status = fail(answer, ENOMEM, "cannot make an nft context");
	}
	script_free(&script);
	return status;
}

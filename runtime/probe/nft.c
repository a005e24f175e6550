// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hooks.h"
#include "mark.h"
#include "nft-run.h"
#include "operations.h"
#include "world.h"

/* One world a process, from nft.open until the end. */
static int edge = -1;
static volatile uint32_t *mark;

/* nft.open HOOKS-OBJECT */
static int open_world(const struct request *request, struct answer *answer)
{
	if (edge >= 0)
		return fail(answer, EALREADY, "nft.open");
	edge = world_make(answer);
	if (edge < 0)
		return -1;
	mark = hooks_attach(request_text(request, 0), answer);
	return mark ? 0 : -1;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Outside our own namespace nothing may be loaded or sent. */
static int need_world(struct answer *answer)
{
	if (!mark)
		return fail(answer, ENOTCONN, "nft.open has not succeeded");
	return 0;
}

/* nft.load COMMANDS -> output */
static int load(const struct request *request, struct answer *answer)
{
	if (need_world(answer))
		return -1;
	return nft_run(request_text(request, 0), false, 0, answer);
}

/* nft.counters -> JSON */
static int counters(const struct request *request, struct answer *answer)
{
	(void)request;
	if (need_world(answer))
		return -1;
	return nft_run("list counters table inet tidegate", false, NFT_CTX_OUTPUT_JSON,
		       answer);
}

static int inject(const struct packet *packet, uint32_t index, char *verdict,
		  struct answer *answer)
{
	*mark = MARK_UNREACHED;
	/* EINVAL: by its first nibble neither IPv4 nor IPv6, which tun_get_user() refuses. */
	if (write(edge, packet->data, packet->size) < 0 && errno != EINVAL)
		return fail(answer, errno, "cannot send packet %u of %u bytes", index,
			    packet->size);
	*verdict = *mark;
	return 0;
}

/* nft.run BATCH -> an enum mark a packet, one byte each */
static int run(const struct request *request, struct answer *answer)
{
	const struct field *bytes = &request->arguments[0];
	struct batch batch = { .data = bytes->data, .left = bytes->size };
	uint32_t count;
	char *verdicts;

	if (need_world(answer) || batch_count(batch, &count, answer))
		return -1;
	verdicts = answer_reserve(answer, count);
	for (uint32_t i = 0; i < count; i++) {
		struct packet packet = batch_next(&batch);

		if (inject(&packet, i, &verdicts[i], answer))
			return -1;
	}
	return 0;
}

/* nft.time BATCH -> nanoseconds that all packets together took, one after the other */
static int time_run(const struct request *request, struct answer *answer)
{
	const struct field *bytes = &request->arguments[0];
	struct batch batch = { .data = bytes->data, .left = bytes->size };
	uint32_t count;
	uint64_t start;
	char verdict;

	if (need_world(answer) || batch_count(batch, &count, answer))
		return -1;
	start = monotonic_ns();
	for (uint32_t i = 0; i < count; i++) {
		struct packet packet = batch_next(&batch);

		if (inject(&packet, i, &verdict, answer))
			return -1;
	}
	answer_number(answer, monotonic_ns() - start);
	return 0;
}

const struct operation nft_operations[] = {
	{ "nft.open", 1, 1, 0, open_world },
	{ "nft.load", 1, 1, 0, load },
	{ "nft.counters", 0, 0, 0, counters },
	{ "nft.run", 1, 1, 1u << 0, run },
	{ "nft.time", 1, 1, 1u << 0, time_run },
	{ 0 },
};

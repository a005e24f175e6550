// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "operations.h"

static uint32_t head_size(const struct batch *batch)
{
	return (batch->timed ? sizeof(uint64_t) : 0) + sizeof(uint32_t);
}

static uint32_t packet_size(const struct batch *batch)
{
	uint32_t size;

	memcpy(&size, batch->data + head_size(batch) - sizeof(size), sizeof(size));
	return le32toh(size);
}

static void advance(struct batch *batch, uint32_t size)
{
	batch->data += size;
	batch->left -= size;
}

int batch_count(struct batch batch, uint32_t *count, struct answer *answer)
{
	for (*count = 0; batch.left > 0; (*count)++) {
		if (batch.left < head_size(&batch) ||
		    batch.left - head_size(&batch) < packet_size(&batch))
			return fail(answer, EBADMSG, "packet %u is cut short", *count);
		advance(&batch, head_size(&batch) + packet_size(&batch));
	}
	return 0;
}

struct packet batch_next(struct batch *batch)
{
	uint32_t head = head_size(batch);
	struct packet packet = { .data = batch->data + head, .size = packet_size(batch) };

	if (batch->timed) {
		memcpy(&packet.clock, batch->data, sizeof(packet.clock));
		packet.clock = le64toh(packet.clock);
	}
	advance(batch, head + packet.size);
	return packet;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Chance alone rarely leaves a frame whole in which lengths stand before everything. So, mostly, one
 * field is changed and the lengths are written anew.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORD sizeof(uint32_t)
#define FIELDS 128

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

struct part {
	const uint8_t *data;
	uint32_t size;
	uint32_t frame;
};

struct parts {
	struct part all[FIELDS];
	uint32_t count;
	uint32_t frames;
};

static uint32_t read_word(const uint8_t *data)
{
	return data[0] | data[1] << 8 | data[2] << 16 | (uint32_t)data[3] << 24;
}

static uint8_t *put_word(uint8_t *place, uint32_t word)
{
	for (size_t i = 0; i < WORD; i++)
		*place++ = word >> (8 * i);
	return place;
}

/* Takes one frame apart. Returns its size with its length, or 0 if it is not whole. */
static size_t take_frame(const uint8_t *data, size_t size, struct parts *parts)
{
	size_t end, at = 2 * WORD;
	uint32_t count;

	if (size < 2 * WORD || read_word(data) > size - WORD)
		return 0;
	end = WORD + read_word(data);
	count = read_word(data + WORD);
	for (; count > 0; count--) {
		uint32_t length;

		if (end < at + WORD || parts->count == FIELDS)
			return 0;
		length = read_word(data + at);
		at += WORD;
		if (end - at < length)
			return 0;
		parts->all[parts->count++] = (struct part){ data + at, length, parts->frames };
		at += length;
	}
	parts->frames++;
	return at == end ? end : 0;
}

static int take_apart(const uint8_t *data, size_t size, struct parts *parts)
{
	memset(parts, 0, sizeof(*parts));
	while (size > 0) {
		size_t taken = take_frame(data, size, parts);

		if (taken == 0)
			return -1;
		data += taken;
		size -= taken;
	}
	return parts->count > 0 ? 0 : -1;
}

static size_t joined_size(const struct parts *parts)
{
	size_t size = 2 * WORD * parts->frames;

	for (uint32_t i = 0; i < parts->count; i++)
		size += WORD + parts->all[i].size;
	return size;
}

static size_t join(const struct parts *parts, uint8_t *place)
{
	uint8_t *start = place;
	uint32_t i = 0;

	for (uint32_t frame = 0; frame < parts->frames; frame++) {
		uint8_t *head = place;
		uint32_t count = 0;

		place += 2 * WORD;
		for (; i < parts->count && parts->all[i].frame == frame; i++, count++) {
			place = put_word(place, parts->all[i].size);
			memcpy(place, parts->all[i].data, parts->all[i].size);
			place += parts->all[i].size;
		}
		put_word(head, place - head - WORD);
		put_word(head + WORD, count);
	}
	return place - start;
}

/* Drops a field, or has it twice. */
static void change_count(struct parts *parts, uint32_t at, int drop)
{
	struct part *field = &parts->all[at];
	uint32_t behind = parts->count - at - 1;

	if (drop) {
		memmove(field, field + 1, behind * sizeof(*field));
		parts->count--;
	} else if (parts->count < FIELDS) {
		memmove(field + 1, field, (behind + 1) * sizeof(*field));
		parts->count++;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static uint8_t changed[4096];
	struct parts parts;
	struct part *field;
	uint8_t *copy;

	if (seed % 4 == 0 || take_apart(data, size, &parts))
		return LLVMFuzzerMutate(data, size, max_size);
	seed /= 4;
	field = &parts.all[seed / 8 % parts.count];
	if (seed % 8 < 2) {
		change_count(&parts, field - parts.all, seed % 2);
	} else if (field->size < sizeof(changed)) {
		memcpy(changed, field->data, field->size);
		field->size = LLVMFuzzerMutate(changed, field->size, sizeof(changed));
		field->data = changed;
	}
	if (joined_size(&parts) > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	copy = malloc(joined_size(&parts));
	if (!copy)
		abort();
	size = join(&parts, copy);
	memcpy(data, copy, size);
	free(copy);
	return size;
}

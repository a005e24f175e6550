/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_CHOOSE_H
#define TIDEGATE_CHOOSE_H

#include <stddef.h>
#include <stdint.h>

/* The next choice of the input, less than `below`. */
uint32_t choose(uint32_t below);

/* Whether the pretended kernel refuses, with errno set: once in eight times. */
int refused(void);

/* A new descriptor, which the program under test is to close. */
int descriptor(void);

/* Chooses the shape that all maps of this input have. */
void shape_begin(void);

/* What the kernel calls the object that a descriptor was given out for. */
const char *kind_name(int fd);

/* Reads all bytes, as a kernel would that copies them: a fault where they are not the caller's. */
void touch(const void *data, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* For the same reason as types.h. */
#define __BITS_PER_LONG 64
#include <asm-generic/bitsperlong.h>

/* SPDX-License-Identifier: Apache-2.0 */
/* For the same reason as types.h. */
#include <asm-generic/posix_types.h>

/* SPDX-License-Identifier: Apache-2.0 */
/* For the same reason as types.h: BPF has the byte order that clang was told, the host's by default. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <linux/byteorder/little_endian.h>
#else
#include <linux/byteorder/big_endian.h>
#endif

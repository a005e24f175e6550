// SPDX-License-Identifier: Apache-2.0
/*
 * The native loader: does single operations on the kernel for the TypeScript runtime, which knows
 * what they are for. README.md here tells how the two speak.
 */
#include "operations.h"

int main(void)
{
	static const struct operation *const groups[] = {
		lock_operations,    map_operations,    netlink_operations,
		nft_operations,     object_operations, offload_operations,
		slot_operations,    tc_operations,     xdp_operations,
		NULL,
	};

	return serve(groups);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The probe: runs packets through the real kernel and reports the verdicts. Speaks like the loader
 * (../loader/README.md).
 */
#include "operations.h"

int main(void)
{
	static const struct operation *const groups[] = { nft_operations, xdp_operations, NULL };

	return serve(groups);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_MARK_H
#define TIDEGATE_MARK_H

/* How far a packet came; also what nft.run answers (NFT_VERDICT in runtime/probe-client.ts). */
enum mark {
	MARK_UNREACHED = 0, /* the kernel dropped it before the hooks */
	MARK_REACHED = 1,   /* it met the ruleset, which dropped it */
	MARK_SURVIVED = 2,
};

#endif

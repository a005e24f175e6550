/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_NFT_RUN_H
#define TIDEGATE_NFT_RUN_H

#include <stdbool.h>

#include "answer.h"

/*
 * Runs nft commands as one transaction in the process's present network namespace and adds nft's
 * output, in the format of NFT_CTX_OUTPUT_*, to the answer. Returns 0, or what fail() returned,
 * with nft's own message.
 */
int nft_run(const char *commands, bool check_only, unsigned int output,
	    struct answer *answer);

#endif

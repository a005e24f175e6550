/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_NAMESPACE_H
#define TIDEGATE_NAMESPACE_H

#include "answer.h"

/*
 * Calls `work` in the network namespace of a file, or, if the path is empty, where the process is.
 * Returns what `work` returned, or what fail() returned.
 */
int within_namespace(const char *path, int (*work)(void *context, struct answer *answer),
		     void *context, struct answer *answer);

#endif

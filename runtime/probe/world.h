/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_WORLD_H
#define TIDEGATE_WORLD_H

#include "answer.h"

/*
 * Moves the process into a fresh network namespace, at the first call. Returns 0, or what fail()
 * returned.
 */
int world_enter(struct answer *answer);

/*
 * Enters a namespace of the process's own, and makes it one in which packets that are written to the
 * device "edge" meet nothing that would drop them before the hooks or answer out of turn.
 * Returns the descriptor of "edge", or what fail() returned.
 */
int world_make(struct answer *answer);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_WATCH_OPERATIONS_H
#define TIDEGATE_WATCH_OPERATIONS_H

#include "serve.h"

/* One table a file; arguments and results stand above each operation. */
extern const struct operation drop_operations[];
extern const struct operation trace_operations[];

/* A descriptor that can be read when there are samples; -1: nobody watches drops. */
int drops_fd(void);
/* Sends an event for each sample that is there. */
void drops_forward(void);
/* Puts off the time at which the programs go quiet by themselves. */
void drops_renew(void);
/* Takes the programs out of their places. */
void drops_end(void);

/* The same for traces. */
int traces_fd(void);
void traces_forward(void);

#endif

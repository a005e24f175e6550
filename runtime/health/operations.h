/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_HEALTH_OPERATIONS_H
#define TIDEGATE_HEALTH_OPERATIONS_H

#include <poll.h>

#include "serve.h"

/* One table a file; arguments and results stand above each operation. */
extern const struct operation answers_operations[];
extern const struct operation own_address_operations[];
extern const struct operation send_operations[];

/* Sets what to wait for: answers of IPv4 and of IPv6; nothing before `listen`. */
void answers_poll(struct pollfd ready[2]);
/* Sends an event for each answer that is there, up to some. */
void answers_forward(int fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_HEALTH_OPERATIONS_H
#define TIDEGATE_HEALTH_OPERATIONS_H

#include "serve.h"

/* One table a file; arguments and results stand above each operation. */
extern const struct operation own_address_operations[];
extern const struct operation send_operations[];

/* Where answers come to the node, of IPv4 and of IPv6. */
struct ears {
	int fd4;
	int fd6;
};

/* Ends the process where they cannot be had. */
void answers_listen(struct ears *ears);
/* Sends an event for each answer that is there. */
void answers_forward(int fd);

#endif

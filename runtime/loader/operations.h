/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_OPERATIONS_H
#define TIDEGATE_OPERATIONS_H

#include "serve.h"

/* One table a file; arguments and results stand above each operation. */
extern const struct operation lock_operations[];
extern const struct operation map_operations[];
extern const struct operation netlink_operations[];
extern const struct operation nft_operations[];
extern const struct operation object_operations[];
extern const struct operation offload_operations[];
extern const struct operation slot_operations[];
extern const struct operation tc_operations[];
extern const struct operation xdp_operations[];

/* Index of a network device of the process's namespace. Returns 0, or what fail() returned. */
int find_device(const char *name, unsigned int *ifindex, struct answer *answer);

#endif

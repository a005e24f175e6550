/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_MESSAGES_H
#define TIDEGATE_MESSAGES_H

/*
 * What libbpf warns of during an operation, the verifier's log among it, so that a failure can be
 * answered with its cause. Starts to listen, and forgets what was said before.
 */
void messages_begin(void);

/* All since messages_begin(); without a final newline; at most the last 512 KiB. */
const char *messages_text(void);

#endif

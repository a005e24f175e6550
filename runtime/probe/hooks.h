/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_HOOKS_H
#define TIDEGATE_HOOKS_H

#include <stdint.h>

#include "answer.h"

/*
 * Loads hooks.bpf.o and attaches it around the prerouting chains of the process's network
 * namespace, for as long as the process lives. Returns where the programs write the present
 * packet's enum mark, or NULL after fail().
 */
volatile uint32_t *hooks_attach(const char *object, struct answer *answer);

#endif

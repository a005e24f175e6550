/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIDEGATE_PIN_H
#define TIDEGATE_PIN_H

#include "answer.h"

enum pin_kind { PIN_PROGRAM, PIN_MAP, PIN_LINK };

/* Opens what is pinned at a path. Returns a descriptor, or what fail() returned. */
int pin_open_any(const char *path, enum pin_kind *kind, struct answer *answer);

/* The same, for what must be of a kind. */
int pin_open(const char *path, enum pin_kind kind, struct answer *answer);

const char *pin_kind_name(enum pin_kind kind);

#endif

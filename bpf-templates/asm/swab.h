/* SPDX-License-Identifier: Apache-2.0 */
/* For the same reason as types.h; clang's own byte swaps need nothing from here. */

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <linux/types.h> wants the architecture's types, which `clang -target bpf` does not find where
 * distributions keep them per machine (Debian's multiarch). BPF's are the generic ones.
 */
#include <asm-generic/types.h>

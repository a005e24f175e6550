import type { Diagnostics } from "../../compiler/diagnostics/diagnostic.js";
import { formatPrefix } from "../../compiler/ir/address.js";
import { equalRoutes, type Policy } from "../../compiler/ir/policy.js";

/**
 * ip(8) builds a group in a message of 1,024 bytes (ipnh_modify), at 8 a tunnel; and the weights of so many tunnels make
 * fewer buckets than the 65,535 that a group may have (NHA_RES_GROUP_BUCKETS).
 */
const MOST_SHARES = 64;

/** Other bounds of the kernel's (mtu, ttl, key, metric, weight) are those of the language; the passes refuse the rest. */
export function check(policy: Policy, diagnostics: Diagnostics): void {
  for (const equal of equalRoutes(policy.routes)) {
    const beyond = equal[MOST_SHARES];
    if (!beyond) continue;
    const params = { prefix: formatPrefix(beyond.prefix), limit: MOST_SHARES };
    diagnostics.report("TG4030", beyond.span, params);
  }
}

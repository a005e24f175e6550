import type { Policy } from "../compiler/ir/policy.js";
import { nft } from "./nft/target.js";
import { route } from "./route/target.js";
import type { Target } from "./target.js";
import { earlyRoom } from "./xdp/room.js";
import { xdp } from "./xdp/target.js";

/** Everything that a policy becomes, in the order in which a packet meets it. */
export const TARGETS: readonly Target[] = [xdp, nft, route];

/** What is decided early is part of a policy's meaning, so what fits into XDP is settled before anything else asks. */
export function withinRoom(policy: Policy): Policy {
  const earlyRules = earlyRoom(policy);
  return earlyRules === undefined ? policy : { ...policy, firewall: { ...policy.firewall, earlyRules } };
}

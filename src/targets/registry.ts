import { nft } from "./nft/target.js";
import { route } from "./route/target.js";
import type { Target } from "./target.js";
import { xdp } from "./xdp/target.js";

/** Everything that a policy becomes, in the order in which a packet meets it. */
export const TARGETS: readonly Target[] = [xdp, nft, route];

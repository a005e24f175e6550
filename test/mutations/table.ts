import type { Mutation } from "./mutation.js";
import { ANALYSIS } from "./table/analysis.js";
import { CHANGES } from "./table/changes.js";
import { CLASSIFY } from "./table/classify.js";
import { DAEMON } from "./table/daemon.js";
import { EARLY } from "./table/early.js";
import { FORWARD } from "./table/forward.js";
import { HEALTH } from "./table/health.js";
import { IR } from "./table/ir.js";
import { NFT } from "./table/nft.js";
import { PASSES } from "./table/passes.js";
import { RUNTIME } from "./table/runtime.js";
import { SEMANTICS } from "./table/semantics.js";
import { TABLES } from "./table/tables.js";
import { TEMPLATES } from "./table/templates.js";
import { TUNNELS } from "./table/tunnels.js";
import { UPLINKS } from "./table/uplinks.js";
import { WAY_BACK } from "./table/way-back.js";
import { XDP } from "./table/xdp.js";

/** Every bug that is planted, in the order data flows. */
export const MUTATIONS: readonly Mutation[] = [
  ...IR,
  ...PASSES,
  ...SEMANTICS,
  ...ANALYSIS,
  ...CLASSIFY,
  ...XDP,
  ...EARLY,
  ...FORWARD,
  ...UPLINKS,
  ...WAY_BACK,
  ...TEMPLATES,
  ...TUNNELS,
  ...TABLES,
  ...NFT,
  ...RUNTIME,
  ...CHANGES,
  ...HEALTH,
  ...DAEMON,
];

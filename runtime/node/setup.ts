import type { NodeConfig } from "../../src/targets/manifest.js";
import { chooseGre, greDriver } from "../gre/choose.js";
import type { Host } from "../host.js";
import type { Prefix } from "../prefix.js";
import { forgetNode, type NodeState, writeNodeState } from "../state.js";
import { missingParts, type OnStep, type Part, type Steps, takeDown } from "../steps.js";
import { nodeParts } from "./parts.js";

/**
 * Makes what the node lacks. What that is gets noted first, so that it is known as Tidegate's even if this process is
 * killed: only that is taken down again. `marked`: the prefixes of customers that are loaded. `remade`: something was missing.
 */
export async function setUpNode(
  host: Host,
  config: NodeConfig,
  before: NodeState | undefined,
  marked: readonly Prefix[],
  steps: Steps,
): Promise<{ readonly state: NodeState; readonly remade: boolean }> {
  const gre = before?.gre ?? (await chooseGre());
  const parts = nodeParts(host, config, greDriver(host, gre), marked);
  const missing = await missingParts(parts);
  const state = { config, gre, added: [...new Set([...(before?.added ?? []), ...missing])] };
  // As long as something of it is left, the record must say so.
  const restore = async (clean: boolean) => {
    if (clean) await (before ? writeNodeState(host.paths, before) : forgetNode(host.paths));
  };
  await steps.run("record the node", () => writeNodeState(host.paths, state), restore);
  const remade = missing.length > 0 && (await steps.ensure(parts, before !== undefined));
  return { state, remade };
}

/** After a change of the node's configuration: takes down what only the old one asked for. */
export async function retireOldParts(
  host: Host,
  before: NodeState | undefined,
  now: NodeState,
): Promise<void> {
  if (!before) return;
  const wanted = new Set(nodeParts(host, now.config, greDriver(host, now.gre)).map(({ name }) => name));
  const retired = ownParts(host, before).filter(({ name }) => !wanted.has(name));
  if (retired.length === 0) return;
  await takeDown(retired, () => {});
  const gone = new Set(retired.map(({ name }) => name));
  await writeNodeState(host.paths, { ...now, added: now.added.filter((name) => !gone.has(name)) });
}

/** Leaves the machine as it was found: of the node's parts go those that Tidegate made. */
export async function tearDownNode(host: Host, state: NodeState, onStep: OnStep): Promise<void> {
  await takeDown(ownParts(host, state), onStep);
}

function ownParts(host: Host, { config, gre, added }: NodeState): readonly Part[] {
  return nodeParts(host, config, greDriver(host, gre)).filter(({ name }) => added.includes(name));
}

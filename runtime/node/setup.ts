import type { NodeConfig } from "../../src/targets/manifest.js";
import { alignTunnels } from "../customer/standing.js";
import { chooseGre, greDriver } from "../gre/choose.js";
import type { Host } from "../host.js";
import { forgetNode, type NodeState, writeNodeState } from "../state.js";
import { missingParts, type OnStep, type Part, type Steps, takeDown } from "../steps.js";
import { type Customers, nodeParts } from "./parts.js";

/** Who changes the node: one customer, with a change of its own. */
export type By = Pick<NonNullable<NodeState["change"]>, "customer" | "generation">;

/**
 * Makes what the node lacks. What that is gets noted first, so that it is known as Tidegate's even if this process is
 * killed: only that is taken down again. `customers`: what stands for those that are loaded. `remade`: something was missing.
 */
export async function setUpNode(
  host: Host,
  config: NodeConfig,
  before: NodeState | undefined,
  by: By,
  customers: Customers,
  steps: Steps,
): Promise<{ readonly state: NodeState; readonly remade: boolean }> {
  const gre = before?.gre ?? (await chooseGre());
  const parts = nodeParts(host, config, greDriver(host, gre), customers);
  const missing = await missingParts(parts);
  const state = stateOf({ config, gre, parts, missing, before, by });
  // As long as something of it is left, the record must say so.
  const restore = async (clean: boolean) => {
    if (clean) await (before ? writeNodeState(host.paths, before) : forgetNode(host.paths));
  };
  await steps.run("record the node", () => writeNodeState(host.paths, state), restore);
  const remade = missing.length > 0 && (await steps.ensure(parts, before !== undefined));
  return { state, remade };
}

/** Where nothing is new it is what there was before, which needs not be written again. */
function stateOf(is: {
  readonly config: NodeConfig;
  readonly gre: NodeState["gre"];
  readonly parts: readonly Part[];
  readonly missing: readonly string[];
  readonly before: NodeState | undefined;
  readonly by: By;
}): NodeState {
  const { config, gre, parts, missing, before, by } = is;
  const isOther = before !== undefined && !sameNode(before.config, config);
  if (before && !isOther && missing.length === 0) return before;
  const added = ownNames(before?.added ?? [], parts, missing);
  return { config, gre, added, ...(isOther && { change: { from: before.config, ...by } }) };
}

/** Names of the parts that are Tidegate's own, once what is missing now is made. */
function ownNames(before: readonly string[], parts: readonly Part[], missing: readonly string[]): string[] {
  const foundBefore = new Map(parts.map((part) => [part.name, part.foundBefore]));
  const isFound = (name: string) => before.includes(foundBefore.get(name) ?? "");
  return [...new Set([...before, ...missing.filter((name) => !isFound(name))])];
}

/** The text of each description that still exists: with a thousand customers it is long. */
const texts = new WeakMap<NodeConfig, string>();

export function sameNode(one: NodeConfig, other: NodeConfig): boolean {
  return textOf(one) === textOf(other);
}

function textOf(node: NodeConfig): string {
  const text = texts.get(node) ?? JSON.stringify(node);
  texts.set(node, text);
  return text;
}

/**
 * Ends a change of the node: it holds if the customer's with which it came does, `generation` being what is on record of that
 * customer. Tunnels of all customers get the outer source of the one that holds, and then what only the other configuration asks
 * for goes; nothing has to be made for that, so it cannot fail for want of something. Can be repeated.
 */
export async function endNodeChange(
  host: Host,
  state: NodeState,
  generation: number | undefined,
): Promise<NodeState> {
  const { change, ...rest } = state;
  if (!change) return state;
  const holds = generation !== undefined && generation >= change.generation;
  const config = holds ? state.config : change.from;
  await alignTunnels(host, greDriver(host, rest.gre), config, holds ? change.from : state.config);
  const wanted = new Set(partsOf(host, { ...rest, config }).map(({ name }) => name));
  const isWanted = (name: string) => wanted.has(name);
  await takeDown(
    ownParts(host, state).filter(({ name }) => !isWanted(name)),
    () => {},
  );
  const ended = { ...rest, config, added: rest.added.filter(isWanted) };
  await writeNodeState(host.paths, ended);
  return ended;
}

/** Leaves the machine as it was found: of the node's parts go those that Tidegate made. */
export async function tearDownNode(host: Host, state: NodeState, onStep: OnStep): Promise<void> {
  await takeDown(ownParts(host, state), onStep);
}

/** Those that Tidegate made, for either configuration where one is on its way to another. */
function ownParts(host: Host, state: NodeState): readonly Part[] {
  const { change, added } = state;
  const now = partsOf(host, state);
  const names = new Set(now.map(({ name }) => name));
  const others = change ? partsOf(host, { ...state, config: change.from }) : [];
  const all = [...now, ...others.filter(({ name }) => !names.has(name))];
  return all.filter(({ name, ours }) => ours === true || added.includes(name));
}

function partsOf(host: Host, { config, gre }: Pick<NodeState, "config" | "gre">): readonly Part[] {
  return nodeParts(host, config, greDriver(host, gre));
}

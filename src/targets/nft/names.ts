import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Family } from "../../compiler/ir/address.js";

/**
 * Names inside the customer's table. nft's grammar has hundreds of keywords (`fwd`, `limit`, `drop` …) and no way to
 * quote a name, so nothing that a customer chose stands without a prefix of ours.
 */

/** Every packet from the edge that no rule decided. Not a keyword of nft; the only name without a prefix. */
export const DEFAULT_COUNTER = "default";
/** From the edge, but not to the customer: the dispatch before us made a mistake. */
export const FOREIGN_COUNTER = "foreign";
/** From a tunnel, with a source of the customer's. */
export const PASSED_COUNTER = "return-passed";
/** From a tunnel, with somebody else's source (BCP 38). */
export const SPOOFED_COUNTER = "return-spoofed";

export function ruleCounter(rule: string): string {
  return `rule-${plain(rule)}`;
}

/** The chain that decides one rule which does not fit on lines of its stage's chain. */
export function matchChain(prefix: "match" | "fragment", rule: string): string {
  return `${prefix}-${plain(rule)}`;
}

/** Where rejected packets end. */
export const REJECTION_CHAIN = "rejected";

/** The first chain of a tree that finds the rules of a stage; the others' names begin with it. */
export function treeChain(stage: string, tree: number): string {
  return `${stage}-tree-${tree}`;
}

export function logChain(rule: string): string {
  return `log-${plain(rule)}`;
}

export function limitChain(rule: string): string {
  return `limit-${plain(rule)}`;
}

export function limitSet(rule: string, family: Family): string {
  return `limit-${plain(rule)}-${family}`;
}

export function listSet(list: string, family: Family): string {
  return `list-${plain(list)}-${family}`;
}

export function prefixSet(family: Family): string {
  return `prefixes-${family}`;
}

/** The names pass lets nothing else through; checked again here, where a name becomes syntax. */
export function plain(name: string): string {
  invariant(/^[a-z][a-z0-9-]*$/.test(name), `${JSON.stringify(name)} is a safe name`);
  return name;
}

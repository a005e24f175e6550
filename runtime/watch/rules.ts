import type { Manifest } from "../../src/targets/manifest.js";
import type { LoadedCustomer } from "../state.js";

/** The rule that decided, and where. */
export interface Decider {
  readonly stage: "mitigate" | "firewall";
  /** null: the stage's default. */
  readonly rule: string | null;
  /** 1-based, in the policy's file; null with the default. */
  readonly line: number | null;
  readonly verdict: "drop" | "reject" | "allow";
}

/** By the index of a counter of the XDP program, which only drops: undefined where the program has no such rule. */
export function deciderAt({ mitigate, firewall }: Manifest, index: number): Decider | undefined {
  const drop = { verdict: "drop" } as const;
  const early = index - mitigate.length - 1;
  if (index < mitigate.length) return { ...drop, stage: "mitigate", ...placeOf(mitigate[index]) };
  if (!firewall.early || early < 0 || early > firewall.rules.length) return undefined;
  return { ...drop, stage: "firewall", ...placeOf(firewall.rules[early]) };
}

/** By the name that the firewall has for what decided: of a rule, or `default`; undefined: it has none of that name. */
export function deciderNamed({ firewall }: Manifest, name: string, dropped: boolean): Decider | undefined {
  const rule = firewall.rules.find((one) => one.name === name);
  if (!rule && name !== DEFAULT) return undefined;
  const action = rule?.action ?? firewall.default;
  const verdict = dropped ? (action === "reject" ? "reject" : "drop") : "allow";
  return { stage: "firewall", ...placeOf(rule), verdict };
}

/** What counters and comments call a stage's default. */
export const DEFAULT = "default";

function placeOf(rule: Manifest["mitigate"][number] | undefined): Pick<Decider, "rule" | "line"> {
  return { rule: rule?.name ?? null, line: rule?.line ?? null };
}

/** Names of rules that `--rule` may ask for. */
export function ruleNames(customers: readonly LoadedCustomer[]): ReadonlySet<string> {
  const rules = customers.flatMap(({ manifest }) => [...manifest.mitigate, ...manifest.firewall.rules]);
  return new Set([DEFAULT, ...rules.map(({ name }) => name)]);
}

import fc from "fast-check";
import { analyze } from "../../src/compiler/compile.js";
import type { Action, Offload, Policy, Stage, Verdict } from "../../src/compiler/ir/policy.js";
import { GEOGRAPHY, PARTNERS } from "./language-addresses.js";
import { BINDINGS, type Binding, type Condition } from "./language-comparison.js";
import { comparisonsIn, comparisonsOf, type Place } from "./language-conditions.js";

import { writtenWays } from "./language-routes.js";

/** Whole policies as text: conditions joined in every way, every action, both stages. */

export interface WrittenRule {
  readonly action: WrittenAction;
  readonly text: string;
  readonly condition: Condition;
}

export interface WrittenPolicy {
  readonly text: string;
  readonly byDefault: Verdict;
  readonly rules: Readonly<Record<Stage, readonly WrittenRule[]>>;
}

/** In parentheses where the operator around it binds tighter. */
function operand({ text, binds }: Condition, around: Binding): string {
  return BINDINGS.indexOf(binds) > BINDINGS.indexOf(around) ? `(${text})` : text;
}

const JOINS = {
  and: { spellings: ["and", "&&"], holds: (held: readonly boolean[]) => held.every((one) => one) },
  or: { spellings: ["or", "||"], holds: (held: readonly boolean[]) => held.some((one) => one) },
  xor: {
    spellings: ["xor", "^^"],
    holds: (held: readonly boolean[]) => held.filter(Boolean).length % 2 === 1,
  },
} as const;

function joined(binds: keyof typeof JOINS, spelling: string, operands: readonly Condition[]): Condition {
  return {
    text: operands.map((one) => operand(one, binds)).join(` ${spelling} `),
    binds,
    holds: (packet) => JOINS[binds].holds(operands.map((one) => one.holds(packet))),
    comparisons: operands.flatMap(({ comparisons }) => comparisons),
  };
}

function negated(one: Condition): Condition {
  return { ...one, text: `not ${operand(one, "not")}`, binds: "not", holds: (packet) => !one.holds(packet) };
}

export function conditionsIn(place: Place): fc.Arbitrary<Condition> {
  const leaf = comparisonsIn(place);
  return fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 4, arbitrary: leaf },
      ...(["and", "or", "xor"] as const).map((binds) => ({
        weight: 1,
        arbitrary: fc
          .tuple(
            fc.constantFrom(...JOINS[binds].spellings),
            fc.array(tie("condition"), { minLength: 2, maxLength: 3 }),
          )
          .map(([spelling, operands]) => joined(binds, spelling, operands)),
      })),
      { weight: 1, arbitrary: tie("condition").map(negated) },
    ),
  })).condition;
}

/** Bursts that few packets use up, and those that none do; rates that matter in the time that packets take, or do not. */
const limits = fc
  .tuple(
    fc.constantFrom("1/h", "7/m", "1000/s"),
    fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(100, 100_000)),
    fc.constantFrom(', per: "ip.src"', ', per: "ip.dst"', ""),
  )
  .map(([rate, burst, per]) => ({
    name: "limit" as const,
    options: `, { rate: "${rate}", burst: ${burst}${per} }`,
  }));

/** What a rule does, without its options. */
export type WrittenAction = Action["kind"];

const named = (...names: readonly WrittenAction[]) =>
  fc.constantFrom(...names).map((name) => ({ name, options: "" }));

const ACTIONS = {
  mitigate: fc.oneof({ weight: 3, arbitrary: named("allow", "drop", "count") }, limits),
  firewall: fc.oneof(
    { weight: 3, arbitrary: named("allow", "drop", "reject", "count") },
    limits,
    fc.constantFrom(1, 3).map((sample) => ({ name: "log", options: `, { sample: ${sample} }` }) as const),
  ),
} as const;

/** clang takes ten times as long for a rule as nftables, and as long for four rules as for its start. */
const MOST_RULES = { mitigate: 3, firewall: 4 } as const satisfies Record<Stage, number>;

function rulesIn(place: Place): fc.Arbitrary<readonly WrittenRule[]> {
  const stage = place === "mitigate" ? place : "firewall";
  const few = fc.array(fc.tuple(ACTIONS[stage], conditionsIn(place)), {
    minLength: 1,
    maxLength: MOST_RULES[stage],
  });
  const many = fc.array(fc.tuple(ACTIONS[stage], conjunctionsIn(place)), {
    minLength: 10,
    maxLength: 48,
    size: "medium",
  });
  return fc.oneof({ weight: 39, arbitrary: few }, { weight: 1, arbitrary: many }).map((rules) =>
    rules.map(([{ name, options }, condition], index) => ({
      action: name,
      text: `${name}("${stage}-${index}", expr\`${condition.text}\`${options}),`,
      condition,
    })),
  );
}

/** What most rules of large policies are made of, and targets make tables of. */
function conjunctionsIn(place: Place): fc.Arbitrary<Condition> {
  const customary = fc.constantFrom(...CUSTOMARY).chain(comparisonsOf);
  const one = fc.oneof({ weight: 4, arbitrary: customary }, comparisonsIn(place));
  return fc.array(one, { minLength: 1, maxLength: 3 }).map((operands) => joined("and", "and", operands));
}

const CUSTOMARY = ["ip.src", "ip.dst", "ip.proto", "tcp.dstport", "udp.dstport", "tcp.srcport"] as const;

/** Connections are tracked by few: the kernel forgets them only with its namespace, which takes its time. */
const firewalls = fc.oneof(
  { weight: 11, arbitrary: fc.record({ rules: rulesIn("firewall"), stateful: fc.constant(false) }) },
  { weight: 1, arbitrary: fc.record({ rules: rulesIn("stateful"), stateful: fc.constant(true) }) },
);

/** Of most policies, which leave packets to the namespace. */
const ONE_WAY = `tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "2001:db8::/32", tunnel: "main" }],`;

export const writtenPolicies: fc.Arbitrary<WrittenPolicy> = fc
  .record({
    mitigate: rulesIn("mitigate"),
    firewall: firewalls,
    byDefault: fc.constantFrom<Verdict>("allow", "drop", "reject"),
    offload: fc.constantFrom<Offload>("auto", "auto", "auto", "off"),
    ways: fc.option(writtenWays, { freq: 2 }),
  })
  .map(({ mitigate, firewall: { rules: firewall, stateful }, byDefault, offload, ways }) => ({
    rules: { mitigate, firewall },
    byDefault,
    text: `import { allow, count, drop, expr, gre, ipip, limit, list, log, policy, reject } from "tidegate";
const partners = list(${JSON.stringify(PARTNERS)});
export default policy({
  customer: "language",
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  mitigate: [
    ${mitigate.map(({ text }) => text).join("\n    ")}
  ],
  firewall: {
    default: "${byDefault}",
    stateful: ${stateful},
    offload: "${offload}",
    rules: [
      ${firewall.map(({ text }) => text).join("\n      ")}
    ],
  },
  ${ways && offload === "auto" && !stateful ? `datapath: "xdp",\n  ${ways.text}` : ONE_WAY}
});
`,
  }));

/** What chance may write, and a policy must not say: sets of nothing, rules too large for a target, and what is never fast. */
const REFUSED: readonly string[] = ["TG2008", "TG2012", "TG2060", "TG4001", "TG4010", "TG4050"];

/** undefined: refused, as it should be. */
export function policyIn({ text }: WrittenPolicy): Policy | undefined {
  return policyOfText(text);
}

/** The same for the text alone, with the tables that generated policies ask for. */
export function policyOfText(text: string): Policy | undefined {
  const { policy, diagnostics } = analyze("language.policy.ts", text, undefined, GEOGRAPHY);
  const wrong = diagnostics.filter(({ code, severity }) => severity === "error" && !REFUSED.includes(code));
  if (wrong.length > 0)
    throw new Error(`${wrong.map(({ code, message }) => `${code} ${message}`).join("\n")}\n${text}`);
  return policy ?? undefined;
}

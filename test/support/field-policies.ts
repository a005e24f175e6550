import { analyze } from "../../src/compiler/compile.js";
import { parsePrefix } from "../../src/compiler/ir/address.js";
import { FIELDS, type FieldName } from "../../src/compiler/ir/fields.js";
import { FUNCTION_NAMES } from "../../src/compiler/ir/functions.js";
import { type Geography, partition } from "../../src/compiler/ir/geography.js";
import type { Policy, Stage } from "../../src/compiler/ir/policy.js";
import type { Surroundings } from "../../src/compiler/semantics/decode.js";
import { evaluate } from "../../src/compiler/semantics/evaluate.js";
import { parsePacket } from "../../src/compiler/semantics/packet-text.js";
import { newState } from "../../src/compiler/semantics/state.js";
import { FIELD_CASES, type FieldCase, FUNCTION_CASES, PLACES } from "./field-cases.js";

/** Every match field and function as policies of one rule, for the reference and for the kernel. */

function rows<Value extends string | number>(table: readonly (readonly [string, Value])[]) {
  return table.map(([text, value]) => {
    const parsed = parsePrefix(text);
    if (parsed.kind !== "prefix") throw new Error(`not a prefix: ${text}`);
    return { prefix: parsed.prefix, value };
  });
}

const GEOGRAPHY: Geography = {
  country: partition<string>(rows(PLACES.country)),
  asnum: partition<number>(rows(PLACES.asnum)),
};

export interface FieldPacket {
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
}

function packetOf(text: string): FieldPacket {
  const parsed = parsePacket(text);
  if (parsed.kind === "problems") throw new Error(`${text}: ${parsed.problems[0]?.message}`);
  return parsed;
}

/** The condition as a rule of one stage: XDP drops what it matches, nftables lets it through. */
export function policyWith(condition: string, stage: Stage): Policy {
  const rule = (action: string, of: Stage) => (stage === of ? `${action}("rule", expr\`${condition}\`)` : "");
  const stateful = condition.includes("ct.state");
  const text = `import { allow, drop, expr, gre, policy } from "tidegate";
export default policy({
  customer: "fields",
  prefixes: ["203.0.113.0/24", "2001:db8:f::/48"],
  mitigate: [${rule("drop", "mitigate")}],
  firewall: { default: "drop", stateful: ${stateful}, offload: "off", rules: [${rule("allow", "firewall")}] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "2001:db8:f::/48", tunnel: "main" }],
});`;
  const { policy, diagnostics } = analyze("test.policy.ts", text, undefined, GEOGRAPHY);
  if (!policy) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n"));
  return policy;
}

/** Which packets the policy's only rule decides. */
export function byReference(policy: Policy, packets: readonly FieldPacket[]): readonly boolean[] {
  return packets.map(
    ({ bytes, surroundings }) => evaluate(policy, bytes, newState(), 0n, surroundings).rule === "rule",
  );
}

/** By name; fields and functions in the order of their tables. */
export const CASES = [
  ...(Object.keys(FIELDS) as readonly FieldName[]).flatMap((name) => FIELD_CASES[name]),
  ...FUNCTION_NAMES.flatMap((name) => FUNCTION_CASES[name]),
].map((one): readonly [string, FieldCase] => [`${one.is}: ${one.hit}`, one]);

/** A condition, and which of the case's packets it holds for. */
export interface Question {
  readonly condition: string;
  readonly holds: readonly boolean[];
}

export function packetsOf({ hit, miss, wrong, truncated }: FieldCase): readonly FieldPacket[] {
  return [hit, miss, wrong, truncated].filter((text) => text !== null).map(packetOf);
}

/** `==`, `not` of it, and `!=`. The packets without the field are the last ones. */
export function questionsOf({ is, isNot, ...packets }: FieldCase): readonly Question[] {
  const absent = packetsOf({ is, isNot, ...packets }).slice(2);
  return [
    { condition: is, holds: [true, false, ...absent.map(() => false)] },
    { condition: `not ${is}`, holds: [false, true, ...absent.map(() => true)] },
    ...(isNot === null ? [] : [{ condition: isNot, holds: [false, true, ...absent.map(() => false)] }]),
  ];
}

/** Where the case can be asked. */
export function stagesOf({ only }: FieldCase): readonly Stage[] {
  return only ? [only] : ["mitigate", "firewall"];
}

import { assertNever } from "../diagnostics/invariant.js";
import type { Expr, Test } from "../ir/expr.js";
import type { Action, Policy, Verdict } from "../ir/policy.js";
import { slice, WIRE_FIELDS } from "../ir/wire.js";
import type { Packet } from "./decode.js";
import { readNumber } from "./fields.js";
import { matches } from "./match.js";

/**
 * The early step (docs/semantics.md): whether XDP drops a packet that `mitigate` let go on, for the firewall would. It
 * knows nothing of connections; where what it does not know could matter, and wherever a rule has more to do than to
 * drop, the packet goes on and the whole firewall judges it.
 */
export function dropsEarly(policy: Policy, packet: Packet): boolean {
  return knownEarly(policy, packet) === "drop";
}

/** What the firewall surely does, with nothing besides; undefined: it is to be asked. */
export function knownEarly(policy: Policy, packet: Packet): Verdict | undefined {
  const { offload, stateful, rules, default: byDefault, earlyRules = rules.length } = policy.firewall;
  if (offload === "off" || (stateful && isFragment(packet))) return undefined;
  for (const { match, action } of rules.slice(0, earlyRules)) {
    const held = certainly(match, (test) => early(test, policy, packet));
    if (held !== false) return held === true ? plainVerdict(action) : undefined;
  }
  return earlyRules >= rules.length ? plainVerdict({ kind: byDefault }) : undefined;
}

/** The sender of what is rejected must be told; limits, counts and logs are the namespace's. */
function plainVerdict({ kind }: Action): Verdict | undefined {
  return kind === "drop" || kind === "allow" ? kind : undefined;
}

function early(test: Test, { lists }: Policy, packet: Packet): boolean | undefined {
  return test.needs.header === "ct" ? undefined : matches(test, packet, lists);
}

/** Of its datagram a stateful firewall sees only the whole. */
function isFragment(packet: Packet): boolean {
  const four = readNumber(packet, WIRE_FIELDS["ip4.frag"]) ?? 0n;
  return four !== 0n || readNumber(packet, slice("fragment6", 0, 8)) !== undefined;
}

/** Kleene's logic: undefined where the answer hangs on what `ask` does not know. */
export function certainly(expr: Expr, ask: (test: Test) => boolean | undefined): boolean | undefined {
  switch (expr.kind) {
    case "const":
      return expr.value;
    case "not": {
      const value = certainly(expr.operand, ask);
      return value === undefined ? undefined : !value;
    }
    case "and":
    case "or":
      return among(expr.operands, expr.kind === "or", ask);
    case "xor": {
      const values = expr.operands.map((operand) => certainly(operand, ask));
      return values.includes(undefined) ? undefined : values.filter(Boolean).length % 2 === 1;
    }
    case "address":
    case "list":
    case "number":
    case "bits":
      return ask(expr);
    default:
      return assertNever(expr);
  }
}

/** One operand that is `decisive` decides, whatever the others are. */
function among(
  operands: readonly Expr[],
  decisive: boolean,
  ask: (test: Test) => boolean | undefined,
): boolean | undefined {
  let unknown = false;
  for (const operand of operands) {
    const value = certainly(operand, ask);
    if (value === decisive) return decisive;
    unknown ||= value === undefined;
  }
  return unknown ? undefined : !decisive;
}

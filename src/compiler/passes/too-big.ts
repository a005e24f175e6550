import { type Budget, Diagram } from "../analysis/diagram.js";
import { extentsOf } from "../analysis/diff/extents.js";
import { diagramOf, firstMatchOf } from "../analysis/first-match.js";
import { possible } from "../analysis/possible.js";
import { TOO_LARGE } from "../analysis/ref.js";
import { spaceOf } from "../analysis/space.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { ADDRESS_BITS, type Family, formatAddress } from "../ir/address.js";
import { type Expr, testsOf } from "../ir/expr.js";
import type { Header } from "../ir/headers.js";
import type { Policy, Rule, Verdict } from "../ir/policy.js";
import { bytesNeeded, WIRE_FIELDS, type WireName } from "../ir/wire.js";
import { decode } from "../semantics/decode.js";
import { matches } from "../semantics/match.js";
import { parsePacket } from "../semantics/packet-text.js";

/** Routers on the way ask for smaller packets by these (RFC 792 with RFC 1191, RFC 4443). */
const TOO_BIG = {
  4: { name: "ICMP's “fragmentation needed”", fields: { "icmp.type": 3, "icmp.code": 4 } },
  6: { name: "ICMPv6's “packet too big”", fields: { "icmp6.type": 2 } },
} as const;

/** Only such packets are asked for, so what takes longer is not worth it. */
const BUDGET: Budget = { edges: 400_000, steps: 400_000 };

/**
 * Warns of a rule about protocols that drops what routers say of packets that are too big, from whatever router. A default, or
 * a rule for all that is left, drops what nobody has thought of: whether that was meant, nobody can tell.
 */
export function reportTooBig(policy: Policy, diagnostics: Diagnostics): void {
  for (const family of [4, 6] as const) {
    const own = policy.prefixes.find(({ prefix }) => prefix.family === family);
    const allowed: Verdict = "allow";
    const inMitigate = dropper(policy, policy.mitigate, allowed, family);
    const rule = inMitigate ?? dropper(policy, policy.firewall.rules, policy.firewall.default, family);
    if (!own || !rule) continue;
    const params = { rule: rule.name, name: TOO_BIG[family].name, such: such(policy, rule, family) };
    diagnostics.report("TG3020", rule.span, params);
  }
}

/** The rule that drops most of what routers say, if the stage lets through none of it; undefined also where it takes too long. */
function dropper(
  policy: Policy,
  rules: readonly Rule[],
  byDefault: Verdict,
  family: Family,
): Rule | undefined {
  const asked = {
    name: "default",
    action: { kind: byDefault },
    match: tooBig(policy, family),
    span: policy.span,
  };
  const all: readonly Rule[] = [...rules, asked];
  const space = spaceOf([all]);
  const diagram = new Diagram(space, BUDGET);
  const world = possible(space, { prefixes: policy.prefixes, whole: policy.firewall.stateful });
  const where = diagram.intersection(diagramOf(diagram, asked.match, policy.lists), diagram.ofBoxes(world));
  const { root, reached } = firstMatchOf(diagram, all, policy.lists, where);
  if (root === TOO_LARGE) return undefined;
  const ends = extentsOf(diagram, root).map(({ answer, share }) => {
    return { rule: all[reached(answer).rules.at(-1) ?? -1], share };
  });
  if (ends.some(({ rule }) => rule?.action.kind === "allow")) return undefined;
  const [most] = ends.sort((a, b) => b.share - a.share);
  return most?.rule && most.rule !== asked && asksProtocol(most.rule) ? most.rule : undefined;
}

const PROTOCOL: ReadonlySet<Header> = new Set(["proto", "icmp", "icmp6"]);

function asksProtocol({ match }: Rule): boolean {
  return testsOf(match).some(({ needs }) => PROTOCOL.has(needs.header));
}

/** What is true of these packets alone. */
function tooBig({ span }: Policy, family: Family): Expr {
  const operands = Object.entries(TOO_BIG[family].fields).map(([name, value]): Expr => {
    const field = WIRE_FIELDS[name as WireName];
    const ranges = [{ low: BigInt(value), high: BigInt(value) }];
    return {
      kind: "number",
      field,
      ranges,
      needs: { header: field.header, bytes: bytesNeeded(field) },
      span,
    };
  });
  return { kind: "and", operands, span };
}

/** `, such as PACKET`, if the plainest one is of this rule. */
function such({ prefixes, lists }: Policy, { match }: Rule, family: Family): string {
  const own = prefixes.find(({ prefix }) => prefix.family === family);
  const host = own && own.prefix.length < ADDRESS_BITS[family] ? 1n : 0n;
  const to = own && formatAddress({ family, value: own.prefix.base + host });
  const text =
    family === 4 ? `icmp 192.0.2.1 > ${to} type=3 code=4` : `icmp6 2001:db8::1 > ${to} type=2 code=0`;
  const parsed = parsePacket(text);
  const decoded = parsed.kind === "packet" ? decode(parsed.bytes) : undefined;
  return decoded?.kind === "packet" && matches(match, decoded.packet, lists) ? `, such as \`${text}\`` : "";
}

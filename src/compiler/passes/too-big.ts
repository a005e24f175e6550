import type { Located, SurfacePolicy } from "../../dsl/surface.js";
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
import type { Range } from "../ir/intervals.js";
import type { Policy, Rule, Verdict } from "../ir/policy.js";
import { bytesNeeded, WIRE_FIELDS, type WireName } from "../ir/wire.js";
import { decode } from "../semantics/decode.js";
import { matches } from "../semantics/match.js";
import { parsePacket } from "../semantics/packet-text.js";

/** Routers on the way ask for smaller packets by these (RFC 792 with RFC 1191, RFC 4443). */
const TOO_BIG = {
  4: {
    name: "ICMP's “fragmentation needed”",
    fields: { "icmp.type": 3, "icmp.code": 4 },
    filter: "icmp.type == 3 and icmp.code == 4",
  },
  6: { name: "ICMPv6's “packet too big”", fields: { "icmp6.type": 2 }, filter: "icmp6.type == 2" },
} as const;

/** Only such packets are asked for, so what takes longer is not worth it. */
const BUDGET: Budget = { edges: 400_000, steps: 400_000 };

/**
 * Reports where no host of the policy's hears of what routers say of packets that are too big, whatever router says it. A
 * rule about protocols that drops it is a mistake. A default, or a rule for all that is left, drops what nobody has thought
 * of: whether that was meant nobody can tell, so there it is a note, and only where something long may come through.
 */
export function reportTooBig(policy: Policy, { firewall }: SurfacePolicy, diagnostics: Diagnostics): void {
  const silent: Silent[] = [];
  for (const family of [4, 6] as const) {
    if (!policy.prefixes.some(({ prefix }) => prefix.family === family)) continue;
    const rule = dropperOf(policy, family);
    if (!rule) continue;
    if (rule.name !== DEFAULT && asksProtocol(rule)) {
      const params = { rule: rule.name, name: TOO_BIG[family].name, such: such(policy, rule, family) };
      diagnostics.report("TG3020", rule.span, params);
    } else if (letsTcpThrough(policy, family)) silent.push({ family, rule });
  }
  if (firewall.default) reportSilent(silent, policy, firewall.default, diagnostics);
}

/** What drops the packets of a family without a word about protocols. */
interface Silent {
  readonly family: Family;
  readonly rule: Rule;
}

/** One note for each that drops, with the rule that lets through what it drops. */
function reportSilent(
  silent: readonly Silent[],
  policy: Policy,
  byDefault: Located<string>,
  diagnostics: Diagnostics,
): void {
  const taken = new Set([...policy.mitigate, ...policy.firewall.rules].map(({ name }) => name));
  for (const rule of new Map(silent.map(({ rule }) => [rule.name, rule])).values()) {
    const said = silent.filter((one) => one.rule.name === rule.name).map(({ family }) => TOO_BIG[family]);
    const name = said.map((one) => one.name).join(" and ");
    const added = `allow("${freeName(taken)}", expr\`${said.map(({ filter }) => filter).join(" or ")}\`)`;
    if (rule.name === DEFAULT) {
      const what = `the firewall's default \`${byDefault.value}\``;
      diagnostics.report("TG3021", byDefault.span, { what, name }, { hint: `add ${added}` });
    } else {
      const hint = `add ${added} before \`${rule.name}\``;
      diagnostics.report("TG3021", rule.span, { what: `\`${rule.name}\``, name }, { hint });
    }
  }
}

/** A name that no rule has, and that no other hint gives. */
function freeName(taken: Set<string>): string {
  let name = "too-big";
  for (let more = 2; taken.has(name); more++) name = `too-big-${more}`;
  taken.add(name);
  return name;
}

interface StageRules {
  readonly rules: readonly Rule[];
  readonly byDefault: Verdict;
}

function stagesOf({ mitigate, firewall }: Policy): readonly StageRules[] {
  return [
    { rules: mitigate, byDefault: "allow" },
    { rules: firewall.rules, byDefault: firewall.default },
  ];
}

/** What ends the first stage that lets through nothing of what routers say: the rule that takes most of it. */
function dropperOf(policy: Policy, family: Family): Rule | undefined {
  const asked = tooBig(policy, family);
  for (const stage of stagesOf(policy)) {
    const ends = endsOf(policy, stage, family, asked);
    if (ends.length === 0 || ends.some(({ rule }) => rule.action.kind === "allow")) continue;
    return [...ends].sort((a, b) => b.share - a.share)[0]?.rule;
  }
  return undefined;
}

/** Of what is sent over TCP segments are as long as the path takes; most of what else is sent is short. */
function letsTcpThrough(policy: Policy, family: Family): boolean {
  const asked = ofWire("tcp.dstport", { low: 0n, high: 0xffffn }, policy);
  return stagesOf(policy).every((stage) =>
    endsOf(policy, stage, family, asked).some(({ rule }) => rule.action.kind === "allow"),
  );
}

interface End {
  readonly rule: Rule;
  readonly share: number;
}

/** The rules that end a stage for these packets to hosts of a family, the default as one; none where it takes too long. */
function endsOf(
  policy: Policy,
  { rules, byDefault }: StageRules,
  family: Family,
  match: Expr,
): readonly End[] {
  const last = { name: DEFAULT, action: { kind: byDefault }, match, span: policy.span };
  const all: readonly Rule[] = [...rules, last];
  const space = spaceOf([all]);
  const diagram = new Diagram(space, BUDGET);
  const prefixes = policy.prefixes.filter(({ prefix }) => prefix.family === family);
  const world = possible(space, { prefixes, whole: policy.firewall.stateful });
  const where = diagram.intersection(diagramOf(diagram, match, policy.lists), diagram.ofBoxes(world));
  const { root, reached } = firstMatchOf(diagram, all, policy.lists, where);
  if (root === TOO_LARGE) return [];
  return extentsOf(diagram, root).flatMap(({ answer, share }) => {
    const rule = all[reached(answer).rules.at(-1) ?? -1];
    return rule ? [{ rule, share }] : [];
  });
}

/** No rule is called so (passes/names.ts). */
const DEFAULT = "default";

const PROTOCOL: ReadonlySet<Header> = new Set(["proto", "icmp", "icmp6"]);

function asksProtocol({ match }: Rule): boolean {
  return testsOf(match).some(({ needs }) => PROTOCOL.has(needs.header));
}

/** What is true of these packets alone. */
function tooBig(policy: Policy, family: Family): Expr {
  const operands = Object.entries(TOO_BIG[family].fields).map(([name, value]) =>
    ofWire(name as WireName, { low: BigInt(value), high: BigInt(value) }, policy),
  );
  return { kind: "and", operands, span: policy.span };
}

function ofWire(name: WireName, range: Range, { span }: Policy): Expr {
  const field = WIRE_FIELDS[name];
  const needs = { header: field.header, bytes: bytesNeeded(field) };
  return { kind: "number", field, ranges: [range], needs, span };
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

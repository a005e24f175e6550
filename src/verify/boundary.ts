import { writeBits } from "../compiler/analysis/packets/bits.js";
import { type Built, finish } from "../compiler/analysis/packets/build.js";
import type { Found } from "../compiler/analysis/packets/packet-in.js";
import { ICMP, plainShape, shapeText, UDP } from "../compiler/analysis/packets/shape.js";
import { type Template, templateOf } from "../compiler/analysis/packets/template.js";
import { type Family, formatAddress, formatPrefix } from "../compiler/ir/address.js";
import { type Expr, testsOf } from "../compiler/ir/expr.js";
import type { Policy, Rule } from "../compiler/ir/policy.js";
import { WIRE_FIELDS } from "../compiler/ir/wire.js";
import { destinationIn, edgesOfPrefix } from "./destinations.js";
import { edgesOf } from "./edges.js";
import { placedTests } from "./expressions.js";
import { find, type Position } from "./find.js";
import type { Goal } from "./goals.js";
import { type Ground, groundOf } from "./ground.js";
import { exhausting, sameKey } from "./limits.js";
import { malformedOf } from "./malformed.js";
import { routeSessions } from "./routes.js";
import { type Session, single } from "./session.js";
import { variantsOf } from "./variants.js";

/** See `boundaryPackets` in packets.ts. */
export function boundarySessions(policy: Policy): readonly Session[] {
  const tests = positionsOf(policy).flatMap(({ rule }) => testsOf(rule.match));
  const asked = tests.flatMap((test) => edgesOf(test, policy).map(({ pin }) => pin));
  const ground = groundOf(policy, asked);
  return [
    ...positionsOf(policy).flatMap(({ rule, position }) => ruleSessions(ground, rule, position)),
    ...defaultSessions(ground),
    ...prefixSessions(policy),
    ...routeSessions(ground),
  ];
}

/** Every rule, and where packets meet it. */
export function positionsOf({
  mitigate,
  firewall,
}: Policy): readonly { readonly rule: Rule; readonly position: Position }[] {
  const placed = (stage: Position["stage"]) => (rule: Rule, index: number) => {
    return { rule, position: { stage, index } };
  };
  return [...mitigate.map(placed("mitigate")), ...firewall.rules.map(placed("firewall"))];
}

/** A packet at the rule if there is one that gets there, or else one that it would match. */
export function atRule(ground: Ground, position: Position, goals: readonly Goal[]): Found | undefined {
  const there = find(ground, position, goals);
  if (typeof there === "object") return there;
  const anywhere = find(ground, null, goals);
  return typeof anywhere === "object" ? anywhere : undefined;
}

function ruleSessions(ground: Ground, rule: Rule, position: Position): readonly Session[] {
  const matched = { expr: rule.match, wanted: true };
  const base = atRule(ground, position, [matched]);
  if (!base) return [];
  const text = (what: string) => `${rule.name}: ${what}`;
  const ends = testsOf(rule.match).map(({ needs }) => needs.bytes);
  const variants = variantsOf(base, [...new Set(ends)]).map((one) => single(one, text(one.how)));
  const key = sameKey(rule, base);
  const edges = edgesOfRule(ground, rule, position, key).map(([found, what]) => ({ found, why: text(what) }));
  const { action } = rule;
  const limited =
    action.kind === "limit" ? exhausting(base, action.limit, MOST_COPIES, rule.name, edges) : null;
  const alone = edges.map(({ found, why }) => single(found, why));
  return [single(base, text(shapeText(base.shape))), ...alone, ...(limited ? [limited] : []), ...variants];
}

/** A limit with a larger burst is left to the witnesses: its packets would outnumber all others here. */
const MOST_COPIES = 256;

type Edged = readonly [found: Found, what: string];

/** With everything else such that this test alone decides whether the rule matches. */
function edgesOfRule(ground: Ground, rule: Rule, position: Position, key: readonly Goal[]): readonly Edged[] {
  return placedTests(rule.match).flatMap(({ test, around }) => {
    return edgesOf(test, ground.policy).flatMap(({ pin, text }): readonly Edged[] => {
      const goals = [pin, ...around].map((expr) => ({ expr, wanted: true }));
      const found = find(ground, position, [...goals, ...key]);
      const other = typeof found === "object" ? found : atRule(ground, position, goals);
      return other ? [[other, text]] : [];
    });
  });
}

/** Packets of each protocol and family that no rule decides. */
function defaultSessions(ground: Ground): readonly Session[] {
  const { policy } = ground;
  const end: Position = { stage: "firewall", index: policy.firewall.rules.length };
  return familiesOf(policy).flatMap((family) => {
    const sessions = [6, UDP, ICMP[family], 47, 132].flatMap((protocol) => {
      const found = find(ground, end, [
        { expr: protocolIs(policy, protocol), wanted: true },
        { expr: isOfFamily(policy, family), wanted: true },
      ]);
      return typeof found === "object" ? [single(found, `default: ${shapeText(found.shape)}`)] : [];
    });
    const [plain] = policy.prefixes.filter(({ prefix }) => prefix.family === family);
    const base = plain && addressed(plain.prefix.family, plain.prefix.base);
    const malformed = base ? malformedOf(base).map((one) => single(one, `malformed: ${one.how}`)) : [];
    return [...sessions, ...malformed];
  });
}

export function familiesOf(policy: Policy): readonly Family[] {
  return ([4, 6] as const).filter((family) => policy.prefixes.some(({ prefix }) => prefix.family === family));
}

function protocolIs({ span }: Policy, protocol: number): Expr {
  const ranges = [{ low: BigInt(protocol), high: BigInt(protocol) }];
  const needs = { header: "proto", bytes: 1 } as const;
  return { kind: "number", field: WIRE_FIELDS["ip.proto"], ranges, needs, span };
}

function isOfFamily(policy: Policy, family: Family): Expr {
  return destinationIn(policy, { family, base: 0n, length: 0 });
}

/** To the first and last address of each prefix, and to their neighbours outside. */
function prefixSessions(policy: Policy): readonly Session[] {
  return policy.prefixes.flatMap(({ prefix }) =>
    edgesOfPrefix(prefix).map((value) => {
      const to = formatAddress({ family: prefix.family, value });
      return single(addressed(prefix.family, value), `prefix ${formatPrefix(prefix)}: to ${to}`);
    }),
  );
}

/** A UDP packet to the address. */
function addressed(family: Family, value: bigint): Built {
  const template = templateOf(plainShape(family, UDP, 8));
  const bytes = (template as Template).bytes.slice();
  writeBits(bytes, { start: 8 * (family === 4 ? 16 : 24), width: family === 4 ? 32 : 128 }, value);
  return finish(template as Template, bytes);
}

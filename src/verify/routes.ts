import { type Built, writeChecksums } from "../compiler/analysis/packets/build.js";
import type { Found } from "../compiler/analysis/packets/packet-in.js";
import { TCP } from "../compiler/analysis/packets/shape.js";
import { formatPrefix, type Prefix } from "../compiler/ir/address.js";
import type { Expr } from "../compiler/ir/expr.js";
import { forwardsInXdp, type Policy, type Route, type Tunnel } from "../compiler/ir/policy.js";
import { viewOf } from "../compiler/semantics/bytes.js";
import { writeHeaderChecksum } from "../compiler/semantics/checksum.js";
import { decode, type Packet } from "../compiler/semantics/decode.js";
import { destinationIs, edgesOfPrefix, sourceIsUnicast } from "./destinations.js";
import { find, type Position } from "./find.js";
import type { Goal } from "./goals.js";
import type { Ground } from "./ground.js";
import { type Session, single } from "./session.js";
import { LONGEST } from "./shapes.js";
import { spread } from "./spread.js";
import { variantsOf, withLength } from "./variants.js";

/**
 * Allowed packets to both ends of each route's prefix, and to their neighbours, which take another route or none; and where XDP
 * may send packets, plain ones with their likes that go by the namespace.
 */
export function routeSessions(ground: Ground): readonly Session[] {
  const { policy } = ground;
  const ends = policy.routes.flatMap(({ prefix }) =>
    edgesOfPrefix(prefix).flatMap((value) => {
      const to = goal(destinationIs(policy, { family: prefix.family, value }));
      const found = first(waysThrough(policy), (way) => allowed(ground, way, [to]));
      return found ? [single(found, textOf(prefix))] : [];
    }),
  );
  return forwardsInXdp(policy) ? [...ends, ...forwardSessions(ground)] : ends;
}

/** As many routes and ways of a larger policy, from all over it. */
const MOST_ROUTES = 16;
const MOST_WAYS = 3;

function forwardSessions(ground: Ground): readonly Session[] {
  const { policy } = ground;
  const ways = spread(waysThrough(policy), MOST_WAYS);
  return spread(policy.routes, MOST_ROUTES).flatMap((route) => {
    const { family, base } = route.prefix;
    const plain = [destinationIs(policy, { family, value: base }), sourceIsUnicast(policy, family)].map(goal);
    const found = ways.flatMap((way) => allowed(ground, way, plain) ?? []);
    const likes = found.flatMap((one) => likesOf(policy, route, one));
    return likes.map(({ how, ...one }) => single(one, `${textOf(route.prefix)}: ${how}`));
  });
}

function textOf(prefix: Prefix): string {
  return `route ${formatPrefix(prefix)}`;
}

function goal(expr: Expr): Goal {
  return { expr, wanted: true };
}

interface Way {
  readonly index: Position["index"];
  readonly goals: readonly Goal[];
}

function allowed(ground: Ground, { index, goals }: Way, more: readonly Goal[]): Found | null {
  const found = find(ground, { stage: "firewall", index }, [...goals, ...more]);
  return typeof found === "object" ? found : null;
}

/** The first answer that is one. */
function first<T, R>(of: readonly T[], ask: (one: T) => R | null): R | null {
  for (const one of of) {
    const answer = ask(one);
    if (answer !== null) return answer;
  }
  return null;
}

/** Where a packet is allowed: at a rule that does so, or behind them all. */
function waysThrough({ firewall }: Policy): readonly Way[] {
  const { rules, default: byDefault } = firewall;
  const allowing = rules.flatMap(({ action, match }, index) =>
    action.kind === "allow" ? [{ index, goals: [goal(match)] }] : [],
  );
  return [...allowing, ...(byDefault === "allow" ? [{ index: rules.length, goals: [] }] : [])];
}

interface Like extends Built {
  readonly how: string;
}

/** What turns the fast path (docs/semantics.md), from both sides. */
function likesOf(policy: Policy, { tunnel: name }: Route, found: Built): readonly Like[] {
  const built = { ...found, bytes: withoutSyn(found.bytes) };
  const decoded = decode(built.bytes);
  const tunnel = policy.tunnels.find((one) => one.name === name);
  if (decoded.kind === "malformed" || !tunnel) return [];
  const { packet } = decoded;
  const made = [...lengths(packet, tunnel), ...headers(packet), ...wrapping(packet), ...flags(packet)];
  const right = made.map(([how, bytes]): Like => {
    writeChecksums(bytes);
    return { ...built, how, bytes };
  });
  const damaged = asTheyAre(packet).map(([how, bytes]): Like => ({ ...built, how, bytes }));
  return [...right, ...damaged, ...variantsOf(built, [])];
}

/** A packet that opens a connection never is plain. */
function withoutSyn(bytes: Uint8Array): Uint8Array {
  const decoded = decode(bytes);
  const [acknowledged] = decoded.kind === "packet" ? flags(decoded.packet) : [];
  if (!acknowledged) return bytes;
  const [, changed] = acknowledged;
  writeChecksums(changed);
  return changed;
}

type Made = readonly [how: string, bytes: Uint8Array];

/** As long as the tunnel takes, and a byte longer. */
function lengths({ bytes, family }: Packet, { mtu }: Tunnel): readonly Made[] {
  return [mtu, mtu + 1]
    .filter((length) => length > bytes.length && length <= LONGEST)
    .map((length) => {
      const longer = new Uint8Array(length);
      longer.set(bytes);
      return [`${length} bytes`, withLength(longer, family)];
    });
}

/** Offsets of bytes and what is written there, by family; the first byte of an address says what sort of it. */
const HEADERS = {
  4: [
    ["time to live 1", [[8, 1]]],
    ["time to live 2", [[8, 2]]],
    ["congestion experienced", [[1, 0x2b]]],
    [
      "may be fragmented",
      [
        [6, 0],
        [7, 0],
      ],
    ],
    ["the reserved bit", [[6, 0x80]]],
    ["from 0.0.0.0/8", [[12, 0]]],
    ["from 1.0.0.0/8", [[12, 1]]],
    ["from 127.0.0.0/8", [[12, 127]]],
    ["from 223.0.0.0/8", [[12, 223]]],
    ["from 224.0.0.0/4", [[12, 224]]],
  ],
  6: [
    ["hop limit 1", [[7, 1]]],
    ["hop limit 2", [[7, 2]]],
    [
      "congestion experienced",
      [
        [0, 0x62],
        [1, 0xb0],
      ],
    ],
    ["from below 2000::/3", [[8, 0x1f]]],
    ["from 3000::/4", [[8, 0x3f]]],
    ["from above 2000::/3", [[8, 0x40]]],
  ],
} as const satisfies Record<4 | 6, readonly (readonly [string, readonly (readonly [number, number])[]])[]>;

function headers({ bytes, family }: Packet): readonly Made[] {
  return HEADERS[family].map(([how, changes]) => {
    const copy = bytes.slice();
    for (const [at, value] of changes) copy[at] = value;
    return [how, copy];
  });
}

const FLAGS = { ACK: 0x10, SYN: 0x02, "SYN and ACK": 0x12 } as const;

function flags({ bytes, protocol, transport }: Packet): readonly Made[] {
  const at = (transport?.offset ?? 0) + 13;
  if (protocol !== TCP || !transport || at >= bytes.length) return [];
  return Object.entries(FLAGS).map(([how, value]) => {
    const copy = bytes.slice();
    copy[at] = value;
    return [how, copy];
  });
}

/** The header's checksum is 0xfeff: what one hop adds to it is all that it can hold (ip_decrease_ttl()). */
function wrapping({ bytes, family }: Packet): readonly Made[] {
  if (family === 6) return [];
  const copy = bytes.slice();
  const view = viewOf(copy);
  view.setUint16(4, 0);
  writeHeaderChecksum(copy);
  // The sum is the checksum's complement, and modulo 0xffff the identification is added to it.
  view.setUint16(4, (0x0100 + view.getUint16(10)) % 0xffff);
  return [["a checksum that wraps", copy]];
}

/** With bytes behind that only fill the frame, and with a header that is damaged. */
function asTheyAre({ bytes, family }: Packet): readonly Made[] {
  const padded = Uint8Array.from([...bytes, ...new Array<number>(18).fill(0xa5)]);
  if (family === 6) return [["padded", padded]];
  const damaged = bytes.slice();
  viewOf(damaged).setUint16(10, viewOf(damaged).getUint16(10) ^ 1);
  return [
    ["padded", padded],
    ["a wrong checksum", damaged],
  ];
}

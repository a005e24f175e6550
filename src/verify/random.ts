import { Chance } from "../compiler/analysis/chance.js";
import { type BitRange, writeBits } from "../compiler/analysis/packets/bits.js";
import { finish, writeChecksums } from "../compiler/analysis/packets/build.js";
import {
  bitsOf,
  CONNECTIONS,
  connectionBits,
  type Template,
  templateOf,
  vlanBits,
} from "../compiler/analysis/packets/template.js";
import { ADDRESS_BITS, prefixRange } from "../compiler/ir/address.js";
import { type Test, testsOf } from "../compiler/ir/expr.js";
import { type Policy, rulesOf } from "../compiler/ir/policy.js";
import type { Surroundings } from "../compiler/semantics/decode.js";
import { valuesOf, widthOf } from "./expressions.js";
import { shapesOf } from "./shapes.js";

interface Aimed {
  readonly bytes: Uint8Array;
  readonly surroundings: Surroundings;
  readonly at: bigint;
  readonly why: string;
}

/**
 * Packets of the shapes that the policy can tell apart, with the edges of its constants written where its tests look, and
 * chance in the rest; one in sixteen has wrong bytes anywhere, its lengths and versions among them. The same seed gives the same
 * packets.
 */
export function* aimed(policy: Policy, seed: number): Generator<Aimed> {
  const random = new Chance(seed);
  const templates = shapesOf(policy).flatMap((shape) => templateOf(shape) ?? []);
  const targets = templates.map((template) => ({ template, aims: aimsIn(policy, template) }));
  const spans = rulesOf(policy).flatMap(({ action }) =>
    action.kind === "limit" ? [action.limit.interval] : [],
  );
  for (let at = 1_000_000_000n; ; at += gap(random, spans)) {
    const target = random.among(targets);
    if (!target) return;
    yield { ...one(target, random), at, why: `random, seed ${seed}` };
  }
}

/** Bits that a test looks at, and the values at which it turns. */
interface Aim {
  readonly bits: BitRange;
  readonly values: readonly bigint[];
}

interface Target {
  readonly template: Template;
  readonly aims: readonly Aim[];
}

function aimsIn(policy: Policy, template: Template): readonly Aim[] {
  const tests = rulesOf(policy).flatMap(({ match }) => testsOf(match));
  const asked = tests.flatMap((test) => {
    const bits = bitsOf(test, template);
    return bits ? [{ bits, values: turningPoints(test, policy) }] : [];
  });
  return [...asked, destinations(policy, template)].filter(({ values }) => values.length > 0);
}

function turningPoints(test: Test, policy: Policy): readonly bigint[] {
  const last = (1n << BigInt(widthOf(test))) - 1n;
  if (test.kind === "bits") return [test.mask, last & ~test.mask, test.mask & -test.mask];
  const near = valuesOf(test, policy).flatMap(({ low, high }) => {
    return [low - 1n, low, (low + high) / 2n, high, high + 1n];
  });
  return near.filter((value) => value >= 0n && value <= last);
}

/** A few more than the policy's tests ask for: the ends of what the customer owns. */
function destinations({ prefixes }: Policy, { shape: { family } }: Template): Aim {
  const owned = prefixes
    .filter(({ prefix }) => prefix.family === family)
    .map(({ prefix }) => prefixRange(prefix));
  const values = owned.flatMap(({ low, high }) => [low - 1n, low, (low + high) / 2n, high, high + 1n]);
  const last = (1n << BigInt(ADDRESS_BITS[family])) - 1n;
  const bits = { start: 8 * (family === 4 ? 16 : 24), width: ADDRESS_BITS[family] };
  return { bits, values: values.filter((value) => value >= 0n && value <= last) };
}

const MOST_WRITES = 5;

function one({ template, aims }: Target, random: Chance): Pick<Aimed, "bytes" | "surroundings"> {
  const bytes = template.bytes.slice();
  // To the customer first; a test of the destination may say otherwise.
  write(bytes, template, aims.at(-1), random);
  if (random.below(4) === 0) scatter(bytes, template, random);
  for (let left = random.below(MOST_WRITES + 1); left > 0; left--) {
    write(bytes, template, random.among(aims), random);
  }
  const state = random.below(8) === 0 ? random.among(CONNECTIONS) : undefined;
  if (state !== undefined) writeBits(bytes, connectionBits(template), state);
  if (template.shape.tagged && random.below(4) === 0)
    writeBits(bytes, vlanBits(template), BigInt(random.below(0x10000)));
  const built = finish(template, bytes);
  return random.below(16) === 0 ? { ...built, bytes: damaged(built.bytes, random) } : built;
}

function write(bytes: Uint8Array, { locked }: Template, aim: Aim | undefined, random: Chance): void {
  const value = aim && random.among(aim.values);
  if (!aim || value === undefined) return;
  const before = bytes.slice();
  writeBits(bytes, aim.bits, value);
  for (let at = aim.bits.start >> 3; at < (aim.bits.start + aim.bits.width + 7) >> 3; at++) {
    const mask = locked[at] ?? 0;
    bytes[at] = ((bytes[at] ?? 0) & ~mask) | ((before[at] ?? 0) & mask);
  }
}

/** Chance in some open bytes. The states of connections are no numbers that chance may choose. */
function scatter(bytes: Uint8Array, { locked, frameLength }: Template, random: Chance): void {
  for (let left = random.below(12); left > 0; left--) {
    const at = random.below(frameLength);
    const mask = locked[at] ?? 0;
    bytes[at] = (random.below(256) & ~mask) | ((bytes[at] ?? 0) & mask);
  }
}

/** Cut somewhere, or with a few bytes changed; half of them keep a right checksum. */
function damaged(bytes: Uint8Array, random: Chance): Uint8Array {
  const cut = random.below(2) === 0 ? bytes.slice(0, random.below(bytes.length + 1)) : bytes.slice();
  for (let left = random.below(4); left > 0 && cut.length > 0; left--) {
    const end = random.below(2) === 0 ? Math.min(cut.length, 8) : cut.length;
    cut[random.below(end)] = random.below(256);
  }
  if (random.below(2) === 0) writeChecksums(cut);
  return cut;
}

/** Mostly a little time; sometimes as much as a limit forgets in. */
function gap(random: Chance, spans: readonly bigint[]): bigint {
  const span = random.below(4) === 0 ? random.among(spans) : undefined;
  return span === undefined ? BigInt(random.below(1000)) : (span * BigInt(random.below(5))) / 2n;
}

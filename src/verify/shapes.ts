import {
  GRE,
  type HeaderForm,
  ICMP,
  plainShape,
  type Shape,
  TCP,
  UDP,
} from "../compiler/analysis/packets/shape.js";
import type { Family } from "../compiler/ir/address.js";
import { type Test, testsOf } from "../compiler/ir/expr.js";
import type { Header } from "../compiler/ir/headers.js";
import type { Intervals } from "../compiler/ir/intervals.js";
import { type Policy, rulesOf } from "../compiler/ir/policy.js";
import { bytesNeeded, type WireName } from "../compiler/ir/wire.js";

/**
 * The longest packet that is made: a frame of one page, above which a test run needs programs that know of buffers in
 * several parts.
 */
export const LONGEST = 3000;
/** Where a fragment that nothing is asked about starts, in units of 8 bytes: behind a first one of 1480. */
const SOME_OFFSET = 185;
const SHORT_PAYLOAD = 8;

/** Headers that a protocol has, and their form. */
const TRANSPORTS: Readonly<Partial<Record<Header, number>>> = { tcp: TCP, udp: UDP, gre: GRE };

/**
 * Shapes that show every difference which the policy's tests can see: each family that it owns, each protocol and number
 * that is structure rather than value, each place where a packet can end before a field. The plainest come first.
 */
export function shapesOf(policy: Policy): readonly Shape[] {
  const tests = rulesOf(policy).flatMap(({ match }) => testsOf(match));
  const families = ([4, 6] as const).filter((of) =>
    policy.prefixes.some(({ prefix }) => prefix.family === of),
  );
  const asked = new Asked(tests);
  return families
    .flatMap((family) => shapesOfFamily(family, asked))
    .map((shape, index) => ({ shape, index, cost: costOf(shape) }))
    .sort((a, b) => a.cost - b.cost || a.index - b.index)
    .map(({ shape }) => shape);
}

/** What a policy's tests ask about packets' build. */
class Asked {
  private readonly headers: ReadonlySet<Header>;
  readonly payload: number;

  constructor(private readonly tests: readonly Test[]) {
    this.headers = new Set(tests.map(({ needs }) => needs.header));
    this.payload = Math.max(SHORT_PAYLOAD, ...tests.map(payloadNeeded));
  }

  about(...headers: readonly Header[]): boolean {
    return headers.some((header) => this.headers.has(header));
  }

  /** Where the tests of a number turn: both ends of each range, and their neighbours outside. */
  edges(name: WireName): readonly number[] {
    const found = this.tests.flatMap((test) => {
      if ((test.kind !== "number" && test.kind !== "bits") || test.field.name !== name) return [];
      const last = 2 ** test.field.width - 1;
      const edges = test.kind === "number" ? edgesOf(test.ranges) : [0, ...bitsIn(test.mask)];
      return edges.filter((value) => value >= 0 && value <= last);
    });
    return [...new Set(found)].sort((a, b) => a - b);
  }

  /** Bytes from the header's start that each test of it needs. */
  needs(...headers: readonly Header[]): readonly number[] {
    const found = this.tests.flatMap((test) => {
      if (test.kind !== "number" && test.kind !== "bits") return [];
      return headers.includes(test.field.header) ? [bytesNeeded(test.field)] : [];
    });
    return [...new Set(found)].sort((a, b) => b - a);
  }
}

/** No test needs more bytes behind its transport header than from its start. */
function payloadNeeded(test: Test): number {
  return test.kind === "number" || test.kind === "bits" ? bytesNeeded(test.field) : 0;
}

function edgesOf(ranges: Intervals): readonly number[] {
  return ranges.flatMap(({ low, high }) => [low, high, low - 1n, high + 1n].map(Number));
}

function bitsIn(mask: bigint): readonly number[] {
  const bits = [...mask.toString(2)].map((_, at) => 2 ** at);
  return bits.filter((bit) => (mask & BigInt(bit)) !== 0n);
}

function shapesOfFamily(family: Family, asked: Asked): readonly Shape[] {
  const whole = protocolsOf(family, asked).flatMap((protocol) => {
    const plain = plainShape(family, protocol, asked.payload);
    return [plain, ...formsOf(plain, asked)];
  });
  const shapes = [
    ...whole,
    ...whole.flatMap((shape) => fragmentsOf(shape, asked)),
    ...whole.flatMap((shape) => (family === 4 ? optionsOf(shape, asked) : extensionsOf(shape, asked))),
    ...whole.flatMap((shape) => cutsOf(shape, asked)),
    ...whole.flatMap((shape) => lengthsOf(shape, asked)),
  ];
  return asked.about("vlan") ? [...shapes, ...shapes.map((shape) => ({ ...shape, tagged: true }))] : shapes;
}

const SPECIAL = [TCP, UDP, GRE, ICMP[4], ICMP[6]];
/** They continue IPv6's header chain. */
const EXTENSIONS = [0, 43, 44, 51, 60];
/** SCTP: nothing reads its header. */
const OTHER = 132;

/** The transports that are asked about come first. */
function protocolsOf(family: Family, asked: Asked): readonly number[] {
  const known: Record<string, readonly Header[]> = {
    [TCP]: ["tcp", "tcpMss", "tcpPayload"],
    [UDP]: ["udp"],
    [ICMP[family]]: [family === 4 ? "icmp" : "icmp6"],
    [GRE]: ["gre", "greKey"],
  };
  const all = [TCP, UDP, ICMP[family], GRE];
  const wanted = all.filter((protocol) => asked.about(...(known[protocol] ?? [])));
  const edges = asked.edges("ip.proto").flatMap((value) => [value, nextPlain(value)]);
  const ordered = [...wanted, ...all, OTHER, ICMP[family === 4 ? 6 : 4], ...edges];
  return [...new Set(ordered)].filter((protocol) => family === 4 || !EXTENSIONS.includes(protocol));
}

/** The first protocol from `value` on whose header has no fields, so that each range of protocols has such a one. */
function nextPlain(value: number): number {
  for (let at = value; at < 256; at++) if (!SPECIAL.includes(at) && !EXTENSIONS.includes(at)) return at;
  return OTHER;
}

function formsOf(plain: Shape, asked: Asked): readonly Shape[] {
  const forms = (...of: readonly HeaderForm[]) => of.map((form) => ({ ...plain, form }));
  if (plain.protocol === TCP && asked.about("tcpMss", "tcpPayload")) return forms("extended", "moved", "odd");
  if (plain.protocol === GRE && asked.about("greKey")) return forms("extended", "moved", "odd");
  return [];
}

function fragmentsOf(shape: Shape, asked: Asked): readonly Shape[] {
  const fields = shape.family === 4 ? offsets4(asked) : offsets6(asked);
  const offsets = [...new Set([SOME_OFFSET, ...fields])].filter((offset) => offset > 0 && offset <= 0x1fff);
  const later = offsets.flatMap((offset) => [false, true].map((more) => ({ offset, more })));
  const first = { offset: 0, more: true };
  const atomic = shape.family === 6 ? [{ offset: 0, more: false }] : [];
  return [first, ...atomic, ...later].map((fragment) => ({ ...shape, fragment }));
}

function offsets4(asked: Asked): readonly number[] {
  return [...asked.edges("ip4.frag.offset"), ...asked.edges("ip4.frag").map((field) => field & 0x1fff)];
}

function offsets6(asked: Asked): readonly number[] {
  return [...asked.edges("fragment6.offset"), ...asked.edges("fragment6.field").map((field) => field >> 3)];
}

function optionsOf(shape: Shape, asked: Asked): readonly Shape[] {
  const some = asked.about("ip4Option") ? [1] : [];
  const lengths = asked.edges("ip4.hdr_words").map((words) => words - 5);
  const all = [...new Set([...some, ...lengths])].filter((words) => words > 0 && words <= 10);
  return all.map((optionWords) => ({ ...shape, optionWords }));
}

function extensionsOf(shape: Shape, asked: Asked): readonly Shape[] {
  const isAsked = asked.edges("ip6.next_header").length > 0;
  const chains = isAsked ? [[0], [43], [60], [0, 60]] : [];
  const authenticated = isAsked || asked.edges("ip.proto").includes(51) ? [[51]] : [];
  return [...chains, ...authenticated].map((extensions) => ({ ...shape, extensions }));
}

/** Packets that end one byte before a field does: the shape that it is absent from. */
function cutsOf(shape: Shape, asked: Asked): readonly Shape[] {
  const start = shape.family === 4 ? 20 : 40;
  const headers = (Object.keys(TRANSPORTS) as Header[]).filter(
    (header) => TRANSPORTS[header] === shape.protocol,
  );
  if (shape.protocol === ICMP[shape.family]) headers.push(shape.family === 4 ? "icmp" : "icmp6");
  const payload: readonly Header[] = shape.protocol === TCP ? ["tcpPayload"] : [];
  const behind = asked.needs(...payload).map((bytes) => start + 20 + bytes - 1);
  const lengths = [...asked.needs(...headers).map((bytes) => start + bytes - 1), ...behind];
  return [...new Set(lengths)].map((length) => ({ ...shape, length }));
}

function lengthsOf(shape: Shape, asked: Asked): readonly Shape[] {
  const lengths =
    shape.family === 4 ? asked.edges("ip4.len") : asked.edges("ip6.payload_len").map((length) => length + 40);
  return lengths.filter((length) => length <= LONGEST).map((length) => ({ ...shape, length }));
}

/** The plainest packet that shows something is the easiest to understand. */
export function costOf({ fragment, optionWords, extensions, form, length, tagged }: Shape): number {
  return (
    (fragment ? 4 : 0) +
    optionWords +
    2 * extensions.length +
    (form === "plain" ? 0 : form === "extended" ? 1 : 3) +
    (length === null ? 0 : 3) +
    (tagged ? 1 : 0)
  );
}

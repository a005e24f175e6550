import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packetOfText } from "../../src/cli/verify/proof.js";
import {
  type Classifier,
  classifierOf,
  NONE,
  type TableStage,
  tableEffort,
} from "../../src/compiler/analysis/classify/classifier.js";
import { columnsOf, type Step } from "../../src/compiler/analysis/classify/columns.js";
import { Effort } from "../../src/compiler/analysis/classify/effort.js";
import type { Matrix } from "../../src/compiler/analysis/classify/matrix.js";
import type { Run } from "../../src/compiler/analysis/classify/runs.js";
import { classIn, segmentsOf } from "../../src/compiler/analysis/classify/segments.js";
import { termsOf } from "../../src/compiler/analysis/classify/terms.js";
import type { Vectors } from "../../src/compiler/analysis/classify/vectors.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import { contains, intervals } from "../../src/compiler/ir/intervals.js";
import { decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { readAddress, readNumber } from "../../src/compiler/semantics/fields.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { address, and, bits, constant, inList, list, not, number, or, xor } from "../support/ir.js";
import { type StressKind, stressRules } from "../support/stress-rules.js";

/** What a classifier says of packets, against the conditions it was made of. */

const LISTS = [list("some", "192.0.2.0/28", "198.51.100.7", "2001:db8:7::/48")];

const tests: fc.Arbitrary<Expr> = fc.oneof(
  fc
    .constantFrom("ip.src", "ip.dst")
    .chain((field) =>
      fc
        .constantFrom(
          "0.0.0.0/1",
          "192.0.2.0/24",
          "192.0.2.7",
          "198.51.100.0/26",
          "2001:db8::/32",
          "2001:db8:7::1",
        )
        .map((text) => address(field as "ip.src", text)),
    ),
  fc
    .constantFrom("tcp.dstport", "udp.dstport", "tcp.srcport")
    .chain((field) =>
      fc
        .tuple(fc.nat(6), fc.nat(6))
        .map(([a, b]) => number(field as "tcp.dstport", [Math.min(a, b), Math.max(a, b)])),
    ),
  fc.constantFrom(1, 6, 17).map((protocol) => number("ip.proto", protocol)),
  fc.constantFrom(1, 2, 0x12).map((mask) => bits("tcp.flags", mask)),
  fc.constant(number("ip4.ttl", [0, 63])),
  fc.constantFrom(4 as const, 6 as const).map((family) => inList("ip.src", "some", family)),
  fc.boolean().map(constant),
);

const { condition } = fc.letrec<{ condition: Expr }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tests,
    fc.array(tie("condition"), { minLength: 1, maxLength: 3 }).map((all) => and(...all)),
    fc.array(tie("condition"), { minLength: 1, maxLength: 3 }).map((all) => or(...all)),
    fc.array(tie("condition"), { minLength: 1, maxLength: 3 }).map((all) => xor(...all)),
    tie("condition").map(not),
  ),
}));

const packets: fc.Arbitrary<Packet> = fc
  .record({
    transport: fc.constantFrom("tcp", "udp"),
    source: fc.constantFrom("192.0.2.7", "192.0.2.200", "198.51.100.7", "9.9.9.9"),
    source6: fc.constantFrom("2001:db8:7::1", "2001:db8::7", "fd00::1"),
    isSix: fc.boolean(),
    ports: fc.tuple(fc.nat(6), fc.nat(6)),
    flags: fc.constantFrom("S", "SA", "F"),
    ttl: fc.constantFrom(9, 64),
  })
  .map(({ transport, source, source6, isSix, ports: [from, to], flags, ttl }) => {
    const ends = isSix
      ? `[${source6}]:${from} > [2001:db8:a::9]:${to}`
      : `${source}:${from} > 192.0.2.9:${to}`;
    return packet(`${transport} ${ends} ttl=${ttl}${transport === "tcp" ? ` flags=${flags}` : ""}`);
  });

function packet(text: string): Packet {
  const [written] = packetOfText(text, "");
  if (!written) throw new Error(`${text} is not a packet`);
  const decoded = decode(written.bytes, undefined, written.surroundings);
  if (decoded.kind !== "packet") throw new Error(`${text} is malformed`);
  return decoded.packet;
}

interface Told {
  readonly decided: number;
  readonly passed: readonly number[];
}

/** What the first stage says of a packet: as a walker in the kernel asks. */
function ask({ family, sources, destinations, stages: [stage] }: Classifier, of: Packet): Told {
  if (!stage) throw new Error("there is a stage");
  const source = classOfAddress(sources, readAddress(of, "ip.src", family) ?? 0n);
  const destination = classOfAddress(destinations, readAddress(of, "ip.dst", family) ?? 0n);
  return stage.kind === "tables"
    ? askTables(stage, source, destination, of)
    : askVectors(stage, source, destination, of);
}

function pathFor<T extends { readonly transport: string | null }>(paths: readonly T[], of: Packet): T {
  const path =
    paths.find(({ transport }) => transport !== null && transport === of.transport?.header) ??
    paths.find(({ transport }) => transport === null);
  if (!path) throw new Error("every packet has a path");
  return path;
}

/** The state behind the steps. */
function stateBehind(steps: readonly Step[], of: Packet): number {
  let at = 0;
  for (const { question, segments, absent, classes, next } of steps) {
    const asked =
      question.kind === "field"
        ? readNumber(of, question.field)
        : BigInt(+matches(question.match, of, LISTS));
    const found = asked === undefined ? absent : classIn(segments, Number(asked));
    at = next[at * classes + found] as number;
  }
  return at;
}

function askTables(stage: TableStage, source: number, destination: number, of: Packet): Told {
  const path = pathFor(stage.columns.paths, of);
  const at = stateBehind(path.steps, of);
  const column = path.steps.length === 0 ? (path.columns[0] as number) : at;
  const value = (matrix: Matrix) => {
    const row = matrix.rows[matrix.rowOf[source] as number];
    const cell = row?.find(({ place }) => place === matrix.placeOf[destination]);
    const leaf = cell && matrix.leaves[cell.leaf];
    return leaf?.values[matrix.sorts[leaf.sort]?.()[column] as number] ?? NONE;
  };
  const decided = Math.min(NONE, ...stage.deciding.map(value));
  const list = stage.passing ? value(stage.passing) : NONE;
  return { decided, passed: list === NONE ? [] : (stage.sequences[list] ?? []) };
}

function askVectors(stage: Vectors, source: number, destination: number, of: Packet): Told {
  const { store, values } = stage;
  const blocks = pathFor(stage.paths, of).blocks.map(
    ({ steps, vectors }) => vectors[stateBehind(steps, of)] as number,
  );
  const vectors = [stage.sources[source] as number, stage.destinations[destination] as number, ...blocks];
  const pages = store.pagesOf(vectors.reduce((a, b) => store.both(a, b)));
  const has = (bit: number) => ((pages[bit >>> 9]?.[(bit & 511) >>> 5] as number) >>> (bit & 31)) & 1;
  const held = ({ from, until }: Run) => values.slice(from, until).filter((_, at) => has(from + at) === 1);
  return {
    decided: Math.min(NONE, ...stage.deciding.map((run) => held(run)[0] ?? NONE)),
    passed: stage.passing ? [...new Set(held(stage.passing))] : [],
  };
}

function classOfAddress({ starts, classes }: Classifier["sources"], value: bigint): number {
  const at = (segment: number) =>
    starts.reduce((sum, chunk) => (sum << 32n) | BigInt(chunk[segment] as number), 0n);
  let segment = 0;
  while (segment + 1 < classes.length && at(segment + 1) <= value) segment++;
  return classes[segment] as number;
}

test.each([
  ["tables", tableEffort],
  ["vectors", () => 0],
] as const)(
  "random conditions by %s: the first that holds decides, and all before it are heard",
  (kind, effortFor) => {
    const rules = fc.array(fc.record({ match: condition, passes: fc.boolean() }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(rules, fc.array(packets, { minLength: 5, maxLength: 12 }), (all, some) => {
        const numbered = all.map((one, value) => ({ ...one, value }));
        const stage = {
          decides: numbered.filter(({ passes }) => !passes),
          passes: numbered.filter(({ passes }) => passes),
        };
        for (const one of some) {
          const classifier = classifierOf([stage], one.family, LISTS, effortFor);
          if (!classifier) continue;
          expect(classifier.stages.map((built) => built.kind)).toEqual([kind]);
          const held = (of: typeof numbered) => of.filter(({ match }) => matches(match, one, LISTS));
          expect(ask(classifier, one)).toEqual({
            decided: held(stage.decides)[0]?.value ?? NONE,
            passed: held(stage.passes).map(({ value }) => value),
          });
        }
      }),
      { numRuns: 100 },
    );
  },
);

describe("terms", () => {
  const context = { family: 4, lists: LISTS, most: 8 } as const;

  test.each([
    ["another family's address holds for nothing", address("ip.src", "2001:db8::/32"), 0],
    ["and what is not in it for everything", not(address("ip.src", "2001:db8::/32")), 1],
    ["two transports at once are no packet", and(number("tcp.dstport", 1), number("udp.dstport", 1)), 0],
    ["alternatives are terms", or(number("tcp.dstport", 1), number("udp.dstport", 1)), 2],
  ])("%s", (_name, match, count) => {
    expect(termsOf(match, context)).toHaveLength(count);
  });

  test("too many are none", () => {
    const ports = Array.from({ length: 4 }, (_, at) => number("tcp.dstport", at));
    expect(termsOf(xor(...ports), { ...context, most: 2 })).toBeUndefined();
  });
});

test("segments say which sets hold each number", () => {
  const range = fc
    .tuple(fc.nat(40), fc.nat(9))
    .map(([low, more]) => ({ low: BigInt(low), high: BigInt(Math.min(low + more, 63)) }));
  fc.assert(
    fc.property(fc.array(fc.array(range, { maxLength: 4 }).map(intervals), { maxLength: 5 }), (sets) => {
      const segments = segmentsOf(sets, 6);
      for (let value = 0; value < 64; value++) {
        const members = sets.flatMap((set, index) => (contains(set, BigInt(value)) ? [index] : []));
        expect(segments.members[classIn(segments, value)]).toEqual(members);
      }
    }),
  );
});

test("questions of too many answers at once are refused, not cut", () => {
  const shape = (at: number) => {
    const [term] =
      termsOf(and(number("tcp.srcport", at), number("tcp.dstport", at)), { family: 4, lists: [], most: 1 }) ??
      [];
    if (!term) throw new Error("it is one term");
    return term.answers;
  };
  expect(
    columnsOf(
      Array.from({ length: 50 }, (_, at) => shape(at)),
      new Effort(tableEffort(400)),
    ),
  ).toBeDefined();
  expect(
    columnsOf(
      Array.from({ length: 1100 }, (_, at) => shape(at)),
      new Effort(tableEffort(400)),
    ),
  ).toBeUndefined();
});

describe("rules that ask for many different things together", () => {
  const questions = (kind: StressKind, count: number) => ({
    decides: stressRules(kind, count).map(({ match }, value) => ({ match, value })),
    passes: [],
  });
  const kinds = (kind: StressKind, count: number, family: 4 | 6 = 4) =>
    classifierOf([questions(kind, count)], family, [])?.stages.map((stage) => stage.kind);

  test.each([
    ["contrived", 400, ["vectors"]],
    ["port ranges", 100, ["tables"]],
    ["port ranges", 1500, ["vectors"]],
    ["address ranges", 250, ["vectors"]],
    ["all fields", 2000, ["vectors"]],
  ] as const)("%s, %d: by %s", (kind, count, expected) => {
    expect(kinds(kind, count)).toEqual(expected);
  });

  test("tables end after counted steps, and vectors take few", () => {
    const effort = new Effort(tableEffort(400));
    const shapes = stressRules("contrived", 400).flatMap(
      ({ match }) => termsOf(match, { family: 4, lists: [], most: 64 })?.map(({ answers }) => answers) ?? [],
    );
    expect(shapes.length).toBeGreaterThan(1000);
    expect(columnsOf(shapes, effort)).toBeUndefined();
    // Each step that was refused was not made.
    expect(effort.made).toBeLessThanOrEqual(tableEffort(400));
  });

  test("more bits than a walker can look at are too many, not cut", () => {
    const match = or(number("tcp.dstport", 1), number("udp.dstport", 1));
    const bitsOf = (count: number) => {
      const decides = Array.from({ length: count }, (_, value) => ({ match, value }));
      return classifierOf([{ decides, passes: [] }], 4, [], () => 0);
    };
    expect(bitsOf(2 ** 15)).toBeDefined();
    expect(bitsOf(2 ** 15 + 1)).toBeUndefined();
  });

  test("a packet passes only so many rules by tables", () => {
    const kindOf = (count: number) => {
      const passes = Array.from({ length: count }, (_, value) => ({
        match: number("tcp.dstport", [0, 60_000 + value]),
        value,
      }));
      return classifierOf([{ decides: [], passes }], 4, [])?.stages[0]?.kind;
    };
    expect(kindOf(256)).toBe("tables");
    expect(kindOf(257)).toBe("vectors");
  });
});

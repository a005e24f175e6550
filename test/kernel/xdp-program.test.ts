import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { compileXdp } from "../../src/cli/io/clang.js";
import type { Expr } from "../../src/compiler/ir/expr.js";
import type { Action, Policy, Rule } from "../../src/compiler/ir/policy.js";
import { slice, WIRE_FIELDS, type WireField } from "../../src/compiler/ir/wire.js";
import { clangArguments } from "../../src/targets/xdp/clang.js";
import { instructions, MAX_INSTRUCTIONS, MAX_MAPS, programCost } from "../../src/targets/xdp/cost.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { codeSections, fallsBackInto } from "../support/bpf-flow.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import {
  address,
  and,
  bits,
  constant,
  inList,
  limit,
  list,
  not,
  number,
  or,
  policy,
  rule,
  xor,
} from "../support/ir.js";

let loader: Loader;
let bpffs: BpfFs;
let folder: string;

beforeAll(async () => {
  bpffs = mountBpfFs();
  folder = mkdtempSync(join(tmpdir(), "tidegate-xdp-program-"));
  loader = await Loader.start();
});

afterAll(async () => {
  await loader?.close();
  bpffs?.unmount();
  rmSync(folder, { recursive: true, force: true });
});

/** Rule by rule, however many they are. */
function text(of: Policy): string {
  return emit(of, "linear")
    .map((artifact) => artifact.text)
    .join("");
}

/** Compiles and passes the verifier; resolves to the number of instructions that clang made. */
async function load(name: string, of: Policy): Promise<number> {
  const object = join(folder, `${name}.bpf.o`);
  writeFileSync(object, compileXdp(of.customer, text(of)));
  await loader.loadObject({ object, pinDir: `${bpffs.path}/${name}`, reuse: {} });
  const code = join(folder, `${name}.bin`);
  execFileSync("llvm-objcopy", ["-O", "binary", "--only-section=xdp", object, code]);
  return readFileSync(code).length / 8;
}

/** A different number each time, the same in each run (numerical recipes' generator). */
function numbers(): (below: number) => number {
  let seed = 20_261_122;
  return (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

function leaf(random: (below: number) => number): Expr {
  const part = () => random(65_536).toString(16);
  switch (random(8)) {
    case 0:
      return address("ip.src", `${1 + random(200)}.${random(256)}.0.0/16`);
    case 1:
      return address("ip.dst", `10.${random(100)}.0.3-10.200.${random(256)}.9`);
    case 2:
      return address("ip.src", `2001:db8:${part()}::/48`, `2001:db9:${part()}:8000::/65`);
    case 3:
      return address("ip.dst", `2001:db8:${part()}::1-2001:dc8::${part()}`);
    case 4:
      return number("tcp.dstport", random(1000), [1000 + random(1000), 3000 + random(9000)]);
    case 5:
      return or(number("udp.srcport", 53, 123, random(9000)), number("udp.len", [0, random(2000)]));
    case 6:
      return bits("tcp.flags", 1 << random(8));
    default:
      return number("ip.proto", random(256));
  }
}

function reckoned(rules: readonly Rule[]): number {
  return rules.reduce((sum, each) => sum + instructions(each), programCost(rules));
}

/** A named place or any bits of a header, in the frame itself. */
function place(random: (below: number) => number): WireField {
  const named = Object.values(WIRE_FIELDS).filter(({ header }) => header !== "ct");
  const headers = ["ip4", "ip6", "tcp", "udp", "gre", "tcpPayload"] as const;
  return random(2) === 0
    ? (named[random(named.length)] ?? WIRE_FIELDS["ip4.ttl"])
    : slice(headers[random(headers.length)] ?? "ip4", random(2041), 1 + random(32));
}

function verdict(index: number): Action {
  return { kind: index % 3 === 0 ? "allow" : "drop" };
}

/** As long as the target's own check accepts the next one. */
function rulesThatFit(match: () => Expr, action = verdict): Policy {
  const rules: Rule[] = [];
  for (let own = programCost([]), total = 0; ; ) {
    const next = rule(`r${rules.length}`, action(rules.length), match());
    if (programCost([next]) > programCost([])) own = programCost([...rules, next]);
    total += instructions(next);
    if (own + total > MAX_INSTRUCTIONS) return policy(rules, [list("l", "10.0.0.0/8", "2001:db8::/32")]);
    rules.push(next);
  }
}

describe("the largest policies that the check accepts", () => {
  const random = numbers();
  const one = () => leaf(random);
  test.each<[string, () => Expr, number]>([
    ["conjunctions", () => and(one(), one(), one()), 500],
    ["single tests", one, 1000],
    ["nested", () => or(and(one(), not(or(one(), one()))), and(one(), not(one()))), 200],
    ["exclusive or", () => and(one(), xor(one(), not(one()), and(one(), one()))), 150],
    ["flags", () => bits("tcp.flags", 1 + random(255)), 2400],
    ["places of the frame", () => number(place(random), random(2)), 700],
    ["bits of the frame", () => and(bits(place(random), 1), not(bits(place(random), 1))), 400],
    ["MSS values", () => number("tcp.option.mss", 2 * random(700), [1500, 3000 + random(9000)]), 500],
    ["long exclusive ors", () => xor(...Array.from({ length: 200 }, () => bits(place(random), 1))), 3],
    ["lists", () => or(inList("ip.src", "l", 4), inList("ip.src", "l", 6)), 250],
    [
      "ports",
      () =>
        number(
          "tcp.dstport",
          ...Array.from({ length: 1000 }, (_, i) => [60 * i, 60 * i + random(50)] as const),
        ),
      4,
    ],
    [
      "IPv6 ranges",
      () =>
        address(
          "ip.src",
          ...Array.from({ length: 100 }, (_, i) => `2001:${i + 1}::${random(9999)}-2001:${i + 1}:9::7`),
        ),
      13,
    ],
  ])("%s: are loaded, and cost no more than was reckoned", async (name, match, atLeast) => {
    const largest = rulesThatFit(match);
    expect(largest.mitigate.length).toBeGreaterThanOrEqual(atLeast);
    expect(await load(name.replaceAll(" ", "-"), largest)).toBeLessThanOrEqual(reckoned(largest.mitigate));
  });

  test.each<[string, () => Expr, number]>([
    ["a test each", one, 500],
    ["a flag each", () => bits("tcp.flags", 1 + random(255)), 700],
    ["all packets", () => constant(true), 800],
  ])("rules that count, %s: are loaded, and cost no more than was reckoned", async (name, match, atLeast) => {
    const largest = rulesThatFit(match, () => ({ kind: "count" }));
    expect(largest.mitigate.length).toBeGreaterThanOrEqual(atLeast);
    expect(await load(`count-${name.replaceAll(" ", "-")}`, largest)).toBeLessThanOrEqual(
      reckoned(largest.mitigate),
    );
  });

  test("as many limits as there may be maps", async () => {
    const pers = ["ip.src", "ip.dst", null] as const;
    const rules = Array.from({ length: MAX_MAPS }, (_, i) =>
      rule(`l${i}`, limit(5000, 10, i < 6 ? (pers[i % 3] ?? null) : null), constant(true)),
    );
    expect(await load("limits", policy(rules))).toBeLessThanOrEqual(reckoned(rules));
  });
});

test("what can never hold, or always does, is compiled without complaint", async () => {
  const contradiction = and(address("ip.src", "10.0.0.1"), address("ip.src", "2001:db8::1"));
  const port = number("tcp.dstport", [0, 65_535]);
  const matches = [
    contradiction,
    and(port, not(port)),
    or(port, port),
    xor(port, port),
    constant(false),
    constant(true),
  ];
  await load(
    "odd",
    policy([
      ...matches.map((match, i) => rule(`r${i}`, "drop", match)),
      rule("none", "drop", number("udp.len")),
    ]),
  );
});

test("a program that reads every place of the frame closes its loops with jumps", () => {
  const places = Object.values(WIRE_FIELDS).filter(({ header }) => header !== "ct");
  const program = text(policy(places.map((one, i) => rule(`r${i}`, "drop", number(one, 1)))));
  const sections = codeSections(Buffer.from(compileXdp("acme", program)));
  expect(sections.length).toBeGreaterThan(0);
  expect(sections.flatMap(fallsBackInto)).toEqual([]);
});

test("deep nesting is compiled", async () => {
  let match: Expr = number("tcp.dstport", 80);
  for (let depth = 0; depth < 128; depth++) {
    match = or(
      number("udp.dstport", depth),
      not(and(bits("tcp.flags", 1), xor(match, number("ip.proto", depth)))),
    );
  }
  await load("deep", policy([rule("deep", "drop", match)]));
});

test("the object is the same wherever it is compiled", () => {
  const program = text(policy([rule("a", limit(5, 5, "ip.src"), leaf(numbers()))]));
  const objects = ["one", "other/deeper"].map((place) => {
    const here = join(folder, place);
    execFileSync("mkdir", ["-p", here]);
    execFileSync("cp", ["-r", join(packageRoot(), "bpf-templates"), join(here, "include")]);
    writeFileSync(join(here, "acme.bpf.c"), program);
    const job = { include: join(here, "include"), source: join(here, "acme.bpf.c"), object: "acme.bpf.o" };
    execFileSync("clang", clangArguments(job), { cwd: here });
    execFileSync("llvm-strip", ["-g", join(here, "acme.bpf.o")]);
    return readFileSync(join(here, "acme.bpf.o"));
  });
  expect(objects[0]?.equals(objects[1] ?? Buffer.alloc(0))).toBe(true);
});

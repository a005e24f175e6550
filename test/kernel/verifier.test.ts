import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { compileXdp } from "../../src/cli/io/clang.js";
import { textOf } from "../../src/cli/verify/xdp-program.js";
import { parsePrefix } from "../../src/compiler/ir/address.js";
import { type AddressList, FAST_TUNNELS, type Policy, type Rule } from "../../src/compiler/ir/policy.js";
import { type Form, planOf } from "../../src/targets/xdp/classifier/plan.js";
import { MAX_MAPS, mostMaps } from "../../src/targets/xdp/cost.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { constant, inList, limit, list, number, policy, rule, tunnel } from "../support/ir.js";
import { stressRules } from "../support/stress-rules.js";

/** Does the verifier of this kernel take each sort of program that there is? npm run test:vm asks other kernels. */

const templates = join(packageRoot(), "dist/bpf");

let loader: Loader;
let bpffs: BpfFs;
let folder: string;
let loaded = 0;

beforeAll(async () => {
  bpffs = mountBpfFs();
  folder = mkdtempSync(join(tmpdir(), "tidegate-verifier-"));
  loader = await Loader.start();
});

afterAll(async () => {
  await loader?.close();
  bpffs?.unmount();
  rmSync(folder, { recursive: true, force: true });
});

const load = (object: string) =>
  loader.loadObject({ object, pinDir: `${bpffs.path}/${loaded++}`, reuse: {} });

test.each(readdirSync(templates).filter((file) => file.endsWith(".bpf.o")))("%s", async (file) => {
  await load(join(templates, file));
});

const blocked = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);

const POLICIES: readonly (readonly [string, Form, () => Policy])[] = [
  ["no rules", "linear", () => policy([])],
  ["rules one after the other", "linear", () => policy(stressRules("all fields", 30))],
  ["conditions within conditions", "linear", () => policy(stressRules("contrived", 12))],
  [
    "limits and counts",
    "linear",
    () =>
      policy([
        rule("seen", { kind: "count" }, constant(true)),
        rule("each", limit(5000, 10, "ip.src"), number("tcp.dstport", 80)),
        rule("all", limit(9, 1, null), constant(true)),
      ]),
  ],
  [
    "a list of 10,000 prefixes",
    "linear",
    () => policy([rule("listed", "drop", inList("ip.src", "l", 4))], [list("l", ...blocked)]),
  ],
  ["rules in tables", "tables", () => policy(stressRules("port ranges", 40))],
  ["rules in vectors", "vectors", () => policy(stressRules("port ranges", 300))],
  ["all fields in vectors", "vectors", () => policy(stressRules("all fields", 300))],
  ["as many maps as there may be", "linear", () => policy(...limitsAndLists(MAX_MAPS))],
  ["the fast path by as many ways as there may be", "linear", () => fast([])],
  [
    "the fast path past a list of 10,000 prefixes",
    "linear",
    () => fast([rule("listed", "drop", inList("ip.src", "l", 4))], [list("l", ...blocked)]),
  ],
  ["the fast path and as many maps", "linear", () => fast(...limitsAndLists(mostMaps(fast([]))))],
  ["the fast path behind vectors", "vectors", () => fast(stressRules("port ranges", 300))],
];

/** Half of so many maps are those of limits, each of which asks another list. */
function limitsAndLists(count: number): readonly [readonly Rule[], readonly AddressList[]] {
  const names = Array.from({ length: Math.ceil(count / 2) }, (_, at) => `l${at}`);
  const limits = names.length * 2 === count ? names : names.slice(1);
  const rules = names.map((name) => {
    const action = limits.includes(name) ? limit(5000, 10, "ip.src") : ({ kind: "count" } as const);
    return rule(name, action, inList("ip.src", name, 4));
  });
  return [rules, names.map((name, at) => list(name, `10.${at}.0.0/16`))];
}

/** With 256 routes of both families (TG4010), into 64 tunnels. */
function fast(rules: readonly Rule[], lists: readonly AddressList[] = []): Policy {
  const plain = policy(rules, lists);
  const tunnels = Array.from({ length: FAST_TUNNELS }, (_, at) =>
    tunnel(`t${at}`, `198.51.100.${at + 1}`, { key: at }),
  );
  const routes = Array.from({ length: 256 }, (_, at) => {
    const text = at < 128 ? `203.0.113.${2 * at}/31` : `2001:db8:${at.toString(16)}::/48`;
    const parsed = parsePrefix(text);
    if (parsed.kind !== "prefix") throw new Error(text);
    return {
      prefix: parsed.prefix,
      tunnel: `t${at % FAST_TUNNELS}`,
      priority: 100,
      weight: 1,
      span: plain.span,
    };
  });
  const firewall = { ...plain.firewall, default: "allow", offload: "auto" } as const;
  return { ...plain, firewall, datapath: "xdp", tunnels, routes };
}

test.each(POLICIES)("a customer's program: %s (%s)", async (name, form, make) => {
  const asked = make();
  expect(planOf(asked, form) === null).toBe(form === "linear");
  const object = join(folder, `${name.replaceAll(" ", "-")}.bpf.o`);
  writeFileSync(object, compileXdp(asked.customer, textOf(emit(asked, form), ".bpf.c")));
  await load(object);
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Loader } from "../../runtime/loader-client.js";
import { packageRoot } from "../../runtime/native-process.js";
import { compileXdp } from "../../src/cli/io/clang.js";
import { textOf } from "../../src/cli/verify/xdp-program.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { type Form, planOf } from "../../src/targets/xdp/classifier/plan.js";
import { emit } from "../../src/targets/xdp/emit.js";
import { type BpfFs, mountBpfFs } from "../support/bpffs.js";
import { constant, inList, limit, list, number, policy, rule } from "../support/ir.js";
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
];

test.each(POLICIES)("a customer's program: %s (%s)", async (name, form, make) => {
  const asked = make();
  expect(planOf(asked, form) === null).toBe(form === "linear");
  const object = join(folder, `${name.replaceAll(" ", "-")}.bpf.o`);
  writeFileSync(object, compileXdp(asked.customer, textOf(emit(asked, form), ".bpf.c")));
  await load(object);
});

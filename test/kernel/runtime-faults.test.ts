import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { AcmeEdge, NODE } from "../support/acme-edge.js";
import { A, arrived, B, counting, during } from "../support/two-policies.js";

/**
 * Everything that a run does to the machine goes wrong once: the run is killed before or after it, it fails, the disk is full, or
 * the loader dies. Afterwards the old policy or the new one is in force, whole, and until then no packet got through that
 * both forbid.
 */

/** Faults in all; the long run (FAULTS=300) has more of the same. */
const FAULTS = Number(process.env["FAULTS"] ?? 15);
const MODES = ["kill-before", "kill-after", "fail", "loader", "full"] as const;
const FILES = /^(writeFile|rename|mkdir|link) /;

interface Operation {
  readonly name: string;
  /** Makes what must be so before. */
  readonly prepare: () => Promise<unknown>;
  /** Text of a module that does it. */
  readonly script: () => string;
}

let edge: AcmeEdge;
let found: string;
let bundles: Readonly<Record<"a" | "b", string>>;

beforeAll(async () => {
  edge = await AcmeEdge.start();
  found = edge.server.portrait();
  edge.server.run(["nft", "-f", "-"], { namespace: "router", input: counting() });
  bundles = { a: edge.bundle("a", A()), b: edge.bundle("b", B(true)) };
});

afterAll(() => edge?.server.end());

const module = (name: string) => JSON.stringify(join(packageRoot(), `dist/runtime/${name}.js`));

function applyScript(bundle: string): string {
  return `import { apply } from ${module("apply")};
    await apply(${JSON.stringify({ bundle, node: NODE })});`;
}

/** What a run of the module said on standard error; how it ended does not matter. */
async function execute(script: string, fault?: string): Promise<string> {
  const faults = fault === undefined ? [] : ["--import", join(packageRoot(), "test/support/faults.mjs")];
  const [command, ...args] = edge.server.enter(["node", ...faults, "--input-type=module", "-e", script]);
  const env = { ...process.env, FAULT: fault ?? "" };
  const run = promisify(execFile)(command, args, { env });
  return run.then(
    ({ stderr }) => stderr,
    ({ stderr }: { readonly stderr: string }) => stderr,
  );
}

/** The policy in force by the record; null: none. */
async function onRecord(): Promise<{ readonly policy: "a" | "b" | null; readonly drift: readonly string[] }> {
  const [customer] = (await edge.server.status()).customers;
  if (!customer) return { policy: null, drift: [] };
  const policy = customer.hash === readBundleHash(bundles.a) ? "a" : "b";
  return { policy, drift: customer.drift };
}

function readBundleHash(bundle: string): string {
  return createHash("sha256")
    .update(readFileSync(join(bundle, "manifest.json")))
    .digest("hex");
}

const OPERATIONS: readonly Operation[] = [
  {
    name: "a change",
    prepare: () => edge.server.apply(bundles.a, NODE),
    script: () => applyScript(bundles.b),
  },
  {
    name: "a change back",
    prepare: () => edge.server.apply(bundles.b, NODE),
    script: () => applyScript(bundles.a),
  },
  {
    name: "a first bundle",
    prepare: async () => {
      await edge.server.apply(bundles.a, NODE);
      await edge.server.remove("acme");
      expect(edge.server.portrait()).toBe(found);
    },
    script: () => applyScript(bundles.a),
  },
  {
    name: "a removal",
    prepare: () => edge.server.apply(bundles.a, NODE),
    script: () => `import { remove } from ${module("remove")}; await remove({ customer: "acme" });`,
  },
];

/** Evenly from all, so that each part of a run has its share. */
function sample<T>(all: readonly T[], count: number): readonly T[] {
  if (count >= all.length) return all;
  return Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)] as T);
}

/** Neither lets these through, nor does one of them let them into the other's tunnel. */
const NEVER = {
  chicago: { onlyB: 0, earlyInA: 0, earlyInB: 0 },
  dallas: { onlyA: 0, earlyInA: 0, earlyInB: 0 },
};

const briefly = () => new Promise<void>((resolve) => setTimeout(resolve, 50));

/** Traffic is judged by the policy on record and by no other, and nothing is missing. */
async function expectWhole(told: string): Promise<void> {
  const { policy, drift } = await onRecord();
  expect(drift, told).toEqual([]);
  arrived(edge);
  const { sent } = await during(edge, 2_000, briefly);
  await briefly();
  const { chicago, dallas } = arrived(edge);
  const none = { onlyA: 0, onlyB: 0, both: 0, earlyInA: 0, earlyInB: 0 };
  expect({ chicago, dallas }, told).toEqual({
    chicago: policy === "a" ? { ...none, onlyA: sent, both: sent } : none,
    dallas: policy === "b" ? { ...none, onlyB: sent, both: sent } : none,
  });
}

describe.each(OPERATIONS)("$name", ({ name, prepare, script }) => {
  test("recovers from every fault", async () => {
    await prepare();
    const actions: readonly string[] = JSON.parse(await execute(script(), "none:-1"));
    const points = actions.flatMap((action, index) =>
      MODES.filter((mode) => mode !== "full" || FILES.test(action)).map((mode) => ({ mode, index, action })),
    );
    const chosen = sample(points, Math.ceil(FAULTS / OPERATIONS.length));
    let survived = 0;
    for (const { mode, index, action } of chosen) {
      await prepare();
      arrived(edge);
      const told = `${mode} at ${index}: ${action}`;
      await during(edge, 2_000, () => execute(script(), `${mode}:${index}`));
      expect(arrived(edge), told).toMatchObject(NEVER);
      const recovery = `import { recoverNode } from ${module("restart")}; await recoverNode({});`;
      expect(await execute(recovery), told).toBe("");
      await expectWhole(told);
      survived++;
      console.log(
        `${name}, ${told}: survived (${survived} of ${chosen.length} tried, ${points.length} in all)`,
      );
    }
    expect(survived).toBe(chosen.length);
  });
});

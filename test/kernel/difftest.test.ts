import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileXdp } from "../../src/cli/io/clang.js";
import { packageRoot } from "../../src/cli/package-root.js";
import { textOf } from "../../src/cli/verify/xdp-program.js";
import { rulesOf } from "../../src/compiler/ir/policy.js";
import { decode } from "../../src/compiler/semantics/decode.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { xdp } from "../../src/targets/xdp/target.js";
import { ClangServer } from "../difftest/clang-server.js";
import { allFound } from "../difftest/found.js";
import { disagree, Kernel } from "../difftest/kernel.js";
import { casesOf, describeTrial, failed, Tries } from "../difftest/trial.js";
import { policyIn, policyOfText } from "../support/language-arbitrary.js";
import { PATIENCE } from "../support/patience.js";

/**
 * A few of the random policies that `npm run difftest` tries by the thousand: what the words mean, the reference, XDP and
 * nftables must say the same of each packet, and count it under the same rules.
 */
const SEED = 20_261_122;
const PACKETS = 300;
const SECONDS = 40;
/** On a machine so slow that fewer are tried, something else is wrong. */
const AT_LEAST = Math.ceil(60 / PATIENCE);
const AT_MOST = 300;

let kernel: Kernel;

beforeAll(async () => {
  kernel = await Kernel.start();
});

afterAll(async () => {
  await kernel?.close();
});

test(
  `up to ${AT_MOST} random policies: words, reference, XDP and nftables agree`,
  async () => {
    const tries = new Tries(kernel, PACKETS);
    const until = Date.now() + 1000 * SECONDS;
    let tried = 0;
    for (let block = 0; tried < AT_MOST && (tried < AT_LEAST || Date.now() < until); block++) {
      for (const { written, seed, index } of casesOf(SEED, block)) {
        const trial = await tries.try(written, seed + index);
        if (!trial) continue;
        tried++;
        expect(failed(trial) ? describeTrial(trial) : [], written.text).toEqual([]);
        expect(trial.judged, "packets that come to the firewall").toBeGreaterThan(PACKETS / 2);
      }
    }
  },
  1000 * SECONDS + 120_000 * PATIENCE,
);

describe("the clang that stays", () => {
  let folder: string;
  let server: ClangServer;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-server-"));
    const library = join(folder, "clang-server.so");
    const source = join(packageRoot(), "test/difftest/clang-server.c");
    const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"];
    expect(spawnSync("cc", [...flags, "-o", library, source]).status).toBe(0);
    server = ClangServer.start(library);
  });

  afterAll(() => {
    server?.close();
    rmSync(folder, { recursive: true });
  });

  test("makes the same programs, one after the other, as a clang for each", async () => {
    const policies = casesOf(SEED, 0).flatMap(({ written }) => policyIn(written) ?? []);
    for (const policy of policies.slice(0, 4)) {
      const text = textOf(xdp.emit(policy), ".bpf.c");
      const alone = compileXdp("language", text, { testClock: true });
      expect(Buffer.from(await server.compile("language", text)).equals(alone)).toBe(true);
    }
    expect(server.compiled).toBe(4);
  });

  test("lets clang itself say what is wrong, and goes on", async () => {
    await expect(server.compile("language", "no C")).rejects.toThrow(/clang refused.*unknown type name/s);
    await expect(server.compile("language", "int one;")).resolves.toBeInstanceOf(Uint8Array);
    expect(server.compiled).toBe(5);
  });
});

describe("what was once judged in two ways", () => {
  const found = allFound();

  test.each(found)("$name", async ({ policy: text, packets, words }) => {
    const policy = policyOfText(text);
    expect(policy).not.toBeUndefined();
    if (!policy) return;
    expect(disagree(await kernel.judge(policy, packets))).toBe(false);
    for (const { packet, rule, holds } of words) {
      const decoded = decode(packet.bytes, undefined, packet.surroundings);
      const match = rulesOf(policy).find(({ name }) => name === rule)?.match;
      if (decoded.kind !== "packet" || !match) throw new Error(`no packet, or no rule ${rule}`);
      expect(matches(match, decoded.packet, policy.lists), rule).toBe(holds);
    }
  });
});

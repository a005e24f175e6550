import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";

/**
 * The native programs read frames from whoever runs them. libFuzzer tries what was found before and some thousands of variations,
 * under ASan and UBSan; `npm run fuzz -- loader` tries for as long as one likes. test/fuzz/native says what is pretended.
 */
const RUNS = 3000;
const SEED = 20251122;
const SOURCES = join(packageRoot(), "test/fuzz/native");

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-fuzz-"));
  execFileSync("make", ["-s", "-j2", "-C", SOURCES, "loader", "probe"], { stdio: "pipe" });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(["loader", "probe"])("the %s", (program) => {
  const corpus = join(SOURCES, "corpus", program);

  function fuzz(...args: readonly string[]) {
    const binary = join(packageRoot(), "dist/fuzz-native", program);
    const { status, stderr } = spawnSync(binary, args, { cwd: folder, encoding: "utf8" });
    return { status, stderr };
  }

  test("takes whatever it is asked without a fault, and answers it", () => {
    const learned = mkdtempSync(join(folder, program));
    const { status, stderr } = fuzz(
      `-seed=${SEED}`,
      `-runs=${RUNS}`,
      "-max_len=4096",
      "-timeout=20",
      learned,
      corpus,
    );
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining(`Done ${RUNS}`) });
    // Otherwise the mutations reach nothing that the corpus does not.
    expect(readdirSync(learned).length).toBeGreaterThan(readdirSync(corpus).length);
  });
});

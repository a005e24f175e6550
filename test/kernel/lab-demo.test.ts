import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/cli/package-root.js";

const DEMO = join(packageRoot(), "dist", "examples", "lab", "demo.js");

/** The demo, with a temporary folder of its own, by which everything that it starts is known. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function startDemo(...words: readonly string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [DEMO, ...words], { env: { ...process.env, TMPDIR: folder } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  return { child, output: () => output };
}

/** Ids of the processes whose environment names the demo's folder. */
function processes(): readonly number[] {
  const mark = `TMPDIR=${folder}\0`;
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark);
      } catch {
        return false;
      }
    });
}

describe("the demo", () => {
  it("agrees with the reference and leaves nothing", async () => {
    const { child, output } = startDemo("bogon", "any server", "leaves");
    const [status] = await once(child, "close");
    expect(output()).toContain("6 checks, all as the reference says");
    expect(status).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
    expect(output()).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
    expect(processes()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("takes everything down on %s in the middle", async (signal, expected) => {
    const { child, output } = startDemo();
    await expect.poll(output, { timeout: 40_000 }).toContain("Journeys");
    expect(processes().length).toBeGreaterThan(10);
    child.kill(signal);
    const [status] = await once(child, "close");
    expect(status).toBe(expected);
    expect(processes()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves no process behind even when it is killed", async () => {
    const { child, output } = startDemo();
    await expect.poll(output, { timeout: 40_000 }).toContain("Journeys");
    child.kill("SIGKILL");
    await expect.poll(processes, { timeout: 10_000 }).toEqual([]);
  });

  it("says which journeys there are when it is asked for another", async () => {
    const { child, output } = startDemo("teleport");
    const [status] = await once(child, "close");
    expect(status).toBe(2);
    expect(output()).toContain("A SYN flood");
  });
});

import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { check } from "../../src/cli/commands/check.js";
import { fmt } from "../../src/cli/commands/fmt.js";
import { init } from "../../src/cli/commands/init.js";
import { test as testPolicies } from "../../src/cli/commands/test.js";
import { UsageError } from "../../src/cli/exit.js";
import { commandTests } from "../support/commands.js";

const TSC = join(import.meta.dirname, "../../node_modules/.bin/tsc");

const { folder, printed } = commandTests("init");

describe("a new project", () => {
  let project = "";
  let policy = "";

  beforeAll(async () => {
    project = join(folder, "Northwind Traders");
    policy = join(project, "northwind-traders.policy.ts");
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    expect(await init(project, {})).toBe(0);
    log.mockRestore();
  });

  test("has a policy named after the folder, and what belongs to it", () => {
    expect(readdirSync(project, { recursive: true }).sort()).toEqual([
      ".gitignore",
      "README.md",
      "lists",
      "lists/blocked.json",
      "northwind-traders.policy.ts",
      "package.json",
      "tsconfig.json",
      "types",
      "types/tidegate.d.ts",
    ]);
    expect(readFileSync(policy, "utf8")).toContain('customer: "northwind-traders"');
    expect(readFileSync(join(project, "README.md"), "utf8")).not.toContain("example");
  });

  test("passes check --strict", async () => {
    expect(await check([policy], { format: "json", strict: true, types: true })).toBe(0);
    expect(JSON.parse(printed.join(""))).toEqual([]);
  });

  test("passes its own tests, which cover every rule", async () => {
    expect(await testPolicies([policy], { json: true })).toBe(0);
    const { passed, failed, coverage } = JSON.parse(printed.join(""));
    expect({ passed, failed }).toEqual({ passed: 5, failed: 0 });
    expect(coverage.covered).toBe(coverage.rules);
  });

  test("is in style", async () => {
    expect(await fmt([policy], { check: true })).toBe(0);
  });

  test("is what tsc takes, and what editors complete: a mistake in it is found", () => {
    const tsc = () => spawnSync(TSC, ["-p", "."], { cwd: project, encoding: "utf8" });
    expect(tsc()).toMatchObject({ status: 0, stdout: "" });
    const mistake = join(project, "mistake.ts");
    writeFileSync(
      mistake,
      'import { gre } from "tidegate";\nexport const tunnel = gre({ remot: "192.0.2.1" });\n',
    );
    expect(tsc().stdout).toContain("mistake.ts(2,");
    rmSync(mistake);
  });

  test("is left alone by a second init", async () => {
    expect(await init(project, {})).toBe(0);
    expect(printed.filter((line) => line.startsWith("created"))).toEqual([]);
  });
});

describe("what is there already", () => {
  test("is kept and named, the rest is written: exit 1", async () => {
    const project = join(folder, "mine");
    mkdirSync(project);
    writeFileSync(join(project, "README.md"), "mine");
    expect(await init(project, {})).toBe(1);
    expect(readFileSync(join(project, "README.md"), "utf8")).toBe("mine");
    expect(existsSync(join(project, "mine.policy.ts"))).toBe(true);
    expect(printed.filter((line) => line.startsWith("kept"))).toHaveLength(1);
  });

  test("a link is not followed, not even one that leads nowhere", async () => {
    const project = join(folder, "links");
    mkdirSync(project);
    symlinkSync(join(folder, "elsewhere.json"), join(project, "package.json"));
    expect(await init(project, {})).toBe(1);
    expect(existsSync(join(folder, "elsewhere.json"))).toBe(false);
  });

  test("a file where a folder should be is a usage error", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "");
    await expect(init(path, {})).rejects.toThrow(UsageError);
  });
});

test.each([
  ["plain", "cd plain"],
  ["two words", "cd 'two words'"],
  ["-option", "cd ./-option"],
  ["it's; ls", "cd 'it'\\''s; ls'"],
  ["red\u001b[31m", "cd 'red\ufffd[31m'"],
])("the first step leads into the folder %j, as a shell reads it", async (name, step) => {
  vi.spyOn(process, "cwd").mockReturnValue(folder);
  expect(await init(join(folder, name), {})).toBe(0);
  expect(printed.join("\n")).toContain(`  ${step}\n`);
  expect(printed.join("\n")).not.toContain("\u001b[31m");
});

describe("the customer's name", () => {
  test.each([
    ["42", {}, "example"],
    ["Ünïcorn", {}, "n-corn"],
    ["other", { customer: "acme" }, "acme"],
  ])("folder %s, options %j: %s", async (name, options, customer) => {
    expect(await init(join(folder, name), options)).toBe(0);
    expect(existsSync(join(folder, name, `${customer}.policy.ts`))).toBe(true);
  });

  test.each(["Acme", "", "../acme", "a".repeat(33)])("%j is refused", async (customer) => {
    await expect(init(join(folder, "refused"), { customer })).rejects.toThrow(UsageError);
    expect(existsSync(join(folder, "refused"))).toBe(false);
  });
});

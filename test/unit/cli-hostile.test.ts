// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOSTILE_TEXTS } from "../support/hostile-texts.js";

const ROOT = join(import.meta.dirname, "../..");
const FIXTURES = join(ROOT, "test/hostile");
const COMMAND = join(ROOT, "dist/bin/tidegate.js");

const MOST_MEGABYTES = 500;
/** Exactly one second by `npm run fuzz`, where nothing else runs beside it. */
const MOST_MILLISECONDS = process.env["TIDEGATE_EXACT"] === "1" ? 1000 : 10_000;

/** Tells the largest memory that the process had, in KB, on descriptor 3 at its end. */
const METER =
  'data:text/javascript,import{writeSync}from"node:fs";process.on("exit",()=>writeSync(3,String(process.resourceUsage().maxRSS)))';

interface Checked {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly megabytes: number;
  readonly milliseconds: number;
}

function check(...args: readonly string[]): Checked {
  const start = performance.now();
  const { status, output } = spawnSync(process.execPath, ["--import", METER, COMMAND, "check", ...args], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    encoding: "utf8",
    timeout: 50_000,
    maxBuffer: 2 ** 30,
    env: { ...process.env, NO_COLOR: "1" },
  });
  const milliseconds = performance.now() - start;
  const [, stdout = "", stderr = "", kilobytes] = output ?? [];
  return {
    status,
    stdout: `${stdout}`,
    stderr: `${stderr}`,
    megabytes: Number(kilobytes || Number.NaN) / 1024,
    milliseconds,
  };
}

/** Of three attempts the fastest counts: a machine has other things to do. */
function fastest(...args: readonly string[]): Checked {
  const first = check(...args);
  if (first.milliseconds <= MOST_MILLISECONDS) return first;
  const all = [first, check(...args), check(...args)];
  return all.reduce((best, one) => (one.milliseconds < best.milliseconds ? one : best));
}

function errorsIn(stdout: string): readonly string[] {
  const rows: readonly { code: string; severity: string }[] = JSON.parse(stdout);
  return [...new Set(rows.filter(({ severity }) => severity === "error").map(({ code }) => code))];
}

function expectSmall({ status, stderr, megabytes, milliseconds }: Checked): void {
  expect(stderr).toBe("");
  expect(status).toBe(1);
  expect(megabytes).toBeLessThan(MOST_MEGABYTES);
  expect(milliseconds).toBeLessThan(MOST_MILLISECONDS);
}

/** C0 and C1 but line ends and tabs, and what turns the direction of text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

describe("hostile policies, given to the command", () => {
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-hostile-"));
    writeFileSync(join(folder, "package.json"), "{}");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(Object.entries(HOSTILE_TEXTS))("%s", (name, { text, codes }) => {
    const file = join(folder, `${name.replace(/\W+/g, "-")}.policy.ts`);
    writeFileSync(file, text);
    const checked = fastest("--no-types", "--format", "json", file);
    expectSmall(checked);
    expect(errorsIn(checked.stdout)).toEqual(codes);
    if (CONTROLS.test(text)) expect(CONTROLS.test(check("--no-types", file).stdout)).toBe(false);
  });

  test.each(readdirSync(FIXTURES))("%s", (name) => {
    const file = join(FIXTURES, name);
    const checked = fastest("--no-types", "--format", "json", file);
    expectSmall(checked);
    const [first = ""] = readFileSync(file, "utf8").split("\n", 1);
    expect(errorsIn(checked.stdout)).toEqual([...new Set(first.slice("// ".length).split(" "))]);
  });

  test("all fixtures at once, with types", () => {
    // What was too much for the reader is not given to the type checker.
    const files = readdirSync(FIXTURES)
      .map((name) => join(FIXTURES, name))
      .filter((file) => !/^\/\/.*TG10(?:02|03|60)/.test(readFileSync(file, "utf8")));
    // Their mistakes are all ours to name; this one shows that the type checker has run.
    const typed = join(folder, "typed.policy.ts");
    writeFileSync(typed, 'const port: number = "443";\n');
    const { status, stderr, stdout, megabytes } = check("--format", "json", typed, ...files);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    expect(errorsIn(stdout)).toContain("TG2070");
    expect(megabytes).toBeLessThan(MOST_MEGABYTES);
  });
});

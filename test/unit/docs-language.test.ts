import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatModule } from "../../src/cli/fmt/format-module.js";
import { projectModules } from "../../src/cli/io/project.js";
import {
  bare,
  checkText,
  type Exchange,
  exchangesOf,
  isShown,
  policyAround,
  policyBelow,
  type Snippet,
  snippetsOf,
} from "../support/doc-snippets.js";

/**
 * The tutorial is played from top to bottom in an empty folder: its files are written where they stand, its commands run,
 * its snippets are read and type-checked. Needs the built command line (scripts/build). UPDATE_DOCS=1 writes into the page
 * what the commands print.
 */
const ROOT = join(import.meta.dirname, "../..");
const PAGE = join(ROOT, "docs/language.md");
const UPDATE = process.env["UPDATE_DOCS"] === "1";

const snippets = snippetsOf(readFileSync(PAGE, "utf8"));

/** Where the reader is. */
let folder = "";
let top = "";
/** Files of the page, and whether something has read them. */
const files = new Map<string, boolean>();
const updates: { readonly before: string; readonly after: string }[] = [];

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), "tidegate-tutorial-"));
  folder = top;
  const command = join(top, "bin/tidegate");
  mkdirSync(dirname(command));
  writeFileSync(command, `#!/bin/sh\nexec node '${join(ROOT, "dist/bin/tidegate.js")}' "$@"\n`);
  chmodSync(command, 0o755);
});

afterAll(() => {
  rmSync(top, { recursive: true });
  if (updates.length === 0) return;
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(
    PAGE,
    updates.reduce((text, { before, after }) => text.replace(before, () => after), page),
  );
});

/** What a reader sees who types the command. */
function run(command: string): string {
  const [, to] = /^cd (\S+)$/.exec(command) ?? [];
  if (to !== undefined) {
    folder = resolve(folder, to);
    return "";
  }
  for (const name of files.keys()) if (command.includes(name)) files.set(name, true);
  const path = `${join(top, "bin")}${delimiter}${process.env["PATH"]}`;
  const { stdout } = spawnSync("sh", ["-c", `{ ${command}\n} 2>&1`], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, PATH: path, NO_COLOR: "1" },
  });
  return bare(stdout);
}

function play({ text }: Snippet): void {
  const played = exchangesOf(text).map(({ command, output }): Exchange => {
    const printed = run(command);
    if (!UPDATE) expect(printed, command).toSatisfy(() => isShown(output, printed) || printed === output);
    return { command, output: isShown(output, printed) ? output : printed };
  });
  if (!UPDATE) return;
  const shown = played.map(({ command, output }) =>
    output === "" ? `$ ${command}` : `$ ${command}\n${output}`,
  );
  updates.push({ before: `\`\`\`console\n${text}`, after: `\`\`\`console\n${shown.join("\n\n")}\n` });
}

/** Reads a file as `tidegate check` does, and compares what it finds with what the snippet says. */
function check(
  file: string,
  text: string,
  raises: readonly string[],
  withTypes = true,
  beside: readonly string[] = [],
): void {
  const path = join(folder, file);
  const { diagnostics, raised, files: read } = checkText(path, text, projectModules(), withTypes);
  const said = diagnostics.map(({ message, span }) => `${span.line}: ${message}`).join("\n");
  expect(
    raised.filter((one) => !beside.includes(one)),
    said,
  ).toEqual(raises);
  for (const one of read)
    if (files.has(one.slice(folder.length + 1))) files.set(one.slice(folder.length + 1), true);
}

/**
 * A part of a policy lies beside the page's other files for as long as it is read. That nothing lets through what routers say
 * is a remark about a whole policy.
 */
function checkPart(text: string, raises: readonly string[], withTypes = true): void {
  const part = join(folder, "part.policy.ts");
  writeFileSync(part, text);
  try {
    check("part.policy.ts", text, raises, withTypes, ["note TG3021"]);
  } finally {
    rmSync(part);
  }
}

async function write({ file, text, raises }: Snippet): Promise<void> {
  expect(file).not.toBeNull();
  const path = join(folder, file ?? "");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (!files.has(file ?? "")) files.set(file ?? "", false);
  if (path.endsWith(".json")) return void JSON.parse(text);
  if (/(\.policy|edge)\.ts$/.test(path)) check(file ?? "", text, raises);
  if (raises.length === 0) expect(await formatModule(path, text)).toMatchObject({ text });
}

/** One expression a line. To TypeScript they are texts. */
function expressions({ text, raises }: Snippet): void {
  for (const line of text.trimEnd().split("\n")) {
    const firewall = `firewall: { default: "drop", rules: [allow("only", expr\`${line}\`)] }`;
    checkPart(policyAround(firewall), raises, false);
  }
}

const KINDS: Readonly<Record<string, (snippet: Snippet) => void | Promise<void>>> = {
  console: play,
  expr: expressions,
  "ts policy": ({ text, raises }) => checkPart(policyAround(text), raises),
  "ts statements": ({ text, raises }) => checkPart(policyBelow(text), raises),
  "ts file=": write,
  "json file=": write,
  "ts shows=": ({ file, text }) => expect(text).toBe(readFileSync(join(folder, file ?? ""), "utf8")),
};

describe("the tutorial", () => {
  test.each(snippets)("line $line: $info", async (snippet) => {
    const act = Object.hasOwn(KINDS, snippet.kind) ? KINDS[snippet.kind] : undefined;
    expect(act, `a snippet of the kind "${snippet.kind}" is not known`).toBeDefined();
    await act?.(snippet);
  });

  test("shows no file that nothing reads", () => {
    expect([...files].filter(([, read]) => !read)).toEqual([]);
  });

  test("has every snippet in a fence that the test knows", () => {
    const fences = readFileSync(PAGE, "utf8").match(/^ *(```|~~~)/gm) ?? [];
    expect(fences).toHaveLength(2 * snippets.length);
  });
});

describe("the test sees", () => {
  test("output that is not what is shown", () => {
    expect(isShown("ok a.ts", "ok a.ts\n")).toBe(true);
    expect(isShown("ok a.ts", "ok b.ts")).toBe(false);
    expect(isShown("ok a.ts", "ok a.ts\nmore")).toBe(false);
    expect(isShown("first\n…\nlast", "first\nbetween\nlast")).toBe(true);
    expect(isShown("first\n…\nlast", "first\nbetween")).toBe(false);
  });

  test("diagnostics that are not announced, and announced ones that are missing", () => {
    folder = top;
    expect(() => checkPart(policyAround("prefixes: []"), [])).toThrow();
    expect(() => checkPart(policyAround(""), ["error TG2036"])).toThrow();
    checkPart(policyAround(""), []);
  });
});

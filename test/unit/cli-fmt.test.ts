import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { fmt } from "../../src/cli/commands/fmt.js";
import { UsageError } from "../../src/cli/exit.js";
import { formatModule } from "../../src/cli/fmt/format-module.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { sameMeaning } from "../../src/dsl/same-meaning.js";
import { readSyntax } from "../../src/dsl/syntax.js";
import { policyFiles } from "../support/policies.js";

const ROOT = join(import.meta.dirname, "../..");
const CLI = join(ROOT, "dist/src/cli/main.js");
const IMPORT = 'import { expr } from "tidegate";\n';

async function formatted(text: string): Promise<string> {
  const result = await formatModule("test.policy.ts", text);
  if (result.kind === "unreadable") throw new Error(result.diagnostics.map((d) => d.message).join("\n"));
  return result.text;
}

describe("layout", () => {
  test.each<[string, string, string]>([
    ["TypeScript", "const a  = [1,2 ,3]\nconst b = 'x'", 'const a = [1, 2, 3];\nconst b = "x";\n'],
    [
      "line ends and a byte order mark",
      "\ufeffconst a = 1;\r\n\r\nconst b = 2;\r\n",
      "const a = 1;\n\nconst b = 2;\n",
    ],
    ["comments", "/* one */ const a = 1 // two\n// three", "/* one */ const a = 1; // two\n// three\n"],
    ["an empty file", "\n\n", ""],
    [
      "spaces in an expression",
      `${IMPORT}const a = expr\`  ip.src   in {10.0.0.0/8\n 192.0.2.1}  and tcp.dstport==80 \``,
      `${IMPORT}const a = expr\`ip.src in {10.0.0.0/8 192.0.2.1} and tcp.dstport == 80\`;\n`,
    ],
    [
      "an expression under another name",
      'import { expr as match } from "tidegate"; const a = match` ip.proto   == 6 `',
      'import { expr as match } from "tidegate";\nconst a = match`ip.proto == 6`;\n',
    ],
    [
      "interpolations, as TypeScript",
      `${IMPORT}const a = expr\`ip.src  in \${ [ 'a','b' ].map( x=>x ) }\``,
      `${IMPORT}const a = expr\`ip.src in \${["a", "b"].map((x) => x)}\`;\n`,
    ],
    [
      "an expression inside another",
      `${IMPORT}const a = expr\`not \${ b ? expr\`ip.proto  == 6\` : expr\`ip.proto  == 17\` }\``,
      `${IMPORT}const a = expr\`not \${b ? expr\`ip.proto == 6\` : expr\`ip.proto == 17\`}\`;\n`,
    ],
    [
      "no other template",
      `${IMPORT}const a = \`ip.src   in\`; const b = other\`ip.src   in\``,
      `${IMPORT}const a = \`ip.src   in\`;\nconst b = other\`ip.src   in\`;\n`,
    ],
    [
      "`expr` of another module",
      "const expr = 1; const a = expr` b   c `",
      "const expr = 1;\nconst a = expr` b   c `;\n",
    ],
  ])("%s", async (_, before, after) => {
    expect(await formatted(before)).toBe(after);
  });

  test("a long expression stands on several lines, deeper than its rule, joined at the start of each", async () => {
    const conditions = [
      "ip.proto == 6",
      "ip.src in {192.0.2.0/24}",
      "ip.dst == 203.0.113.80",
      "tcp.dstport in {80 443}",
      "tcp.flags.syn",
    ];
    const text = await formatted(`${IMPORT}const a = [expr\`${conditions.join(" and ")}\`];`);
    const [first, ...rest] = conditions;
    expect(text).toBe(
      `${IMPORT}const a = [\n  expr\`\n    ${first}\n${rest.map((one) => `    and ${one}\n`).join("")}  \`,\n];\n`,
    );
  });

  test("a single set opens where the expression begins", async () => {
    const row = "198.51.100.100/32 198.51.100.101/32 198.51.100.102/32";
    const text = await formatted(`${IMPORT}const a = [b, expr\`not ip.src in {${row} ${row} ${row}}\`];`);
    expect(text).toContain(`  expr\`not ip.src in {\n    ${row}\n    ${row}\n    ${row}\n  }\`,\n`);
  });

  test("a comment in an expression keeps its line", async () => {
    const text = await formatted(
      `${IMPORT}const a = expr\`ip.src in { 192.0.2.1 # the printer\n192.0.2.2 }\`;`,
    );
    expect(text).toContain("192.0.2.1 # the printer\n");
    expect(text).toContain("192.0.2.2");
  });

  test("a function in an interpolation keeps its block, and its text its lines", async () => {
    const block = `(x) => {\n  const text = \`one\n two\`;\n  return x;\n}`;
    const text = await formatted(`${IMPORT}const a = expr\`ip.src in \${list.map(${block})}\`;`);
    expect(text).toContain("const text = `one\n two`;\n");
  });
});

describe("formatting what is formatted changes nothing", () => {
  const files = [...policyFiles().map(({ file }) => file), "examples/edge.ts"];

  test.each(files)("%s", async (file) => {
    const once = await formatted(readFileSync(join(ROOT, file), "utf8"));
    expect(await formatted(once)).toBe(once);
  });

  test.each(files.filter((file) => file.startsWith("examples/")))("%s is formatted", async (file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    expect(await formatted(text)).toBe(text);
  });
});

describe("whether two texts say the same", () => {
  const same = (one: string, other: string) => {
    const [a, b] = [one, other].map((text) => readSyntax(new SourceFile("test.policy.ts", IMPORT + text)));
    if (a?.kind !== "read" || b?.kind !== "read") throw new Error("not readable");
    return sameMeaning(a.syntax, b.syntax);
  };

  test.each([
    ["const a = { 'b': 1 }", "const a = { b: 1 };"],
    ["const a = b && (c && d)", "const a = (b && c) && d"],
    ["const a = 0XFF + 1_0n", "const a = 0xff + 10n;"],
    ["const a: A<B> = 1; type A = | 1", "const a: A<B> = 1; type A = 1"],
    ["const a = expr`ip.src  in {1.2.3.4}`", "const a = expr`ip.src in { 1.2.3.4 }`"],
    ["const a = expr`ip.proto == 6 # six\n`", "const a = expr`ip.proto == 6`"],
    ["const a = expr`ip.proto eq 6 && tcp`", "const a = expr`ip.proto == 6 and tcp`"],
  ])("%s does", (one, other) => {
    expect(same(one, other)).toBe(true);
  });

  test.each([
    ["const a = 1", "const a = 2"],
    ["const a = { b: 1 }", "const a = { [b]: 1 }"],
    ["const a = (b && c) || d", "const a = b && (c || d)"],
    ["const a = `b  c`", "const a = `b c`"],
    ["const a = expr`ip.src in {1.2.3.4}`", "const a = expr`ip.src in {1.2.3.5}`"],
    [`const a = expr\`ip.src in \${b}\``, `const a = expr\`ip.src in \${c}\``],
    [`const a = expr\`ip.src == \${b}\``, `const a = expr\`\${b}\``],
    ["const a = expr`ip.proto == 6`", "const a = expr`ip.proto != 6`"],
    ["const a = expr`(a and b) or c`", "const a = expr`a and (b or c)`"],
    ['const a = expr`ip.proto == "a b"`', 'const a = expr`ip.proto == "ab"`'],
  ])("%s does not say %s", (one, other) => {
    expect(same(one, other)).toBe(false);
  });
});

describe("the command", () => {
  const UGLY = `${IMPORT}const a = expr\`ip.proto==6\``;
  const NICE = `${IMPORT}const a = expr\`ip.proto == 6\`;\n`;
  let folder = "";
  let printed: string[] = [];
  let complained: string[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-fmt-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    printed = [];
    complained = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => printed.push(line));
    vi.spyOn(console, "error").mockImplementation((line: string) => complained.push(line));
  });
  afterEach(() => vi.restoreAllMocks());

  function file(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  test("formats in place, keeps the mode, and leaves nothing beside the file", async () => {
    mkdirSync(join(folder, "place"));
    const path = file("place/one.policy.ts", UGLY);
    chmodSync(path, 0o640);
    expect(await fmt([path], {})).toBe(0);
    expect(readFileSync(path, "utf8")).toBe(NICE);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(folder, "place"))).toEqual(["one.policy.ts"]);
    expect(printed.join("\n")).toContain(path);
  });

  test("a file in style is not written", async () => {
    const path = file("nice.policy.ts", NICE);
    const before = statSync(path, { bigint: true });
    expect(await fmt([path], {})).toBe(0);
    const after = statSync(path, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  test("--check writes nothing, names the files that are not in style, and fails", async () => {
    const [ugly, nice] = [file("ugly.ts", UGLY), file("nice.ts", NICE)];
    expect(await fmt([ugly, nice], { check: true })).toBe(1);
    expect(readFileSync(ugly, "utf8")).toBe(UGLY);
    expect(printed.filter((line) => line.includes(ugly))).toHaveLength(1);
    expect(printed.filter((line) => line.includes(nice))).toEqual([]);
    expect(await fmt([nice], { check: true })).toBe(0);
  });

  test.each([
    ["TypeScript", "const = 1", "TG1001"],
    ["an expression", `${IMPORT}const a = expr\`ip.src in {1.2.3.4\`;   const b=1`, "TG11"],
    ["an address", `${IMPORT}const a = expr\`ip.src   in {10.0.0.1/8}\`;`, "TG11"],
    ["nesting", `const a = ${"[".repeat(20_000)}`, "TG1002"],
  ])(
    "a mistake in %s is reported, and the file stays as it is; others are formatted",
    async (_, text, code) => {
      const [wrong, right] = [file("wrong.ts", text), file("right.ts", UGLY)];
      expect(await fmt([wrong, right], {})).toBe(1);
      expect(readFileSync(wrong, "utf8")).toBe(text);
      expect(readFileSync(right, "utf8")).toBe(NICE);
      expect(complained.join("\n")).toContain(code);
    },
  );

  test("--stdin takes text from an editor and gives it back", () => {
    const run = (input: string, ...options: string[]) =>
      spawnSync(process.execPath, [CLI, "fmt", "--stdin", "mine.policy.ts", ...options], {
        input,
        encoding: "utf8",
      });
    expect(run(UGLY)).toMatchObject({ status: 0, stdout: NICE, stderr: "" });
    expect(run(UGLY, "--check")).toMatchObject({ status: 1, stdout: "" });
    expect(run("const = 1")).toMatchObject({ status: 1, stdout: "" });
    expect(run("const = 1").stderr).toContain("mine.policy.ts:1:7");
  });

  test("a symbolic link is refused, and what it leads to is not touched", async () => {
    const target = file("target.ts", UGLY);
    const link = join(folder, "link.ts");
    symlinkSync(target, link);
    await expect(fmt([link], {})).rejects.toThrow(UsageError);
    expect(readFileSync(target, "utf8")).toBe(UGLY);
  });

  test.each([
    ["no file", [], {}],
    ["a file that is not there", ["nowhere.ts"], {}],
    ["a folder", ["."], {}],
    ["a file of another kind", ["package.json"], {}],
    ["two names for standard input", ["a.ts", "b.ts"], { stdin: true }],
  ])("%s is a usage error", async (_, files, options) => {
    await expect(fmt(files, options)).rejects.toThrow(UsageError);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";

/** docs/architecture.md, "Who may import whom", as data: folder → what its files may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/compiler/diagnostics": [],
  "src/compiler/ir": ["src/compiler/diagnostics", "ipaddr.js"],
  "src/compiler/semantics": ["src/compiler/ir", "src/compiler/diagnostics"],
  "src/compiler/analysis": ["src/compiler/ir", "src/compiler/diagnostics"],
  "src/compiler/analysis/packets": [
    "src/compiler/ir",
    "src/compiler/diagnostics",
    "src/compiler/semantics",
    "src/compiler/analysis",
  ],
  "src/compiler/passes": [
    "src/compiler/ir",
    "src/compiler/diagnostics",
    "src/compiler/semantics",
    "src/compiler/analysis",
    "src/compiler/analysis/packets",
    "type src/dsl",
    "type src/dsl/filter",
  ],
  "src/compiler": [
    "src/compiler/ir",
    "src/compiler/diagnostics",
    "src/compiler/passes",
    "src/dsl",
    "src/targets",
  ],
  "src/dsl/filter": ["src/compiler/ir", "src/compiler/diagnostics", "src/dsl", "chevrotain"],
  "src/dsl": [
    "src/compiler/ir",
    "src/compiler/diagnostics",
    "src/dsl/filter",
    "@typescript-eslint/typescript-estree",
  ],
  "src/targets/xdp": ["src/compiler/ir", "src/compiler/analysis", "src/compiler/diagnostics", "src/targets"],
  "src/targets/nft": ["src/compiler/ir", "src/compiler/analysis", "src/compiler/diagnostics", "src/targets"],
  "src/targets/route": [
    "src/compiler/ir",
    "src/compiler/analysis",
    "src/compiler/diagnostics",
    "src/targets",
  ],
  "src/targets": [
    "src/compiler/ir",
    "src/compiler/diagnostics",
    "src/targets/xdp",
    "src/targets/nft",
    "src/targets/route",
    "node:crypto",
    "zod",
  ],
  "src/verify": [
    "src/compiler/ir",
    "src/compiler/semantics",
    "src/compiler/analysis",
    "src/compiler/analysis/packets",
    "src/compiler/diagnostics",
    "src/targets/names.ts",
    "src/targets/manifest.ts",
  ],
  runtime: ["src/targets/manifest.ts", "node:*", "zod"],
  "runtime/metrics": ["src/targets/manifest.ts", "runtime", "node:*", "prom-client"],
};

/** Of src/targets itself, the targets may use these and not the registry or the bundle. */
const SHARED_BY_TARGETS = ["target.ts", "text.ts", "names.ts", "manifest.ts"].map((f) => `src/targets/${f}`);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const ROOT = join(import.meta.dirname, "../..");

function sources(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${folder}/${file.split(sep).join("/")}`);
}

function importsOf(file: string): readonly Import[] {
  // Texts that show a policy hold imports too.
  const text = readFileSync(join(ROOT, file), "utf8").replace(/`(?:\\.|[^`\\])*`/gs, "``");
  const pattern =
    /(?:^|\n)(?:import|export)\s+(type\s)?[^"';]*?\bfrom\s*"([^"]+)"|(?:^|\n)import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;
  return [...text.matchAll(pattern)].map(([, typeOnly, named, bare, dynamic]) => {
    const specifier = named ?? bare ?? dynamic ?? "";
    const to = specifier.startsWith(".")
      ? relative(ROOT, join(ROOT, dirname(file), specifier)).replace(/\.js$/, ".ts")
      : specifier;
    return { from: file, to, typeOnly: typeOnly !== undefined };
  });
}

function folderOf(file: string): string {
  const folders = Object.keys(MAY_IMPORT).filter((folder) => file.startsWith(`${folder}/`));
  return folders.sort((a, b) => b.length - a.length)[0] ?? "";
}

function allowed({ from, to, typeOnly }: Import): boolean {
  const folder = folderOf(from);
  const rules = MAY_IMPORT[folder] ?? [];
  const local = to.endsWith(".ts");
  if (local && folderOf(to) === folder) return true;
  if (/^src\/targets\/[a-z]+$/.test(folder) && folderOf(to) === "src/targets")
    return SHARED_BY_TARGETS.includes(to);
  const names = local ? [to, folderOf(to)] : [to, to.replace(/^node:.*/, "node:*")];
  return names.some((name) => rules.includes(name) || (typeOnly && rules.includes(`type ${name}`)));
}

describe("imports run one way", () => {
  const files = ["src", "runtime"].flatMap(sources).filter((file) => !file.startsWith("src/cli/"));

  test.each(Object.keys(MAY_IMPORT))("%s", (folder) => {
    const imports = files.filter((file) => folderOf(file) === folder).flatMap(importsOf);
    const violations = imports.filter((one) => !allowed(one)).map(({ from, to }) => `${from} → ${to}`);
    expect(violations).toEqual([]);
  });

  test("every source file belongs to a folder with a rule", () => {
    expect(files.filter((file) => folderOf(file) === "")).toEqual([]);
  });

  test("the check sees a violation", () => {
    const wrong = { from: "src/targets/nft/emit.ts", to: "src/dsl/surface.ts", typeOnly: false };
    expect(allowed(wrong)).toBe(false);
    expect(importsOf("src/compiler/diagnostics/diagnostic.ts").map(({ to }) => to)).toContain(
      "src/compiler/diagnostics/catalogue/index.ts",
    );
  });
});

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { renderPretty } from "../../src/cli/render/pretty.js";
import { sourcesOf } from "../../src/cli/render/sources.js";
import { emit } from "../../src/compiler/compile.js";
import { printPolicy } from "../../src/compiler/ir/print.js";
import { nodeConfig } from "../../src/targets/node.js";
import { analyzeCase, type Case, type CaseAnalysis, readCases } from "../support/cases.js";

/**
 * Policies beside what they become: `NAME/NAME.policy.ts` (or `edge.ts`) and `NAME/expected/`, with the IR, the texts
 * of the targets that `case.json` names, and the diagnostics. The list of files is compared too. What has errors is
 * named `mistakes-…`. UPDATE_CASES=1 writes what is expected anew; read the difference before you commit it. The
 * kernel tests load and run the same policies.
 */
const UPDATE = process.env["UPDATE_CASES"] === "1";

const analysed: readonly (Case & { readonly analysis: CaseAnalysis })[] = readCases().map((one) => ({
  ...one,
  analysis: analyzeCase(one),
}));

function outputs({ options, analysis }: (typeof analysed)[number]): ReadonlyMap<string, string> {
  const { policy, edge, diagnostics, sources } = analysis;
  const texts = new Map<string, string>();
  const look = sourcesOf(sources.values());
  const report = diagnostics.map((one) => stripVTControlCharacters(renderPretty(one, look))).join("\n\n");
  if (report !== "") texts.set("diagnostics.txt", `${report}\n`);
  if (edge) texts.set("node.json", `${JSON.stringify(nodeConfig(edge), null, 2)}\n`);
  if (!policy) return texts;
  texts.set("ir.txt", printPolicy(policy));
  for (const { path, text } of emit(policy)) {
    if (options.targets.some((target) => path.startsWith(`${target}/`))) texts.set(path, text);
  }
  return texts;
}

function stored(folder: string): ReadonlyMap<string, string> {
  if (!existsSync(folder)) return new Map();
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), readFileSync(path, "utf8")];
    }),
  );
}

function rewrite(folder: string, texts: ReadonlyMap<string, string>): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of texts) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

describe("what is expected of", () => {
  test.each(analysed)("$name", (one) => {
    const texts = outputs(one);
    const folder = join(one.folder, "expected");
    if (UPDATE) rewrite(folder, texts);
    const sorted = (map: ReadonlyMap<string, string>) => Object.fromEntries([...map].sort());
    expect(sorted(texts)).toEqual(sorted(stored(folder)));
  });
});

test("policies with errors, and no others, are named mistakes", () => {
  for (const { name, analysis } of analysed) {
    const isWhole = analysis.policy !== null || analysis.edge !== null;
    expect(isWhole, name).toBe(!name.startsWith("mistakes-"));
  }
});

/** What is not there cannot be underlined. */
const NOWHERE: ReadonlySet<string> = new Set(["TG1050"]);

test("every diagnostic underlines something", () => {
  for (const { name, analysis } of analysed) {
    for (const { code, span } of analysis.diagnostics.filter((one) => !NOWHERE.has(one.code))) {
      const text = analysis.sources.get(span.file)?.text;
      expect(text?.slice(span.start, span.end), `${name} ${code}`).toMatch(/\S/);
    }
  }
});

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { renderPretty } from "../../src/cli/render/pretty.js";
import { sourcesOf } from "../../src/cli/render/sources.js";
import { analyze, emit } from "../../src/compiler/compile.js";
import { CATALOGUE } from "../../src/compiler/diagnostics/catalogue/index.js";
import { printPolicy } from "../../src/compiler/ir/print.js";

/**
 * Policies beside what they become: `NAME/NAME.policy.ts` and `NAME/expected/`, with the IR, every target's
 * text and the diagnostics. The list of files is compared too. UPDATE_CASES=1 writes what is expected anew; read
 * the difference before you commit it. The kernel tests load and run the same policies.
 */
const CASES = import.meta.dirname;
const UPDATE = process.env["UPDATE_CASES"] === "1";

const cases = readdirSync(CASES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

function outputs(name: string): ReadonlyMap<string, string> {
  const file = `${name}.policy.ts`;
  const { policy, diagnostics, source } = analyze(file, readFileSync(join(CASES, name, file), "utf8"));
  const sources = sourcesOf([source]);
  const report = diagnostics.map((one) => stripVTControlCharacters(renderPretty(one, sources))).join("\n\n");
  const texts = new Map<string, string>();
  if (report !== "") texts.set("diagnostics.txt", `${report}\n`);
  if (policy) {
    texts.set("ir.txt", printPolicy(policy));
    for (const { path, text } of emit(policy)) texts.set(path, text);
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

describe("cases", () => {
  test.each(cases)("%s", (name) => {
    const texts = outputs(name);
    const folder = join(CASES, name, "expected");
    if (UPDATE) rewrite(folder, texts);
    const sorted = (map: ReadonlyMap<string, string>) => Object.fromEntries([...map].sort());
    expect(sorted(texts)).toEqual(sorted(stored(folder)));
  });

  test("every diagnostic is underlined where its message says", () => {
    for (const name of cases) {
      const file = `${name}.policy.ts`;
      const { diagnostics, source } = analyze(file, readFileSync(join(CASES, name, file), "utf8"));
      for (const { code, span } of diagnostics) {
        expect(source.text.slice(span.start, span.end), `${name} ${code}`).not.toBe("");
        expect(CATALOGUE[code].explanation.length).toBeGreaterThan(40);
      }
    }
  });
});

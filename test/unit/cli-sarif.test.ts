import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv-draft-04";
import addFormatsModule from "ajv-formats";
import { describe, expect, test } from "vitest";
import { sarifLog } from "../../src/cli/render/sarif.js";
import { sourcesOf } from "../../src/cli/render/sources.js";
import { analyze } from "../../src/compiler/compile.js";
import { CATALOGUE, type Code, isCode } from "../../src/compiler/diagnostics/catalogue/index.js";
import { type Diagnostic, diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { policyText } from "../support/reading.js";

const SCHEMA = JSON.parse(
  readFileSync(join(import.meta.dirname, "../support/sarif-schema-2.1.0.json"), "utf8"),
);
const ajv = new Ajv.default({ strict: false, allErrors: true });
addFormatsModule.default(ajv as never);
const validate = ajv.compile(SCHEMA);

interface Log {
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
      readonly results: readonly Record<string, unknown>[];
    },
  ];
}

/** The log of some files, as a reader of JSON sees it; it is valid in every test. */
function logOf(files: Readonly<Record<string, string>>): Log["runs"][0] {
  const analyses = Object.entries(files).map(([file, text]) => analyze(file, text));
  return logOfReport({
    diagnostics: analyses.flatMap(({ diagnostics }) => diagnostics),
    suppressed: analyses.flatMap(({ suppressed }) => suppressed),
    sources: analyses.map(({ source }) => source),
  });
}

function logOfReport(report: {
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressed: ReturnType<typeof analyze>["suppressed"];
  readonly sources: readonly SourceFile[];
}): Log["runs"][0] {
  const log: Log = JSON.parse(
    JSON.stringify(sarifLog({ files: [], ...report, sources: sourcesOf(report.sources) }, "/home/acme")),
  );
  validate(log);
  expect(validate.errors).toBeNull();
  return log.runs[0];
}

const MISTAKE = policyText({ mitigate: 'drop("a", expr`ip.sorce == 192.0.2.1`)' });

describe("the log of `check --format sarif`", () => {
  test("is valid for every code of the catalogue, and explains each", () => {
    const source = new SourceFile("a.policy.ts", "const a = 1;");
    const all = Object.keys(CATALOGUE)
      .filter(isCode)
      .map((code: Code) => diagnostic(code, source.span(0, 5), {} as never));
    const { tool, results } = logOfReport({ diagnostics: all, suppressed: [], sources: [source] });
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(Object.keys(CATALOGUE).sort());
    expect(results.map(({ level }) => level)).toEqual(all.map(({ severity }) => severity));
    for (const rule of tool.driver.rules) {
      expect(rule).toMatchObject({
        shortDescription: { text: expect.stringMatching(/./) },
        help: { markdown: expect.stringContaining("Right:\n\n```") },
      });
    }
  });

  test("has a result with the place, the rule, and the hint", () => {
    const { tool, results } = logOf({ "policies/a b.policy.ts": MISTAKE });
    const start = MISTAKE.indexOf("ip.sorce");
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(["TG2001"]);
    expect(results).toEqual([
      {
        ruleId: "TG2001",
        ruleIndex: 0,
        level: "error",
        message: { text: "unknown field `ip.sorce`\nhint: did you mean `ip.src`?" },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: "policies/a%20b.policy.ts", uriBaseId: "%SRCROOT%" },
              region: {
                startLine: 6,
                startColumn: 29,
                endLine: 6,
                endColumn: 37,
                charOffset: start,
                charLength: 8,
              },
            },
          },
        ],
        suppressions: [],
      },
    ]);
  });

  test.each([
    ["/home/acme/x/a.policy.ts", { uri: "x/a.policy.ts", uriBaseId: "%SRCROOT%" }],
    ["../other/a#b.policy.ts", { uri: "file:///home/other/a%23b.policy.ts" }],
  ])("names %s so that it can be found", (file, artifactLocation) => {
    expect(logOf({ [file]: MISTAKE }).results[0]).toMatchObject({
      locations: [{ physicalLocation: { artifactLocation } }],
    });
  });

  test("counts no byte order mark", () => {
    const [marked] = logOf({ "a.policy.ts": `\ufeff${MISTAKE}` }).results;
    const [plain] = logOf({ "a.policy.ts": MISTAKE }).results;
    expect(marked).toEqual(plain);
  });

  test("keeps what is suppressed, with the reason", () => {
    const mitigate = '\n// tidegate-ignore TG3004: meant\ndrop("a", expr`not tcp.dstport == 80`)';
    expect(logOf({ "a.policy.ts": policyText({ mitigate }) }).results).toEqual([
      expect.objectContaining({
        ruleId: "TG3004",
        level: "warning",
        suppressions: [{ kind: "inSource", justification: "meant" }],
      }),
    ]);
  });

  test("has the further places of a diagnostic", () => {
    const rules = 'drop("a", expr`tcp.flags.syn`), drop("a", expr`tcp.flags.ack`)';
    expect(logOf({ "a.policy.ts": policyText({ rules }) }).results[0]).toMatchObject({
      ruleId: "TG2021",
      relatedLocations: [{ message: { text: expect.stringMatching(/./) } }],
    });
  });

  test("without findings has an empty list of results, which says that all was checked", () => {
    expect(logOf({ "a.policy.ts": policyText({}) }).results).toEqual([]);
  });
});

import { describe, expect, test } from "vitest";
import { analyze } from "../../src/compiler/compile.js";
import type { ModuleHost } from "../../src/dsl/modules.js";
import { policyText, readParts } from "../support/reading.js";

const IMPORTS = 'import { expr } from "tidegate";\n';

/** Lines of a `mitigate` stage; `NOT` is a rule that TG3004 warns about. */
const NOT = 'drop("other", expr`not tcp.dstport == 80`),';
const IGNORE = "// tidegate-ignore TG3004: every protocol is meant";

function found(...lines: readonly string[]): readonly string[] {
  return readParts({ mitigate: `\n${lines.join("\n")}\n` }).found.map(
    (one) => `${one.code} ${one.underlined}`,
  );
}

describe("a suppression speaks of", () => {
  test.each([
    ["the line below", [IGNORE, NOT]],
    ["its own line", [`${NOT} ${IGNORE}`]],
    ["the next line that is no comment", [IGNORE, "// and why", NOT]],
    [
      "a line of an expression",
      [
        'drop("other", expr`ip.src == 192.0.2.1 or',
        `# tidegate-ignore TG3004: meant`,
        "not tcp.dstport == 80`),",
      ],
    ],
    [
      "its own line in an expression",
      ['drop("other", expr`not tcp.dstport == 80 # tidegate-ignore TG3004: "meant"', "`),"],
    ],
    [
      "all of a rule that begins there",
      [IGNORE, "drop(", '"other",', "expr`", "ip.version == 4 and", "not tcp.dstport == 80", "`,", "),"],
    ],
    [
      "an item within an item",
      [
        "// tidegate-ignore TG3008: all of them are meant",
        'drop("other", expr`tcp.dstport in ${[',
        "80,",
        "80,",
        "// tidegate-ignore TG3008: this one more than the others",
        "80,",
        "]}`),",
      ],
    ],
    [
      "each of its codes",
      [
        "// tidegate-ignore TG3004 , TG3001: meant",
        'drop("other", expr`not tcp.dstport == 80`), drop("none", expr`tcp.dstport == 80 and tcp.dstport == 81`)',
      ],
    ],
  ])("%s", (_, lines) => expect(found(...lines)).toEqual([]));

  test.each([
    ["no other line", [IGNORE, "", NOT], ["TG3092 TG3004", "TG3004 not tcp.dstport == 80"]],
    ["no line above", [NOT, IGNORE], ["TG3004 not tcp.dstport == 80", "TG3092 TG3004"]],
    [
      "no rule behind",
      [IGNORE, 'drop("first",', "expr`tcp.dstport == 80`),", NOT],
      ["TG3092 TG3004", "TG3004 not tcp.dstport == 80"],
    ],
    [
      "no other code",
      [IGNORE.replace("3004", "3001"), NOT],
      ["TG3092 TG3001", "TG3004 not tcp.dstport == 80"],
    ],
    [
      "nothing in a text",
      [`drop("other", expr\`ip.proto == "# tidegate-ignore TG3004: x"\`),`],
      ['TG2005 "# tidegate-ignore TG3004: x"'],
    ],
  ])("%s", (_, lines, expected) => expect(found(...lines)).toEqual(expected));

  test("what was reported is told apart, with its reason", () => {
    expect(readParts({ mitigate: `\n${IGNORE}\n${NOT}` }).suppressed).toEqual([
      { diagnostic: expect.objectContaining({ code: "TG3004" }), reason: "every protocol is meant" },
    ]);
  });

  test("in a module its own lines, and no policy alone can say that it is of no use", () => {
    const module = `${IMPORTS}${IGNORE}\nexport const other = expr\`not tcp.dstport == 80\`;\n${IGNORE}\n`;
    const modules: ModuleHost = { resolve: () => ({ kind: "module", file: "rules.ts", text: module }) };
    const before = 'import { other } from "./rules.js";';
    const { diagnostics, suppressed } = analyze(
      "a.policy.ts",
      policyText({ before, mitigate: 'drop("other", other)' }),
      modules,
    );
    expect(diagnostics).toEqual([]);
    expect(suppressed.map(({ diagnostic: { span } }) => `${span.file}:${span.line}`)).toEqual(["rules.ts:3"]);
  });

  test("a statement and a property are meant to their ends, and the default export is not", () => {
    const rule = `drop(\n"other",\nexpr\`not tcp.dstport == 80\`)`;
    const policyFrom = (before: string, comment: string) =>
      policyText({ before: `${before}\n${comment}`, mitigate: before ? "...rules" : `\n${rule}` });
    const codes = (text: string) => analyze("a.policy.ts", text).diagnostics.map(({ code }) => code);
    expect(codes(policyFrom(`${IGNORE}\nconst rules = [\n${rule}];`, ""))).toEqual([]);
    expect(codes(policyFrom("", IGNORE))).toEqual(["TG3092", "TG3004"]);
  });

  test("with errors it is not known which suppressions are of use", () => {
    expect(found(IGNORE, 'drop("other", expr`ip.sorce == 192.0.2.1`),')).toEqual(["TG2001 ip.sorce"]);
  });
});

describe("what is no suppression is said", () => {
  test.each([
    ["// tidegate-ignore TG3004", ["TG3090 tidegate-ignore TG3004"]],
    ["// tidegate-ignore TG3004:  ", ["TG3090 tidegate-ignore TG3004"]],
    ["// tidegate-ignore: all of it", ["TG3094 tidegate-ignore"]],
    ["// tidegate-ignore-next-line TG3004: meant", ["TG3094 tidegate-ignore-next-line TG3004"]],
    ["// tidegate-ignore TG3004 meant", ["TG3094 tidegate-ignore TG3004 meant"]],
    ["/* tidegate-ignore TG3004: meant */", ["TG3094 tidegate-ignore TG3004"]],
    ["// tidegate-ignore TG3999: meant", ["TG3091 TG3999"]],
    ["// tidegate-ignore TG2001: meant", ["TG3093 TG2001"]],
    ["// tidegate-ignore TG3092: meant", ["TG3093 TG3092"]],
    ["// we say tidegate-ignore TG3004 sometimes", []],
    ["// tidegate-ignored", []],
  ])("%s", (comment, expected) =>
    expect(found(comment, 'drop("web", expr`tcp.dstport != 80`),')).toEqual(expected),
  );

  test.each([
    ["// tidegate-ignore TG3004", "write `tidegate-ignore TG3004: reason`"],
    ["// tidegate-ignore tg3004: meant", "did you mean `TG3004`?"],
    ["/* tidegate-ignore TG3004: meant */", "write it as a comment of one line, behind `//`"],
  ])("%s: %s", (comment, hint) => {
    expect(readParts({ mitigate: `${comment}\n` }).found[0]?.hint).toBe(hint);
  });
});

import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { explainCode } from "../../src/cli/commands/explain-code.js";
import { UsageError } from "../../src/cli/exit.js";
import { CATALOGUE } from "../../src/compiler/diagnostics/catalogue/index.js";

let printed = "";

beforeEach(() => {
  printed = "";
  vi.spyOn(console, "log").mockImplementation((text: string) => {
    printed += `${stripVTControlCharacters(text)}\n`;
  });
});
afterEach(() => vi.restoreAllMocks());

describe("explain-code", () => {
  test.each(["TG3004", "tg3004"])("%s: the message in words, why, and both texts", (code) => {
    expect(explainCode(code)).toBe(0);
    expect(
      printed,
    ).toBe(`warning[TG3004]: this \`not\` also holds for packets without HEADER, such as \`WITNESS\`

${CATALOGUE.TG3004.explanation}

wrong:
    not tcp.dstport == 80

right:
    tcp.dstport != 80
`);
  });

  test("an example of several lines is indented as a whole, and the hint comes last", () => {
    explainCode("TG2021");
    expect(printed).toContain("wrong:\n    mitigate: [\n      drop(");
    expect(printed).toMatch(/\n\nhint: rename one of them\n$/);
  });

  test.each([
    ["TG30004", /^there is no diagnostic TG30004; did you mean `TG3004`\?$/],
    ["nonsense", /^there is no diagnostic nonsense$/],
  ])("%s: a usage error", (code, message) => {
    expect(() => explainCode(code)).toThrow(UsageError);
    expect(() => explainCode(code)).toThrow(message);
  });
});

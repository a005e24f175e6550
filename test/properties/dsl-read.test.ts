// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies stand here as text
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { policyText, read, readFilter, withoutSpans } from "../support/read.js";

/** Pieces of policies, whole and torn. */
const PIECES = [
  ...[
    "import ",
    "{ ",
    " }",
    "from ",
    '"tidegate"',
    "const ",
    "a",
    " = ",
    "1",
    ";\n",
    "(",
    ")",
    "[",
    "]",
    ",",
  ],
  ...[
    "export default ",
    "policy",
    "expr`",
    "`",
    "${",
    "}",
    "...",
    ": ",
    "? ",
    "=> ",
    "list",
    "drop",
    "gre",
    '"x"',
  ],
  ...[
    "as const",
    "class ",
    "function ",
    "for ",
    "-",
    "+",
    "===",
    "!",
    ".",
    "?.",
    "`a`",
    "{}",
    "null",
    "undefined",
  ],
];

const WORDS = [
  ...[
    "ip.src",
    "tcp.flags.syn",
    "==",
    "!=",
    "<",
    "in",
    "{",
    "}",
    "(",
    ")",
    "and",
    "or",
    "xor",
    "not",
    "!",
    "&",
  ],
  ...[
    "80",
    "0x",
    "1..2",
    "..",
    "10.0.0.0/8",
    "10.1.1.1/8",
    "fe80::1",
    "::",
    '"tcp"',
    '"',
    "#",
    "\n",
    "=",
    "$",
  ],
  ...[
    "${80}",
    "${[80]}",
    '${list(["::1"])}',
    "${expr`a`}",
    "${no}",
    "\\n",
    "contains",
    "f(",
    ",",
    "é",
    "\u{1F30A}",
  ],
];

function joined(words: readonly string[], separator: string): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((parts) => parts.join(separator));
}

const anyModule = fc.oneof(fc.string({ unit: "binary" }), joined(PIECES, ""), joined(PIECES, " "));

test("any text is read to an end: a policy, or diagnostics that say why not", () => {
  fc.assert(
    fc.property(anyModule, (text) => {
      const { policy, seen } = read(text);
      expect(policy !== undefined || seen.length > 0).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("a good policy with a tear in it is read to an end", () => {
  const good = policyText('ip.src in ${["10.0.0.0/8"]}', "const a = { b: [1, ...[2]] } as const;");
  const tear = fc.record({ at: fc.nat(good.length), gone: fc.nat(12), put: fc.constantFrom("", ...PIECES) });
  fc.assert(
    fc.property(tear, ({ at, gone, put }) => {
      const { policy, seen } = read(good.slice(0, at) + put + good.slice(at + gone));
      expect(policy !== undefined || seen.length > 0).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("no sign that is put into an expression is passed over", () => {
  const expression = "tcp.dstport in {80 443} and not ip.src == 192.0.2.1";
  const before = withoutSpans(readFilter(expression).filter);
  const passedOver: string[] = [];
  for (const sign of "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~\u00e9\u20ac") {
    for (let at = 0; at <= expression.length; at++) {
      const changed = expression.slice(0, at) + sign + expression.slice(at);
      const { filter, seen } = readFilter(changed);
      if (seen.length === 0 && isDeepStrictEqual(withoutSpans(filter), before)) passedOver.push(changed);
    }
  }
  expect(passedOver).toEqual([]);
});

test("any expression is read to an end: a tree, or diagnostics inside the expression", () => {
  fc.assert(
    fc.property(fc.oneof(joined(WORDS, " "), joined(WORDS, "")), (expression) => {
      const { filter, seen } = readFilter(expression);
      expect(filter !== undefined || seen.length > 0).toBe(true);
      const start = policyText("").indexOf("expr`") + "expr`".length;
      // A `$` before a `{` opens an interpolation, and TypeScript finds the end of it elsewhere.
      for (const one of seen.filter(({ code }) => code !== "TG1001")) {
        expect(one.start).toBeGreaterThanOrEqual(start);
        expect(one.start).toBeLessThanOrEqual(start + expression.length);
      }
    }),
    { numRuns: 1000 },
  );
});

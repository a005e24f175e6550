// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions stand here as text
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatModule } from "../../src/cli/fmt/format-module.js";

/** What may stand between two words; a comment counts itself. */
const gap = fc.constantFrom(" ", "  ", "\n", "\n\n", "\t", " # why\n", "\n  # because\n");

/** Words with gaps between them. */
function spaced(...words: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.tuple(...words), fc.array(gap, { minLength: words.length, maxLength: words.length }))
    .map(([texts, gaps]) => texts.map((text, index) => text + (gaps[index] ?? " ")).join(""));
}

const word = (...words: readonly string[]) => fc.constantFrom(...words);
const hole = word("${a}", "${ f( 'x' ) }", "${{b:1}.b}", "${ [1,2].map(x=>x) }", "${f((x) => { return x })}");
const address = word("10.0.0.0/8", "198.51.100.128/25", "192.0.2.1", "192.0.2.1..192.0.2.9");
const value = fc.oneof(word("80", "0x12", '"a  b"'), hole);

const expression = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    word("tcp.flags.syn", "ip.frag.more"),
    spaced(word("tcp.dstport", "udp.dstport"), word("==", "eq", "!=", "ge", "&"), value),
    fc
      .array(fc.oneof(address, hole), { minLength: 1, maxLength: 12 })
      .chain((items) =>
        spaced(word("ip.src"), word("in"), word("{"), ...items.map((one) => word(one)), word("}")),
      ),
    spaced(word("not", "!"), tie("any")),
    spaced(word("("), tie("any"), word(")")),
    spaced(tie("any"), word("and", "&&", "or", "||", "xor", "^^"), tie("any")),
  ),
})).any;

const context = fc.constantFrom(
  (text: string) => `const rule = ${text}`,
  (text: string) => `const rules = [first,   allow('a',${text}) , last]`,
  (text: string) => `const rules = { deep: [{ rules: [drop("name", ${text})]}]}`,
  (text: string) => `const rule = f(${text}); // behind`,
  (text: string) => `const rule = limit("flood", ${text}, { rate: "5/s",\nburst: 3 })`,
  (text: string) => `const make = (x: string) => x ? ${text} : other`,
);

test("formatting settles, keeps comments, and leaves no blanks at the ends of lines", async () => {
  await fc.assert(
    fc.asyncProperty(context, expression, async (inContext, text) => {
      const written = `import { allow, drop, expr, limit } from "tidegate";\n${inContext(`expr\`${text}\``)}`;
      // That the meaning is kept, the formatter sees to itself: otherwise it throws.
      const once = await formatModule("test.policy.ts", written);
      if (once.kind === "unreadable") throw new Error(once.diagnostics.map((d) => d.message).join("\n"));
      expect(await formatModule("test.policy.ts", once.text)).toEqual(once);
      expect(once.text).not.toMatch(/[ \t]\n/);
      expect(once.text.match(/#/g)?.length).toBe(written.match(/#/g)?.length);
      expect(once.text).not.toMatch(/&&|\|\||\^\^|!(?!=)/);
    }),
    { numRuns: 300 },
  );
});

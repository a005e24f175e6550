import type { ILexingError } from "chevrotain";
import type { Problems } from "./problems.js";

const INTERPOLATE = `to use a list or a constant, interpolate it: \`ip.src in \${name}\``;
const QUOTE = 'text stands in double quotes: "tcp"';
const BRACES = "a set stands in braces: `{80 443}`";

/** What people write from habit, and what they mean by it here. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["=", "to compare, write `==`"],
  ["|", "write `or` (or `||`)"],
  ["^", "write `xor` (or `^^`)"],
  ["~", "patterns are not supported yet"],
  ["'", QUOTE],
  ["`", QUOTE],
  ["$", INTERPOLATE],
  ["@", INTERPOLATE],
  ["-", "numbers here are never negative; a range is written `80..90`"],
  ["*", "for a part of the addresses write a prefix: `ip.src in {10.0.0.0/8}`"],
  ["/", "a prefix is one word without spaces: `10.0.0.0/8`"],
  ["[", BRACES],
  ["]", BRACES],
]);

/** Reports characters that no token holds, each kind once: one stray comma is often one of many. */
export function reportUnexpected(
  errors: readonly ILexingError[],
  text: string,
  start: number,
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const { offset, length } of errors) {
    const written = text.slice(offset, offset + length);
    if (seen.has(written)) continue;
    seen.add(written);
    const span = problems.source.span(start + offset, start + offset + length);
    if (written.startsWith("\\")) problems.fatal("TG1103", span, {});
    else problems.fatal("TG1101", span, { character: written }, { hint: HINTS.get(written.charAt(0)) });
  }
}

import { CATALOGUE, type Code, isCode } from "../../compiler/diagnostics/catalogue/index.js";
import { exampleMarkdown, titleOf } from "./explanation.js";

/** By the first digits of their codes, in the order of the stages that raise them. */
const FAMILIES: Readonly<Record<string, string>> = {
  TG10: "The text of a policy, and the subset of TypeScript",
  TG11: "Filter expressions",
  TG20: "Names, types, values and shapes",
  TG30: "What can be read but hardly be meant",
  TG40: "What a target cannot express",
  TG50: "Bundles",
  TG90: "On an edge server",
  TG91: "Stores, and the policies that an edge server keeps",
};

const HEAD = `# Diagnostics

Everything that Tidegate can report, with an example of wrong and right text. \`tidegate explain-code TG2001\` prints the
same. What differs from case to case stands in CAPITALS. Codes are never reused for another meaning.

Warnings and notes can be suppressed where they are right to be left: \`// tidegate-ignore TG3004: reason\`, on the line
above or at the end of the line itself (inside of an expression behind \`#\`). Errors cannot.

This page is generated from the catalogue (\`src/compiler/diagnostics/catalogue\`) by \`npm run docs\`.
`;

/** docs/diagnostics.md */
export function catalogueMarkdown(): string {
  const codes = Object.keys(CATALOGUE).filter(isCode).sort();
  const families = Object.entries(FAMILIES).map(([start, title]) => {
    const entries = codes.filter((code) => code.startsWith(start)).map(entryMarkdown);
    return `## ${title}\n\n${entries.join("\n\n")}\n`;
  });
  return [HEAD, ...families].join("\n");
}

function entryMarkdown(code: Code): string {
  const { severity, explanation, example } = CATALOGUE[code];
  return `### ${code}\n\n${severity}: ${titleOf(code)}\n\n${explanation}\n\n${exampleMarkdown(example)}`;
}

import { CATALOGUE, type Code } from "../../compiler/diagnostics/catalogue/index.js";
import type { Entry, Example } from "../../compiler/diagnostics/entry.js";

/** The message of a code in words: what is different each time stands in capitals. */
export function titleOf(code: Code): string {
  const { message } = CATALOGUE[code] as Entry<string>;
  const names = new Proxy<Readonly<Record<string, string>>>(
    {},
    { get: (_, name) => inCapitals(String(name)) },
  );
  return message(names);
}

/** `headerName` → `HEADER NAME` */
function inCapitals(name: string): string {
  return name.replace(/([A-Z])/g, " $1").toUpperCase();
}

/** Both texts of an example, in blocks of Markdown. */
export function exampleMarkdown({ wrong, right, of }: Example): string {
  const language = of === "sketch" || of === "expression" ? "" : "ts";
  return `Wrong:\n\n${block(wrong, language)}\n\nRight:\n\n${block(right, language)}`;
}

function block(text: string, language: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

import pc from "picocolors";
import { CATALOGUE, type Code, isCode } from "../../compiler/diagnostics/catalogue/index.js";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import { EXIT, UsageError } from "../exit.js";
import { titleOf } from "../render/explanation.js";

/** `tidegate explain-code`: what a code means, why it is a mistake, and an example of wrong and right text. */
export function explainCode(written: string): number {
  const code = written.toUpperCase();
  if (!isCode(code)) {
    const hint = didYouMean(code, Object.keys(CATALOGUE));
    throw new UsageError(`there is no diagnostic ${written}${hint ? `; ${hint}` : ""}`);
  }
  console.log(explanationOf(code));
  return EXIT.ok;
}

function explanationOf(code: Code): string {
  const { severity, explanation, example, hint } = CATALOGUE[code];
  return [
    pc.bold(`${severity}[${code}]: ${titleOf(code)}`),
    explanation,
    `${pc.red("wrong:")}\n${indented(example.wrong)}`,
    `${pc.green("right:")}\n${indented(example.right)}`,
    ...(hint === null ? [] : [`${pc.green("hint:")} ${hint}`]),
  ].join("\n\n");
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}

import pc from "picocolors";
import { CATALOGUE, isCode } from "../../compiler/diagnostics/catalogue/index.js";
import { didYouMean } from "../../compiler/diagnostics/did-you-mean.js";
import { EXIT, UsageError } from "../exit.js";

/** `tidegate explain-code`: the catalogue's long text for one code. */
export function explainCode(code: string): number {
  const name = code.toUpperCase();
  if (!isCode(name)) {
    const hint = didYouMean(name, Object.keys(CATALOGUE));
    throw new UsageError(`there is no diagnostic ${code}${hint ? `; ${hint}` : ""}`);
  }
  const { severity, explanation } = CATALOGUE[name];
  console.log(`${pc.bold(`${name} (${severity})`)}\n\n${explanation}`);
  return EXIT.ok;
}

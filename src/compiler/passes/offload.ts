import type { Located } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/did-you-mean.js";
import type { Offload } from "../ir/policy.js";

const CHOICES = ["auto", "off"] as const satisfies readonly Offload[];

/** undefined: it is none of the choices, which is reported. */
export function readOffload({ value, span }: Located<string>, diagnostics: Diagnostics): Offload | undefined {
  const choice = CHOICES.find((one) => one === value);
  if (!choice) diagnostics.report("TG2049", span, { value }, { hint: didYouMean(value, CHOICES) });
  return choice;
}

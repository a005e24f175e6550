import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import type { Value } from "./value.js";

type Refusal = (node: TSESTree.Node, run: Evaluation) => Value;

/** TypeScript that policies cannot hold, with what to write instead. */
export function never(what: string, instead: string): Refusal {
  return (node, run) => run.refuse("TG1030", node, { what }, { hint: instead });
}

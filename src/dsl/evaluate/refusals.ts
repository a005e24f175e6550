import type { TSESTree } from "@typescript-eslint/typescript-estree";
import type { Evaluation } from "./evaluation.js";
import type { Value } from "./value.js";

/** TypeScript that policies cannot hold, each with what to write instead. */

type Refusal = (node: TSESTree.Node, run: Evaluation) => Value;

/** Never part of the language. */
export function never(what: string, instead: string): Refusal {
  return (node, run) => run.refuse("TG1030", node, { what }, { hint: instead });
}

/** Part of the language, not read yet. */
export function notYet(what: string, instead: string): Refusal {
  return (node, run) => run.refuse("TG1031", node, { what }, { hint: instead });
}

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../runtime/native-process.js";
import type { FlowRule } from "../rulesets/flow-rule.js";
import { policyText } from "../rulesets/policy.js";
import { median } from "../statistics.js";
import type { AnalysisFigures } from "./child.js";
import { edited } from "./edited.js";

export const EDITS = 10;
const SEED = 7;
const CHILD = join(packageRoot(), "dist/bench/analysis/child.js");

/** What the rules' analyses find and take, and those of a policy that differs in a few rules. Times are medians of rounds. */
export function measureAnalysis(folder: string, rules: readonly FlowRule[], rounds: number): AnalysisFigures {
  mkdirSync(folder, { recursive: true });
  const files = [rules, edited(rules, EDITS, SEED)].map((one, index) => {
    const file = join(folder, `${index}.policy.ts`);
    writeFileSync(file, policyText(one, { stage: "mitigate" }));
    return file;
  });
  const runs = Array.from({ length: rounds }, () => analyse(files));
  const [first] = runs;
  if (!first) throw new RangeError("there is a round");
  const of = (key: "shadowMs" | "diffMs") => median(runs.map((run) => run[key]));
  return { ...first, shadowMs: of("shadowMs"), diffMs: of("diffMs") };
}

function analyse(files: readonly string[]): AnalysisFigures {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHILD, ...files], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the analyses ended with ${status}: ${stderr.trim()}`);
  return JSON.parse(stdout) as AnalysisFigures;
}

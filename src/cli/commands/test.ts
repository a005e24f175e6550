import pc from "picocolors";
import { type Policy, type PolicyTest, rulesOf } from "../../compiler/ir/policy.js";
import { evaluate, type Trace } from "../../compiler/semantics/evaluate.js";
import { newState } from "../../compiler/semantics/state.js";
import { EXIT } from "../exit.js";
import { loadPolicy } from "../load-policy.js";
import { readPacket } from "../packets.js";
import { printable } from "../render/underline.js";
import { type Suggestions, suggest, writtenTest } from "../suggest.js";

interface Outcome {
  readonly test: PolicyTest;
  readonly trace: Trace;
  readonly passed: boolean;
}

interface TestOptions {
  readonly json?: boolean;
  /** Propose tests for the rules that have none. */
  readonly suggest?: boolean;
  readonly geo?: string;
}

interface Tested {
  readonly file: string;
  readonly policy: Policy;
  readonly outcomes: readonly Outcome[];
  /** Names of rules that some test's packet met: a limit or a count decides nothing, and is tested all the same. */
  readonly covered: ReadonlySet<string>;
}

/** `tidegate test`: every packet that a policy promises a verdict for, each with fresh limits. */
export async function test(files: readonly string[], options: TestOptions): Promise<number> {
  const tested = files.flatMap((file) => testFile(file, options));
  const outcomes = tested.flatMap((one) => one.outcomes);
  const passed = outcomes.filter((outcome) => outcome.passed).length;
  const failed = outcomes.length - passed;
  const suggested = options.suggest ? tested.map(({ policy, covered }) => suggest(policy, covered)) : [];
  if (options.json) console.log(JSON.stringify(result(tested, suggested, passed, failed)));
  else tested.forEach((one, index) => void print(one, suggested[index]));
  return failed > 0 || tested.length < files.length ? EXIT.failed : EXIT.ok;
}

function testFile(file: string, options: TestOptions): readonly Tested[] {
  const loaded = loadPolicy(file, options);
  if (!loaded) return [];
  const outcomes = loaded.policy.tests.map((one) => run(loaded.policy, one, file));
  const steps = outcomes.flatMap(({ trace }) => trace.steps);
  const matched = steps.filter(({ outcome }) => outcome !== "miss").map(({ rule }) => rule.name);
  return [{ file, policy: loaded.policy, outcomes, covered: new Set(matched) }];
}

function run(policy: Policy, one: PolicyTest, file: string): Outcome {
  const packet = readPacket(one.packet, 0n, `${file}:${one.span.line}`);
  const trace = evaluate(policy, packet.bytes, newState(), packet.at, packet.surroundings);
  const passed = trace.verdict === one.expect && (one.rule === null || trace.rule === one.rule);
  return { test: one, trace, passed };
}

function result(
  tested: readonly Tested[],
  suggested: readonly Suggestions[],
  passed: number,
  failed: number,
): object {
  const sum = (count: (one: Tested) => number) => tested.reduce((total, one) => total + count(one), 0);
  return {
    passed,
    failed,
    coverage: {
      rules: sum(({ policy }) => rulesOf(policy).length),
      covered: sum(({ covered }) => covered.size),
    },
    ...(suggested.length > 0 && {
      suggestions: tested.map(({ file }, index) => ({ file, ...suggested[index] })),
    }),
  };
}

function print({ file: path, policy, outcomes, covered }: Tested, suggested?: Suggestions): void {
  const file = printable(path);
  for (const { test: one, trace, passed } of outcomes) {
    const expected = one.rule === null ? one.expect : `${one.expect} by ${one.rule}`;
    const decided = trace.held ? "the wait for the rest of its datagram" : `${trace.stage} default`;
    const got = `${trace.verdict} by ${trace.rule ?? decided}`;
    console.log(
      passed
        ? `${pc.green("pass")} ${one.packet}  ${pc.dim(got)}`
        : `${pc.red("FAIL")} ${one.packet}\n     ${file}:${one.span.line}: expected ${expected}, got ${got}`,
    );
  }
  const untested = rulesOf(policy).filter(({ name }) => !covered.has(name));
  const passed = outcomes.filter((outcome) => outcome.passed).length;
  console.log(
    `${file}: ${passed} of ${outcomes.length} tests pass, ${covered.size} of ${rulesOf(policy).length} rules matched one`,
  );
  if (untested.length > 0)
    console.log(pc.dim(`  without a test: ${untested.map(({ name }) => name).join(", ")}`));
  if (suggested) printSuggestions(suggested);
}

function printSuggestions({ tests, unreachable, unknown, left }: Suggestions): void {
  if (tests.length > 0) console.log(["  for `tests`:", ...tests.map(writtenTest)].join("\n    "));
  if (unreachable.length > 0) console.log(`  that no packet meets: ${unreachable.join(", ")}`);
  if (unknown.length > 0) console.log(`  for which no packet was found: ${unknown.join(", ")}`);
  if (left > 0) console.log(`  and ${left} more: ask again when these have tests`);
}

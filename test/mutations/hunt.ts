import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Mutation } from "./mutation.js";
import type { Verdict } from "./report.js";
import type { Tree } from "./tree.js";
import { type Outcome, runTests } from "./trial.js";

/** Sees which tests catch which bug, in as many trees at once as there are. */
export class Hunt {
  readonly #trees: readonly Tree[];
  readonly #scratch: string;
  readonly #wider: boolean;

  /** Where the tests that ought to catch a bug do not, `wider` has all the others try. */
  constructor(trees: readonly Tree[], scratch: string, wider: boolean) {
    this.#trees = trees;
    this.#scratch = scratch;
    this.#wider = wider;
  }

  async run(
    mutations: readonly Mutation[],
    onVerdict: (verdict: Verdict) => void,
  ): Promise<readonly Verdict[]> {
    const verdicts = await this.#each(mutations, async (mutation, tree): Promise<Verdict> => {
      const start = performance.now();
      const fate = await tree
        .with(mutation, () => this.#firstToCatch(mutation, tree))
        .catch((error: unknown): Fate => ({ kind: "broken", problem: String(error) }));
      const verdict = { mutation, seconds: (performance.now() - start) / 1000, ...fate };
      onVerdict(verdict);
      return verdict;
    });
    return this.#withoutBugs(verdicts);
  }

  /** The tests that caught something must pass where nothing is planted: one that never does would catch everything. */
  async #withoutBugs(verdicts: readonly Verdict[]): Promise<readonly Verdict[]> {
    const caught = verdicts.flatMap((verdict) => (verdict.kind === "caught" ? [verdict.by] : []));
    const files = [...new Set(caught.map(({ file }) => file))];
    const outcomes = await this.#each(files, (file, tree) => {
      const only = new Set(caught.filter((by) => by.file === file).map(({ test }) => test));
      return this.#run(tree, [file], [...only]);
    });
    const red = new Map(files.map((file, index) => [file, outcomes[index] && reasons(outcomes[index])[0]]));
    return verdicts.map((verdict) => {
      const problem = verdict.kind === "caught" ? red.get(verdict.by.file) : undefined;
      const { mutation, seconds } = verdict;
      return problem === undefined
        ? verdict
        : { mutation, seconds, kind: "broken", problem: `without the bug, too: ${problem}` };
    });
  }

  async #firstToCatch(mutation: Mutation, tree: Tree): Promise<Fate> {
    const others = this.#wider ? otherTests(mutation, tree.folder) : [];
    for (const files of [...likelyTests(mutation), ...others]) {
      const { failures, broken } = await this.#run(tree, files);
      const [by] = failures;
      if (by) return { kind: "caught", by };
      if (broken[0] !== undefined) return { kind: "broken", problem: broken[0] };
    }
    return { kind: "survived" };
  }

  #run({ folder }: Tree, files: readonly string[], only?: readonly string[]): Promise<Outcome> {
    const scratch = join(this.#scratch, `run-of-${basename(folder)}`);
    return runTests({ folder, scratch, files, ...(only ? { only } : {}) });
  }

  /** `action` for each item, in order, by whichever tree is free. */
  async #each<Item, Result>(
    items: readonly Item[],
    action: (item: Item, tree: Tree) => Promise<Result>,
  ): Promise<readonly Result[]> {
    const results = new Map<number, Result>();
    const queue = items.entries();
    const work = async (tree: Tree) => {
      for (const [index, item] of queue) results.set(index, await action(item, tree));
    };
    await Promise.all(this.#trees.map(work));
    return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
  }
}

type Fate =
  | Pick<Extract<Verdict, { kind: "caught" }>, "kind" | "by">
  | Pick<Extract<Verdict, { kind: "survived" }>, "kind">
  | Pick<Extract<Verdict, { kind: "broken" }>, "kind" | "problem">;

function isPure(file: string): boolean {
  return !file.startsWith("test/kernel/");
}

function reasons({ failures, broken }: Outcome): readonly string[] {
  return [...failures.map(({ file, test, message }) => `${file}: ${test}: ${message}`), ...broken];
}

/** Whatever nobody named, in the order of what it takes. */
const WIDER: readonly string[] = ["test/unit", "test/cases", "test/properties", "test/kernel"];

/** Which test files are run together, one group after the other. */
function likelyTests({ killers }: Mutation): readonly (readonly string[])[] {
  const kernel = killers.filter((file) => !isPure(file)).map((file) => [file]);
  return [killers.filter(isPure), ...kernel].filter((files) => files.length > 0);
}

function otherTests({ killers }: Mutation, folder: string): readonly (readonly string[])[] {
  return WIDER.map((part) => testFiles(folder, part).filter((file) => !killers.includes(file)));
}

function testFiles(folder: string, part: string): readonly string[] {
  const path = join(folder, part);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .map((name) => `${part}/${name}`);
}

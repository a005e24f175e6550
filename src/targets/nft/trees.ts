import type { Text } from "../text.js";
import type { Region } from "./classifier/region.js";
import type { Question, Tree } from "./classifier/tree.js";

/** A tree in its stage. */
export interface Planted {
  /** The name of its first chain. */
  readonly root: string;
  /** The lines of a rule, by the tree's number for it, where packets of a region come to them. */
  readonly linesIn: (rule: number, region: Region) => readonly string[];
  /** Lines for packets that come back from an answer's tree: those that found their rule there go no further. */
  readonly leave: (tree: Tree) => readonly string[];
}

/** The tree's chains, `root` the first of them. Chains that say the same are one. */
export function emitTree(text: Text, tree: Tree, planted: Planted): void {
  const names = new Map<string, string>();
  const nameOf = (one: Tree): string => {
    const lines = linesOf(one, planted, nameOf);
    const body = lines.join("\n");
    const known = names.get(body);
    if (known && one !== tree) return known;
    const name = one === tree ? planted.root : `${planted.root}-${names.size + 1}`;
    names.set(body, name);
    text.line();
    text.block(`chain ${name} {`, () => text.lines(lines));
    return name;
  };
  nameOf(tree);
}

function linesOf(
  { questions, rules, region }: Tree,
  planted: Planted,
  nameOf: (tree: Tree) => string,
): readonly string[] {
  return [
    ...questions.flatMap((question) => [
      ...questionLines(question, nameOf),
      ...new Set(question.answers.flatMap(({ complete, tree }) => (complete ? [] : planted.leave(tree)))),
    ]),
    ...rules.flatMap((rule) => planted.linesIn(rule, region)),
  ];
}

/** One element a line, so that a change of a policy is a small diff. */
function questionLines({ cut, answers }: Question, nameOf: (tree: Tree) => string): readonly string[] {
  const { subject } = cut.asked;
  const elements = answers.map(({ block, complete, tree }, index) => {
    const value = subject.spell(block * 2 ** cut.shift);
    const comma = index < answers.length - 1 ? "," : "";
    return `\t${value} : ${complete ? "goto" : "jump"} ${nameOf(tree)}${comma}`;
  });
  return [`${subject.text(cut.shift)} vmap {`, ...elements, "}"];
}

import { inFile, type Mutation } from "../mutation.js";

/** The decision diagram, boxes and what is found with them: shadowed rules, differences, and which packets there are. */
export const ANALYSIS: readonly Mutation[] = [
  ...inFile(
    "src/compiler/analysis/ranges.ts",
    ["properties/analysis-ranges"],
    [
      {
        name: "ranges-share-no-single-number",
        models: "two ranges that have one number in common have none",
        from: "if (low <= high) {\n      common[",
        to: "if (low < high) {\n      common[",
      },
      {
        name: "ranges-hold-what-sticks-out",
        models: "a range that ends behind another one is in it",
        from: "if ((a[i + 1] as number) < (b[j + 1] as number)) return false;",
        to: "if ((a[i + 1] as number) < (b[j] as number)) return false;",
      },
      {
        name: "ranges-less-a-part-lose-their-last-number",
        models: "range end off by one: of what is left of a range its only number is forgotten",
        from: "if (low <= high) {\n      left[",
        to: "if (low < high) {\n      left[",
      },
      {
        name: "ranges-widened-without-their-lowest-bits",
        models: "a number inside a wider one: only those whose lowest bits are 0 are meant",
        from: "const high = base + (ranges[at + 1] as number) * unit + unit - 1;",
        to: "const high = base + (ranges[at + 1] as number) * unit;",
        killers: ["properties/analysis-boxes"],
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/boxes.ts",
    ["properties/analysis-boxes", "unit/analysis-edges"],
    [
      {
        name: "boxes-not-forgets-absence",
        models: "presence forgotten: `not` of a comparison is the opposite comparison",
        from: "return anyOf([absences(presence, context.space), present], context);",
        to: "return anyOf([present], context);",
      },
      {
        name: "boxes-xor-of-three",
        models: "`xor` of three that hold does not hold, in boxes",
        from: "odd = anyOf([allOf([wasOdd, no], context), allOf([wasEven, yes], context)], context);",
        to: "odd = anyOf([allOf([wasOdd, no], context), allOf([wasEven, no], context)], context);",
      },
      {
        name: "boxes-too-many-are-all",
        models: "a condition of too many boxes is left out of a conjunction",
        from: "return known.length === parts.length || boxes.length === 0 ? boxes : undefined;",
        to: "return boxes;",
      },
      {
        name: "boxes-no-bit-of-a-run",
        models: "flags mask: that no bit of a wide mask is set is taken for one run of them being clear",
        from: "return wanted ? runs.flat() : [runs.flat(2)];",
        to: "return runs.flat();",
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/node-store.ts",
    ["properties/analysis-diagram"],
    [
      {
        name: "diagram-equal-edges-stay-two",
        models:
          "the diagram is not reduced: two edges to the same place stay two, and equal functions differ",
        from: "if (kept > mark && this.#openTos[at] === this.#openTos[kept - 1]) {",
        to: "if (kept > mark + 1 && this.#openTos[at] === this.#openTos[kept - 1]) {",
      },
      {
        name: "diagram-edge-without-its-last-value",
        models: "range end off by one (high), in the diagram",
        from: "if (this.high(middle) < value) low = middle + 1;",
        to: "if (this.high(middle) <= value) low = middle + 1;",
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/diagram.ts",
    ["properties/analysis-diagram"],
    [
      {
        name: "diagram-edge-left-before-its-end",
        models: "an operation goes on to the next edge of one function when the other's ends",
        from: "if (highA === high && i < endA) i++;",
        to: "if (i < endA) i++;",
      },
      {
        name: "diagram-box-begins-one-later",
        models: "range end off by one (low), in the diagram",
        from: "if (low > next) store.push(low - 1, outside);",
        to: "if (low > next) store.push(low, outside);",
      },
      {
        name: "diagram-too-large-is-no",
        models: "what the budget does not suffice for is called empty",
        from: "if (to === TOO_LARGE) return store.abandon(mark);",
        to: "if (to === TOO_LARGE) return NO;",
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/first-match.ts",
    ["properties/analysis-diagram", "unit/analysis-diff"],
    [
      {
        name: "diagram-goes-on-behind-the-end",
        models: "first match forgotten: rules behind the one that decides are met too",
        from: "if (start.ended) return first;",
        to: "",
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/cover.ts",
    ["properties/analysis-cover", "unit/analysis-edges", "properties/analysis-shadow"],
    [
      {
        name: "cover-too-much-is-none",
        models: "where the effort does not suffice, nothing is said to be left",
        from: 'if (found !== "none") return found;',
        to: 'if (typeof found === "object") return found;',
      },
      {
        name: "cover-two-open-as-one",
        models: "a cell that leaves two variables open takes all that it takes of the first",
        from: "if (open.length > 1) {",
        to: "if (open.length > 2) {",
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/shadow.ts",
    ["properties/analysis-shadow"],
    [
      {
        name: "shadow-redundant-whatever-the-default",
        models: "a rule is redundant though its packets come to a default that does the opposite",
        from: "byDefault === verdict ? [] : parts.filter(({ last }) => last === null);",
        to: "byDefault === verdict ? [] : parts.filter(({ last }) => last !== null);",
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/possible.ts",
    ["properties/analysis-possible", "unit/analysis-edges"],
    [
      {
        name: "possible-no-single-option-word",
        models: "IPv4 packets with one word of options are said not to be",
        from: 'this.#part("ip4Option", from(4))',
        to: 'this.#part("ip4Option", from(8))',
      },
      {
        name: "possible-no-later-fragments",
        models: "later fragments are said not to be",
        from: "...this.#all(nothing, this.#later(family)),",
        to: "",
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/diff/outcomes.ts",
    ["unit/analysis-diff", "properties/analysis-diff"],
    [
      {
        name: "diff-held-is-dropped",
        models: "a fragment that waits for the rest is the same as one that a rule drops",
        from: "before.held === after.held && isRouteless(before)",
        to: "isRouteless(before)",
      },
    ],
  ),
  ...inFile(
    "src/compiler/analysis/diff/treatment.ts",
    ["unit/analysis-diff", "properties/analysis-diff"],
    [
      {
        name: "diff-without-routes",
        models: "packets that a route leads on are those that have none",
        from: 'if (judgedAs.verdict !== "allow" || route !== NO) return outcome;',
        to: 'if (judgedAs.verdict !== "allow" || route === NO) return outcome;',
      },
    ],
  ),
];

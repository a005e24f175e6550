import { inFile, type Mutation } from "../mutation.js";

const KILLERS = ["unit/classify", "kernel/classifier"];

/** Rules as tables: which classes there are, and what becomes of the packets of each. */
export const CLASSIFY: readonly Mutation[] = [
  ...inFile("src/compiler/analysis/classify/segments.ts", KILLERS, [
    {
      name: "segments-end-one-early",
      models: "range end off by one (high), in classes",
      from: "changes[length++] = (Number(high) + 1) * sets.length + set;",
      to: "changes[length++] = Number(high) * sets.length + set;",
    },
    {
      name: "segments-start-is-before-itself",
      models: "range end off by one (low): the first number of a segment is of the class before",
      from: "if ((starts?.[middle] ?? 0) <= value) low = middle;",
      to: "if ((starts?.[middle] ?? 0) < value) low = middle;",
    },
  ]),
  ...inFile("src/compiler/analysis/classify/lines.ts", KILLERS, [
    {
      name: "columns-other-transports-are-there",
      models: "presence forgotten: a packet of TCP has what is asked of UDP",
      from: "left = store.both(left, vectors[absent] as number);",
      to: "left = store.both(left, vectors[0] as number);",
    },
    {
      name: "columns-absent-is-a-number",
      models: "presence forgotten: packets without a field are of the class of the smallest numbers",
      from: "const absent = vectors.indexOf(without);",
      to: "const absent = 0;",
    },
  ]),
  ...inFile("src/compiler/analysis/classify/matrix.ts", KILLERS, [
    {
      name: "matrix-last-entry-decides",
      models: "first match forgotten: of the entries of a cell the last one decides",
      from: "for (let place = entries.length - 1; place >= 0; place--) {",
      to: "for (let place = 0; place < entries.length; place++) {",
    },
    {
      name: "matrix-everywhere-is-nowhere",
      models: "a rule that asks no destination has none",
      from: "ofSet.get(EVERYWHERE)?.push(group);",
      to: "",
    },
  ]),
  ...inFile("src/compiler/analysis/classify/terms.ts", KILLERS, [
    {
      name: "terms-not-forgets-absence",
      models: "presence forgotten: `not` of a comparison is the opposite comparison, in tables",
      from: "{ ranges: complement(allowed.ranges, question.bits), absent: true }",
      to: "{ ranges: complement(allowed.ranges, question.bits), absent: false }",
    },
    {
      name: "terms-absent-for-either",
      models: "presence forgotten: one of two comparisons is enough for packets without the field",
      from: "absent: a.absent && b.absent",
      to: "absent: a.absent || b.absent",
    },
    {
      name: "terms-mask-without-its-low-bits",
      models: "flags mask: only numbers whose lower bits are 0 are without its bits",
      from: "zeros.push({ low, high: low + run - 1n });",
      to: "zeros.push({ low, high: low });",
    },
  ]),
];

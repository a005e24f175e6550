import { inFile, type Mutation } from "../mutation.js";

const XDP = ["unit/xdp-tree", "kernel/classifier", "kernel/classifier-data"];
const NFT = ["unit/nft-trees", "properties/nft-trees", "kernel/nft-trees"];

/** Tables as the targets lay them out and look them up. */
export const TABLES: readonly Mutation[] = [
  ...inFile("src/targets/xdp/classifier/tree.ts", XDP, [
    {
      name: "tree-part-forgets-what-was-in-force",
      models: "numbers at the start of a part of the table belong to the next entry",
      from: "first = entries.starts[end] === low + part ? end : end - 1;",
      to: "first = end;",
    },
    {
      name: "tree-ways-upside-down",
      models: "ways of a node are counted by the keys below a number",
      from: "const place = node + KEYS_BYTES + (ways - 1 - way) * CELL;",
      to: "const place = node + KEYS_BYTES + way * CELL;",
    },
    {
      name: "tree-nothing-behind-the-next-digit",
      models: "IPv6 addresses behind one that is cut further are taken for it",
      from: "if (start + 1 < sizeOf(digit)) entries.set(start + 1, last);",
      to: "",
    },
  ]),
  ...inFile(
    "src/targets/xdp/classifier/matrices.ts",
    ["unit/xdp-matrices", ...XDP],
    [
      {
        name: "matrix-rows-begin-at-one-place",
        models: "two rows that lie in each other's gaps take each other's cells for their own",
        from: "while (begun.has(begin) || cells.some(",
        to: "while (cells.some(",
      },
    ],
  ),
  ...inFile("src/targets/xdp/classifier/program.ts", XDP, [
    {
      name: "program-absent-is-the-first-class",
      models: "presence forgotten: packets without a number are of its first class",
      from: "this.#said(otherwise(step) * scale)",
      to: "this.#said(0 * otherwise(step) * scale)",
    },
    {
      name: "program-ends-swapped",
      models: "source and destination swapped, in tables",
      from: "4: { sources: 64, destinations: 72 },",
      to: "4: { sources: 72, destinations: 64 },",
    },
  ]),
  ...inFile("bpf-templates/classify.h", XDP, [
    {
      name: "bpf-tree-key-is-below-itself",
      models: "range end off by one (low), in trees",
      from: "const __u64 after = ((number & ((1U << (below & 31)) - 1)) + 1) * TG_LANES;",
      to: "const __u64 after = ((number & ((1U << (below & 31)) - 1)) + 0) * TG_LANES;",
    },
    {
      name: "bpf-counts-behind-the-decision",
      models: "first match forgotten: `count` rules behind the one that decides count too",
      from: "if (rule->value >= first)",
      to: "if (rule->value == TG_NOTHING)",
    },
  ]),
  ...inFile("src/targets/nft/stage.ts", NFT, [
    {
      name: "nft-trees-marks-upside-down",
      models: "rule order swapped between trees",
      from: "markOf(ruleAt(rules, place).rule, rules.length - place, number)",
      to: "markOf(ruleAt(rules, place).rule, place + 1, number)",
    },
    {
      name: "nft-trees-decide-at-once",
      models: "a rule decides though an earlier one may stand in a tree behind",
      from: "waiting.has(place) ? marking(mark, number, found) : deciding(mark, found)",
      to: "deciding(mark, found)",
    },
  ]),
  ...inFile("src/targets/nft/trees.ts", NFT, [
    {
      name: "nft-tree-never-comes-back",
      models: "packets that an answer's rules do not decide never meet the rules behind the question",
      from: 'complete ? "goto" : "jump"',
      to: '"goto"',
    },
    {
      name: "nft-tree-goes-on-with-what-is-found",
      models: "a packet that found its rule in a tree finds a later one too",
      from: "(complete ? [] : planted.leave(tree))",
      to: "(complete ? planted.leave(tree) : [])",
    },
  ]),
  ...inFile("src/targets/nft/classifier/region.ts", NFT, [
    {
      name: "nft-asks-less-than-is-known",
      models: "a condition is left out though it holds only for some of the packets that come there",
      from: "if (!known || !holds(ranges, known)) return false;",
      to: "if (known && !holds(ranges, known)) return false;",
    },
    {
      name: "nft-guard-not-from-the-way",
      models: "the guard for the protocol is left out where not all packets have it",
      from: "if (!known || has(known, UNKNOWN_PROTOCOL)) return null;",
      to: "if (!known) return [{ low: 6n, high: 6n }];",
    },
  ]),
  ...inFile("src/targets/nft/marks.ts", NFT, [
    {
      name: "nft-mark-goes-on",
      models: "what is left of a decision by trees goes on with the packet",
      from: 'verdict === "drop" ? verdictText(verdict)',
      to: 'verdict !== "reject" ? verdictText(verdict)',
    },
  ]),
];

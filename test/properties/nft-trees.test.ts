import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { valuesOf } from "../../src/compiler/analysis/packets/values.js";
import { has } from "../../src/compiler/analysis/ranges.js";
import type { Policy, Rule } from "../../src/compiler/ir/policy.js";
import { decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { matches } from "../../src/compiler/semantics/match.js";
import { plantForest } from "../../src/targets/nft/classifier/forest.js";
import { type Items, itemsOf } from "../../src/targets/nft/classifier/items.js";
import type { Subject } from "../../src/targets/nft/classifier/question.js";
import { openIn } from "../../src/targets/nft/classifier/region.js";
import { rulesIn, type Tree } from "../../src/targets/nft/classifier/tree.js";
import type { Tuning } from "../../src/targets/nft/classifier/tuning.js";
import type { Part } from "../../src/targets/nft/condition.js";
import { isVerdict } from "../../src/targets/nft/rules.js";
import { aimedPackets } from "../support/aimed-packets.js";
import { anyLargeFirewall } from "../support/firewall-policies.js";

/** What trees are for, without nft: to lead each packet past the rules that it matches. */

const EAGER: Tuning = { chainLines: 0, line: 25, lookup: 1, tree: 1e9, shortList: 0, list: 0, growth: 64 };
const POLICIES = 25;
const PACKETS = 100;

/** The packet's value where the lookup finds it. */
function lookedUp(subject: Subject, values: Uint32Array, { space }: Items): number | undefined {
  const value = (key: string) => values[space.indexOf(key) ?? Number.NaN] ?? Number.NaN;
  const isThere = subject.present.every(({ key, allows }) => has(allows, value(key)));
  return isThere ? value(subject.variable.key) : undefined;
}

/** The rules that match and that a packet meets, in this order, up to the first that decides. */
function walk(
  tree: Tree,
  values: Uint32Array,
  items: Items,
  matching: ReadonlySet<number>,
  deciding: ReadonlySet<number>,
) {
  const met: number[] = [];
  const hasEnded = () => met.some((rule) => deciding.has(rule));
  const visit = ({ questions, rules }: Tree): void => {
    for (const { cut, answers } of questions) {
      const value = lookedUp(cut.asked.subject, values, items);
      const answer = answers.find(({ block }) => value !== undefined && value >>> cut.shift === block);
      if (answer) visit(answer.tree);
      if (answer?.complete || hasEnded()) return;
    }
    for (const rule of rules) if (matching.has(rule) && !hasEnded()) met.push(rule);
  };
  visit(tree);
  return met;
}

/** Every chain of the tree that a packet with these values may come to. */
function reached(tree: Tree, values: Uint32Array, items: Items): readonly Tree[] {
  const answers = tree.questions.flatMap(({ cut, answers }) => {
    const value = lookedUp(cut.asked.subject, values, items);
    return answers.filter(({ block }) => value !== undefined && value >>> cut.shift === block);
  });
  return [tree, ...answers.flatMap((answer) => reached(answer.tree, values, items))];
}

/** Up to the first that decides. */
function inOrder(matching: ReadonlySet<number>, deciding: ReadonlySet<number>): readonly number[] {
  const all = [...matching].sort((a, b) => a - b);
  const end = all.findIndex((rule) => deciding.has(rule));
  return end < 0 ? all : all.slice(0, end + 1);
}

interface Scene {
  readonly policy: Policy;
  readonly items: Items;
  readonly trees: readonly Tree[];
  readonly deciding: ReadonlySet<number>;
  readonly packets: readonly Seen[];
}

interface Seen {
  readonly packet: Packet;
  readonly values: Uint32Array;
  readonly matching: ReadonlySet<number>;
}

function sceneOf(policy: Policy, seen: readonly Uint8Array[], part: Part, tuning: Tuning): Scene {
  const { firewall, lists } = policy;
  const items = itemsOf(firewall.rules, lists, part);
  const packets = seen.flatMap((bytes) => {
    const decoded = decode(bytes);
    if (decoded.kind !== "packet") return [];
    const matching = [...firewall.rules.keys()].filter((index) =>
      matches((firewall.rules[index] as Rule).match, decoded.packet, lists),
    );
    return {
      packet: decoded.packet,
      values: valuesOf(decoded.packet, items.space),
      matching: new Set(matching),
    };
  });
  const deciding = [...firewall.rules.keys()].filter((index) =>
    isVerdict((firewall.rules[index] as Rule).action),
  );
  return { policy, items, trees: plantForest(items, tuning), deciding: new Set(deciding), packets };
}

function check(part: Part, tuning: Tuning, look: (scene: Scene) => void): void {
  const property = fc.property(anyLargeFirewall, fc.nat(), (policy, seed) => {
    look(sceneOf(policy, fc.sample(aimedPackets(policy), { numRuns: PACKETS, seed }), part, tuning));
  });
  fc.assert(property, { numRuns: POLICIES });
}

describe.each(["whole", "laterFragment"] as const)("of packets that are %s", (part) => {
  test.each([
    ["much room", EAGER],
    ["little room", { ...EAGER, growth: 1 }],
  ])("one tree with %s leads past the rules that match, in their order, once", (_, tuning) => {
    check(part, tuning, ({ trees: [tree], items, deciding, packets }) => {
      for (const { values, matching } of packets) {
        expect(tree && walk(tree, values, items, matching, deciding)).toEqual(inOrder(matching, deciding));
      }
    });
  });

  test("a rule holds for a packet in a chain if what is asked there does", () => {
    check(part, EAGER, ({ trees: [tree], items, policy, packets }) => {
      for (const { values, matching, packet } of packets) {
        for (const { region, rules } of tree ? reached(tree, values, items) : []) {
          const { lists, firewall } = policy;
          const open = rules.filter((rule) =>
            matches(openIn((firewall.rules[rule] as Rule).match, region, items), packet, lists),
          );
          expect(open).toEqual(rules.filter((rule) => matching.has(rule)));
        }
      }
    });
  });

  test("several trees find the first rule that decides, and the last what comes before it", () => {
    check(part, { ...EAGER, tree: -1e9 }, ({ trees, items, deciding, packets }) => {
      for (const { values, matching } of packets) {
        const met = trees.map((tree) => walk(tree, values, items, matching, deciding));
        const found = met.map((rules) => rules.find((rule) => deciding.has(rule)) ?? Infinity);
        const first = Math.min(...found);
        const before = (met.at(-1) ?? []).filter((rule) => rule < first && !deciding.has(rule));
        const all = [...before, ...(first < Infinity ? [first] : [])];
        expect(all).toEqual(inOrder(matching, deciding));
      }
    });
  });

  test("several trees share no rule", () => {
    check(part, { ...EAGER, tree: -1e9 }, ({ trees }) => {
      const rules = trees.flatMap((tree) => [...rulesIn(tree)]);
      expect(new Set(rules).size).toBe(rules.length);
    });
  });
});

test("a tree takes no more room than it has", () => {
  const growths = [1, 2, 6];
  const property = fc.property(
    anyLargeFirewall,
    fc.constantFrom(...growths),
    ({ firewall, lists }, growth) => {
      const items = itemsOf(firewall.rules, lists, "whole");
      const [tree] = plantForest(items, { ...EAGER, growth });
      const size = (one: Tree): number =>
        one.questions.reduce(
          (sum, { answers }) => answers.reduce((all, answer) => all + size(answer.tree), sum),
          one.rules.length,
        );
      expect(tree && size(tree)).toBeLessThanOrEqual(growth * items.rules.length + 256);
    },
  );
  fc.assert(property, { numRuns: POLICIES });
});

import { inFile, type Mutation } from "../mutation.js";

/** What of the firewall is decided in XDP: as the reference says, and nothing else. */
export const EARLY: readonly Mutation[] = [
  ...inFile(
    "src/targets/xdp/early.ts",
    ["unit/xdp-early", "kernel/semantics-docs"],
    [
      {
        name: "early-default-without-all-rules",
        models: "a firewall with more rules than fit drops what the others may allow",
        from: "const isWhole = earlyRules >= rules.length && ",
        to: "const isWhole = ",
      },
      {
        name: "early-allow-passed-over",
        models: "first match forgotten: only drops are asked",
        from: "[{ rule, index, match: maybe, ends }];\n  const decided",
        to: "[];\n  const decided",
      },
      {
        name: "early-unknown-drops",
        models: "a rule that may match drops as if it did",
        from: "const decided = { rule, index, match: surely, ends };",
        to: "const decided = { rule, index, match: maybe, ends };",
      },
      {
        name: "early-unknown-misses",
        models: "what a connection may decide is taken for decided",
        from: 'return surely === maybe ? [decided] : [decided, { rule, index, match: maybe, ends: "on" }];',
        to: "return [decided];",
      },
      {
        name: "early-fragments-asked",
        models: "pieces of datagrams are judged where a stateful firewall judges the whole",
        from: "unasked: stateful ? fragment(span) : null",
        to: "unasked: null",
      },
    ],
  ),
  ...inFile(
    "src/compiler/ir/bounds.ts",
    ["unit/ir-bounds"],
    [
      {
        name: "early-not-keeps-its-bounds",
        models: "`not` pushed wrongly: the bounds do not change places",
        from: "return { surely: negation(maybe), maybe: negation(surely) };",
        to: "return { surely: negation(surely), maybe: negation(maybe) };",
      },
      {
        name: "early-unknown-is-false",
        models: "an unknown test taken for a false one",
        from: "maybe: truth(true, expr.span) };",
        to: "maybe: truth(false, expr.span) };",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/early.ts",
    ["unit/semantics-early", "kernel/semantics-docs"],
    [
      {
        name: "early-reference-limits-first",
        models: "the reference drops behind a rule that has more to do than to drop",
        from: 'return kind === "drop" || kind === "allow" ? kind : undefined;',
        to: 'return kind === "allow" ? kind : "drop";',
      },
      {
        name: "early-reference-one-rule-more",
        models: "off by one in how many rules are looked at",
        from: "rules.slice(0, earlyRules)",
        to: "rules.slice(0, earlyRules + 1)",
      },
    ],
  ),
  ...inFile(
    "runtime/status.ts",
    ["kernel/offload"],
    [
      {
        name: "early-not-added-up",
        models: "status shows the namespace's counters without those of XDP",
        from: "sum([counters[counter], early[name]].filter",
        to: "sum([counters[counter]].filter",
      },
    ],
  ),
];

import { inFile, type Mutation } from "../mutation.js";

/** The programs in XDP: what they are made of, and what is made of a policy. The kernel runs them against the reference. */
export const XDP: readonly Mutation[] = [
  ...inFile(
    "src/targets/xdp/ranges.ts",
    ["kernel/semantics-docs", "kernel/difftest", "kernel/xdp-root", "kernel/fields"],
    [
      {
        name: "xdp-range-from-zero-without-its-end",
        models: "range end off by one (high), in XDP",
        from: 'negated ? ">" : "<="',
        to: 'negated ? ">=" : "<"',
      },
      {
        name: "xdp-range-to-the-end-without-its-start",
        models: "range end off by one (low), in XDP",
        from: 'negated ? "<" : ">="',
        to: 'negated ? "<=" : ">"',
      },
      {
        name: "xdp-left-out-values-joined-by-or",
        models: "`not` pushed wrongly: none of the values left out becomes one of them not",
        from: 'negated ? "&&" : "||"',
        to: 'negated ? "||" : "||"',
        killers: ["kernel/traps"],
      },
      {
        name: "xdp-empty-set-is-any",
        models: "empty set as any, in XDP",
        from: "if (ranges.length === 0) return FALSE;",
        to: "if (ranges.length === 0) return TRUE;",
        killers: ["unit/xdp-condition"],
      },
    ],
  ),
  ...inFile(
    "src/targets/xdp/places.ts",
    ["kernel/semantics-docs", "kernel/difftest", "kernel/xdp-root", "kernel/fields"],
    [
      {
        name: "xdp-no-protocol-guard",
        models: "missing protocol guard: TCP's ports of whatever came before",
        from: 'tcp: transport("p->tcp_bytes"),',
        to: 'tcp: transport("p->transport_bytes"),',
      },
      {
        name: "xdp-no-length-guard",
        models: "missing length guard: a cut header has all its fields",
        from: "comparison(`${LOCATIONS[header].bytes} >= ${bytes}`)",
        to: "comparison(`${LOCATIONS[header].bytes} > 0`)",
      },
      {
        name: "xdp-protocol-always-known",
        models: "presence forgotten: a protocol that cannot be known is compared",
        from: 'return [call("p->proto_known")];',
        to: "return [];",
      },
      {
        name: "xdp-icmp-type-is-code",
        models: "ICMP type and code swapped, in XDP",
        from: '"icmp.type": "p->icmp_type",',
        to: '"icmp.type": "p->icmp_code",',
      },
    ],
  ),
  ...inFile(
    "src/targets/xdp/expr.ts",
    ["kernel/semantics-docs", "kernel/difftest", "kernel/xdp-root", "kernel/fields"],
    [
      {
        name: "xdp-xor-is-or",
        models: "`xor` of two that hold holds, in XDP",
        from: "expr.operands.length === 0 ? FALSE : parity(lowerEach(expr.operands, present))",
        to: 'expr.operands.length === 0 ? FALSE : chain("||", lowerEach(expr.operands, present))',
      },
      {
        name: "xdp-guard-of-the-first-operand",
        models: "missing length guard: the first operand's bytes are enough for all",
        from: "if ((known.get(needs.header) ?? 0) < needs.bytes) known.set",
        to: "if (!known.has(needs.header)) known.set",
      },
      {
        name: "xdp-list-of-the-other-address",
        models: "a list asks the destination where the source is meant",
        from: "const member = `p->${ADDRESS_MEMBERS[field]}${family}`;\n  const map",
        to: 'const member = `p->${ADDRESS_MEMBERS[field === "ip.src" ? "ip.dst" : "ip.src"]}${family}`;\n  const map',
        killers: ["kernel/difftest"],
      },
    ],
  ),
  ...inFile(
    "src/targets/xdp/emit.ts",
    ["kernel/difftest", "kernel/xdp-root", "kernel/actions"],
    [
      {
        name: "xdp-rules-backwards",
        models: "rule order swapped, in XDP",
        from: "clauses: mitigate.map((rule, index) => ({",
        to: "clauses: [...mitigate.entries()].reverse().map(([index, rule]) => ({",
      },
      {
        name: "xdp-counter-of-the-next-rule",
        models: "counter on the wrong rule, in XDP",
        from: "return `return tg_verdict(${index}, XDP_DROP);`;",
        to: "return `return tg_verdict(${index + 1}, XDP_DROP);`;",
      },
      {
        name: "xdp-drops-by-default",
        models: "default verdict swapped, in XDP",
        from: "end: `return tg_verdict(${mitigate.length}, XDP_PASS);`,",
        to: "end: `return tg_verdict(${mitigate.length}, XDP_DROP);`,",
      },
      {
        name: "xdp-count-ends-the-stage",
        models: "`count` is terminal, in XDP",
        from: "return `tg_count(&counters, ${index}, p->length);`;",
        to: "return `return tg_verdict(${index}, XDP_PASS);`;",
      },
      {
        name: "xdp-limit-keyed-by-the-wrong-address",
        models: "limit keyed by the destination where the source is asked for, in XDP",
        from: "tg_over_for(&${map}, tg_source(p), ${terms})",
        to: "tg_over_for(&${map}, tg_destination(p), ${terms})",
      },
      {
        name: "xdp-limit-burst-one-more",
        models: "limit burst off by one, in XDP",
        from: "const terms = `${interval}ULL, ${burst}ULL`;",
        to: "const terms = `${interval}ULL, ${burst + 1n}ULL`;",
      },
      {
        name: "xdp-comment-ends-early",
        models: "escape of names: a file's name ends the comment in the C text",
        from: '.replace(/[^A-Za-z0-9._-]/g, "_")',
        to: "",
        killers: ["unit/xdp-emit"],
      },
    ],
  ),
  ...inFile(
    "src/targets/xdp/tables.ts",
    ["kernel/difftest", "kernel/xdp-root"],
    [
      {
        name: "xdp-list-entry-dropped",
        models: "the first range of a list is dropped on its way into the map",
        from: "list[family].flatMap(",
        to: "list[family].slice(1).flatMap(",
      },
    ],
  ),
];

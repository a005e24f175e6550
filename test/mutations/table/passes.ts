import { inFile, type Mutation } from "../mutation.js";

/** From the author's words to the Policy IR: reference and targets all judge by what comes out, so only tests of meaning find it. */
export const PASSES: readonly Mutation[] = [
  ...inFile(
    "src/compiler/passes/normalize.ts",
    ["unit/passes-normalize", "properties/passes-normalize"],
    [
      {
        name: "not-moved-inwards-alone",
        models: "`not` pushed wrongly: `and` stays `and` (De Morgan)",
        from: 'combine(expr.kind === "and" ? "or" : "and", operands, span)',
        to: "combine(expr.kind, operands, span)",
      },
      {
        name: "not-of-an-xor-lost",
        models: "`not` pushed wrongly: out of an `xor` and away",
        from: "return flipped ? negate(result, span) : result;",
        to: "return result;",
      },
      {
        name: "equal-operands-of-xor-are-one",
        models: "`a xor a` is `a`",
        from: "if (!odd.delete(key)) odd.set(key, operand);",
        to: "odd.set(key, operand);",
      },
      {
        name: "empty-set-is-any",
        models: "a test that no value fulfils is fulfilled by all",
        from: "return expr.ranges.length === 0 ? constant(false, expr.span) : expr;",
        to: "return expr.ranges.length === 0 ? constant(true, expr.span) : expr;",
      },
      {
        name: "no-bits-are-any-bits",
        models: "a mask without a bit matches",
        from: "return expr.mask === 0n ? constant(false, expr.span) : expr;",
        to: "return expr.mask === 0n ? constant(true, expr.span) : expr;",
      },
      {
        name: "false-operand-of-and-left-out",
        models: "`and` with a false operand is what the rest says",
        from: "kept.some((operand) => isConstant(operand, absorbing)) || exclude(kind, kept)",
        to: "exclude(kind, kept)",
      },
    ],
  ),
  ...inFile(
    "src/compiler/passes/values.ts",
    ["cases/cases", "unit/passes-expressions"],
    [
      {
        name: "less-than-is-at-most",
        models: "`<` off by one",
        from: "return upTo(0n, n - 1n);",
        to: "return upTo(0n, n);",
      },
      {
        name: "greater-than-is-at-least",
        models: "`>` off by one",
        from: "return upTo(n + 1n, last);",
        to: "return upTo(n, last);",
      },
      {
        name: "unequal-is-equal",
        models: "`!=` read as `==`",
        from: "return intersection(complement([{ low: n, high: n }], BITS), [{ low: 0n, high: last }]);",
        to: "return [{ low: n, high: n }];",
      },
    ],
  ),
  ...inFile(
    "src/compiler/passes/readings.ts",
    ["unit/semantics-fields", "cases/cases"],
    [
      {
        name: "scaled-field-rounded-down",
        models: "`ip.frag.offset >= 9` begins with 8: values between two of the wire's",
        from: "(low - base + factor - 1n) / factor",
        to: "(low - base) / factor",
      },
      {
        name: "needs-one-byte",
        models: "presence forgotten: the first byte of a header stands for all of it",
        from: "return { header: wire.header, bytes: bytesNeeded(wire) };",
        to: "return { header: wire.header, bytes: 1 };",
      },
      {
        name: "family-test-of-the-wrong-family",
        models: "family mixed up: what every IPv4 packet has is asked of IPv6",
        from: "return familyTest(family, span);",
        to: "return familyTest(family === 4 ? 6 : 4, span);",
      },
    ],
  ),
  ...inFile(
    "src/compiler/passes/presence.ts",
    ["cases/cases", "unit/docs-semantics"],
    [
      {
        name: "unequal-address-forgets-its-not",
        models: "`ip.src != …` read as `==`",
        from: "ranges: negated ? complement(ranges, ADDRESS_BITS[family]) : ranges",
        to: "ranges: ranges.length === 0 ? complement(ranges, ADDRESS_BITS[family]) : ranges",
      },
      {
        name: "list-asked-for-one-family",
        models: "list family mixed up: of a list with both families only IPv4 counts",
        from: "const [only] = operands;\n  return operands.length === 1 && only",
        to: "const [only] = operands;\n  return operands.length > 0 && only",
      },
    ],
  ),
  ...inFile(
    "src/compiler/passes/lists.ts",
    ["cases/cases", "unit/passes-policy"],
    [
      {
        name: "list-families-mixed-up",
        models: "list family mixed up: IPv4 addresses as numbers of IPv6",
        from: "4: ranges(4), 6: ranges(6)",
        to: "4: ranges(4), 6: ranges(4)",
      },
      {
        name: "list-entry-dropped",
        models: "the last entry of a list is dropped",
        from: "intervals(members.flatMap((",
        to: "intervals(members.slice(0, -1).flatMap((",
      },
    ],
  ),
  ...inFile(
    "src/compiler/passes/limits.ts",
    ["cases/cases", "unit/passes-policy", "unit/docs-semantics"],
    [
      {
        name: "limit-interval-one-more",
        models: "limit interval off by a nanosecond",
        from: "const interval = UNITS[rate.unit] / BigInt(rate.count);",
        to: "const interval = UNITS[rate.unit] / BigInt(rate.count) + 1n;",
      },
      {
        name: "limit-minutes-are-seconds",
        models: "limit interval: 60 a minute is 60 a second",
        from: "m: 60n * 1_000_000_000n,",
        to: "m: 1_000_000_000n,",
      },
      {
        name: "limit-burst-one-more",
        models: "limit burst off by one",
        from: "const burst = written ?? packetsOfOneSecond(rate);",
        to: "const burst = (written ?? packetsOfOneSecond(rate)) + 1n;",
      },
    ],
  ),
  ...inFile(
    "src/compiler/passes/together.ts",
    ["unit/passes-together"],
    [
      {
        name: "ends-whatever-the-key",
        models: "two customers' tunnels to one router are said to be one, though their keys tell them apart",
        from: "return `${kind} ${formatAddress(remote)} ${key}`;",
        to: 'return `${kind} ${formatAddress(remote)} ${key ? "" : ""}`;',
      },
      {
        name: "ends-whatever-the-kind",
        models: "GRE and IP in IP to one router are said to be one tunnel",
        from: "return `${kind} ${formatAddress(remote)} ${key}`;",
        to: 'return `${kind ? "" : ""} ${formatAddress(remote)} ${key}`;',
      },
      {
        name: "own-ends-taken",
        models: "two versions of one customer's policy are said to want the same tunnel",
        from: "earlier.find((one) => one.policy.customer !== policy.customer)",
        to: "earlier.find((one) => one.policy !== policy)",
      },
      {
        name: "inside-of-those-before",
        models: "a router in a prefix of a policy that is checked later is not seen",
        from: "for (const other of all) {",
        to: "for (const other of all.slice(0, all.findIndex((one) => one.policy === policy))) {",
      },
      {
        name: "inside-of-its-own-versions",
        models:
          "a router in a prefix that another version of the policy claims is said to be another customer's",
        from: "if (!own || customer === policy.customer) continue;",
        to: "if (!own || other.policy === policy) continue;",
      },
      {
        name: "own-address-of-ipv4-alone",
        models: "a tunnel to the edge's own IPv6 address is not seen",
        from: "anycast[remote.family]?.value === remote.value",
        to: "anycast[4]?.value === remote.value",
      },
    ],
  ),
];

import { inFile, type Mutation } from "../mutation.js";

/** Bugs of the reference itself: it would agree with nobody, or with a kernel that has the same one. */
export const SEMANTICS: readonly Mutation[] = [
  ...inFile(
    "src/compiler/semantics/match.ts",
    ["unit/semantics-evaluate", "unit/docs-semantics", "properties/semantics-evaluate"],
    [
      {
        name: "absent-field-compares-true",
        models: "a comparison with an absent field holds",
        from: "if (value === undefined) return false;",
        to: "if (value === undefined) return true;",
      },
      {
        name: "xor-of-exactly-one",
        models: "`xor` of three that hold does not hold",
        from: ".length % 2 === 1;",
        to: ".length === 1;",
      },
      {
        name: "all-bits-of-the-mask",
        models: "flags mask: all bits are asked for, not any",
        from: "return (value & test.mask) !== 0n;",
        to: "return (value & test.mask) === test.mask;",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/evaluate.ts",
    ["unit/semantics-evaluate", "unit/docs-semantics"],
    [
      {
        name: "mitigate-allows-for-good",
        models: "`allow` in mitigate ends the whole journey",
        from: 'if (mitigate.verdict === "drop") return',
        to: 'if (mitigate.verdict === "drop" || mitigate.rule !== null) return',
      },
      {
        name: "default-is-always-drop",
        models: "default verdict swapped",
        from: "return { stage, rule: null, verdict: byDefault };",
        to: 'return { stage, rule: null, verdict: stage === "firewall" ? "drop" : byDefault };',
      },
      {
        name: "count-ends-the-stage",
        models: "`count` is terminal",
        from: '    case "count":\n    case "log":\n    case "miss":\n      return null;',
        to: '    case "count":\n      return "allow";\n    case "log":\n    case "miss":\n      return null;',
      },
      {
        name: "counters-of-both-stages",
        models: "counter on the wrong rule: the stages' counts are mixed",
        from: "...passed.filter((step) => step.stage === stage).map(",
        to: "...passed.map(",
      },
      {
        name: "gates-of-ipv6-missing",
        models: "the kernel's own gates are forgotten for a family",
        from: "const gate = gateOf(packet);",
        to: "const gate = packet.family === 4 ? gateOf(packet) : null;",
        killers: ["unit/semantics-gates"],
      },
      {
        name: "what-a-gate-takes-counts",
        models: "packets that never come to the firewall use up its limits",
        from: "const passed = gate === null ? context : { ...context, state: newState() };",
        to: "const passed = context;",
        killers: ["unit/semantics-gates"],
      },
      {
        name: "spoofed-sources-leave",
        models: "the way back asks for the destination, not the source",
        from: "return owns(policy, packet.source) || isProbeAnswer",
        to: "return owns(policy, packet.destination) || isProbeAnswer",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/probe-answer.ts",
    ["unit/semantics-evaluate"],
    [
      {
        name: "answers-longer-than-probes",
        models: "what a private target sends goes out, however long it is, if it begins like an answer",
        from: "message.length === PROBE_LENGTH",
        to: "message.length >= PROBE_LENGTH",
      },
      {
        name: "answers-in-fragments",
        models: "a first fragment counts as an answer",
        from: " || pieceOf(packet) !== null",
        to: "",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/gcra.ts",
    ["unit/semantics-evaluate", "unit/docs-semantics"],
    [
      {
        name: "gcra-over-when-equal",
        models: "GCRA compare `>=` for `>`",
        from: "if (arrival > now + (limit.burst - 1n) * limit.interval)",
        to: "if (arrival >= now + (limit.burst - 1n) * limit.interval)",
      },
      {
        name: "gcra-burst-one-more",
        models: "limit burst off by one",
        from: "if (arrival > now + (limit.burst - 1n) * limit.interval)",
        to: "if (arrival > now + limit.burst * limit.interval)",
      },
      {
        name: "gcra-forgets-what-is-owed",
        models: "each packet starts the allowance anew",
        from: "(arrival > now ? arrival : now) + limit.interval",
        to: "now + limit.interval",
      },
      {
        name: "limit-keyed-by-the-wrong-address",
        models: "limit keyed by the source where the destination is asked for",
        from: "return `${packet.family}:${packet.destination.value}`;",
        to: "return `${packet.family}:${packet.source.value}`;",
      },
      {
        name: "limit-key-without-family",
        models: "an IPv4 address and the IPv6 address of the same number share an allowance",
        from: "return `${packet.family}:${packet.source.value}`;",
        to: "return `${packet.source.value}`;",
      },
      {
        name: "limits-share-their-keys",
        models: "two limits by the same address are one",
        from: "const key = `${rule} ${keyOf(limit, packet)}`;",
        to: "const key = keyOf(limit, packet);",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/route.ts",
    ["unit/semantics-evaluate", "unit/docs-semantics"],
    [
      {
        name: "shortest-prefix-wins",
        models: "route of the shortest prefix",
        from: "b.prefix.length - a.prefix.length",
        to: "a.prefix.length - b.prefix.length",
      },
      {
        name: "route-priority-upside-down",
        models: "route priority order: the highest is tried first",
        from: "a.priority - b.priority",
        to: "b.priority - a.priority",
      },
      {
        name: "one-of-equal-routes",
        models: "of equal routes only the first is taken",
        from: "holding.filter((route) => better(route, best) === 0)",
        to: "[best]",
      },
      {
        name: "owner-of-all-prefixes-only",
        models: "owner check: an address must lie in each prefix",
        from: "policy.prefixes.some(",
        to: "policy.prefixes.every(",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/decode.ts",
    ["unit/semantics-decode", "unit/docs-semantics"],
    [
      {
        name: "later-fragment-has-ports",
        models: "wrong fragment check: payload is read as a header",
        from: "const header = laterFragment ? null : transportHeader(4, protocol);",
        to: "const header = transportHeader(4, protocol);",
      },
      {
        name: "padding-is-packet",
        models: "length from frame instead of packet: padding is read",
        from: "bytes: frame.subarray(0, ownLength),",
        to: "bytes: frame,",
      },
      {
        name: "header-alone-is-malformed",
        models: "a packet that is nothing but its header is refused",
        from: "if (headerLength > ownLength)",
        to: "if (headerLength >= ownLength)",
      },
      {
        name: "icmp-in-ipv6",
        models: "family mixed up: ICMP's number counts in IPv6 too",
        from: 'return family === 4 ? "icmp" : null;',
        to: 'return "icmp";',
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/extensions.ts",
    ["unit/semantics-decode", "unit/docs-semantics"],
    [
      {
        name: "extension-limit-one-less",
        models: "IPv6 extension walk limit off by one",
        from: "if (walked === MAX_EXTENSIONS)",
        to: "if (walked === MAX_EXTENSIONS - 1)",
      },
      {
        name: "ah-counts-in-eights",
        models: "the length of an authentication header read like any other's",
        from: "return type === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;",
        to: "return (length + 1) * 8;",
      },
      {
        name: "more-fragments-is-an-offset",
        models: "wrong fragment check: a first fragment of IPv6 is a later one",
        from: "((high << 8) | low) >> 3 !== 0",
        to: "((high << 8) | low) !== 0",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/headers.ts",
    ["unit/semantics-decode", "unit/semantics-fields", "unit/docs-semantics"],
    [
      {
        name: "gre-key-behind-a-checksum-only",
        models: "GRE key place: the routing bit puts nothing before it",
        from: "(flags & (GRE_CHECKSUM | GRE_ROUTING)) !== 0",
        to: "(flags & GRE_CHECKSUM) !== 0",
      },
      {
        name: "end-of-options-has-a-length",
        models: "TCP option walk: the end-of-options byte is stepped over like an option",
        from: "kind === END_OF_OPTIONS || kind === NO_OPERATION || length === 0 ? 1 : length",
        to: "kind === NO_OPERATION || length === 0 ? 1 : length",
      },
      {
        name: "mss-of-three-bytes",
        models: "TCP option walk: an MSS option that is cut short has a value",
        from: "step >= 4 ? at + 2",
        to: "step >= 3 ? at + 2",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/gates.ts",
    ["unit/semantics-gates", "unit/docs-semantics"],
    [
      {
        name: "last-hop-is-passed-on",
        models: "a gate missing: a time to live of 1",
        from: "return (ttl ?? 0) <= 1 ?",
        to: "return (ttl ?? 0) < 1 ?",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/datagram.ts",
    ["unit/semantics-datagram", "unit/docs-semantics"],
    [
      {
        name: "whole-with-a-hole",
        models: "reassembly hole: the last piece completes the datagram",
        from: "return ended && pieces.reduce((sum, { data }) => sum + data.length, 0) === length;",
        to: "return ended && pieces.length > 0 && length > 0;",
      },
      {
        name: "overlap-is-passed-over",
        models: "an overlapping piece is dropped alone",
        from: 'end > run.start)) return "forgotten";',
        to: 'end > run.start)) return "dropped";',
      },
      {
        name: "datagrams-never-forgotten",
        models: "what waits too long is completed all the same",
        from: "if (datagram.until > now) return;",
        to: "if (datagram.until > 0n) return;",
      },
    ],
  ),
];

import { EDGE, hex, NFT_TABLE, stampAddress } from "../node/constants.js";
import type { Declaration, Ruleset } from "./ruleset.js";

/** A generation whose packets are to be judged by its firewall. */
export interface Judge {
  readonly stamp: number;
  readonly ruleset: Ruleset;
  /** The mark by which its packets find their routing table. */
  readonly mark: number;
}

/** Packets without a stamp that anybody judges by: they came past XDP, or very late. */
const UNKNOWN: Declaration = { kind: "counter", name: "unknown-generation", lines: [] };

/**
 * Where the way back is judged, for all generations: before datagrams are put together (NF_IP_PRI_CONNTRACK_DEFRAG), as what
 * comes out of a tunnel is judged fragment by fragment. A stateless firewall stands here, too, in the same chain.
 */
const WAY_BACK = "type filter hook prerouting priority -450; policy drop;";

/** Behind every chain that judges, and before the kernel routes. */
const ROUTES = {
  kind: "chain",
  name: "routes",
  hook: "type filter hook prerouting priority 300; policy accept;",
};

/**
 * The transaction after which the table holds the firewalls of `judges` and nothing else; the last of them judges the way
 * back, too. `present`: what the table holds, as `kind name`; what is there is not declared again.
 */
export function transition(present: ReadonlySet<string>, judges: readonly Judge[]): string {
  const wanted = new Map(declarations(judges).map((one) => [keyOf(one), one]));
  const hooks = hooksOf(judges);
  const missing = [...wanted].flatMap(([key, one]) => (present.has(key) ? [] : [one]));
  const kept = new Set([...wanted.keys(), ...hooks.map(({ name }) => `chain ${name}`)]);
  return [
    `table ${NFT_TABLE} {`,
    ...missing.flatMap(declare),
    ...hooks.flatMap(({ name, hook }) => [`\tchain ${name} {`, `\t\t${hook}`, "\t}"]),
    "}",
    ...hooks.flatMap(({ name, rules }) => [
      `flush chain ${NFT_TABLE} ${name}`,
      ...rules.map((rule) => `add rule ${NFT_TABLE} ${name} ${rule}`),
    ]),
    ...remove([...present].filter((key) => !kept.has(key))),
    "",
  ].join("\n");
}

/** What a table with these firewalls holds, as `kind name`. */
export function contents(judges: readonly Judge[]): readonly string[] {
  return [...declarations(judges).map(keyOf), ...hooksOf(judges).map(({ name }) => `chain ${name}`)];
}

/** The chains of a table with these firewalls, and how many rules each has. */
export function chains(judges: readonly Judge[]): ReadonlyMap<string, number> {
  const declared = declarations(judges).filter(({ kind }) => kind === "chain");
  return new Map([
    ...declared.map(({ name, lines }) => [name, countRules(lines)] as const),
    ...hooksOf(judges).map(({ name, rules }) => [name, rules.length] as const),
  ]);
}

/** Rules in the lines of a chain, of which nft(8) may write one over several lines, within braces. */
export function countRules(lines: readonly string[]): number {
  let [rules, depth] = [0, 0];
  for (const line of lines) {
    const text = line.replace(/"[^"]*"/g, "").trim();
    if (depth === 0 && !/^(?:#.*|type .*|policy .*)?$/.test(text)) rules++;
    depth += text.split("{").length - text.split("}").length;
  }
  return rules;
}

function declarations(judges: readonly Judge[]): readonly Declaration[] {
  const all = judges.flatMap(({ ruleset }) => ruleset.declarations);
  // Counters first: nft resolves names in the order of the text.
  const order = ["counter", "set", "chain"];
  return [UNKNOWN, ...all].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

function keyOf({ kind, name }: Declaration): string {
  return `${kind} ${name}`;
}

function declare({ kind, name, lines }: Declaration): readonly string[] {
  return [`\t${kind} ${name} {`, ...lines, "\t}"];
}

interface HookChain {
  readonly name: string;
  readonly hook: string;
  readonly rules: readonly string[];
}

/**
 * The chains that the kernel enters: one for each place where a generation judges, one that leads what was let through
 * to its generation's routing table, and one that lowers the MSS. A packet passes through the places of others untouched.
 *
 * They are replaced while packets are in them, so they have a rule for each generation and no maps. Rules are replaced as a
 * whole: a packet meets those that it entered with (nft_do_chain() asks for the table's generation once). But a map that goes
 * asks for itself, at the look-up (nft_set_elem_active()), and a packet in between finds nothing in it.
 */
function hooksOf(judges: readonly Judge[]): readonly HookChain[] {
  const places = [...new Set([WAY_BACK, ...judges.map(({ ruleset }) => ruleset.hook)])];
  const routes = judges.map(
    ({ stamp, mark }) => `iifname "${EDGE}" ether saddr ${stampAddress(stamp)} meta mark set ${hex(mark)}`,
  );
  return [
    ...places.map((hook) => ({ name: placeName(hook), hook, rules: placeRules(judges, hook) })),
    { name: ROUTES.name, hook: ROUTES.hook, rules: routes },
    ...segmentSizes(judges),
  ];
}

/**
 * By the mark, which a packet has from the generation that judged it. What comes out of a tunnel has none: each generation knows its
 * own devices, and what both lower is lowered to the less.
 */
function segmentSizes(judges: readonly Judge[]): readonly HookChain[] {
  const hook = judges.map(({ ruleset }) => ruleset.segmentSize?.hook).find((one) => one !== undefined);
  if (hook === undefined) return [];
  const way = ({ ruleset }: Judge) => (ruleset.segmentSize ? `goto ${ruleset.segmentSize.entry}` : "accept");
  const entries = judges.flatMap(({ ruleset }) => ruleset.segmentSize?.entry ?? []);
  return [
    {
      name: "segment-size",
      hook,
      rules: [
        ...[...new Set(entries)].map((entry) => `iifname != "${EDGE}" jump ${entry}`),
        ...judges.map((judge) => `meta mark ${hex(judge.mark)} ${way(judge)}`),
      ],
    },
  ];
}

/** `judge.-450`: a chain's place cannot be changed, so each has a chain of its own. */
function placeName(hook: string): string {
  return `judge.${/priority ([a-z0-9-]+)/.exec(hook)?.[1] ?? ""}`;
}

function placeRules(judges: readonly Judge[], hook: string): readonly string[] {
  const newest = judges.at(-1)?.ruleset;
  const verdicts = judges.map(({ stamp, ruleset }) => {
    const verdict = ruleset.hook === hook ? `goto ${ruleset.entry}` : "accept";
    return `ether saddr ${stampAddress(stamp)} ${verdict}`;
  });
  return [
    `iifname != "${EDGE}" ${newest && hook === WAY_BACK ? `goto ${newest.wayBack}` : "accept"}`,
    ...verdicts,
    `counter name ${UNKNOWN.name} drop`,
  ];
}

/** Rules first, as they name each other's chains, and all else. */
function remove(keys: readonly string[]): readonly string[] {
  const of = (kind: string) =>
    keys.filter((key) => key.startsWith(`${kind} `)).map((key) => key.slice(kind.length + 1));
  const statements = (verb: string, kind: string) =>
    of(kind).map((name) => `${verb} ${kind} ${NFT_TABLE} ${name}`);
  return [
    ...statements("flush", "chain"),
    ...statements("delete", "chain"),
    ...statements("delete", "set"),
    ...statements("delete", "counter"),
  ];
}

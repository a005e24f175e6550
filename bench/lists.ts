import { formatPrefix } from "../src/compiler/ir/address.js";
import { contains, intervals, type Range } from "../src/compiler/ir/intervals.js";
import type { Written } from "./bundles.js";
import type { Effort } from "./options.js";
import { addressesOf, type Flow, type FlowPrefix, prefixAt } from "./rulesets/flow-rule.js";
import { Random } from "./rulesets/random.js";
import type { Workload } from "./xdp/section.js";

/** Sources of which nothing is wanted: the longest lists that customers have. */
export interface AddressList {
  readonly name: string;
  readonly family: string;
  readonly prefixes: readonly FlowPrefix[];
}

const HOSTS = [100, 10_000];
const PREFIXES = [1000, 100_000, 1_000_000];
const QUICK_SIZE = 100;
const SEED = 20_261;

export function addressLists(quick: boolean): readonly AddressList[] {
  const hosts = (size: number) => ({ ...listOf(size, () => 32), name: `hosts ${size}`, family: "hosts" });
  const mixed = (size: number) => ({
    ...listOf(size, feedLength),
    name: `prefixes ${size}`,
    family: "prefixes",
  });
  return quick ? [hosts(QUICK_SIZE), mixed(QUICK_SIZE)] : [...HOSTS.map(hosts), ...PREFIXES.map(mixed)];
}

/** As in feeds of bad addresses: mostly hosts, many /24, and a few of any other length. */
function feedLength(random: Random): number {
  return random.weighted([
    [60, 32],
    [30, 24],
    [10, random.between(20, 31)],
  ]);
}

function listOf(size: number, length: (random: Random) => number): Pick<AddressList, "prefixes"> {
  const random = new Random(SEED);
  const found = new Map<number, FlowPrefix>();
  while (found.size < size) {
    const prefix = prefixAt(random.between(2 ** 24, 223 * 2 ** 24 - 1), length(random));
    found.set(prefix.base * 64 + prefix.length, prefix);
  }
  return { prefixes: [...found.values()] };
}

/** One rule that asks for the list; the list stands in a file of its own. */
export function listPolicy({ prefixes }: AddressList): Written {
  const text = `import { drop, expr, list, policy } from "tidegate";
import sources from "./sources.json";

const listed = list(sources);

export default policy({
  customer: "bench",
  prefixes: ["0.0.0.0/1", "128.0.0.0/1"],
  mitigate: [drop("listed", expr\`ip.src in \${listed}\`)],
  firewall: { default: "allow", rules: [] },
});
`;
  return { text, files: { "sources.json": JSON.stringify(prefixes.map(prefixText)) } };
}

function prefixText({ base, length }: FlowPrefix): string {
  return formatPrefix({ family: 4, base: BigInt(base), length });
}

/** Half of the packets come from the list, the others from anywhere. */
export function listWorkload(
  { prefixes }: AddressList,
  { hotPackets, tracePackets, answers }: Effort,
): Workload {
  const random = new Random(SEED + 1);
  const some = (count: number) => Array.from({ length: count }, () => flow(prefixes, random));
  const listed = intervals(prefixes.map(rangeOf));
  return {
    flows: some(hotPackets),
    trace: some(tracePackets),
    answers,
    drops: ({ source }) => contains(listed, BigInt(source)),
  };
}

function rangeOf(prefix: FlowPrefix): Range {
  const { low, high } = addressesOf(prefix);
  return { low: BigInt(low), high: BigInt(high) };
}

function flow(prefixes: readonly FlowPrefix[], random: Random): Flow {
  const { low, high } = addressesOf(random.among(prefixes));
  return {
    source: random.chance(0.5) ? random.between(low, high) : random.below(2 ** 32),
    destination: random.below(2 ** 32),
    sourcePort: random.below(2 ** 16),
    destinationPort: 443,
    protocol: 6,
  };
}

import type { NodeStatus } from "../../runtime/status.js";
import type { Counters } from "./counters.js";
import type { Host } from "./host.js";
import { tidegate } from "./tools.js";

/** Below /run, which each host of the lab has for itself. */
const MEMORY_DIR = "/run/tidegate-memory";

/** Loads bundles on an edge with the real command, one after another as an operator would. */
export async function applyBundles(edge: Host, bundles: readonly string[], edgeFile: string): Promise<void> {
  const where = ["--edge", edgeFile, "--memory-dir", MEMORY_DIR];
  for (const bundle of bundles) await edge.run(tidegate("apply", bundle, ...where));
}

export async function removeCustomers(edge: Host, customers: readonly string[]): Promise<void> {
  for (const customer of customers) await edge.run(tidegate("remove", customer));
}

/** What `tidegate status --json` counts: `root/NAME`, `CUSTOMER STAGE/RULE`, and `CUSTOMER NAME` for the rest. */
export async function readCounters(edge: Host): Promise<Counters> {
  const { node, customers } = JSON.parse(await edge.run(tidegate("status", "--json"))) as NodeStatus;
  const root = Object.entries(node?.root ?? {}).map(([name, counter]) => [`root/${name}`, counter] as const);
  const rest = customers.flatMap(({ name: customer, counters: { mitigate, firewall, other } }) => [
    ...Object.entries(mitigate).map(([rule, counter]) => [`${customer} mitigate/${rule}`, counter] as const),
    ...Object.entries(firewall).map(([rule, counter]) => [`${customer} firewall/${rule}`, counter] as const),
    ...Object.entries(other).map(([name, counter]) => [`${customer} ${name}`, counter] as const),
  ]);
  return new Map([...root, ...rest].map(([name, { packets }]) => [name, packets]));
}

const PORTRAIT: readonly (readonly string[])[] = [
  ["ip", "-d", "-o", "addr", "show"],
  ["ip", "-d", "-o", "link", "show"],
  ["ip", "-4", "rule", "show"],
  ["ip", "-6", "rule", "show"],
  ["ip", "-4", "route", "show", "table", "all"],
  ["ip", "-6", "route", "show", "table", "all"],
  ["tc", "qdisc", "show"],
  ["nft", "list", "ruleset"],
  ["ls", "-A", "/run/netns"],
  ["sh", "-c", "grep ' bpf ' /proc/mounts || true"],
  ["sysctl", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.all.rp_filter"],
];

/** Everything about an edge's networking that Tidegate might change, as text by command. */
export async function portrait(edge: Host): Promise<ReadonlyMap<string, string>> {
  const answers = PORTRAIT.map(async (argv) => [argv.join(" "), await edge.run(argv)] as const);
  return new Map(await Promise.all(answers));
}

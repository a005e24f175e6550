import pc from "picocolors";
import type { CustomerStatus, NodeStatus, TunnelStatus } from "../../../runtime/status.js";

type Counters = NodeStatus["customers"][number]["counters"]["mitigate"];

/** What `tidegate status` prints: the node, then each customer with its counters and tunnels. */
export function renderStatus({ node, customers }: NodeStatus): string {
  if (!node) return "no customer is loaded on this node";
  const uplinks = node.uplinks
    .map(({ device, xdp }) => `${device} (XDP ${xdp ?? pc.red("missing")})`)
    .join(", ");
  const lines = [
    `${pc.bold("node")}      uplinks ${uplinks}; anycast ${node.anycast.join(", ")}; GRE by ${driverName(node.gre)}`,
    ...renderDrift(node.drift),
    ...renderCounters("root", node.root),
  ];
  return [...lines, ...customers.flatMap((one) => renderCustomer(one, node.slow))].join("\n");
}

function renderCustomer(customer: CustomerStatus, slow: string | null): readonly string[] {
  const { name, generation, hash, since, prefixes, counters } = customer;
  return [
    "",
    `${pc.bold(name)}  generation ${generation} ${pc.dim(hash.slice(0, 12))} since ${since}; ${prefixes.join(", ")}`,
    ...renderRelease(customer),
    ...renderDrift(customer.drift),
    ...renderCounters("mitigate", counters.mitigate),
    ...renderCounters("firewall", counters.firewall),
    ...renderCounters("", counters.other),
    ...renderDatapath(customer, slow),
    ...customer.tunnels.map(renderTunnel),
    ...customer.blackholes.map((one) => renderBlackhole(one, customer.tunnels)),
    ...customer.ownAddresses.map(renderOwnAddress),
  ];
}

function renderRelease({ release }: CustomerStatus): readonly string[] {
  if (!release) return [];
  const by =
    release.signedBy.length > 0
      ? `signed by ${release.signedBy.join(", ")}`
      : "signed by nobody whom this node trusts";
  return [`  release   serial ${release.serial}, ${by}`];
}

function renderDrift(drift: readonly string[]): readonly string[] {
  return drift.length === 0 ? [] : [`  ${pc.red("drift")}     missing: ${drift.join(", ")}`];
}

function renderCounters(stage: string, counters: Counters): readonly string[] {
  const width = Math.max(0, ...Object.keys(counters).map((name) => name.length));
  return Object.entries(counters).map(([name, { packets, bytes }], index) => {
    const head = (index === 0 ? stage : "").padEnd(9);
    const line = `  ${head} ${name.padEnd(width)}  ${String(packets).padStart(10)} packets ${String(bytes).padStart(12)} bytes`;
    return packets === 0 ? pc.dim(line) : line;
  });
}

/** The namespace is what nobody asks about. */
function renderDatapath({ datapath, tunnels }: CustomerStatus, slow: string | null): readonly string[] {
  if (datapath === "namespace") return [];
  if (slow !== null) return [`  datapath  xdp asked for; by the namespace here: ${slow}`];
  const sent = tunnels.reduce((total, { fromXdp }) => total + fromXdp.packets, 0);
  const back = tunnels.reduce((total, { returnedByXdp }) => total + returnedByXdp.packets, 0);
  const closed = tunnels.flatMap((one) => (one.slow === null ? [] : [`${one.name} (${one.slow})`]));
  const rest = closed.length === 0 ? "" : `, as all for ${closed.join(", ")}`;
  return [
    `  datapath  xdp: ${sent} packets sent from there, ${back} on their way back, the others by the namespace${rest}`,
  ];
}

function renderTunnel({ name, remote, device, driver, state, health }: TunnelStatus): string {
  const shown = state === "missing" || state === "DOWN" ? pc.red(state) : state;
  return `  tunnel    ${name} to ${remote}: ${device} ${shown}, ${driverName(driver)}${health ? `; ${renderHealth(health)}` : ""}`;
}

function renderBlackhole(
  { prefix, tunnels, since }: CustomerStatus["blackholes"][number],
  all: CustomerStatus["tunnels"],
): string {
  const isAsked = all.some(({ name, health }) => tunnels.includes(name) && health?.probes);
  const ends = [
    tunnels.length === 1 ? `${tunnels[0]} lives again` : `one of ${tunnels.join(", ")} lives again`,
    ...(isAsked ? [] : [pc.red("but nobody asks")]),
  ].join(", ");
  return `  route     ${prefix}: ${pc.red("black hole")} since ${since}, its packets are dropped until ${ends}`;
}

function renderOwnAddress({ address, device, prefix }: CustomerStatus["ownAddresses"][number]): string {
  const what = `${address} in ${prefix} is an address of this server's ${device}`;
  return `  address   ${pc.red(what)}: what comes for the server there is taken for the customer's`;
}

function renderHealth({ life, since, probes }: NonNullable<TunnelStatus["health"]>): string {
  const shown = life === "dead" ? pc.red("dead") : life;
  const words = [
    `router ${shown}${since === null ? "" : ` since ${since}`}`,
    ...(probes === null ? [pc.red("nobody asks: is tidegated running?")] : renderProbes(probes)),
  ];
  return words.join(", ");
}

function renderProbes({
  sent,
  lost,
  lastAnswer,
  rtt,
  trouble,
}: NonNullable<NonNullable<TunnelStatus["health"]>["probes"]>): readonly string[] {
  const answer = lastAnswer === null ? "no answer yet" : `last answer ${lastAnswer}`;
  const took = rtt === null ? "" : ` after ${rtt.toFixed(1)} ms`;
  return [
    `${answer}${took}`,
    `${lost} of ${sent} probes lost`,
    ...(trouble === null ? [] : [pc.red(`cannot ask: ${trouble}`)]),
  ];
}

function driverName(driver: "kernel" | "ebpf"): string {
  return driver === "kernel" ? "the kernel's GRE" : "eBPF GRE (this kernel has no GRE devices)";
}

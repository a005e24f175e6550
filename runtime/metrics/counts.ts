import type { Manifest } from "../../src/targets/manifest.js";
import type { Counter } from "../counters.js";
import { blackholes } from "../customer/blackholes.js";
import { readSteadily } from "../customer/counting.js";
import { greDriver } from "../gre/choose.js";
import type { GreDriver, TunnelTraffic } from "../gre/driver.js";
import { readLives } from "../health/lives.js";
import { healthOf, type Report, type TunnelHealth } from "../health/report.js";
import { type Host, withHost } from "../host.js";
import { type OwnAddress, ownAddresses, takenBy } from "../node/own-addresses.js";
import { type LoadedCustomer, readCustomers, readNodeState } from "../state.js";
import {
  type CustomerStatus,
  customerCounters,
  rootCounters,
  wholeTraffic,
  type XdpTraffic,
} from "../status.js";
import { together } from "../together.js";

type Action = Manifest["mitigate"][number]["action"];

/** What one rule counted; `default` of a stage and counters that are no rule's have no action. */
export interface RuleCount extends Counter {
  readonly stage: "mitigate" | "firewall" | "other";
  readonly rule: string;
  readonly action: Action | "";
}

/** What a tunnel did with packets of the customer: their own bytes, without the headers around them. */
export interface TunnelCount extends TunnelTraffic {
  readonly tunnel: string;
  /** What was found out about its router; null: it is not to be asked. */
  readonly health: TunnelHealth | null;
}

export interface CustomerCount {
  readonly customer: string;
  readonly generation: number;
  /** Seconds since 1970. */
  readonly since: number;
  readonly rules: readonly RuleCount[];
  readonly tunnels: readonly TunnelCount[];
  /** How many prefixes are black holes, as none of their tunnels lives. */
  readonly blackholes: number;
  /** How many addresses of the server's own are in its prefixes (TG9024). */
  readonly ownAddresses: number;
}

export interface Counts {
  /** By what the root program did. */
  readonly root: Readonly<Record<string, Counter>>;
  readonly customers: readonly CustomerCount[];
}

/** All counters of this node; `probes` are those of this process. Reads the kernel's, and nothing else is looked at: `status` knows more and takes longer. */
export function readCounts(stateDir: string, probes: Report["customers"] = {}): Promise<Counts> {
  const report = { at: new Date().toISOString(), customers: probes };
  return withHost({ stateDir, lock: false }, async (host) => {
    const state = await readNodeState(host.paths);
    if (!state) return { root: {}, customers: [] };
    const gre = greDriver(host, state.gre);
    const own = await ownAddresses(host, state.config.anycast);
    const customers = await together(await readCustomers(host.paths), (one) =>
      readSteadily(host.paths, one, (now) => countsOf(host, gre, now, report, own)),
    );
    return { root: await rootCounters(host), customers };
  });
}

async function countsOf(
  host: Host,
  gre: GreDriver,
  loaded: LoadedCustomer,
  report: Report,
  own: readonly OwnAddress[],
): Promise<CustomerCount> {
  const { customer, generation, since } = loaded;
  const counters = await customerCounters(host, loaded);
  const rules = ruleCounts(loaded, counters);
  const tunnels = await tunnelCounts(host, gre, loaded, counters.byXdp, report);
  const { length } = await blackholes(host.paths, loaded);
  const { length: taken } = takenBy(loaded.manifest, own);
  const about = { customer, generation, since: Date.parse(since) / 1000 };
  return { ...about, rules, tunnels, blackholes: length, ownAddresses: taken };
}

function ruleCounts(
  { manifest }: LoadedCustomer,
  counters: CustomerStatus["counters"],
): readonly RuleCount[] {
  const rules = {
    mitigate: manifest.mitigate,
    firewall: manifest.firewall.rules,
    other: [],
  } as const satisfies Record<RuleCount["stage"], readonly Manifest["mitigate"][number][]>;
  return (["mitigate", "firewall", "other"] as const).flatMap((stage) => {
    const actions = new Map<string, Action>(rules[stage].map(({ name, action }) => [name, action]));
    return Object.entries(counters[stage]).map(([rule, counter]) => ({
      ...counter,
      stage,
      rule,
      action: actions.get(rule) ?? ("" as const),
    }));
  });
}

async function tunnelCounts(
  host: Host,
  gre: GreDriver,
  { customer, manifest }: LoadedCustomer,
  byXdp: XdpTraffic,
  report: Report,
): Promise<readonly TunnelCount[]> {
  const isAsked = manifest.tunnels.some(({ health }) => health);
  const lives = isAsked ? await readLives(host.paths, customer) : {};
  const counts: TunnelCount[] = [];
  for (const row of manifest.tunnels) {
    const traffic = await gre.traffic(manifest, row);
    const { sent, received, dropped } = wholeTraffic(row.device, traffic, byXdp);
    const health = healthOf(manifest, row, lives, report);
    counts.push({ tunnel: row.name, sent, received, dropped, health });
  }
  return counts;
}

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addCounters, type Counters, namedCounters, sum } from "./counters.js";
import { type Blackhole, blackholes } from "./customer/blackholes.js";
import { type ProgramCounters, programCounters, readSteadily } from "./customer/counting.js";
import { whyClosed } from "./customer/fast-path.js";
import { firewallCounters } from "./customer/firewall.js";
import { customerDrift, nodeDrift } from "./drift.js";
import { greDriver } from "./gre/choose.js";
import type { GreDriver, Traffic, TunnelTraffic } from "./gre/driver.js";
import { greMap } from "./gre/ebpf.js";
import { readLives } from "./health/lives.js";
import { healthOf, readReport, type TunnelHealth } from "./health/report.js";
import { type Host, withHost } from "./host.js";
import { findLink } from "./netlink/link.js";
import { inside } from "./netlink/network.js";
import { type OwnAddress, ownAddresses, type TakenAddress, takenBy } from "./node/own-addresses.js";
import { rootMap, xdpMode } from "./node/root-program.js";
import { whySlow } from "./node/uplinks.js";
import { readIntents } from "./notes.js";
import {
  DEFAULT_STATE_DIR,
  type LoadedCustomer,
  type NodeState,
  type Paths,
  readCustomers,
  readNodeState,
} from "./state.js";
import { together } from "./together.js";
import { type KnownRelease, knownRelease, SIGNATURE_FILE } from "./trust/release.js";

/** What `status --json` prints. */
export interface NodeStatus {
  /** Null: nothing is loaded here. */
  readonly node: {
    readonly anycast: readonly string[];
    readonly uplinks: readonly { readonly device: string; readonly xdp: "native" | "generic" | null }[];
    /** Why nothing is sent on from XDP here, whatever policies say; null: it may be. */
    readonly slow: string | null;
    readonly gre: GreDriver["name"];
    /** Names of what should be there and is not; empty where all is well. */
    readonly drift: readonly string[];
    /** malformed and closed: dropped; foreign: left alone; dispatched: to a customer's program. */
    readonly root: Counters;
    /** GRE that the eBPF driver left to the kernel, by reason. */
    readonly greLeftAlone: Counters;
  } | null;
  readonly customers: readonly CustomerStatus[];
}

export interface CustomerStatus {
  readonly name: string;
  readonly generation: number;
  /** SHA-256 of the bundle's manifest. */
  readonly hash: string;
  /** When this generation was put in force: ISO 8601, UTC. */
  readonly since: string;
  /** What its signature says; null where it has none. */
  readonly release: KnownRelease | null;
  readonly prefixes: readonly string[];
  /** Names of what should be there and is not; empty where all is well. */
  readonly drift: readonly string[];
  /**
   * By rule name, wherever it was counted; `default` is what no rule of the stage decided. A change does not touch what
   * rules of the same name have counted.
   */
  readonly counters: {
    readonly mitigate: Counters;
    readonly firewall: Counters;
    /** Counters of the firewall that belong to no rule, such as those of the way back. */
    readonly other: Counters;
  };
  /** `xdp`: packets that are plain are sent into tunnels from XDP, and out of them. */
  readonly datapath: "namespace" | "xdp";
  readonly tunnels: readonly TunnelStatus[];
  /** Prefixes whose packets are dropped, as none of their tunnels lives. */
  readonly blackholes: readonly Blackhole[];
  /** Addresses of the server's own in its prefixes, which came when those were in force: what comes for the server there is taken for the customer's. */
  readonly ownAddresses: readonly TakenAddress[];
}

export interface TunnelStatus extends TunnelTraffic {
  /** What was found out about its router; null: it is not to be asked. */
  readonly health: TunnelHealth | null;
  readonly name: string;
  readonly remote: string;
  readonly device: string;
  readonly driver: GreDriver["name"];
  /** Of what was sent, the part that XDP sent itself. */
  readonly fromXdp: Traffic;
  /**
   * Why XDP is to send nothing into it, where its policy has a fast way into it: by what was found out about its router, or as its bundle is
   * of another time; null: nothing of that is in the way, or there is no such way.
   */
  readonly slow: string | null;
  /** Of what was received, the part that XDP passed on itself. */
  readonly returnedByXdp: Traffic;
  /** As ip(8) says: UP, DOWN, UNKNOWN (up, for devices without a carrier); "missing". */
  readonly state: string;
}

/** Index order of `root_counters` (bpf-templates/root.bpf.c) and `gre_left_alone` (gre-maps.h). */
const ROOT_COUNTERS = ["malformed", "foreign", "closed", "dispatched"];
const GRE_LEFT_ALONE = ["unknown", "fragment", "unsupported"];

/** What is loaded on this node, how much it differs from what is recorded, and what it counted. */
export function status({
  stateDir = DEFAULT_STATE_DIR,
}: {
  readonly stateDir?: string;
}): Promise<NodeStatus> {
  return withHost({ stateDir, lock: false }, async (host) => {
    await endingsOver(host.paths);
    const state = await readNodeState(host.paths);
    if (!state) return { node: null, customers: [] };
    const loaded = await readCustomers(host.paths);
    const own = await ownAddresses(host, state.config.anycast);
    const customers = await together(loaded, (one) => customerStatus(host, state, one, own));
    return { node: await nodeStatus(host, state), customers };
  });
}

/** A change that is in force ends so soon; until then old and new stand side by side, which is no drift. */
const ENDING_MS = 2000;

async function endingsOver(paths: Paths): Promise<void> {
  const until = performance.now() + ENDING_MS;
  while (performance.now() < until && (await someEnding(paths))) await sleep(20);
}

async function someEnding(paths: Paths): Promise<boolean> {
  const intents = await readIntents(paths);
  if (intents.length === 0) return false;
  const customers = await readCustomers(paths);
  return intents.some(({ customer, generation, removal }) => {
    const loaded = customers.find((one) => one.customer === customer);
    return !removal && loaded?.generation === generation && Date.now() - Date.parse(loaded.since) < ENDING_MS;
  });
}

async function nodeStatus(host: Host, state: NodeState): Promise<NodeStatus["node"]> {
  const { anycast, uplinks } = state.config;
  const modes = uplinks.map(async (device) => ({ device, xdp: await xdpMode(host, device) }));
  return {
    anycast,
    uplinks: await Promise.all(modes),
    slow: await whySlow(host, uplinks),
    gre: state.gre,
    drift: await nodeDrift(host, state),
    root: await rootCounters(host),
    greLeftAlone: await mapCounters(host, greMap(host, "gre_left_alone"), GRE_LEFT_ALONE),
  };
}

/** What the root program counted, by what it did with the packet. */
export function rootCounters(host: Host): Promise<Counters> {
  return mapCounters(host, rootMap(host.paths, "root_counters"), ROOT_COUNTERS);
}

async function mapCounters({ loader }: Host, pin: string, names: readonly string[]): Promise<Counters> {
  return existsSync(pin) ? namedCounters(await loader.dumpMap(pin), names) : {};
}

async function customerStatus(
  host: Host,
  state: NodeState,
  loaded: LoadedCustomer,
  own: readonly OwnAddress[],
): Promise<CustomerStatus> {
  const { customer, generation, hash, since, manifest } = loaded;
  const drift = await customerDrift(host, state, loaded);
  const { byXdp, ...counters } = await readSteadily(host.paths, loaded, (now) => customerCounters(host, now));
  const tunnels = manifest.tunnels.map((row) => tunnelStatus(host, state, loaded, row, byXdp));
  return {
    name: customer,
    generation,
    hash,
    since,
    release: await releaseOf(host, state, loaded),
    prefixes: manifest.prefixes,
    drift,
    counters,
    datapath: manifest.datapath ?? "namespace",
    tunnels: await Promise.all(tunnels),
    blackholes: await blackholes(host.paths, loaded),
    ownAddresses: takenBy(manifest, own),
  };
}

async function releaseOf(
  { paths }: Host,
  { config }: NodeState,
  { customer, generation, hash }: LoadedCustomer,
): Promise<KnownRelease | null> {
  const file = join(paths.bundle(customer, generation), SIGNATURE_FILE);
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? null : knownRelease(text, hash, config.keys);
}

/** What XDP sent into tunnels itself, and passed on that came out of them, by the tunnels' devices. */
export type XdpTraffic = Pick<ProgramCounters, "sent" | "returned">;

/** What was counted of a customer, by stage and rule, and what of its tunnels' traffic XDP saw to. */
export async function customerCounters(
  host: Host,
  loaded: LoadedCustomer,
): Promise<CustomerStatus["counters"] & { readonly byXdp: XdpTraffic }> {
  const { mitigate, firewall, other, ...byXdp } = await programCounters(host, loaded, loaded.manifest);
  const namespace = await firewallCounters(host, loaded.manifest.namespace);
  const rules = ruleCounters(loaded, addCounters(namespace, other), firewall);
  return { mitigate, ...rules, byXdp };
}

/** All that a tunnel's device and XDP sent and received. */
export function wholeTraffic(
  device: string,
  { sent, received, dropped }: TunnelTraffic,
  byXdp: XdpTraffic,
): TunnelTraffic & Pick<TunnelStatus, "fromXdp" | "returnedByXdp"> {
  const { [device]: fromXdp = NOTHING } = byXdp.sent;
  const { [device]: returnedByXdp = NOTHING } = byXdp.returned;
  return {
    sent: sum([sent, fromXdp]),
    received: sum([received, returnedByXdp]),
    dropped,
    fromXdp,
    returnedByXdp,
  };
}

/**
 * nft counters are named `rule-NAME`; those of the stage itself have names of their own. A packet was counted in the
 * namespace or in XDP, so both together are the rule's.
 */
function ruleCounters(
  { manifest }: LoadedCustomer,
  counters: Counters,
  early: Counters,
): { firewall: Counters; other: Counters } {
  const both = (counter: string, name: string) =>
    sum([counters[counter], early[name]].filter((one) => one !== undefined));
  const names = new Map(manifest.firewall.rules.map(({ name }) => [`rule-${name}`, name])).set(
    "default",
    "default",
  );
  return {
    firewall: Object.fromEntries([...names].map(([counter, name]) => [name, both(counter, name)])),
    other: Object.fromEntries(Object.entries(counters).filter(([counter]) => !names.has(counter))),
  };
}

async function tunnelStatus(
  host: Host,
  { gre }: NodeState,
  { manifest }: LoadedCustomer,
  row: LoadedCustomer["manifest"]["tunnels"][number],
  byXdp: XdpTraffic,
): Promise<TunnelStatus> {
  const { name, remote, device } = row;
  const driver = greDriver(host, gre);
  const link = await findLink(inside(host, manifest.namespace), device);
  const traffic = await driver.traffic(manifest, row);
  const lives = await readLives(host.paths, manifest.customer);
  const health = healthOf(manifest, row, lives, await readReport(host.paths));
  const about = { name, remote, device, driver: driver.name, state: link?.state ?? "missing", health };
  return {
    ...about,
    slow: health && whyClosed(manifest, row, health.life),
    ...wholeTraffic(device, traffic, byXdp),
  };
}

const NOTHING: Traffic = { packets: 0, bytes: 0 };

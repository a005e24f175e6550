import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../src/targets/manifest.js";
import { addCounters, type Counter, type Counters, namedCounters, sum } from "../counters.js";
import type { Host } from "../host.js";
import {
  type CustomerRecord,
  type LoadedCustomer,
  type Paths,
  readCustomer,
  recordOf,
  storedGenerations,
  storedManifest,
} from "../state.js";
import { returnedFromXdp, sentFromXdp } from "./fast-path.js";
import { namesOf } from "./program.js";

/** What programs counted: of `firewall` only what they dropped themselves, before the namespace. */
export interface ProgramCounters {
  readonly mitigate: Counters;
  readonly firewall: Counters;
  /** What they sent into tunnels themselves, and took out of them, by the tunnels' devices. */
  readonly sent: Counters;
  readonly returned: Counters;
  /** What the namespace would have counted besides, under its names. */
  readonly other: Counters;
}

const NOTHING: ProgramCounters = { mitigate: {}, firewall: {}, sent: {}, returned: {}, other: {} };

/** Of the firewall: what came out of tunnels and was passed on (PASSED_COUNTER in src/targets/nft/names.ts). */
const PASSED = "return-passed";

/** The maps of a generation that count, and what of it they do. Of two generations each may be one map, or two. */
const COUNTED_IN = {
  map_counters: rulesOf,
  map_hops: sentOf,
  map_returned: returnedOf,
} as const satisfies Record<string, (...of: Parameters<typeof countedBy>) => Promise<ProgramCounters>>;

type CountingMap = keyof typeof COUNTED_IN;
const COUNTING_MAPS = ["map_counters", "map_hops", "map_returned"] as const satisfies readonly CountingMap[];

/** Changes of one customer are a quarter of a second apart, and a look takes milliseconds. */
const MOST_LOOKS = 5;

/**
 * What `read` gives of a customer while its record stays the same. When a change ends, what the old program has counted moves from
 * its map to the record: who meets that would have it in neither, and the next time again, as if a counter had gone back.
 */
export async function readSteadily<T>(
  paths: Paths,
  loaded: LoadedCustomer,
  read: (loaded: LoadedCustomer) => Promise<T>,
): Promise<T> {
  for (let looks = 1, seen = loaded; ; looks++) {
    const result = await read(seen).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    const now = await readCustomer(paths, seen.customer);
    const isSteady = !now || now === seen || JSON.stringify(recordOf(now)) === JSON.stringify(recordOf(seen));
    if (isSteady || looks === MOST_LOOKS) {
      if ("error" in result) throw result.error;
      return result.value;
    }
    seen = now;
  }
}

/**
 * What a customer's programs counted, by rule, and as `default` what no rule decided, and sent, by device: also those of earlier
 * generations, as long as the rule, or the device, has been there. Each map is read once, also where generations share it.
 */
export async function programCounters(
  host: Host,
  record: CustomerRecord,
  manifest: Manifest,
): Promise<ProgramCounters> {
  const earlier = await earlierCounters(host, record, manifest);
  return added(earlier, await countedBy(host, record.customer, record.generation, manifest));
}

/** What the record says; an older build's says less. */
function noted(counted: CustomerRecord["counted"]): ProgramCounters {
  const { mitigate = {}, firewall = {}, sent = {}, returned = {}, other = {} } = counted ?? {};
  return { mitigate, firewall, sent, returned, other };
}

function added(one: ProgramCounters, other: ProgramCounters): ProgramCounters {
  return {
    mitigate: addCounters(one.mitigate, other.mitigate),
    firewall: addCounters(one.firewall, other.firewall),
    sent: addCounters(one.sent, other.sent),
    returned: addCounters(one.returned, other.returned),
    other: addCounters(one.other, other.other),
  };
}

/** What programs other than the present one counted under the names of `manifest`, and in which maps. */
export async function earlierCounters(
  host: Host,
  { customer, generation, counted }: CustomerRecord,
  manifest: Manifest,
): Promise<ProgramCounters & { readonly maps: number[] }> {
  const others = (await storedGenerations(host.paths, customer)).filter((other) => other !== generation);
  const known = new Set(counted?.maps);
  const maps = new Set<number>();
  let all = noted(counted);
  for (const other of others) {
    const theirs = await storedManifest(host.paths, customer, other);
    if (!theirs) continue;
    for (const map of COUNTING_MAPS) {
      const id = await mapId(host, customer, other, map);
      if (id === null || id === (await mapId(host, customer, generation, map))) continue;
      maps.add(id);
      if (known.has(id)) continue;
      known.add(id);
      all = added(all, await COUNTED_IN[map](host, customer, other, theirs));
    }
  }
  return {
    maps: [...maps],
    mitigate: pick(all.mitigate, withDefault(manifest.mitigate)),
    firewall: pick(all.firewall, withDefault(manifest.firewall.rules)),
    sent: pick(all.sent, devicesOf(manifest)),
    returned: pick(all.returned, devicesOf(manifest)),
    other: all.other,
  };
}

async function countedBy(
  ...asked: [host: Host, customer: string, generation: number, manifest: Manifest]
): Promise<ProgramCounters> {
  const counted = await Promise.all(COUNTING_MAPS.map((map) => COUNTED_IN[map](...asked)));
  return counted.reduce(added, NOTHING);
}

async function rulesOf(
  host: Host,
  customer: string,
  generation: number,
  { mitigate, firewall }: Manifest,
): Promise<ProgramCounters> {
  const pin = mapPin(host, customer, generation, "map_counters");
  const entries = existsSync(pin) ? await host.loader.dumpMap(pin) : [];
  const early = firewall.early ? withDefault(firewall.rules) : [];
  return {
    ...NOTHING,
    mitigate: namedCounters(entries, withDefault(mitigate)),
    firewall: namedCounters(entries, early, mitigate.length + 1),
  };
}

async function sentOf(
  { loader, paths }: Host,
  customer: string,
  generation: number,
  manifest: Manifest,
): Promise<ProgramCounters> {
  const sent = await sentFromXdp(loader, paths.pins(customer, generation));
  return { ...NOTHING, sent: byDevice(manifest, sent) };
}

async function returnedOf(
  { loader, paths }: Host,
  customer: string,
  generation: number,
  manifest: Manifest,
): Promise<ProgramCounters> {
  const returned = await returnedFromXdp(loader, paths.pins(customer, generation));
  if (returned.length === 0) return NOTHING;
  return { ...NOTHING, returned: byDevice(manifest, returned), other: { [PASSED]: sum(returned) } };
}

/** `traffic`: by the tunnels' places. */
function byDevice({ tunnels }: Manifest, traffic: readonly Counter[]): Counters {
  const rows = tunnels.flatMap(({ device }, place) => {
    const own = traffic[place];
    return own ? [[device, own] as const] : [];
  });
  return Object.fromEntries(rows);
}

/** What the namespace's own devices have counted of a tunnel goes on with the device; so does this. */
function devicesOf({ tunnels }: Manifest): readonly string[] {
  return tunnels.map(({ device }) => device);
}

function withDefault(rules: Manifest["mitigate"]): readonly string[] {
  return [...namesOf(rules), "default"];
}

function pick(counters: Counters, names: readonly string[]): Counters {
  const none = { packets: 0, bytes: 0 };
  return Object.fromEntries(names.map((name) => [name, counters[name] ?? none]));
}

/** null: it counts nothing. */
async function mapId(
  host: Host,
  customer: string,
  generation: number,
  map: CountingMap,
): Promise<number | null> {
  const pin = mapPin(host, customer, generation, map);
  return existsSync(pin) ? (await host.loader.pinnedId(pin)).id : null;
}

function mapPin({ paths }: Host, customer: string, generation: number, map: CountingMap): string {
  return join(paths.pins(customer, generation), map);
}

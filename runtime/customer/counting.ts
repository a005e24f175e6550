import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../src/targets/manifest.js";
import { addCounters, type Counters, namedCounters } from "../counters.js";
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
import { namesOf } from "./program.js";

/** What programs counted: of `firewall` only what they dropped themselves, before the namespace. */
export interface ProgramCounters {
  readonly mitigate: Counters;
  readonly firewall: Counters;
}

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
 * What a customer's programs counted, by rule, and as `default` what no rule decided: also those of earlier generations, as
 * long as the rule has been there. Each map is read once, also where generations share it.
 */
export async function programCounters(
  host: Host,
  record: CustomerRecord,
  manifest: Manifest,
): Promise<ProgramCounters> {
  const { mitigate, firewall } = await earlierCounters(host, record, manifest);
  const now = await countedBy(host, record.customer, record.generation, manifest);
  return { mitigate: addCounters(mitigate, now.mitigate), firewall: addCounters(firewall, now.firewall) };
}

/** What programs other than the present one counted under the names of `manifest`, and in which maps. */
export async function earlierCounters(
  host: Host,
  { customer, generation, counted }: CustomerRecord,
  manifest: Manifest,
): Promise<NonNullable<CustomerRecord["counted"]>> {
  const others = (await storedGenerations(host.paths, customer)).filter((other) => other !== generation);
  const own = others.length > 0 ? await mapId(host, customer, generation) : null;
  const known = new Set(counted?.maps);
  const maps = new Set<number>();
  let { mitigate = {}, firewall = {} } = counted ?? {};
  for (const other of others) {
    const id = await mapId(host, customer, other);
    const theirs = await storedManifest(host.paths, customer, other);
    if (id === null || id === own || !theirs) continue;
    maps.add(id);
    if (known.has(id)) continue;
    known.add(id);
    const more = await countedBy(host, customer, other, theirs);
    mitigate = addCounters(mitigate, more.mitigate);
    firewall = addCounters(firewall, more.firewall);
  }
  return {
    maps: [...maps],
    mitigate: pick(mitigate, manifest.mitigate),
    firewall: pick(firewall, manifest.firewall.rules),
  };
}

async function countedBy(
  host: Host,
  customer: string,
  generation: number,
  { mitigate, firewall }: Manifest,
): Promise<ProgramCounters> {
  const pin = countersPin(host, customer, generation);
  const entries = existsSync(pin) ? await host.loader.dumpMap(pin) : [];
  const early = firewall.early ? withDefault(firewall.rules) : [];
  return {
    mitigate: namedCounters(entries, withDefault(mitigate)),
    firewall: namedCounters(entries, early, mitigate.length + 1),
  };
}

function withDefault(rules: Manifest["mitigate"]): readonly string[] {
  return [...namesOf(rules), "default"];
}

function pick(counters: Counters, rules: Manifest["mitigate"]): Counters {
  const none = { packets: 0, bytes: 0 };
  return Object.fromEntries(withDefault(rules).map((name) => [name, counters[name] ?? none]));
}

/** null: it counts nothing. */
async function mapId(host: Host, customer: string, generation: number): Promise<number | null> {
  const pin = countersPin(host, customer, generation);
  return existsSync(pin) ? (await host.loader.pinnedId(pin)).id : null;
}

function countersPin({ paths }: Host, customer: string, generation: number): string {
  return join(paths.pins(customer, generation), "map_counters");
}

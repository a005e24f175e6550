import { existsSync } from "node:fs";
import { link, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Manifest } from "../../src/targets/manifest.js";
import { type Bundle, bundleBytes } from "../bundle.js";
import { type Counter, namedCounters } from "../counters.js";
import { failure } from "../failures.js";
import { type Host, tolerating } from "../host.js";
import type { Loader, MapEntry } from "../loader-client.js";
import { rootMap } from "../node/root-program.js";
import { lpmKey, parsePrefix } from "../prefix.js";
import type { CustomerRecord, LoadedCustomer } from "../state.js";

/** Slots of the root program's PROG_ARRAY (bpf-templates/root.bpf.c). */
const SLOTS = 4096;

/**
 * Brings a generation's program and fills its tables; nothing runs it yet. Where only data differ from what is loaded, the
 * program stays, with its counters and what its limits remember, and the data go into a map of their own.
 */
export async function loadProgram(
  host: Host,
  bundle: Bundle,
  generation: number,
  previous?: LoadedCustomer,
): Promise<void> {
  if (previous && sharesProgram(previous.manifest, bundle.manifest) && dataLoaded(host, previous))
    return shareProgram(host, bundle, generation, previous);
  const { loader, paths } = host;
  const { customer, tables } = bundle.manifest;
  const file = `xdp/${customer}.bpf.o`;
  const elf = await bundleBytes(bundle, file);
  const pinDir = paths.pins(customer, generation);
  const reuse = { packet: rootMap(paths, "packet") };
  await mkdir(dirname(pinDir), { recursive: true });
  await loader.loadObject({ object: { name: customer, elf }, pinDir, reuse });
  await fillTables(loader, pinDir, tables, (name) => bundleBytes(bundle, name));
}

/** The same object, and the same names for its counters. */
function sharesProgram(before: Manifest, after: Manifest): boolean {
  const file = `xdp/${after.customer}.bpf.o`;
  const { tables } = after;
  const about = ({ mitigate, firewall, tables: all }: Manifest) =>
    JSON.stringify([namesOf(mitigate), namesOf(firewall.rules), firewall.early, all]);
  const isData = tables.length > 0 && tables.every(({ kind }) => kind === "data");
  return isData && before.files[file] === after.files[file] && about(before) === about(after);
}

function namesOf(rules: Manifest["mitigate"]): readonly string[] {
  return rules.map(({ name }) => name);
}

const DATA = "map_data";

function dataLoaded({ paths }: Host, { customer, generation }: CustomerRecord): boolean {
  return existsSync(join(paths.pins(customer, generation), DATA));
}

async function shareProgram(
  { loader, paths }: Host,
  bundle: Bundle,
  generation: number,
  previous: CustomerRecord,
): Promise<void> {
  const { customer, tables } = bundle.manifest;
  const [from, to] = [paths.pins(customer, previous.generation), paths.pins(customer, generation)];
  await mkdir(to, { recursive: true });
  for (const pin of await readdir(from)) {
    if (pin === DATA) await loader.mapLike(join(from, pin), join(to, pin));
    else await link(join(from, pin), join(to, pin));
  }
  await fillTables(loader, to, tables, (name) => bundleBytes(bundle, name));
}

/** Reads a file of the bundle that the tables come from. */
export type ReadFile = (file: string) => Promise<Uint8Array>;

/** Fills the maps of a program that is pinned in `pinDir`. */
export async function fillTables(
  loader: Loader,
  pinDir: string,
  tables: Manifest["tables"],
  read: ReadFile,
): Promise<void> {
  for (const table of tables) {
    const rows = await rowsOf(table, read);
    if (rows.length > 0) await loader.updateMap(join(pinDir, `map_${table.map}`), rows);
  }
}

async function rowsOf(table: Manifest["tables"][number], read: ReadFile): Promise<readonly MapEntry[]> {
  if (table.kind === "data") return [{ key: new Uint8Array(4), value: await read(table.file) }];
  const prefixes = table.entries.map(parsePrefix).filter((prefix) => prefix !== undefined);
  return prefixes.map((prefix) => ({ key: lpmKey(prefix), value: Uint8Array.of(1) }));
}

export async function unloadProgram({ paths }: Host, customer: string, generation: number): Promise<void> {
  await rm(paths.pins(customer, generation), { recursive: true, force: true });
}

/** The first slot that no customer has. */
export function freeSlot(customers: readonly CustomerRecord[]): number {
  const taken = new Set(customers.map(({ slot }) => slot));
  for (let slot = 0; slot < SLOTS; slot++) if (!taken.has(slot)) return slot;
  throw failure("TG9012", { count: `${SLOTS}` }, "remove a customer, or move some to another node");
}

/**
 * Makes a generation's program the one that judges, with its data. One of the two is a step that packets see: a program of
 * its own has its data from the start, and a shared one is in force already.
 */
export async function useProgram(host: Host, record: CustomerRecord): Promise<void> {
  const { customer, generation, slot } = record;
  if (!(await dataInForce(host, record))) {
    const pins = host.paths.pins(customer, generation);
    await host.loader.setMap(join(pins, `${DATA}_slot`), 0, join(pins, DATA));
  }
  await host.loader.setProgram(rootMap(host.paths, "programs"), slot, programPin(host, customer, generation));
}

/** Does the program look packets up in this generation's data? Also true where it has none. */
async function dataInForce(host: Host, record: CustomerRecord): Promise<boolean> {
  if (!dataLoaded(host, record)) return true;
  const pins = host.paths.pins(record.customer, record.generation);
  const { id } = await host.loader.pinnedId(join(pins, DATA));
  const [slot] = await host.loader.dumpMap(join(pins, `${DATA}_slot`));
  return slot?.values[0]?.readUInt32LE() === id;
}

/** Empties a slot; packets that are still dispatched there are dropped. */
export async function clearSlot({ loader, paths }: Host, slot: number): Promise<void> {
  const programs = rootMap(paths, "programs");
  if (existsSync(programs)) await tolerating(["ENOENT"], loader.clearProgram(programs, slot));
}

/** Is this generation's program the one that judges? */
export async function programInForce(host: Host, record: CustomerRecord): Promise<boolean> {
  const { loader, paths } = host;
  const pin = programPin(host, record.customer, record.generation);
  const programs = rootMap(paths, "programs");
  if (!existsSync(pin) || !existsSync(programs)) return false;
  if (!(await dataInForce(host, record))) return false;
  const { id } = await loader.pinnedId(pin);
  const slots = await loader.dumpMap(programs);
  return slots.some(
    ({ key, values }) => key.readUInt32LE() === record.slot && values[0]?.readUInt32LE() === id,
  );
}

/** By rule, and as `default` what no rule decided. */
type Counters = Readonly<Record<string, Counter>>;

/** What the program counted: of `firewall` only what it dropped itself, before the namespace. */
export async function programCounters(
  { loader, paths }: Host,
  { customer, generation, manifest: { mitigate, firewall } }: LoadedCustomer,
): Promise<{ readonly mitigate: Counters; readonly firewall: Counters }> {
  const pin = join(paths.pins(customer, generation), "map_counters");
  const entries = existsSync(pin) ? await loader.dumpMap(pin) : [];
  const withDefault = (rules: typeof mitigate) => [...namesOf(rules), "default"];
  const early = firewall.early ? withDefault(firewall.rules) : [];
  return {
    mitigate: namedCounters(entries, withDefault(mitigate)),
    firewall: namedCounters(entries, early, mitigate.length + 1),
  };
}

function programPin({ paths }: Host, customer: string, generation: number): string {
  return join(paths.pins(customer, generation), "prog_tidegate_customer");
}

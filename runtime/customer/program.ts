import { existsSync } from "node:fs";
import { link, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Manifest, NodeConfig } from "../../src/targets/manifest.js";
import { type Bundle, bundleBytes } from "../bundle.js";
import { failure } from "../failures.js";
import { deadDevices } from "../health/lives.js";
import { type Host, tolerating } from "../host.js";
import type { Loader, MapEntry } from "../loader-client.js";
import { CUSTOMER_PROGRAM, stampOf, turnOf } from "../node/constants.js";
import { rootMap } from "../node/root-program.js";
import { lpmKey, parsePrefix } from "../prefix.js";
import type { CustomerRecord, Paths } from "../state.js";
import { outerSource, type Previous } from "./change.js";
import { type FastTunnels, fillTunnels, holdsTunnels, keepsHops, tunnelsWhileLive } from "./fast-path.js";

/** Slots of customers in the root program, each with two places for programs (bpf-templates/root.bpf.c). */
const SLOTS = 4096;

/**
 * The programs of a generation, and the root program's maps in which each has its place. The second one takes packets out of tunnels
 * and is only there where some are sent into them from XDP; a root program from before there was such a map has none.
 */
const PROGRAMS = [
  { name: CUSTOMER_PROGRAM, places: "programs" },
  { name: "prog_tidegate_way_back", places: "ways_back" },
] as const;

/** A generation, and where the root program looks for it. */
export type Placed = Pick<CustomerRecord, "customer" | "generation" | "slot">;

/**
 * Brings a generation's program, fills its tables and puts it in its place, where no packet comes yet. Where only data
 * differ from what is loaded, the program stays, with its counters and what its limits remember, and the data go into a
 * map of their own; a new program takes over what limits of the same terms remember.
 */
export async function loadProgram(
  host: Host,
  bundle: Bundle,
  record: Placed,
  node: NodeConfig,
  previous?: Previous,
  mend = false,
): Promise<void> {
  const before = previous && programLoaded(host, previous) ? previous : undefined;
  const shares =
    before &&
    sharesProgram(before.manifest, bundle.manifest) &&
    (!mend || bundle.manifest.datapath !== "xdp") &&
    (await fastPathInForce(host, before, bundle.manifest, node));
  if (shares) await shareProgram(host, bundle, record, before);
  else await loadNewProgram(host, bundle, record, before);
  if (!shares) await fillFastPath(host, bundle, record, node);
  await putInPlace(host, record);
}

async function loadNewProgram(
  { loader, paths }: Host,
  bundle: Bundle,
  { customer, generation }: Placed,
  previous: Previous | undefined,
): Promise<void> {
  const { tables, watched, datapath } = bundle.manifest;
  const file = `xdp/${customer}.bpf.o`;
  const elf = await bundleBytes(bundle, file);
  const pinDir = paths.pins(customer, generation);
  const kept = previous ? keptMaps(previous.manifest, bundle.manifest) : [];
  const from = previous ? paths.pins(customer, previous.generation) : "";
  // A program that an older compiler made may have fewer.
  const handedOver = kept
    .map((map) => [map, join(from, `map_${map}`)] as const)
    .filter(([, pin]) => existsSync(pin));
  const reuse = {
    ...Object.fromEntries(handedOver),
    packet: rootMap(paths, "packet"),
    ...sharedMap(paths, "watchers", watched),
    ...sharedMap(paths, "uplinks", datapath === "xdp"),
  };
  await mkdir(dirname(pinDir), { recursive: true });
  await loader.loadObject({ object: { name: customer, elf }, pinDir, reuse });
  for (const [map, pin] of handedOver) await link(pin, join(pinDir, `map_${map}`));
  await fillTables(loader, pinDir, tables, (name) => bundleBytes(bundle, name));
}

/**
 * A map that is the root program's, where a program is to have it. A root program from before there was such a map has none:
 * then nobody watches behind it, and nothing is sent on from XDP.
 */
function sharedMap(
  paths: Paths,
  name: "watchers" | "uplinks",
  asks: boolean,
): Readonly<Record<string, string>> {
  const pin = rootMap(paths, name);
  return asks && existsSync(pin) ? { [name]: pin } : {};
}

/** The outer source of tunnels over IPv4, the only ones that XDP sends into. */
function anycast4(node: NodeConfig): string | undefined {
  return outerSource(node, "0.0.0.0");
}

/** No packet comes to the program yet. */
async function fillFastPath(
  { loader, paths }: Host,
  { manifest }: Bundle,
  { customer, generation }: Placed,
  node: NodeConfig,
): Promise<void> {
  const fast = await fastTunnels(paths, manifest, node);
  if (fast) await fillTunnels(loader, paths.pins(customer, generation), fast);
}

/** What XDP is to know of the tunnels, by what is known of their routers; undefined: nothing can be sent from there. */
async function fastTunnels(
  paths: Paths,
  manifest: Manifest,
  node: NodeConfig,
): Promise<FastTunnels | undefined> {
  const anycast = anycast4(node);
  if (manifest.datapath !== "xdp" || anycast === undefined) return undefined;
  const closed = await deadDevices(paths, { ...manifest, tunnels: tunnelsWhileLive(manifest) });
  return { tunnels: manifest.tunnels, anycast, closed };
}

/**
 * Where a program sends packets on itself, does it so by these tunnels? By those that it was loaded with: the map says which, since the
 * node's anycast address may have changed without it.
 */
export async function fastPathInForce(
  { loader, paths }: Host,
  { customer, generation }: Placed,
  manifest: Manifest,
  node: NodeConfig,
): Promise<boolean> {
  const fast = await fastTunnels(paths, manifest, node);
  return !fast || holdsTunnels(loader, paths.pins(customer, generation), fast);
}

function keptMaps(before: Manifest, after: Manifest): readonly string[] {
  return [...keptLimits(before, after), ...(keepsHops(before, after) ? ["hops", "returned"] : [])];
}

/** Maps of limits whose terms stay the same: who has used up an allowance has so under the new policy, too. */
function keptLimits(before: Manifest, after: Manifest): readonly string[] {
  const terms = new Map(before.limits.map(({ map, terms }) => [map, terms]));
  return after.limits.filter((limit) => terms.get(limit.map) === limit.terms).map(({ map }) => map);
}

/** The same object, the same names for its counters, and the same lists: at most its data differ. */
function sharesProgram(before: Manifest, after: Manifest): boolean {
  const file = `xdp/${after.customer}.bpf.o`;
  const about = ({ mitigate, firewall, tables, limits }: Manifest) =>
    JSON.stringify([namesOf(mitigate), namesOf(firewall.rules), firewall.early, tables, limits]);
  return before.files[file] === after.files[file] && about(before) === about(after);
}

const DATA = "map_data";

function programLoaded({ paths }: Host, { customer, generation }: CustomerRecord): boolean {
  return existsSync(join(paths.pins(customer, generation), CUSTOMER_PROGRAM));
}

function hasData({ paths }: Host, { customer, generation }: Placed): boolean {
  return existsSync(join(paths.pins(customer, generation), DATA));
}

async function shareProgram(
  { loader, paths }: Host,
  bundle: Bundle,
  { customer, generation }: Placed,
  previous: CustomerRecord,
): Promise<void> {
  const { tables } = bundle.manifest;
  const [from, to] = [paths.pins(customer, previous.generation), paths.pins(customer, generation)];
  await mkdir(to, { recursive: true });
  for (const pin of await readdir(from)) {
    if (pin === DATA) await loader.mapLike(join(from, pin), join(to, pin));
    else await link(join(from, pin), join(to, pin));
  }
  const data = tables.filter(({ kind }) => kind === "data");
  await fillTables(loader, to, data, (name) => bundleBytes(bundle, name));
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

/** Empties a generation's place, so that what might still be sent there is dropped. */
export async function clearPlace(host: Host, record: Placed): Promise<void> {
  await clearPlaces(host, [placeOf(record)]);
}

async function clearPlaces({ loader, paths }: Host, places: readonly number[]): Promise<void> {
  for (const map of PROGRAMS.map((program) => rootMap(paths, program.places))) {
    if (!existsSync(map)) continue;
    for (const place of places) await tolerating(["ENOENT"], loader.clearProgram(map, place));
  }
}

export async function unloadProgram(
  { paths }: Host,
  { customer, generation }: Pick<Placed, "customer" | "generation">,
): Promise<void> {
  await rm(paths.pins(customer, generation), { recursive: true, force: true });
}

/** All that is pinned of a customer. */
export async function unloadPrograms({ paths }: Host, customer: string): Promise<void> {
  await rm(paths.bpf("customers", customer), { recursive: true, force: true });
}

/** The first slot that no customer has. */
export function freeSlot(customers: readonly Pick<CustomerRecord, "slot">[]): number {
  const taken = new Set(customers.map(({ slot }) => slot));
  for (let slot = 0; slot < SLOTS; slot++) if (!taken.has(slot)) return slot;
  throw failure("TG9012", { count: `${SLOTS}` }, "remove a customer, or move some to another node");
}

/** One of the two places of a customer: the root program's (bpf-templates/root.bpf.c). */
function placeOf({ slot, generation }: Placed): number {
  return slot + turnOf(generation) * SLOTS;
}

/** Where the root program finds it, and it its data, once packets bear the generation's stamp. */
async function putInPlace({ loader, paths }: Host, record: Placed): Promise<void> {
  const { customer, generation } = record;
  const pins = paths.pins(customer, generation);
  if (hasData({ loader, paths }, record))
    await loader.setMap(join(pins, `${DATA}_slot`), turnOf(generation), join(pins, DATA));
  for (const { map, pin } of ownPrograms(paths, record)) await loader.setProgram(map, placeOf(record), pin);
}

/** Those of its programs that have a place, and in which map. */
function ownPrograms(
  paths: Paths,
  { customer, generation }: Placed,
): readonly { readonly map: string; readonly pin: string }[] {
  const all = PROGRAMS.map(({ name, places }) => ({
    map: rootMap(paths, places),
    pin: join(paths.pins(customer, generation), name),
  }));
  return all.filter(({ map, pin }) => existsSync(map) && existsSync(pin));
}

/** The step that packets see: from here on they bear the stamp of this generation; 0, of none. */
export async function stampBy(
  { loader, paths }: Host,
  slot: number,
  generation: number | null,
): Promise<void> {
  const pin = rootMap(paths, "stamps");
  const value = u32(generation === null ? 0 : stampOf(generation));
  if (existsSync(pin)) await loader.updateMap(pin, [{ key: u32(slot), value }]);
}

function u32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

/** The stamp that a customer's packets get; 0: none. */
export async function stampInForce({ loader, paths }: Host, slot: number): Promise<number> {
  const pin = rootMap(paths, "stamps");
  if (!existsSync(pin)) return 0;
  const [stamp] = await loader.lookupMap(pin, [u32(slot)]);
  return stamp?.[0]?.readUInt32LE() ?? 0;
}

/** Closes a slot; packets that are still dispatched there are dropped. */
export async function clearSlot(host: Host, slot: number): Promise<void> {
  await clearPlaces(host, [slot, slot + SLOTS]);
}

/** Is this generation's program, with its data, the one that judges? */
export async function programInForce(host: Host, record: CustomerRecord): Promise<boolean> {
  const { paths } = host;
  const { customer, generation, slot } = record;
  const pins = paths.pins(customer, generation);
  const programs = rootMap(paths, "programs");
  if (!existsSync(join(pins, CUSTOMER_PROGRAM)) || !existsSync(programs)) return false;
  if ((await stampInForce(host, slot)) !== stampOf(generation)) return false;
  if (
    hasData(host, record) &&
    !(await holds(host, join(pins, `${DATA}_slot`), turnOf(generation), join(pins, DATA)))
  )
    return false;
  const held = await Promise.all(
    ownPrograms(paths, record).map(({ map, pin }) => holds(host, map, placeOf(record), pin)),
  );
  return held.every((one) => one);
}

/** Is what is pinned at `pin` in this slot of an array of programs or of maps? */
async function holds({ loader }: Host, array: string, slot: number, pin: string): Promise<boolean> {
  const [{ id }, [held]] = await Promise.all([loader.pinnedId(pin), loader.lookupMap(array, [u32(slot)])]);
  return held?.[0]?.readUInt32LE() === id;
}

export function namesOf(rules: Manifest["mitigate"]): readonly string[] {
  return rules.map(({ name }) => name);
}

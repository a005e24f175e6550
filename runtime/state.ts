import { existsSync, statSync } from "node:fs";
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Manifest, manifestSchema, nodeConfigSchema } from "../src/targets/manifest.js";
import { failure, hasErrno } from "./failures.js";
import { sha256 } from "./hash.js";
import { isWhole, type Place, readRecord, removeRecord, removeTwin, writeRecord } from "./records.js";

/** Where a node keeps what it must remember. Below /run, as the kernel forgets with it at a reboot. */
export const DEFAULT_STATE_DIR = "/run/tidegate";

export const MANIFEST_FILE = "manifest.json";

/** Says what a customer's record said of which neither copy can be read; undefined where nobody knows. */
export type Witness = (customer: string) => Promise<CustomerRecord | undefined>;

/** The state directory's layout. */
export class Paths {
  constructor(
    readonly stateDir: string,
    readonly witness: Witness = async () => undefined,
  ) {}

  readonly lock = () => join(this.stateDir, "lock");
  /** Held by who watches packets: there is one at a time. */
  readonly watchLock = () => join(this.stateDir, "watch.lock");
  /** The second copy of each record. */
  readonly twins = (...below: readonly string[]) => join(this.stateDir, "twins", ...below);
  readonly node = (): Place => ({ file: join(this.stateDir, "node.json"), twin: this.twins("node.json") });
  /** What the operator's edge.ts was read to last, by `tidegate apply`. */
  readonly edge = (): Place => ({ file: join(this.stateDir, "edge.json"), twin: this.twins("edge.json") });
  /** The socket at which the daemon takes commands; runtime/handover/main.c knows its name. */
  readonly commands = () => join(this.stateDir, "commands");
  /** What the daemon made of the revisions of its store. */
  readonly daemon = () => join(this.stateDir, "daemon.json");
  /** Bundles on their way from a store to `apply`. */
  readonly incoming = (...below: readonly string[]) => join(this.stateDir, "incoming", ...below);
  /** Our own BPF file system: /sys/fs/bpf is not to be seen from everywhere (ip-netns(8) remounts /sys). */
  readonly bpf = (...below: readonly string[]) => join(this.stateDir, "bpf", ...below);
  readonly customers = () => join(this.stateDir, "customers");
  readonly customer = (name: string, ...below: readonly string[]) => join(this.customers(), name, ...below);
  readonly record = (name: string): Place => ({
    file: this.customer(name, "state.json"),
    twin: this.twins("customers", name, "state.json"),
  });
  /** The note of a change under way. All are in one folder: who takes the lock asks whether there is any. */
  readonly note = (name: string): Place => ({
    file: this.notes(`${name}.json`),
    twin: this.twins("notes", `${name}.json`),
  });
  readonly notes = (...below: readonly string[]) => join(this.stateDir, "notes", ...below);
  /** What was found out about the customer's routers (health/lives.ts). */
  readonly lives = (name: string) => this.customer(name, "health.json");
  /** How the probes fare of those who ask (health/report.ts). */
  readonly probes = () => join(this.stateDir, "probes.json");
  readonly bundle = (name: string, generation: number) => this.customer(name, `bundle-${generation}`);
  /** The bundle that was in force before the one that is. */
  readonly earlier = (name: string, generation: number) => this.customer(name, `earlier-${generation}`);
  /** Pins of one generation's program and maps. */
  readonly pins = (name: string, generation: number) => this.bpf("customers", name, String(generation));
}

const nodeStateSchema = z.strictObject({
  config: nodeConfigSchema,
  gre: z.enum(["kernel", "ebpf"]),
  /** Names of the node's parts that Tidegate brought up, and so takes down again. */
  added: z.array(z.string()),
  /**
   * The node is on its way here from another configuration, with a customer's change: noted before anything is made, and gone when
   * what only one of both asks for is.
   */
  change: z
    .strictObject({ from: nodeConfigSchema, customer: z.string(), generation: z.int().positive() })
    .optional(),
});
export type NodeState = z.infer<typeof nodeStateSchema>;

const countersSchema = z.record(
  z.string(),
  z.strictObject({ packets: z.int().nonnegative(), bytes: z.int().nonnegative() }),
);

const recordSchema = z.strictObject({
  customer: z.string(),
  /** Counts the customer's changes on this node, from 1. */
  generation: z.int().positive(),
  /** SHA-256 of manifest.json, which holds those of all the other files. */
  hash: z.string(),
  /** Index in the root program's table of customers. */
  slot: z.int().nonnegative(),
  /** ISO 8601, UTC. */
  since: z.string(),
  /** What others may not have: so that it is known even where the stored manifest is damaged. */
  holds: manifestSchema.pick({ namespace: true, link: true, prefixes: true, tunnels: true }),
  /**
   * What programs of earlier generations counted, in maps with these ids: those go, and are not counted again. `sent`: into tunnels, by
   * their devices; `returned`: out of them, likewise; `other`: as the namespace counts besides rules.
   */
  counted: z
    .strictObject({
      maps: z.array(z.int()),
      mitigate: countersSchema,
      firewall: countersSchema,
      sent: countersSchema.optional(),
      returned: countersSchema.optional(),
      other: countersSchema.optional(),
    })
    .optional(),
});
export type CustomerRecord = z.infer<typeof recordSchema>;

/** One loaded customer: the record of its generation, and the manifest of its bundle, or what the record says of it. */
export interface LoadedCustomer extends CustomerRecord {
  readonly manifest: Manifest;
}

/** The node's state as it was read or written last, by state directory, and what its two copies were like. */
const seenNode = new Map<string, { readonly stamps: string; readonly state: NodeState }>();

/** What is recorded of the node; undefined where nothing is loaded. */
export async function readNodeState(paths: Paths): Promise<NodeState | undefined> {
  const before = seenNode.get(paths.stateDir);
  const stamps = stampsOf(paths.node());
  if (before && before.stamps === stamps) return before.state;
  const state = await readRecord(paths.node(), nodeStateSchema);
  if (!state && (await readCustomers(paths)).length > 0) {
    const problem = "it is missing, though customers are loaded";
    throw failure("TG9011", { file: paths.node().file, problem });
  }
  return state;
}

/** Both copies, unless they are already as this process has left them. */
export async function writeNodeState(paths: Paths, state: NodeState): Promise<void> {
  const before = seenNode.get(paths.stateDir);
  if (before?.state === state && before.stamps === stampsOf(paths.node())) return;
  await writeRecord(paths.node(), nodeStateSchema.parse(state));
  const stamps = stampsOf(paths.node());
  if (stamps !== null) seenNode.set(paths.stateDir, { stamps, state });
}

export function isNodeStateWhole(paths: Paths): Promise<boolean> {
  return isWhole(paths.node(), nodeStateSchema);
}

/** A customer as it was read, and what its record was like; null: it is to be read again. */
interface Seen {
  readonly file: string;
  readonly stamp: string | null;
  readonly loaded: LoadedCustomer;
}

/** What was read of each customer, by state directory: a change of one of a thousand reads what is new, and looks at the rest. */
const seen = new Map<string, ReadonlyMap<string, Seen>>();

/** All customers loaded on this node, by name. */
export async function readCustomers(paths: Paths): Promise<readonly LoadedCustomer[]> {
  const before = seen.get(paths.stateDir);
  const now = new Map<string, Seen>();
  for (const name of await customerNames(paths)) {
    const old = before?.get(name);
    const isSame = old && old.stamp !== null && old.stamp === stampOf(old.file);
    const customer = isSame ? old : await seeCustomer(paths, name);
    if (customer) now.set(name, customer);
  }
  seen.set(paths.stateDir, now);
  return [...now.values()].map(({ loaded }) => loaded);
}

/** One of them; undefined where it is not loaded. Where nothing is new, it is what was read before. */
export async function readCustomer(paths: Paths, name: string): Promise<LoadedCustomer | undefined> {
  const old = seen.get(paths.stateDir)?.get(name);
  const isSame = old && old.stamp !== null && old.stamp === stampOf(old.file);
  return isSame ? old.loaded : (await seeCustomer(paths, name))?.loaded;
}

/** The record that a loaded customer was read from. */
export function recordOf({ manifest: _, ...record }: LoadedCustomer): CustomerRecord {
  return record;
}

async function seeCustomer(paths: Paths, name: string): Promise<Seen | undefined> {
  const place = paths.record(name);
  const { file } = place;
  const stamp = stampOf(file);
  const record = await readRecord(place, recordSchema, ownedBy(name)).catch(async (damage: unknown) => {
    const rebuilt = await paths.witness(name);
    if (rebuilt) return rebuilt;
    throw damage;
  });
  // Where both copies have gone, and no change is noted that would take them away, they are damaged, too.
  const known = record ?? (isThere(paths.note(name)) ? undefined : await paths.witness(name));
  if (!known) return undefined;
  const { customer, generation, hash } = known;
  const manifest = await storedManifest(paths, customer, generation, hash);
  // What a generation's manifest says never changes; one that is damaged may be mended.
  if (manifest) return { file, stamp, loaded: { ...known, manifest } };
  return { file, stamp: null, loaded: { ...known, manifest: whatIsHeld(known) } };
}

function stampsOf({ file, twin }: Place): string | null {
  const [own, other] = [stampOf(file), stampOf(twin)];
  return own === null || other === null ? null : `${own} ${other}`;
}

/** A file that is the one from before need not be read again: ours are replaced, and never written in place. */
function stampOf(file: string): string | null {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return null;
  }
}

function manifestFile(
  paths: Paths,
  { customer, generation }: Pick<CustomerRecord, "customer" | "generation">,
): string {
  return join(paths.bundle(customer, generation), MANIFEST_FILE);
}

/** Those with a folder, or with a second copy of their record. */
export async function customerNames(paths: Paths): Promise<readonly string[]> {
  const folders = [paths.customers(), paths.twins("customers")];
  const names = await Promise.all(folders.map((folder) => entriesOf(folder)));
  return [...new Set(names.flat())].sort();
}

/** A record that lies in another customer's folder is none. */
export function ownedBy(name: string): (record: Pick<CustomerRecord, "customer">) => string | null {
  return ({ customer }) => (customer === name ? null : "it is another customer's");
}

/** What is in a folder; nothing, if there is none. */
export async function entriesOf(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  });
}

const NO_HASH = "0".repeat(64);

/** In place of a manifest that is damaged, which is drift that others find: nothing is known of rules, and what is held is. */
function whatIsHeld({ customer, holds }: CustomerRecord): Manifest {
  return manifestSchema.parse({
    ...{ schema: 1, compiler: "", customer, ...holds, source: { file: "", sha256: NO_HASH } },
    ...{ mitigate: [], firewall: { default: "drop", rules: [] }, tables: [], files: {} },
  });
}

/** What others may not have of what a customer's bundle asks for. */
export function holdsOf({ namespace, link, prefixes, tunnels }: Manifest): CustomerRecord["holds"] {
  return { namespace, link, prefixes, tunnels };
}

/** The manifest of a stored generation; undefined where its bundle is not whole, or not the one of this hash. */
export async function storedManifest(
  paths: Paths,
  customer: string,
  generation: number,
  hash?: string,
): Promise<Manifest | undefined> {
  const bytes = await readFile(manifestFile(paths, { customer, generation })).catch(() => null);
  if (!bytes || (hash !== undefined && sha256(bytes) !== hash)) return undefined;
  return parsedOrNot(() => manifestSchema.parse(JSON.parse(bytes.toString())));
}

function parsedOrNot<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

/** The generations of a customer whose bundle is stored: more than one only while a change is under way. */
export async function storedGenerations(paths: Paths, name: string): Promise<readonly number[]> {
  const entries = await entriesOf(paths.customer(name));
  return entries.flatMap((entry) => /^bundle-(\d+)$/.exec(entry)?.[1] ?? []).map(Number);
}

export async function recordCustomer(paths: Paths, record: CustomerRecord): Promise<void> {
  await writeRecord(paths.record(record.customer), recordSchema.parse(record));
}

export async function forgetRecord(paths: Paths, customer: string): Promise<void> {
  await removeRecord(paths.record(customer));
}

/** Those of whom there is a record, whole or not, or of whom there should be one. */
export async function recordedNames(paths: Paths): Promise<readonly string[]> {
  const names: string[] = [];
  for (const name of await customerNames(paths)) {
    const isLost = async () =>
      !isThere(paths.note(name)) && (await storedGenerations(paths, name)).length > 0;
    if (isThere(paths.record(name)) || (await isLost())) names.push(name);
  }
  return names;
}

export function isThere({ file, twin }: Place): boolean {
  return existsSync(file) || existsSync(twin);
}

/** Are the customer's own records whole, both copies of them? */
export function isRecordWhole(paths: Paths, customer: string): Promise<boolean> {
  return isWhole(paths.record(customer), recordSchema);
}

/**
 * Forgets a customer: its record first, so that nothing ever points at a bundle that is gone, and what says that there was
 * something to do last.
 */
export async function forgetCustomer(paths: Paths, name: string): Promise<void> {
  await removeRecord(paths.record(name));
  for (const folder of [paths.twins("customers", name), paths.customer(name)])
    await rm(folder, { recursive: true, force: true });
  await removeRecord(paths.note(name));
}

/** For a node without customers. The record goes last: without it nobody would look for what is left. */
export async function forgetNode(paths: Paths): Promise<void> {
  await removeTwin(paths.node());
  await removeRecord(paths.edge());
  const twins = [paths.twins("customers"), paths.twins("notes"), paths.twins()];
  for (const folder of [...twins, paths.customers(), paths.notes()])
    await rmdir(folder).catch(() => undefined);
  await removeRecord(paths.node());
}

import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Manifest, manifestSchema, nodeConfigSchema } from "../src/targets/manifest.js";
import { syncFolder } from "./durable.js";
import { causeOf, failure } from "./failures.js";

/** Where a node keeps what it must remember. Below /run, as the kernel forgets with it at a reboot. */
export const DEFAULT_STATE_DIR = "/run/tidegate";

export const MANIFEST_FILE = "manifest.json";

const INTENT = "change.json";

/** The state directory's layout. */
export class Paths {
  constructor(readonly stateDir: string) {}

  readonly lock = () => join(this.stateDir, "lock");
  /** Held by who watches packets: there is one at a time. */
  readonly watchLock = () => join(this.stateDir, "watch.lock");
  readonly node = () => join(this.stateDir, "node.json");
  /** What the daemon made of the revisions of its store. */
  readonly daemon = () => join(this.stateDir, "daemon.json");
  /** Bundles on their way from a store to `apply`. */
  readonly incoming = (...below: readonly string[]) => join(this.stateDir, "incoming", ...below);
  /** Our own BPF file system: /sys/fs/bpf is not to be seen from everywhere (ip-netns(8) remounts /sys). */
  readonly bpf = (...below: readonly string[]) => join(this.stateDir, "bpf", ...below);
  readonly customers = () => join(this.stateDir, "customers");
  readonly customer = (name: string, ...below: readonly string[]) => join(this.customers(), name, ...below);
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
  /** What programs of earlier generations counted, in maps with these ids: those go, and are not counted again. */
  counted: z
    .strictObject({ maps: z.array(z.int()), mitigate: countersSchema, firewall: countersSchema })
    .optional(),
});
export type CustomerRecord = z.infer<typeof recordSchema>;

const intentSchema = recordSchema
  .pick({ customer: true, generation: true, slot: true })
  .extend({ removal: z.boolean().default(false) });
/** A change, or a removal, that has been begun: written before anything is made, and forgotten when nothing is left to do. */
export type Intent = z.infer<typeof intentSchema>;

/** One loaded customer: the record of its generation, and the manifest of its bundle. */
export interface LoadedCustomer extends CustomerRecord {
  readonly manifest: Manifest;
}

/** What is recorded of the node; undefined where nothing is loaded. */
export async function readNodeState(paths: Paths): Promise<NodeState | undefined> {
  const state = await readJson(paths.node(), nodeStateSchema);
  if (!state && (await readCustomers(paths)).length > 0)
    throw failure("TG9011", { file: paths.node(), problem: "it is missing, though customers are loaded" });
  return state;
}

export async function writeNodeState(paths: Paths, state: NodeState): Promise<void> {
  await writeJson(paths.node(), state);
}

/** A file as it was read, and how it is told from what may have taken its place since. */
interface Seen<T> {
  readonly stamp: string;
  readonly value: T;
}

interface SeenCustomer {
  readonly record: Seen<CustomerRecord>;
  readonly manifest: Seen<Manifest>;
  readonly loaded: LoadedCustomer;
}

/** What was read of each customer, by folder: a change of one of a thousand reads what is new, and looks at the rest. */
const seen = new Map<string, ReadonlyMap<string, SeenCustomer>>();

/** All customers loaded on this node, by name. */
export async function readCustomers(paths: Paths): Promise<readonly LoadedCustomer[]> {
  const names = await readdir(paths.customers()).catch(() => []);
  const before = seen.get(paths.customers());
  const now = new Map<string, SeenCustomer>();
  for (const name of [...names].sort()) {
    const customer = readCustomer(paths, name, before?.get(name));
    if (customer) now.set(name, customer);
  }
  seen.set(paths.customers(), now);
  return [...now.values()].map(({ loaded }) => loaded);
}

function readCustomer(paths: Paths, name: string, before?: SeenCustomer): SeenCustomer | undefined {
  const record = readAnew(paths.customer(name, "state.json"), recordSchema, before?.record);
  if (!record) return undefined;
  const file = join(paths.bundle(name, record.value.generation), MANIFEST_FILE);
  const manifest = readAnew(file, manifestSchema, before?.manifest);
  if (!manifest) throw failure("TG9011", { file, problem: "it is missing" });
  if (before && record === before.record && manifest === before.manifest) return before;
  return { record, manifest, loaded: { ...record.value, manifest: manifest.value } };
}

/** The manifest of a stored generation; undefined where its bundle is not whole. */
export async function storedManifest(
  paths: Paths,
  customer: string,
  generation: number,
): Promise<Manifest | undefined> {
  const file = join(paths.bundle(customer, generation), MANIFEST_FILE);
  return readJson(file, manifestSchema).catch(() => undefined);
}

/** The generations of a customer whose bundle is stored: more than one only while a change is under way. */
export async function storedGenerations(paths: Paths, name: string): Promise<readonly number[]> {
  const entries = await readdir(paths.customer(name)).catch(() => []);
  return entries.flatMap((entry) => /^bundle-(\d+)$/.exec(entry)?.[1] ?? []).map(Number);
}

export async function writeRecord(paths: Paths, record: CustomerRecord): Promise<void> {
  await writeJson(paths.customer(record.customer, "state.json"), recordSchema.parse(record));
}

export async function writeIntent(
  paths: Paths,
  { customer, generation, slot, removal }: Intent,
): Promise<void> {
  const intent = intentSchema.parse({ customer, generation, slot, removal });
  await writeJson(paths.customer(customer, INTENT), intent);
}

/** `keep`: something else of the customer is stored. */
export async function forgetIntent(
  paths: Paths,
  { customer }: Pick<Intent, "customer">,
  keep: boolean,
): Promise<void> {
  const path = keep ? paths.customer(customer, INTENT) : paths.customer(customer);
  await rm(path, { recursive: !keep, force: true });
}

/** The changes under way, of all customers or of one; while nobody holds the lock, those of runs that were killed. */
export async function readIntents(paths: Paths, customer?: string): Promise<readonly Intent[]> {
  const all = async () => (await readdir(paths.customers()).catch(() => [])).sort();
  const intents: Intent[] = [];
  for (const name of customer === undefined ? await all() : [customer]) {
    const file = paths.customer(name, INTENT);
    // There is hardly ever one, and a look costs a tenth of what a try to read costs.
    const intent = existsSync(file) ? await readJson(file, intentSchema) : undefined;
    if (intent) intents.push(intent);
  }
  return intents;
}

/** Forgets a customer: its record first, so that nothing ever points at a bundle that is gone. */
export async function forgetCustomer(paths: Paths, name: string): Promise<void> {
  await rm(paths.customer(name, "state.json"), { force: true });
  await rm(paths.customer(name), { recursive: true, force: true });
}

/** For a node without customers. */
export async function forgetNode(paths: Paths): Promise<void> {
  await rm(paths.node(), { force: true });
  await rmdir(paths.customers()).catch(() => undefined);
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    return absentOr(file, error);
  }
}

/** A file that is the one from before need not be read again: ours are replaced, and never written in place. */
function readAnew<T>(file: string, schema: z.ZodType<T>, before?: Seen<T>): Seen<T> | undefined {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file);
    const stamp = [file, ino, size, mtimeMs, ctimeMs].join(" ");
    if (before?.stamp === stamp) return before;
    return { stamp, value: schema.parse(JSON.parse(readFileSync(file, "utf8"))) };
  } catch (error) {
    return absentOr(file, error);
  }
}

/** undefined where there is no such file; else throws. */
function absentOr(file: string, error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw failure("TG9011", { file, problem: causeOf(error) });
}

/** Written beside and renamed, so that a reader sees the old file or the new one, also after a power failure. */
async function writeJson(file: string, value: unknown): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { flush: true });
  await rename(`${file}.new`, file);
  await syncFolder(folder);
}

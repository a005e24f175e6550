import { mkdtempSync, rmSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Applied } from "../../runtime/apply.js";
import type { Engine, EngineOptions, Found, InForce } from "../../runtime/daemon/engine.js";
import { Memory } from "../../runtime/daemon/memory.js";
import { Reconciler } from "../../runtime/daemon/reconciler.js";
import { failure } from "../../runtime/failures.js";
import type { Store } from "../../runtime/store/store.js";
import type { NodeConfig } from "../../src/targets/manifest.js";
import { memoryStore } from "./memory-store.js";
import { CONTENT, MANIFEST, sha256, spelled } from "./tiny-bundle.js";

/** Of a node that takes what it is given, unless it was told to refuse. */
export class FakeEngine implements Engine {
  /** All that was asked of it that changes something: `apply acme v2`, `remove acme`. */
  readonly did: string[] = [];
  readonly #folder: string;
  readonly #customers = new Map<string, InForce & { readonly version: string }>();
  #node: NodeConfig | undefined;
  /** Throws, or waits, before a customer is changed. */
  before: (customer: string, version: string) => void | Promise<void> = () => {};
  /** What a look finds to be missing, by customer; of the node itself by "". */
  missing = new Map<string, readonly string[]>();
  /** Customers whose copy on the node cannot be read. */
  readonly damaged = new Set<string>();
  /** Ends that failed, and what ending them again throws, if anything. */
  readonly failedEnds = new Map<string, unknown>();
  endsAgain: () => void = () => {};
  /** What others do at the end of a look. */
  afterLook: () => Promise<void> = async () => {};
  /** What every change has to say. */
  warnings: Applied["warnings"] = [];
  /** Which customers each look was about. */
  readonly looks: (readonly string[])[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What runs of each customer. */
  get versions(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#customers].map(([customer, { version }]) => [customer, version]));
  }

  async apply(bundle: string, node: NodeConfig, { onlyOver }: EngineOptions = {}): Promise<Applied> {
    const { customer, version, hash } = await this.#bundleIn(bundle);
    const there = this.#customers.get(customer);
    if (onlyOver !== undefined && there?.hash !== onlyOver) {
      const generation = there?.generation ?? 0;
      const nothing = { changed: false, signedBy: null, drift: [], warnings: [] };
      return { customer, generation, hash, ...nothing, overtaken: true };
    }
    this.did.push(`apply ${customer} ${version}`);
    await this.before(customer, version);
    const current = this.#customers.get(customer);
    const drift = [...(this.missing.get(customer) ?? []), ...(this.missing.get("") ?? [])];
    const sameNode = JSON.stringify(node) === JSON.stringify(this.#node);
    const changed = current?.hash !== hash || drift.length > 0 || !sameNode;
    const generation = (current?.generation ?? 0) + (changed ? 1 : 0);
    this.#customers.set(customer, { customer, generation, hash, version });
    this.#node = node;
    this.missing.delete(customer);
    this.missing.delete("");
    return { customer, changed, generation, hash, signedBy: null, drift, warnings: this.warnings };
  }

  /** As `tidegate apply` does, beside the reconciler. */
  byHand(customer: string, version: string): Promise<Applied> {
    return this.apply(`stored ${customer} ${version}`, this.#node ?? NODE);
  }

  async remove(customer: string): Promise<boolean> {
    this.did.push(`remove ${customer}`);
    await this.before(customer, "none");
    return this.#customers.delete(customer);
  }

  unended(): ReadonlyMap<string, unknown> {
    const taken = new Map(this.failedEnds);
    this.failedEnds.clear();
    return taken;
  }

  async endChanges(): Promise<void> {
    this.did.push("end changes");
    this.endsAgain();
  }

  async inForce(): Promise<readonly InForce[]> {
    return [...this.#customers.values()];
  }

  async nodeInForce(): Promise<NodeConfig | undefined> {
    return this.#node;
  }

  async look(customers: ReadonlySet<string>): Promise<Found> {
    this.looks.push([...customers]);
    const found = [...this.#customers.values()].filter(({ customer }) => customers.has(customer));
    const drift = found.map((one) => ({ ...one, drift: this.missing.get(one.customer) ?? [] }));
    const warnings = new Map([...this.#customers.keys()].map((customer) => [customer, this.warnings]));
    await this.afterLook();
    return { node: this.missing.get("") ?? [], customers: drift, warnings };
  }

  async storedBundle({ customer }: InForce): Promise<string | undefined> {
    const current = this.#customers.get(customer);
    return this.damaged.has(customer) ? undefined : `stored ${customer} ${current?.version}`;
  }

  incoming(customer: string): string {
    return join(this.#folder, customer);
  }

  clearIncoming(customer: string): Promise<void> {
    return rm(this.incoming(customer), { recursive: true, force: true });
  }

  async #bundleIn(folder: string) {
    const [, customer, version] = /^stored (\S+) (\S+)$/.exec(folder) ?? [];
    if (customer !== undefined && version !== undefined)
      return { customer, version, hash: sha256(manifestOf(customer, version)) };
    const text = await readFile(join(folder, "manifest.json"), "utf8");
    const { customer: name, compiler } = JSON.parse(text);
    return { customer: name, version: compiler, hash: sha256(text) };
  }
}

function manifestOf(customer: string, version: string): string {
  const own = { customer, namespace: `tg-${customer}`, link: `tg-${customer}` };
  return spelled({ ...MANIFEST, ...own, compiler: version });
}

export const NODE: NodeConfig = { schema: 1, uplinks: ["up0"], anycast: [], owners: {} };

/** A node, a store and a clock of the test's own, and the reconciler between them. */
export class Reconciling {
  readonly folder = mkdtempSync(join(tmpdir(), "tidegate-reconciler-"));
  readonly engine = new FakeEngine(join(this.folder, "incoming"));
  readonly blobs = memoryStore();
  /** What the reconciler sees of the store; tests break it. */
  store: Store = this.blobs;
  /** Milliseconds. */
  now = 1_000_000;
  isStopping = false;
  /** `info acme: …`, until `said` takes them. */
  #lines: string[] = [];
  /** What the metrics were told. */
  readonly heard: string[] = [];

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  get memoryFile(): string {
    return join(this.folder, "daemon.json");
  }

  /** As a daemon has one that has just started: it knows what lies on disk. */
  async start(): Promise<Reconciler> {
    const { memory } = await Memory.read(this.memoryFile);
    const proxy: Store = {
      ...this.blobs,
      heads: () => this.store.heads(),
      head: (customer) => this.store.head(customer),
      blob: (hash) => this.store.blob(hash),
    };
    return new Reconciler({
      store: proxy,
      engine: this.engine,
      memory,
      say: (level, text) => void this.#lines.push(`${level} ${text.split("\n")[0]}`),
      observer: {
        applied: (customer, ms) => void this.heard.push(`applied ${customer} ${ms}`),
        failed: (customer, code, ms) => void this.heard.push(`failed ${customer} ${code} ${ms}`),
        removed: (customer) => void this.heard.push(`removed ${customer}`),
        drift: (customer, missing) => void this.heard.push(`drift ${customer} ${missing}`),
        waiting: (customers) => void this.heard.push(`waiting ${customers}`),
      },
      now: () => this.now,
      isStopping: () => this.isStopping,
    });
  }

  /** Publishes a bundle that differs from others by its version, or (null) the customer's removal; gives the revision. */
  async publish(customer: string, version: string | null): Promise<number> {
    const { blobs } = this;
    const after = (await blobs.heads()).get(customer) ?? 0;
    if (version === null) return (await blobs.publish(customer, { kind: "removed" }, after)).revision;
    const manifest = await blobs.putBlob(Buffer.from(manifestOf(customer, version)));
    const files = { "manifest.json": manifest, "nft/acme.nft": await blobs.putBlob(Buffer.from(CONTENT)) };
    return (await blobs.publish(customer, { kind: "bundle", files }, after)).revision;
  }

  /** Makes the node refuse these versions (`none`: removals) from now on: for good, or as it may pass. */
  refuse(code: "TG5007" | "TG9015", ...versions: readonly string[]): void {
    this.engine.before = (customer, version) => {
      if (!versions.includes(version)) return;
      throw code === "TG5007"
        ? failure(code, { customer, prefix: "192.0.2.0/24" })
        : failure(code, { cause: "no memory" });
    };
  }

  /** The node takes everything again. */
  accept(): void {
    this.engine.before = () => {};
  }

  /** What was said since the last time. */
  said(): readonly string[] {
    return this.#lines.splice(0);
  }

  /** What was done to the node since the last time. */
  did(): readonly string[] {
    return this.engine.did.splice(0);
  }
}

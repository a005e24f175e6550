import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { namespaceFile } from "../command.js";
import type { Say } from "../daemon/journal.js";
import { causeOf } from "../failures.js";
import { customersInForce } from "../host.js";
import { type LoadedCustomer, Paths } from "../state.js";
import { askedBy, lifeOf, livesAfter, readLives } from "./lives.js";
import { nonceIn, OPENING } from "./probe-packet.js";
import { REPORT_MS, type Report, writeReport } from "./report.js";
import { Sender } from "./sender.js";
import { TunnelProber, type TunnelRow } from "./tunnel-prober.js";
import { Turns } from "./turns.js";

export interface ProberOptions {
  readonly stateDir: string;
  readonly say: Say;
  /** The addresses of this server that answers come to; without one of a family, the kernel's choice. */
  readonly probeFrom: readonly string[];
}

/** One tunnel that is asked about. */
interface Asked {
  readonly customer: string;
  readonly namespace: string;
  readonly row: TunnelRow;
  /** What makes it another one. */
  readonly terms: string;
  readonly prober: TunnelProber;
}

/** How often it is looked whom there is to ask. */
const REFRESH_MS = 2000;

/** How long the kernel's choice of an own address is taken for granted. */
const OWN_ADDRESS_MS = 30_000;

/**
 * Asks the routers of all tunnels in force that say so, and has the routing tables go by what they answer. Each server does so
 * for itself. When it ends everything stays as it was found last.
 */
export class Prober {
  readonly #options: ProberOptions;
  readonly #paths: Paths;
  readonly #asked = new Map<string, Asked>();
  readonly #waiting = new Map<string, (at: bigint) => void>();
  readonly #turns: Turns;
  /** Of each customer, the one that was seen last. */
  readonly #generations = new Map<string, number>();
  readonly #own = new Map<string, { readonly until: number; readonly address: Promise<string> }>();
  #sender: Promise<Sender> | undefined;
  #told = "";
  #stopping = false;
  #wake = () => {};

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#paths = new Paths(options.stateDir);
    this.#turns = new Turns({ ...options, lifeOf: (customer, row) => this.#lifeOf(customer, row) });
  }

  /** Until `stop`. Never throws: whatever fails is said, and tried again. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const failed = await this.#refresh().then(
        () => "",
        (error: unknown) => causeOf(error),
      );
      if (failed !== this.#told && failed !== "")
        this.#options.say("warning", `routers cannot be asked: ${failed}`);
      this.#told = failed;
      await this.#sleep();
    }
    for (const { prober } of this.#asked.values()) prober.stop();
    await this.#turns.end();
    await this.#sender?.then(
      (sender) => sender.close(),
      () => undefined,
    );
  }

  stop(): void {
    this.#stopping = true;
    this.#wake();
  }

  /** How all probes fare now. */
  report(): Report["customers"] {
    const customers: Record<string, Record<string, TunnelProber["probes"]>> = {};
    for (const { customer, row, prober } of this.#asked.values()) {
      customers[customer] = { ...customers[customer], [row.name]: prober.probes };
    }
    return customers;
  }

  async #refresh(): Promise<void> {
    const seen = new Set<string>();
    const inForce = await customersInForce(this.#options.stateDir);
    for (const loaded of inForce) {
      let isNew = false;
      for (const row of loaded.manifest.tunnels) {
        if (!row.health) continue;
        seen.add(keyOf(loaded.customer, row.name));
        isNew = (await this.#follow(loaded, row)) || isNew;
      }
      if (isNew || this.#hasChangedAround(loaded) || (await this.#isForgotten(loaded)))
        this.#turns.sync(loaded.customer);
    }
    this.#forgetBut(new Set(inForce.map(({ customer }) => customer)));
    for (const [key, asked] of this.#asked) if (!seen.has(key)) await this.#forget(key, asked);
    if (this.#asked.size > 0) await writeReport(this.#paths, this.report());
  }

  /** A change while some router is dead: other prefixes may be black holes then, which is to be said. */
  #hasChangedAround({ customer, generation, manifest }: LoadedCustomer): boolean {
    const before = this.#generations.get(customer);
    this.#generations.set(customer, generation);
    const isDead = (row: TunnelRow) => this.#lifeOf(customer, row) === "dead";
    return before !== generation && manifest.tunnels.some(isDead);
  }

  /** What is on record is not what was found out: it was damaged, or is about to be written anyway. */
  async #isForgotten({ customer, manifest }: LoadedCustomer): Promise<boolean> {
    if (!manifest.tunnels.some(({ health }) => health)) return false;
    const lives = await readLives(this.#paths, customer);
    const known = livesAfter(manifest, lives, (row) => this.#lifeOf(customer, row), "");
    return !isDeepStrictEqual(known, lives);
  }

  /** Who comes back some day begins anew. */
  #forgetBut(inForce: ReadonlySet<string>): void {
    for (const customer of this.#generations.keys()) {
      if (inForce.has(customer)) continue;
      this.#generations.delete(customer);
      this.#turns.forget(customer);
    }
  }

  /** Begins to ask, and begins anew where somebody else is to be asked, or otherwise. Whether it did. */
  async #follow({ customer, manifest }: LoadedCustomer, row: TunnelRow): Promise<boolean> {
    const { namespace } = manifest;
    const { health } = row;
    const key = keyOf(customer, row.name);
    const terms = JSON.stringify([namespace, row.device, askedBy(row), health]);
    const before = this.#asked.get(key);
    if (!health || before?.terms === terms) return false;
    before?.prober.stop();
    const known = lifeOf(row, await readLives(this.#paths, customer));
    const file = namespaceFile(namespace);
    const prober = new TunnelProber({
      ...{ row, health, life: known?.life ?? "unknown", chance: Math.random },
      send: (packet) => this.#listening().then((one) => one.send(file, row.device, packet)),
      ownAddress: (destination) => this.#ownAddress(destination),
      waiting: this.#waiting,
      changed: (life, was) => this.#turns.note({ customer, row, life, was }),
    });
    this.#asked.set(key, { customer, namespace, row, terms, prober });
    return true;
  }

  async #forget(key: string, { namespace, prober }: Asked): Promise<void> {
    prober.stop();
    this.#asked.delete(key);
    const isUsed = [...this.#asked.values()].some((other) => other.namespace === namespace);
    if (!isUsed || !existsSync(namespaceFile(namespace)))
      await (await this.#listening()).forget(namespaceFile(namespace));
  }

  /** A tunnel of the same name to somebody else is not asked about yet. */
  #lifeOf(customer: string, row: TunnelRow): TunnelProber["life"] | undefined {
    const asked = this.#asked.get(keyOf(customer, row.name));
    return asked && askedBy(asked.row) === askedBy(row) ? asked.prober.life : undefined;
  }

  /** The sender, started when it is needed first, and again when it has died. Who asks meanwhile gets the same one. */
  #listening(): Promise<Sender> {
    const before = this.#sender;
    const sender = this.#stillOr(before);
    this.#sender = sender;
    return sender;
  }

  async #stillOr(before: Promise<Sender> | undefined): Promise<Sender> {
    const sender = await before?.catch(() => undefined);
    if (sender?.alive) return sender;
    return Sender.start(OPENING, (payload, at) => this.#heard(payload, at));
  }

  #heard(payload: Buffer, at: bigint): void {
    const nonce = nonceIn(payload);
    if (nonce !== undefined) this.#waiting.get(nonce)?.(at);
  }

  #ownAddress(destination: string): Promise<string> {
    const isIpv6 = (address: string) => address.includes(":");
    const said = this.#options.probeFrom.find((address) => isIpv6(address) === isIpv6(destination));
    if (said !== undefined) return Promise.resolve(said);
    const known = this.#own.get(destination);
    if (known && known.until > performance.now()) return known.address;
    const address = this.#listening().then((sender) => sender.ownAddress(destination));
    this.#own.set(destination, { until: performance.now() + OWN_ADDRESS_MS, address });
    // One that fails is asked for again with the next probe.
    address.catch(() => this.#own.delete(destination));
    return address;
  }

  async #sleep(): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(REFRESH_MS, REPORT_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}

function keyOf(customer: string, tunnel: string): string {
  return `${customer} ${tunnel}`;
}

import type { Manifest } from "../../src/targets/manifest.js";
import { addressBytes } from "../prefix.js";
import { after, type Life, type Liveness, startingAs } from "./liveness.js";
import { freshNonce, probeBytes } from "./probe-packet.js";
import type { Probes } from "./report.js";

export type TunnelRow = Manifest["tunnels"][number];
type Terms = NonNullable<TunnelRow["health"]>;

export interface TunnelProberOptions {
  readonly row: TunnelRow;
  readonly health: Terms;
  /** What was known before. */
  readonly life: Life;
  /** Puts a packet into the tunnel; rejects where that cannot be done. */
  readonly send: (packet: Uint8Array) => Promise<void>;
  /** The server's own address, to which answers come that are asked for from there; rejects where there is none. */
  readonly ownAddress: (destination: string) => Promise<string>;
  /** Those who wait for an answer, by what it must bring back; shared by all tunnels. */
  readonly waiting: Map<string, (at: bigint) => void>;
  /** Hears when another thing is thought of the router. */
  readonly changed: (life: Life, before: Life) => void;
  /** A number from 0 up to 1. */
  readonly chance: () => number;
}

const NS_OF_MS = 1_000_000;

/** Intervals are this part shorter or longer, so that servers do not fall into step. */
const JITTER = 0.1;

/** Asks one tunnel's router again and again. */
export class TunnelProber {
  readonly #options: TunnelProberOptions;
  readonly #pending = new Map<string, NodeJS.Timeout>();
  #liveness: Liveness;
  #next: NodeJS.Timeout;
  #probes: Probes = { sent: 0, lost: 0, lastAnswer: null, rtt: null, trouble: null };

  /** The first probe comes at some time of the first interval. */
  constructor(options: TunnelProberOptions) {
    this.#options = options;
    this.#liveness = startingAs(options.life);
    this.#next = setTimeout(() => this.#ask(), options.chance() * options.health.interval);
  }

  get life(): Life {
    return this.#liveness.life;
  }

  get probes(): Probes {
    return this.#probes;
  }

  stop(): void {
    clearTimeout(this.#next);
    this.#forgetPending();
  }

  /** What was sent by a sender that has died is neither answered nor lost. */
  #forgetPending(): void {
    for (const nonce of [...this.#pending.keys()]) this.#settle(nonce);
  }

  /** No answer to it is waited for any more. False: there was none before. */
  #settle(nonce: string): boolean {
    clearTimeout(this.#pending.get(nonce));
    this.#options.waiting.delete(nonce);
    return this.#pending.delete(nonce);
  }

  #answered(nonce: string, sent: bigint, at: bigint): void {
    this.#settle(nonce);
    const rtt = Math.max(0, Number(at - sent) / NS_OF_MS);
    // This process may have been busy: what counts is when the answer came.
    const inTime = rtt <= this.#options.health.timeout;
    if (inTime) this.#probes = { ...this.#probes, lastAnswer: new Date().toISOString(), rtt };
    this.#count(inTime);
  }

  #ask(): void {
    const { health, chance } = this.#options;
    const jitter = 1 + JITTER * (2 * chance() - 1);
    this.#next = setTimeout(() => this.#ask(), health.interval * jitter);
    this.#send().then(
      () => {
        this.#probes = { ...this.#probes, trouble: null };
      },
      (error: unknown) => {
        this.#forgetPending();
        this.#probes = { ...this.#probes, trouble: error instanceof Error ? error.message : String(error) };
      },
    );
  }

  async #send(): Promise<void> {
    const { row, health, ownAddress, send, waiting } = this.#options;
    const { style, target, timeout } = health;
    const own = await ownAddress(sameFamily(row.remote, target) ? row.remote : target);
    const [source, destination] = style === "request" ? [own, target] : [target, own];
    const nonce = freshNonce();
    const key = Buffer.from(nonce).toString("hex");
    const packet = probeBytes({ style, source, destination, nonce });
    const sent = process.hrtime.bigint();
    // An answer that waits to be read is read first: timers come before input in a round of the event loop.
    const timer = setTimeout(() => setImmediate(() => this.#expire(key)), timeout);
    this.#pending.set(key, timer);
    waiting.set(key, (at) => this.#answered(key, sent, at));
    await send(packet);
  }

  #expire(nonce: string): void {
    if (this.#settle(nonce)) this.#count(false);
  }

  #count(answered: boolean): void {
    const { health, changed } = this.#options;
    const { sent, lost } = this.#probes;
    this.#probes = { ...this.#probes, sent: sent + 1, lost: lost + (answered ? 0 : 1) };
    const before = this.#liveness.life;
    this.#liveness = after(this.#liveness, answered, health);
    if (this.#liveness.life !== before) changed(this.#liveness.life, before);
  }
}

function sameFamily(one: string, other: string): boolean {
  return addressBytes(one)?.length === addressBytes(other)?.length;
}

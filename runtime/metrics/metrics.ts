import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Observer } from "../daemon/observer.js";
import type { TunnelHealth } from "../health/report.js";
import type { Counts, CustomerCount } from "./counts.js";

/** A customer's change takes tens of milliseconds, and a large one of a busy node seconds. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const RULE = ["customer", "stage", "rule", "action"] as const;
const TUNNEL = ["customer", "tunnel", "kind"] as const;

/**
 * What an edge server tells Prometheus. docs/metrics.md explains each; a test holds the page, and the queries of the dashboard,
 * to the names here.
 */
export class Metrics implements Observer {
  readonly #registry = new Registry();
  readonly #read: () => Promise<Counts>;
  #scrape: Promise<string> | undefined;

  readonly #packets = this.#counter("packets_total", "Packets that a rule decided or counted", RULE);
  readonly #bytes = this.#counter("bytes_total", "Bytes of these packets, from the IP header on", RULE);
  readonly #limited = this.#counter("limited_packets_total", "Packets over the rate of a limit", [
    "customer",
    "stage",
    "rule",
  ]);
  readonly #root = this.#counter("root_packets_total", "Packets, by what the root program did with them", [
    "kind",
  ]);
  readonly #rootBytes = this.#counter("root_bytes_total", "Bytes of their frames", ["kind"]);
  readonly #tunnelPackets = this.#counter(
    "tunnel_packets_total",
    "Packets that a tunnel sent, received, or could not carry",
    TUNNEL,
  );
  readonly #tunnelBytes = this.#counter("tunnel_bytes_total", "Bytes of these packets themselves", TUNNEL);
  readonly #probes = this.#counter("probes_total", "Probes of a tunnel's router, by what came of them", [
    "customer",
    "tunnel",
    "result",
  ]);
  readonly #tunnelUp = this.#gauge("tunnel_up", "1: its router answers, or is not known; 0: it is dead", [
    "customer",
    "tunnel",
  ]);
  readonly #probeSeconds = this.#gauge("probe_rtt_seconds", "How long the last answer took", [
    "customer",
    "tunnel",
  ]);
  readonly #blackholes = this.#gauge(
    "blackhole_prefixes",
    "Prefixes whose packets are dropped, as none of their tunnels lives",
    ["customer"],
  );
  readonly #ownAddresses = this.#gauge(
    "own_addresses",
    "Addresses of the server's own in the customer's prefixes",
    ["customer"],
  );
  readonly #generation = this.#gauge("generation", "Number of the customer's change in force", ["customer"]);
  readonly #since = this.#gauge("in_force_since_seconds", "When it was put in force, in seconds since 1970", [
    "customer",
  ]);
  readonly #customers = this.#gauge("customers", "Customers in force", []);
  readonly #waiting = this.#gauge("waiting_customers", "Customers whose latest revision waits for a try", []);
  readonly #drift = this.#gauge("drift", "Things of the customer that were missing at the last look", [
    "customer",
  ]);
  readonly #nodeDrift = this.#gauge(
    "node_drift",
    "Things of the node that were missing at the last look",
    [],
  );
  readonly #failures = this.#counter("apply_failures_total", "Revisions that could not be put in force", [
    "customer",
    "code",
  ]);
  readonly #duration = new Histogram({
    name: "tidegate_apply_duration_seconds",
    help: "How long it took to put a revision in force",
    buckets: SECONDS,
    registers: [this.#registry],
  });

  /** `read` gives what was counted until now. */
  constructor(read: () => Promise<Counts>) {
    this.#read = read;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The names of all metrics, without the endings that Prometheus gives to a histogram's parts. */
  names(): readonly string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  /** All of it as text, counted just now. Who asks while another is being answered gets the same answer. */
  text(): Promise<string> {
    this.#scrape ??= this.#collect().finally(() => {
      this.#scrape = undefined;
    });
    return this.#scrape;
  }

  applied(_customer: string, ms: number): void {
    this.#duration.observe(ms / 1000);
  }

  failed(customer: string, code: string): void {
    this.#failures.inc({ customer, code });
  }

  removed(customer: string): void {
    this.#drift.remove({ customer });
  }

  drift(customer: string | null, missing: number): void {
    if (customer === null) this.#nodeDrift.set(missing);
    else this.#drift.set({ customer }, missing);
  }

  waiting(customers: number): void {
    this.#waiting.set(customers);
  }

  async #collect(): Promise<string> {
    const { root, customers } = await this.#read();
    // What the kernel counted is the whole number; Prometheus sees from a smaller one that a program was replaced.
    this.#forgetCounts();
    for (const [kind, { packets, bytes }] of Object.entries(root)) {
      this.#root.inc({ kind }, packets);
      this.#rootBytes.inc({ kind }, bytes);
    }
    for (const customer of customers) this.#setCustomer(customer);
    this.#customers.set(customers.length);
    return this.#registry.metrics();
  }

  #forgetCounts(): void {
    const rules = [this.#packets, this.#bytes, this.#limited];
    const others = [this.#root, this.#rootBytes, this.#tunnelPackets, this.#tunnelBytes];
    const probes = [this.#probes, this.#tunnelUp, this.#probeSeconds, this.#blackholes];
    const about = [this.#ownAddresses, this.#generation, this.#since];
    for (const metric of [...rules, ...others, ...probes, ...about]) metric.reset();
  }

  #setCustomer({ customer, generation, since, rules, tunnels, ...counts }: CustomerCount): void {
    this.#blackholes.set({ customer }, counts.blackholes);
    this.#ownAddresses.set({ customer }, counts.ownAddresses);
    this.#generation.set({ customer }, generation);
    this.#since.set({ customer }, since);
    for (const { stage, rule, action, packets, bytes } of rules) {
      this.#packets.inc({ customer, stage, rule, action }, packets);
      this.#bytes.inc({ customer, stage, rule, action }, bytes);
      if (action === "limit") this.#limited.inc({ customer, stage, rule }, packets);
    }
    for (const { tunnel, health, ...traffic } of tunnels) {
      if (health) this.#setHealth({ customer, tunnel }, health);
      for (const kind of ["sent", "received", "dropped"] as const) {
        this.#tunnelPackets.inc({ customer, tunnel, kind }, traffic[kind].packets);
        this.#tunnelBytes.inc({ customer, tunnel, kind }, traffic[kind].bytes);
      }
    }
  }

  #setHealth(labels: { readonly customer: string; readonly tunnel: string }, health: TunnelHealth): void {
    this.#tunnelUp.set(labels, health.life === "dead" ? 0 : 1);
    if (!health.probes) return;
    const { sent, lost, rtt } = health.probes;
    this.#probes.inc({ ...labels, result: "answered" }, sent - lost);
    this.#probes.inc({ ...labels, result: "lost" }, lost);
    if (rtt !== null) this.#probeSeconds.set(labels, rtt / 1000);
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name: `tidegate_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: readonly string[]): Gauge {
    return new Gauge({ name: `tidegate_${name}`, help, labelNames, registers: [this.#registry] });
  }
}

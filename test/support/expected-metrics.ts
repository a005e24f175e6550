import type { Policy, Rule, Stage } from "../../src/compiler/ir/policy.js";
import { newDatagrams, wholeDatagram } from "../../src/compiler/semantics/datagram.js";
import { decode, type Packet } from "../../src/compiler/semantics/decode.js";
import { countersOf, evaluate, evaluateReturn, type Trace } from "../../src/compiler/semantics/evaluate.js";
import { newState } from "../../src/compiler/semantics/state.js";

type Kind = "packets" | "bytes";

const ETHERNET = 14;
/** Bytes of a packet that an answer to it quotes (bpf-templates/path-mtu.h). */
const QUOTED = 512;

/** What Prometheus is to read, by the reference, of packets that come one after the other; each sample by its line's head. */
export class ExpectedMetrics {
  #policy: Policy;
  #samples = new Map<string, number>();
  #state = newState();
  #datagrams = newDatagrams();
  /** Pieces that the firewall holds until the last of them is there: of one datagram, as they come one after the other. */
  #held: Packet[] = [];
  readonly #root = new Map<string, number>();

  constructor(policy: Policy) {
    this.#policy = policy;
    this.follow(policy);
  }

  /** Everything that is counted of the customer, what nothing was counted by, too. */
  get samples(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#samples);
  }

  /** What the root program did, of the packets that were sent: it sees others, too. */
  get root(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#root);
  }

  /** Another policy: what has the same name counts on, and so does a limit of the same terms with its keys. */
  follow(policy: Policy): void {
    const before = this.#samples;
    const changed = limits(this.#policy).filter((limit) => !limits(policy).includes(limit));
    for (const key of this.#state.arrivals.keys())
      if (changed.some((limit) => key.startsWith(`${JSON.parse(limit).name} `)))
        this.#state.arrivals.delete(key);
    this.#policy = policy;
    const heads = this.#heads();
    this.#samples = new Map(heads.map((head) => [head, before.get(head) ?? 0]));
  }

  /** As many packets as `times`, from the Internet. */
  arrive(bytes: Uint8Array, times = 1): void {
    for (let time = 0; time < times; time++) this.#arrive(bytes);
  }

  /** From the Internet, by a device that is no uplink: nobody judges it. */
  arriveElsewhere(bytes: Uint8Array, times = 1): void {
    for (let time = 0; time < times; time++)
      this.#count((kind) => rule(kind, "other", "unknown-generation"), bytes);
  }

  /** Out of the tunnel. */
  comeBack(bytes: Uint8Array, times = 1): void {
    for (let time = 0; time < times; time++) {
      this.#count((kind) => tunnel(kind, "received"), bytes);
      const fate = `return-${evaluateReturn(this.#policy, bytes)}`;
      this.#count((kind) => rule(kind, "other", fate), bytes);
    }
  }

  /** IPv4, allowed, and too long for the uplink: its sender is told, from the address that it sent to, and that passes the way back. */
  tooLong(bytes: Uint8Array): void {
    this.#judge(bytes);
    this.#count((kind) => tunnel(kind, "dropped"), bytes);
    const answer = new Uint8Array(20 + 8 + Math.min(bytes.length, QUOTED));
    this.#count((kind) => rule(kind, "other", "return-passed"), answer);
  }

  #arrive(bytes: Uint8Array): void {
    const { trace, packet, whole } = this.#judge(bytes);
    if (!packet || trace.gate) return;
    if (trace.held) this.#held.push(packet);
    if (trace.routes.length === 0) return;
    // A datagram that was put together leaves in the pieces that it came in.
    const pieces = whole === packet ? [packet] : [...this.#held.splice(0), packet];
    for (const piece of pieces) this.#count((kind) => tunnel(kind, "sent"), piece.bytes);
  }

  #judge(bytes: Uint8Array): Judged {
    const trace = evaluate(this.#policy, bytes, this.#state, 0n);
    const decoded = decode(bytes);
    const kind = trace.stage === "root" ? trace.verdict : "dispatched";
    add(this.#root, `tidegate_root_packets_total{kind="${kind}"}`, 1);
    add(this.#root, `tidegate_root_bytes_total{kind="${kind}"}`, ETHERNET + bytes.length);
    if (trace.stage === "root" || decoded.kind === "malformed") return { trace };
    const { packet } = decoded;
    this.#countStage("mitigate", trace, packet);
    const { stateful } = this.#policy.firewall;
    const whole = stateful ? wholeDatagram(packet, this.#datagrams) : packet;
    if (whole && !trace.gate) this.#countStage("firewall", trace, whole);
    return { trace, packet, ...(whole && { whole }) };
  }

  #countStage(stage: Stage, trace: Trace, packet: Packet): void {
    for (const name of countersOf(trace, stage)) {
      this.#count((kind) => rule(kind, stage, name ?? "default", this.#action(stage, name)), packet.bytes);
      const head = `tidegate_limited_packets_total{customer="acme",stage="${stage}",rule="${name}"}`;
      if (this.#action(stage, name) === "limit") add(this.#samples, head, 1);
    }
  }

  #count(head: (kind: Kind) => string, bytes: Uint8Array): void {
    const decoded = decode(bytes);
    const length = decoded.kind === "malformed" ? bytes.length : decoded.packet.bytes.length;
    add(this.#samples, head("packets"), 1);
    add(this.#samples, head("bytes"), length);
  }

  #action(stage: Stage, name: string | null): string {
    const found = rulesOf(this.#policy, stage).find((one) => one.name === name);
    return found?.action.kind ?? "";
  }

  #heads(): readonly string[] {
    const stages = (["mitigate", "firewall"] as const).flatMap((stage) =>
      [...rulesOf(this.#policy, stage).map(({ name }) => name), null].flatMap((name) => {
        const action = this.#action(stage, name);
        const limited = `tidegate_limited_packets_total{customer="acme",stage="${stage}",rule="${name}"}`;
        const both = KINDS.map((kind) => rule(kind, stage, name ?? "default", action));
        return action === "limit" ? [...both, limited] : both;
      }),
    );
    const others = ["foreign", "return-passed", "return-spoofed", "unknown-generation"];
    return [
      ...stages,
      ...others.flatMap((name) => KINDS.map((kind) => rule(kind, "other", name))),
      ...["sent", "received", "dropped"].flatMap((what) => KINDS.map((kind) => tunnel(kind, what))),
    ];
  }
}

interface Judged {
  readonly trace: Trace;
  /** Undefined: a customer's rules never saw it. */
  readonly packet?: Packet;
  /** What a stateful firewall judges; undefined as long as it awaits the rest. */
  readonly whole?: Packet;
}

const KINDS: readonly Kind[] = ["packets", "bytes"];

function rule(kind: Kind, stage: string, name: string, action = ""): string {
  return `tidegate_${kind}_total{customer="acme",stage="${stage}",rule="${name}",action="${action}"}`;
}

function tunnel(kind: Kind, what: string): string {
  return `tidegate_tunnel_${kind}_total{customer="acme",tunnel="chicago",kind="${what}"}`;
}

function rulesOf({ mitigate, firewall }: Policy, stage: Stage): readonly Rule[] {
  return stage === "mitigate" ? mitigate : firewall.rules;
}

/** Name and terms of each limit, as a text. */
function limits(policy: Policy): readonly string[] {
  return [...policy.mitigate, ...policy.firewall.rules].flatMap(({ name, action }) =>
    action.kind === "limit"
      ? [JSON.stringify({ name, action }, (_, value) => (typeof value === "bigint" ? `${value}` : value))]
      : [],
  );
}

function add(samples: Map<string, number>, head: string, count: number): void {
  samples.set(head, (samples.get(head) ?? 0) + count);
}

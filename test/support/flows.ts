import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import { PcapReader } from "../../examples/lab/packets/pcap.js";
import { packageRoot } from "../../runtime/native-process.js";
import type { Family } from "../../src/compiler/ir/address.js";
import { type AcmeEdge, FTP, FTP6 } from "./acme-edge.js";

/** Flows of TCP from the client to Acme's host, by their numbers, and the routers that their packets come to. */

/** As many frames as the sender takes at a time, and flows as one source has here. */
const AT_ONCE = 4000;
const FIRST_PORT = 1024;

export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** A packet of each flow: with its own source. */
export function packetsOf(flows: readonly number[], family: Family = 4): readonly Buffer[] {
  return flows.map((flow) => {
    const [host, port] = [1 + Math.floor(flow / AT_ONCE), FIRST_PORT + (flow % AT_ONCE)];
    return packetBytes(
      family === 4
        ? `tcp 192.0.2.${host}:${port} > ${FTP}:80 flags=S`
        : `tcp [2001:db8:1::${host}]:${port} > [${FTP6}]:80 flags=S`,
    );
  });
}

/** A packet that came to a router, in the order of coming. */
export interface Seen {
  readonly family: Family;
  readonly flow: number;
  /** The router's address. */
  readonly router: string;
}

/** Anything that came to a router through its tunnel. */
export interface Came {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly router: string;
  /** ICMP, which no flow is. */
  readonly isProbe: boolean;
}

function cameIn(packet: Buffer, at: number): Came {
  const inner = packet.subarray(24);
  const protocol = (inner[0] ?? 0) >> 4 === 4 ? inner[9] : inner[6];
  return { at, router: [...packet.subarray(16, 20)].join("."), isProbe: protocol === 1 || protocol === 58 };
}

/** What is in a GRE packet without a key; undefined: no packet of a flow. */
function seenIn(packet: Buffer): Seen | undefined {
  const router = [...packet.subarray(16, 20)].join(".");
  const inner = packet.subarray(24);
  const family = (inner[0] ?? 0) >> 4 === 4 ? 4 : 6;
  const at = family === 4 ? { protocol: 9, host: 15, port: 20 } : { protocol: 6, host: 23, port: 40 };
  if (inner[at.protocol] !== 6) return undefined;
  const flow = ((inner[at.host] ?? 0) - 1) * AT_ONCE + inner.readUInt16BE(at.port) - FIRST_PORT;
  return { family, flow, router };
}

/** Takes down what comes to the routers from the edge, from when it is made. */
export class Capture {
  private constructor(
    private readonly file: string,
    private readonly tcpdump: ChildProcess,
    private readonly ended: Promise<unknown>,
  ) {}

  static async start({ server }: AcmeEdge): Promise<Capture> {
    const file = join(server.folder, "flows.pcap");
    const only = "ip proto 47 and dst net 198.51.100.0/24";
    const options = ["--immediate-mode", "-B", "65536", "-s", "96", "-U"];
    const line = ["tcpdump", "-i", "eth0", ...options, "-w", file, only];
    const [command, ...rest] = server.enter(line, "router");
    const tcpdump = spawn(command, rest, { stdio: ["ignore", "ignore", "pipe"] });
    const ended = new Promise((resolve) => tcpdump.once("close", resolve));
    await new Promise((resolve) => tcpdump.stderr.once("data", resolve));
    return new Capture(file, tcpdump, ended);
  }

  async end(): Promise<readonly Seen[]> {
    return (await this.#read()).packets.flatMap((packet) => seenIn(packet) ?? []);
  }

  /** The same with all else that came, and when. */
  async endWithAll(): Promise<{ readonly seen: readonly Seen[]; readonly came: readonly Came[] }> {
    const { packets, times } = await this.#read();
    const came = packets.map((packet, index) => cameIn(packet, times[index] ?? 0));
    return { seen: packets.flatMap((packet) => seenIn(packet) ?? []), came };
  }

  async #read(): Promise<PcapReader> {
    await sleep(300);
    // It may be the child of what entered the namespaces, which passes the signal on.
    this.tcpdump.kill("SIGINT");
    await this.ended;
    const reader = new PcapReader();
    reader.push(readFileSync(this.file));
    return reader;
  }
}

/**
 * How far a packet came from its turn at most, where packets of so many flows go round, the first one first: those after a gap of any size
 * but whole rounds are half a round off, or more. On two ways some overtake others.
 */
export function outOfTurn(flows: readonly number[], round: number): number {
  const rounds = new Map<number, number>();
  const away = flows.map((flow, at) => {
    const before = rounds.get(flow) ?? 0;
    rounds.set(flow, before + 1);
    return Math.abs(before * round + flow - at);
  });
  return away.reduce((most, one) => Math.max(most, one), 0);
}

/** The router that each of these flows comes to, by flow; a packet that a busy machine lost is sent again. */
export async function ways(
  edge: AcmeEdge,
  flows: readonly number[],
  family: Family = 4,
): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for (let tries = 0; tries < 5 && found.size < flows.length; tries++) {
    const capture = await Capture.start(edge);
    const left = flows.filter((flow) => !found.has(flow));
    send(edge, packetsOf(left, family));
    for (const seen of await capture.end()) if (seen.family === family) found.set(seen.flow, seen.router);
  }
  return found;
}

function send(edge: AcmeEdge, packets: readonly Buffer[]): void {
  for (let at = 0; at < packets.length; at += AT_ONCE) {
    const batch = packets.slice(at, at + AT_ONCE);
    const [command, ...rest] = wire(edge, batch.length, 20_000);
    execFileSync(command, rest, { input: framed(batch) });
  }
}

/** Goes round and round, a packet of each, so many packets a second, until the promise's function is called. */
export function keepSending(edge: AcmeEdge, packets: readonly Buffer[], rate: number): () => Promise<void> {
  const [command, ...rest] = wire(edge, 1_000_000_000, rate);
  const sender = spawn(command, rest, { stdio: ["pipe", "ignore", "inherit"] });
  const ended = new Promise<void>((resolve) => sender.once("close", () => resolve()));
  sender.stdin.end(framed(packets));
  return () => {
    sender.kill();
    return ended;
  };
}

function wire({ server }: AcmeEdge, count: number, rate: number): [string, ...string[]] {
  const link = ["ip", "-j", "link", "show", "up0"];
  const [{ address: mac = "" } = {}] = JSON.parse(server.run(link)) as [{ address?: string }];
  const program = join(packageRoot(), "dist/examples/lab/wire");
  return server.enter([program, "eth0", mac, `${count}`, `${rate}`], "client");
}

/** As the sender reads them: each behind its length. */
export function framed(packets: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    packets.flatMap((packet) => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(packet.length);
      return [size, packet];
    }),
  );
}

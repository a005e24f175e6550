import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { packetBytes } from "../../examples/lab/packets/packet.js";
import { packageRoot } from "../../runtime/native-process.js";
import type { AcmeEdge } from "../support/acme-edge.js";
import { hostOf, PORT } from "./policies.js";

/** Packets to the same customers as long as something goes on, and what came of them. */
export interface Traffic {
  /** How many were sent that every policy lets through. */
  readonly sent: number;
  /** How many of those came out of the tunnels. */
  readonly arrived: number;
  /** How many came out of the tunnels that every policy forbids, in either stage. */
  readonly leaked: number;
}

const KINDS = ["allowed", "early", "late"] as const;

/** wire(1) takes no more packets. */
const MOST_PACKETS = 4096;

/** How far into a packet of a tunnel the destination port is: IPv4, GRE with a key, IPv4, then behind the source port. */
const PORT_AT = 8 * (20 + 8 + 20 + 2);

/** Lets the customers' router count what comes out of the tunnels. */
export function countArrivals({ server }: AcmeEdge): void {
  const rules = KINDS.map(
    (kind) => `ip protocol 47 @nh,${PORT_AT},16 ${PORT[kind]} counter name ${kind} drop`,
  );
  const input = `table ip arrived {
${KINDS.map((kind) => `counter ${kind} {}`).join("\n")}
chain entry {
type filter hook prerouting priority -300
${rules.join("\n")}
}
}
`;
  server.run(["nft", "-f", "-"], { namespace: "router", input });
}

/** Sends `rate` packets a second to `customers` in turn until `work` is done. */
export async function underTraffic<T>(
  edge: AcmeEdge,
  { customers, rate }: { readonly customers: number; readonly rate: number },
  work: () => Promise<T>,
): Promise<{ readonly traffic: Traffic; readonly result: T }> {
  const packets = packetsTo(customers);
  const input = Buffer.concat(packets.flatMap((packet) => [u32(packet.length), packet]));
  let done = false;
  arrivals(edge);
  const result = work().finally(() => {
    done = true;
  });
  let rounds = 0;
  while (!done) {
    const more = Math.ceil(rate / packets.length / 2);
    await send(edge, input, more * packets.length, rate);
    rounds += more;
  }
  const finished = await result;
  // What is on its way still comes.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { allowed, early, late } = arrivals(edge);
  const sent = (rounds * packets.length) / KINDS.length;
  return { traffic: { sent, arrived: allowed, leaked: early + late }, result: finished };
}

function packetsTo(customers: number): readonly Buffer[] {
  const most = Math.min(customers, Math.floor(MOST_PACKETS / KINDS.length));
  return Array.from({ length: most }, (_, index) => index).flatMap((index) =>
    KINDS.map((kind) => packetBytes(`udp 192.0.2.7:4000 > ${hostOf(index)}:${PORT[kind]} payload=00`)),
  );
}

async function send(edge: AcmeEdge, input: Buffer, count: number, rate: number): Promise<void> {
  const [{ address = "" } = {}] = JSON.parse(edge.server.run(["ip", "-j", "link", "show", "up0"])) as [
    { address?: string },
  ];
  const wire = join(packageRoot(), "dist/examples/lab/wire");
  const [command, ...args] = edge.server.enter([wire, "eth0", address, `${count}`, `${rate}`], "client");
  const child = promisify(execFile)(command, args);
  child.child.stdin?.end(input);
  await child;
}

/** What came since the last time that this was asked. */
function arrivals({ server }: AcmeEdge): Readonly<Record<(typeof KINDS)[number], number>> {
  const json = server.run(["nft", "-j", "reset", "counters", "table", "ip", "arrived"], {
    namespace: "router",
  });
  const { nftables } = JSON.parse(json) as {
    readonly nftables: readonly { readonly counter?: { readonly name: string; readonly packets: number } }[];
  };
  const packets = (kind: string) => nftables.find(({ counter }) => counter?.name === kind)?.counter?.packets;
  const [allowed = 0, early = 0, late = 0] = KINDS.map(packets);
  return { allowed, early, late };
}

function u32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

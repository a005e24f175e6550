import { join } from "node:path";
import { packageRoot } from "../../../src/cli/package-root.js";
import type { Host } from "../host.js";

const WIRE = join(packageRoot(), "dist", "examples", "lab", "wire");

export interface Sent {
  readonly sent: number;
  /** From the first packet to the last. */
  readonly nanoseconds: number;
}

export interface Pace {
  /** Packets in all; the given ones are sent round and round. */
  readonly count: number;
  /** Packets a second. */
  readonly rate: number;
}

/** Sends IP packets as they are from a device of a host, to the next hop with the address `mac`. */
export async function send(
  host: Host,
  device: string,
  mac: string,
  packets: readonly Uint8Array[],
  pace?: Pace,
): Promise<Sent> {
  const paced = pace ? [String(pace.count), String(pace.rate)] : [];
  const output = await host.run([WIRE, device, mac, ...paced], framed(packets));
  return JSON.parse(output) as Sent;
}

function framed(packets: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    packets.flatMap((packet) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(packet.length);
      return [length, packet];
    }),
  );
}

import type { Host } from "../host.js";
import { inNamespace, WIRE } from "../tools.js";

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

/**
 * Sends IP packets as they are from a device of a host, to the next hop with the address `mac`. `namespace`: from
 * that network namespace of the host, by its name in /run/netns.
 */
export async function send(
  host: Host,
  device: string,
  mac: string,
  packets: readonly Uint8Array[],
  { pace, namespace }: { readonly pace?: Pace; readonly namespace?: string } = {},
): Promise<Sent> {
  const paced = pace ? [String(pace.count), String(pace.rate)] : [];
  const argv = [WIRE, device, mac, ...paced];
  const output = await host.run(
    namespace === undefined ? argv : inNamespace(namespace, argv),
    framed(packets),
  );
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

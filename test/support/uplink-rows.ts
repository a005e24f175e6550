import type { AcmeEdge } from "./acme-edge.js";

/** Pin of the map that says what an edge server's programs know its uplinks by. */
export const UPLINKS = "/run/tidegate/bpf/root/map_uplinks";

const ROOT_PROGRAM = "/run/tidegate/bpf/root/prog_tidegate_root";

/** A number of 32 bits as bpftool takes a key. */
function littleEndian(number: number): readonly string[] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return [...bytes].map(String);
}

interface UplinkRow {
  /** Words of bpftool. */
  readonly key: readonly string[];
  readonly value: readonly string[];
}

export function uplinkRow({ server }: AcmeEdge, uplink: string, sendsBack = false): UplinkRow {
  const [{ ifindex, address }] = JSON.parse(server.run(["ip", "-j", "link", "show", "dev", uplink]));
  const flags = [sendsBack ? "01" : "00", "00"];
  return {
    key: ["key", ...littleEndian(ifindex)],
    value: ["value", "hex", ...address.split(":"), ...flags],
  };
}

/**
 * Until the next apply an uplink sends back itself (XDP_TX) what came by it, as network cards do, and veth pairs only to an XDP
 * program: so the far end, `eth0` of a namespace, gets one, which leaves alone what arrives there.
 */
export function letSendBack(edge: AcmeEdge, uplink: string, namespace: string): void {
  const { key, value } = uplinkRow(edge, uplink, true);
  edge.server.run(["bpftool", "map", "update", "pinned", UPLINKS, ...key, ...value]);
  edge.server.run(["ip", "link", "set", "dev", "eth0", "xdpdrv", "pinned", ROOT_PROGRAM], { namespace });
}

/** Frames that an uplink has sent back itself. */
export function sentBack({ server }: AcmeEdge, uplink: string): number {
  const shown = server.run(["ethtool", "-S", uplink]);
  return [...shown.matchAll(/rx_queue_\d+_xdp_tx: (\d+)/g)].reduce((sum, [, one]) => sum + Number(one), 0);
}

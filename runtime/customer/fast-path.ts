import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../src/targets/manifest.js";
import { readCounter, sum } from "../counters.js";
import type { Traffic } from "../gre/driver.js";
import { type DumpedEntry, ERRNO, type Loader, LoaderError, type MapEntry } from "../loader-client.js";
import { mac, u32 } from "../netlink/message.js";
import { CUSTOMER_PROGRAM } from "../node/constants.js";
import { addressBytes } from "../prefix.js";

/** What a program needs that sends packets into tunnels itself: the maps of bpf-templates/forward.h, byte for byte. */

/** TG_TUNNELS: those behind are served by the namespace alone. */
export const FAST_TUNNELS = 64;

/** The tunnels of a program. */
export interface FastTunnels {
  readonly tunnels: Manifest["tunnels"];
  /** Their outer source. */
  readonly anycast: string;
  /** Devices of those that it is to send nothing into. */
  readonly closed: ReadonlySet<string>;
}

const pinOf = (pinDir: string) => join(pinDir, "map_tunnels");

/** Fills in the tunnels of a program that is pinned in `pinDir`. */
export async function fillTunnels(loader: Loader, pinDir: string, fast: FastTunnels): Promise<void> {
  const rows = tunnelRows(fast);
  if (rows.length > 0) await loader.updateMap(pinOf(pinDir), rows);
}

/**
 * Whether the program that is pinned in `pinDir` has these tunnels, and no others. Without its pin nobody can say what it has: then only
 * where there are none to have. With something else in its place it has not, which a new program mends.
 */
export async function holdsTunnels(
  loader: Pick<Loader, "dumpMap">,
  pinDir: string,
  fast: FastTunnels,
): Promise<boolean> {
  const pin = pinOf(pinDir);
  const found = existsSync(pin) ? await rowsIn(loader, pin) : [];
  if (!found) return false;
  const filled = found.map(({ key, values }) => [hex(key), hex(values[0] ?? [])] as const);
  const held = new Map(filled.filter(([, value]) => value !== NO_TUNNEL));
  const wanted = tunnelRows(fast);
  return held.size === wanted.length && wanted.every(({ key, value }) => held.get(hex(key)) === hex(value));
}

/** Undefined: it is no map, or none of which the kernel tells the rows (a queue's, bpf_map_get_next_key). */
async function rowsIn(
  loader: Pick<Loader, "dumpMap">,
  pin: string,
): Promise<readonly DumpedEntry[] | undefined> {
  return loader.dumpMap(pin).catch((error: unknown) => {
    // A loader that has died says no errno, and nothing about the map.
    if (error instanceof LoaderError && error.errno !== null) return undefined;
    throw error;
  });
}

/**
 * Closes tunnels of a loaded program, or opens them again: those that `which` says. Of a row nothing but the MTU changes, as the kernel
 * copies it while packets look at it (array_map_update_elem): who met half of another address would send it there. Half of an MTU is
 * less than the whole.
 */
export async function turnTunnels(
  loader: Pick<Loader, "dumpMap" | "updateMap" | "pinAgain">,
  pinDir: string,
  tunnels: Manifest["tunnels"],
  turn: "close" | "open",
  which: (row: Manifest["tunnels"][number]) => boolean,
): Promise<void> {
  if (!tunnels.some(which)) return;
  const pin = pinOf(pinDir);
  // The program goes by its map also where that has lost its pin.
  if (!existsSync(pin)) await loader.pinAgain(join(pinDir, CUSTOMER_PROGRAM), "tunnels", pin);
  const rows = (await loader.dumpMap(pin)).flatMap(({ key, values }): readonly MapEntry[] => {
    const [held] = values;
    const tunnel = tunnels[key.readUInt32LE()];
    if (held?.length !== TUNNEL_BYTES)
      throw new Error(`${pin} is another map: its rows have ${held?.length} bytes`);
    if (hex(held) === NO_TUNNEL || !tunnel || !which(tunnel)) return [];
    const mtu = turn === "open" ? tunnel.mtu : CLOSED;
    if (held.readUInt16LE(MTU_AT) === mtu) return [];
    const value = Buffer.from(held);
    value.writeUInt16LE(mtu, MTU_AT);
    return [{ key, value }];
  });
  if (rows.length > 0) await loader.updateMap(pin, rows);
}

/** The tunnels that a program sends into itself as long as their routers live. */
export function tunnelsWhileLive({ tunnels, sentWhileLive = [] }: Manifest): Manifest["tunnels"] {
  return tunnels.filter(({ name }) => sentWhileLive.includes(name));
}

/** Why XDP sends nothing into a tunnel with `health` where its policy has a fast way into it; null: there is no such reason. */
export function whyClosed(
  { datapath, sentWhileLive }: Pick<Manifest, "datapath" | "sentWhileLive">,
  tunnel: Manifest["tunnels"][number],
  life: "unknown" | "live" | "dead",
): string | null {
  if (datapath !== "xdp") return null;
  if (sentWhileLive)
    return sentWhileLive.includes(tunnel.name) && life === "dead" ? "its router is dead" : null;
  // Such a bundle does not say whether there is a way into it: where there cannot be one, nobody is told to compile it anew.
  const couldBe = isFast(tunnel) && tunnel.dscp === "inherit" && tunnel.df === "set";
  return couldBe ? "its bundle is from before tunnels with `health` were on the fast path" : null;
}

const hex = (bytes: ArrayLike<number>) => Buffer.from(Array.from(bytes)).toString("hex");

function tunnelRows({ tunnels, anycast, closed }: FastTunnels): readonly MapEntry[] {
  return tunnels.slice(0, FAST_TUNNELS).flatMap((tunnel, place) => {
    if (!isFast(tunnel)) return [];
    const mtu = closed.has(tunnel.device) ? CLOSED : tunnel.mtu;
    return [tunnelRow({ ...tunnel, mtu }, place, anycast)];
  });
}

/** The others' rows stay empty, and no program asks for them. */
function isFast({ kind, remote, ttl }: Manifest["tunnels"][number]): boolean {
  return kind === "gre" && ttl !== "inherit" && addressBytes(remote)?.length === 4;
}

const TUNNEL_BYTES = 16;
const MTU_AT = 12;
/** An MTU for which every packet is too long. */
const CLOSED = 0;
const NO_TUNNEL = hex(new Uint8Array(TUNNEL_BYTES));

/** struct tg_tunnel: addresses and key in network order. */
function tunnelRow(
  { remote, key, mtu, ttl }: Manifest["tunnels"][number],
  place: number,
  anycast: string,
): MapEntry {
  const value = Buffer.alloc(TUNNEL_BYTES);
  value.set(ipv4(anycast), 0);
  value.set(ipv4(remote), 4);
  value.writeUInt32BE(key ?? 0, 8);
  value.writeUInt16LE(mtu, MTU_AT);
  value.writeUInt8(Number(ttl), 14);
  value.writeUInt8(key === null ? 0 : 1, 15);
  return { key: u32(place), value };
}

function ipv4(text: string): Uint8Array {
  const bytes = addressBytes(text);
  if (bytes?.length !== 4) throw new Error(`\`${text}\` is not an IPv4 address`);
  return bytes;
}

/** Where struct tg_hop has what was sent: what stands before is forgotten without harm. */
export const HOPS_KEPT_FROM = 40;

/** What a program itself sent into the tunnels, by their places. Nothing where it sends none. */
export function sentFromXdp(loader: Loader, pinDir: string): Promise<readonly Traffic[]> {
  return countedIn(loader, join(pinDir, "map_hops"), HOPS_KEPT_FROM);
}

/** What a program itself took out of the tunnels, and sent on, by their places. Nothing where it takes none. */
export function returnedFromXdp(loader: Loader, pinDir: string): Promise<readonly Traffic[]> {
  return countedIn(loader, join(pinDir, "map_returned"), 0);
}

async function countedIn(loader: Loader, pin: string, from: number): Promise<readonly Traffic[]> {
  if (!existsSync(pin)) return [];
  // A change may end, and take the map away, just now.
  const rows = await loader.dumpMap(pin).catch((error: unknown) => {
    if (error instanceof LoaderError && error.errno === ERRNO.ENOENT) return [];
    throw error;
  });
  return rows.map(({ values }) => sum(values.map((value) => readCounter(value.subarray(from)))));
}

/** Next hops, and what was sent, are those of places: they stay as long as these are the same devices', and so lead to the same ends. */
export function keepsHops(before: Manifest, after: Manifest): boolean {
  const devices = ({ tunnels }: Manifest) => tunnels.map(({ device }) => device).join();
  return before.datapath === "xdp" && after.datapath === "xdp" && devices(before) === devices(after);
}

/** struct tg_uplink; `sendsBack`: what came by it leaves by it by XDP_TX. */
export function uplinkRow(ifindex: number, address: string, sendsBack: boolean): MapEntry {
  return { key: u32(ifindex), value: Uint8Array.from([...mac(address), Number(sendsBack), 0]) };
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../src/targets/manifest.js";
import { readCounter, sum } from "../counters.js";
import type { Traffic } from "../gre/driver.js";
import { ERRNO, type Loader, LoaderError, type MapEntry } from "../loader-client.js";
import { mac, u32 } from "../netlink/message.js";
import { addressBytes } from "../prefix.js";

/** What a program needs that sends packets into tunnels itself: the maps of bpf-templates/forward.h, byte for byte. */

/** TG_TUNNELS: those behind are served by the namespace alone. */
export const FAST_TUNNELS = 64;

/** Fills in the tunnels of a program that is pinned in `pinDir`. `anycast` is their outer source. */
export async function fillTunnels(
  loader: Loader,
  pinDir: string,
  tunnels: Manifest["tunnels"],
  anycast: string,
): Promise<void> {
  const rows = tunnelRows(tunnels, anycast);
  if (rows.length > 0) await loader.updateMap(join(pinDir, "map_tunnels"), rows);
}

/**
 * Whether the program that is pinned in `pinDir` has these tunnels, and no others. Without its pin nobody can say what it has: then only
 * where there are none to have.
 */
export async function holdsTunnels(
  loader: Pick<Loader, "dumpMap">,
  pinDir: string,
  tunnels: Manifest["tunnels"],
  anycast: string,
): Promise<boolean> {
  const pin = join(pinDir, "map_tunnels");
  const found = existsSync(pin) ? await loader.dumpMap(pin) : [];
  const filled = found.map(({ key, values }) => [hex(key), hex(values[0] ?? [])] as const);
  const held = new Map(filled.filter(([, value]) => value !== NO_TUNNEL));
  const wanted = tunnelRows(tunnels, anycast);
  return held.size === wanted.length && wanted.every(({ key, value }) => held.get(hex(key)) === hex(value));
}

const hex = (bytes: ArrayLike<number>) => Buffer.from(Array.from(bytes)).toString("hex");

function tunnelRows(tunnels: Manifest["tunnels"], anycast: string): readonly MapEntry[] {
  return tunnels
    .slice(0, FAST_TUNNELS)
    .flatMap((tunnel, place) => (isFast(tunnel) ? [tunnelRow(tunnel, place, anycast)] : []));
}

/** The others' rows stay empty, and no program asks for them. */
function isFast({ kind, remote, ttl }: Manifest["tunnels"][number]): boolean {
  return kind === "gre" && ttl !== "inherit" && addressBytes(remote)?.length === 4;
}

const TUNNEL_BYTES = 16;
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
  value.writeUInt16LE(mtu, 12);
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

/** struct tg_uplink. */
export function uplinkRow(ifindex: number, address: string): MapEntry {
  return { key: u32(ifindex), value: Uint8Array.from([...mac(address), 0, 0]) };
}

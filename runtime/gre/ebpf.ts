import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { Bundle } from "../bundle.js";
import { namespaceFile } from "../command.js";
import { readCounter, sum } from "../counters.js";
import { builtFile, type Host, tolerating } from "../host.js";
import { ERRNO, LoaderError, type MapEntry } from "../loader-client.js";
import { deleteLink, findLink, linkKind, setLink } from "../netlink/link.js";
import { u32 } from "../netlink/message.js";
import { inside } from "../netlink/network.js";
import { perform } from "../netlink/perform.js";
import { writeSysctl } from "../node/sysctls.js";
import type { Part } from "../steps.js";
import type { Before, GreDriver, GreNode, StandingTunnel, TunnelRow, TunnelTraffic } from "./driver.js";
import {
  deviceValue,
  ENDPOINT_BYTES,
  endpointKey,
  ifindexKey,
  LOCAL_BYTES,
  localKey,
  tunnelValue,
} from "./ebpf-maps.js";
import { clsact, hasClassifier, isTaken } from "./tc.js";
import { tunnelText, upText } from "./text.js";

/**
 * A burst that was merged to one packet is cut up again where it leaves the customer's namespace, so that
 * what is encapsulated are packets as they go on the wire: not every kernel can cut them up inside of GRE, and
 * one that cannot drops them. Those whose checksums are still to be filled in are cut up there in any case (fillChecksums); of
 * others (`rx-gro-list` of ethtool(8)) one of less than 1,000 bytes passes whole: the kernel allows no smaller bound than some 400.
 */
const CUT_UP = { size: 1000, segments: 1 };

/** Our classifiers' place among those of others at the same device. */
const SLOT = { direction: "ingress", priority: 0x5447, handle: 1 } as const;

/** Tunnels of every kind by bpf-templates/gre.bpf.c, for kernels without devices for them. */
export function ebpfGre(host: Host): GreDriver {
  return {
    name: "ebpf",
    nodeParts: ({ uplinks, anycast }, standing) => [
      greProgram(host, { uplinks, anycast }, standing),
      ...anycast.map((address) => knownEnd(host, address)),
      ...uplinks.flatMap((device) => [clsact(host, device), classifier(host, device, "gre_decap")]),
    ],
    tunnel: (bundle, row, anycast) => tunnelPart(host, bundle, row, anycast),
    alter: (bundle, row, anycast, before) => alter(host, bundle, row, anycast, before),
    traffic: (_manifest, row) => traffic(host, row),
  };
}

type Program = "gre_encap" | "gre_decap";
type MapName = "gre_tunnels" | "gre_endpoints" | "gre_locals" | "gre_counters" | "gre_left_alone";

const PROGRAMS: readonly Program[] = ["gre_encap", "gre_decap"];
/** Bytes of each map's key. */
const KEYS: Readonly<Record<MapName, number>> = {
  ...{ gre_tunnels: 4, gre_endpoints: ENDPOINT_BYTES, gre_locals: LOCAL_BYTES },
  ...{ gre_counters: 4, gre_left_alone: 4 },
};

/** Where programs and maps are pinned; until those of a new load know all tunnels, beside. */
type Folder = "gre" | "gre-next";

const programPin = (host: Host, program: Program) => host.paths.bpf("gre", `prog_${program}`);
export const greMap = (host: Host, map: MapName, folder: Folder = "gre") =>
  host.paths.bpf(folder, `map_${map}`);

/**
 * The programs with their maps. They are loaded anew where a pin is gone, or a map is one of a build that had other keys: tunnels
 * stand then, and packets come. So those that sit on devices stay until the new maps know every tunnel, and each is replaced in
 * one step.
 */
function greProgram(host: Host, { uplinks, anycast }: GreNode, standing: readonly StandingTunnel[]): Part {
  const [pins, next] = [host.paths.bpf("gre"), host.paths.bpf("gre-next")];
  const clear = (folder: string) => rm(folder, { recursive: true, force: true });
  return {
    name: "GRE program",
    present: () => isWhole(host),
    up: async () => {
      await clear(next);
      await host.loader.loadObject({ object: builtFile("bpf/gre.bpf.o"), pinDir: next, reuse: {} });
      await storeEnds(host, anycast, "gre-next");
      const known = await fillAll(host, standing);
      await clear(pins);
      await rename(next, pins);
      for (const { row } of known) await attach(host, row.peer, "gre_encap");
      for (const device of uplinks)
        if (await isTaken(host, { ...SLOT, device })) await attach(host, device, "gre_decap");
    },
    down: async () => {
      for (const folder of [next, pins]) await clear(folder);
    },
    staysUp: true,
  };
}

async function isWhole(host: Host): Promise<boolean> {
  if (!PROGRAMS.every((program) => existsSync(programPin(host, program)))) return false;
  const maps = Object.keys(KEYS) as readonly MapName[];
  const found = await Promise.all(maps.map((map) => valueIn(host, map, new Uint8Array(KEYS[map]))));
  return !found.includes("no such map");
}

/** Makes the tunnels known to the maps of a new load; gives those that are there. What is missing is drift, which others mend. */
async function fillAll(host: Host, standing: readonly StandingTunnel[]): Promise<readonly StandingTunnel[]> {
  const known: StandingTunnel[] = [];
  for (const tunnel of standing) {
    const entries = await mapEntries(host, tunnel);
    if (!entries) continue;
    await store(host, entries, "gre-next");
    known.push(tunnel);
  }
  return known;
}

/** The first value by this key, which is undefined where there is none. A map may be gone, or have keys of another size. */
async function valueIn(
  host: Host,
  map: MapName,
  key: Uint8Array,
): Promise<Buffer | undefined | "no such map"> {
  return host.loader.lookupMap(greMap(host, map), [key]).then(
    ([found]) => found?.[0],
    (error: unknown) => {
      if (error instanceof LoaderError && (error.errno === ERRNO.EINVAL || error.errno === ERRNO.ENOENT))
        return "no such map";
      throw error;
    },
  );
}

/** Fragments to this address are the program's: it puts outer packets together that were cut up on their way. */
function knownEnd(host: Host, address: string): Part {
  return {
    name: `tunnels' end ${address}`,
    present: async () => (await valueIn(host, "gre_locals", localKey(address))) instanceof Buffer,
    up: () => storeEnds(host, [address]),
    down: async () => {
      const map = greMap(host, "gre_locals");
      if (existsSync(map))
        await tolerating(["ENOENT", "EINVAL"], host.loader.deleteFromMap(map, [localKey(address)]));
    },
  };
}

async function storeEnds(host: Host, anycast: readonly string[], folder: Folder = "gre"): Promise<void> {
  const entries = anycast.map((address) => ({ key: localKey(address), value: u32(1) }));
  await host.loader.updateMap(greMap(host, "gre_locals", folder), entries);
}

function attach(host: Host, device: string, program: Program): Promise<void> {
  return host.loader.attachTc({ ...SLOT, device, program: programPin(host, program) });
}

function classifier(host: Host, device: string, program: Program): Part {
  const slot = { ...SLOT, device };
  return {
    name: `${program} on ${device}`,
    present: () => hasProgram(host, device, program),
    up: () => attach(host, device, program),
    down: () => tolerating(["ENOENT", "EINVAL", "ENODEV"], host.loader.detachTc(slot)),
  };
}

async function hasProgram(host: Host, device: string, program: Program): Promise<boolean> {
  const pin = programPin(host, program);
  return existsSync(pin) && hasClassifier(host, { ...SLOT, device }, pin);
}

function tunnelPart(host: Host, bundle: Bundle, row: TunnelRow, anycast: string): Part {
  const { loader } = host;
  const { namespace } = bundle.manifest;
  const customer = inside(host, namespace);
  const standing: StandingTunnel = { namespace, row, anycast };
  return {
    name: `tunnel ${row.name}`,
    present: async () => {
      if (!(await isPair(host, standing)) || !(await hasProgram(host, row.peer, "gre_encap"))) return false;
      return (await valueIn(host, "gre_endpoints", endpointKey(row, anycast))) instanceof Buffer;
    },
    asMeant: async () =>
      (await mapsHold(host, standing)) &&
      !(await loader.leavesChecksums(namespaceFile(namespace), row.device)),
    up: async () => {
      await perform(host, await tunnelText(bundle, row, "veth", anycast));
      await perform(customer, [
        setLink(row.device, { gso: CUT_UP, alias: row.name }),
        ...(await upText(bundle, row)),
      ]);
      await silence(row);
      await fillChecksums(host, row, namespace);
      await fillMaps(host, standing);
      await attach(host, row.peer, "gre_encap");
    },
    down: async () => {
      const index = await peerIndex(host, row);
      if (existsSync(greMap(host, "gre_tunnels"))) {
        // A build before had keys of another size (EINVAL); its maps go as a whole.
        const drop = (map: MapName, key: Uint8Array) =>
          tolerating(["ENOENT", "EINVAL"], loader.deleteFromMap(greMap(host, map), [key]));
        await drop("gre_endpoints", endpointKey(row, anycast));
        // The node's anycast address may have changed without this customer; the device's number will be another's.
        if (index !== undefined && existsSync(greMap(host, "gre_endpoints")))
          await dropOtherEndpoints(host, row, anycast);
        if (index !== undefined) await drop("gre_tunnels", ifindexKey(index));
        if (index !== undefined) await drop("gre_counters", ifindexKey(index));
      }
      await deleteLink(host, row.peer);
      // Of another pair, or kind: it has the name that the next one takes.
      await deleteLink(customer, row.device);
    },
  };
}

/** Are both ends there, and devices of that kind? */
async function isPair(host: Host, { namespace, row }: StandingTunnel): Promise<boolean> {
  const ends = await Promise.all([linkKind(host, row.peer), linkKind(inside(host, namespace), row.device)]);
  return ends.every((end) => end?.kind === "veth");
}

/**
 * Everything that comes out of the peer is for gre_encap; the node itself has nothing to say to the customer's stack. Below
 * 1280 bytes a device has no IPv6 anyway.
 */
async function silence({ mtu, peer }: TunnelRow): Promise<void> {
  if (mtu >= 1280) await writeSysctl(`net/ipv6/conf/${peer}/disable_ipv6`, "1");
}

/**
 * What comes out of the device has its checksums. Else a network card, or the kernel before it, would fill in that of a packet which
 * gre_encap quotes in an answer: within the quote, after the answer's own was taken.
 */
async function fillChecksums({ loader }: Host, { device }: TunnelRow, namespace: string): Promise<void> {
  await loader.setLeavesChecksums(namespaceFile(namespace), device, false);
}

async function alter(
  host: Host,
  bundle: Bundle,
  row: TunnelRow,
  anycast: string,
  before: Before,
): Promise<void> {
  const { namespace } = bundle.manifest;
  const { device, peer, mtu, name } = row;
  const customer = inside(host, namespace);
  const standing: StandingTunnel = { namespace, row, anycast };
  if (!(await isPair(host, standing))) return;
  const near = () => perform(host, [setLink(peer, { mtu })]);
  const far = () => perform(customer, [setLink(device, { mtu, alias: name })]);
  // A veth drops what is longer than its other end takes.
  for (const set of mtu < before.row.mtu ? [far, near] : [near, far]) await set();
  const [, ...up] = await tunnelText(bundle, row, "veth", anycast);
  await perform(host, up);
  await silence(row);
  await fillChecksums(host, row, namespace);
  await perform(customer, await upText(bundle, row));
  await fillMaps(host, standing);
  if (!(await hasProgram(host, peer, "gre_encap"))) await attach(host, peer, "gre_encap");
  const [now, then] = [endpointKey(row, anycast), endpointKey(before.row, before.anycast)];
  if (!Buffer.from(now).equals(then))
    await tolerating(["ENOENT"], host.loader.deleteFromMap(greMap(host, "gre_endpoints"), [then]));
  else await dropOtherEndpoints(host, row, anycast);
}

async function fillMaps(host: Host, tunnel: StandingTunnel): Promise<void> {
  const { peer, device } = tunnel.row;
  const entries = await mapEntries(host, tunnel);
  if (!entries) throw new Error(`${peer} or ${device} was not made`);
  await store(host, entries);
}

/** Arriving packets find the tunnel last: until then they are nobody's. */
async function store(host: Host, { tunnel, endpoint }: Entries, folder: Folder = "gre"): Promise<void> {
  await host.loader.updateMap(greMap(host, "gre_tunnels", folder), [tunnel]);
  await host.loader.updateMap(greMap(host, "gre_endpoints", folder), [endpoint]);
}

async function mapsHold(host: Host, tunnel: StandingTunnel): Promise<boolean> {
  const entries = await mapEntries(host, tunnel);
  if (!entries) return false;
  const holds = async (map: MapName, { key, value }: MapEntry) => {
    const found = await valueIn(host, map, key);
    return found instanceof Buffer && found.equals(value);
  };
  return (await holds("gre_tunnels", entries.tunnel)) && (await holds("gre_endpoints", entries.endpoint));
}

interface Entries {
  readonly tunnel: MapEntry;
  readonly endpoint: MapEntry;
}

/** undefined: one end of the pair is missing. */
async function mapEntries(
  host: Host,
  { namespace, row, anycast }: StandingTunnel,
): Promise<Entries | undefined> {
  const [peer, device] = await Promise.all([
    findLink(host, row.peer),
    findLink(inside(host, namespace), row.device),
  ]);
  if (!peer || !device) return undefined;
  return {
    tunnel: { key: ifindexKey(peer.index), value: tunnelValue(row, anycast) },
    endpoint: {
      key: endpointKey(row, anycast),
      value: deviceValue(peer.index, device.mac, peer.mac),
    },
  };
}

/** Packets to an anycast address that the node had before are nobody's: a tunnel has one endpoint. */
async function dropOtherEndpoints(host: Host, row: TunnelRow, anycast: string): Promise<void> {
  const index = await peerIndex(host, row);
  const map = greMap(host, "gre_endpoints");
  const own = Buffer.from(endpointKey(row, anycast));
  const others = (await host.loader.dumpMap(map)).filter(
    ({ key, values: [value] }) => value?.readUInt32LE() === index && !key.equals(own),
  );
  for (const { key } of others) await tolerating(["ENOENT"], host.loader.deleteFromMap(map, [key]));
}

async function peerIndex({ loader }: Host, { peer }: TunnelRow): Promise<number | undefined> {
  return loader.ifindex(peer).catch((error: unknown) => {
    if (error instanceof LoaderError && error.errno === ERRNO.ENODEV) return undefined;
    throw error;
  });
}

async function traffic(host: Host, row: TunnelRow): Promise<TunnelTraffic> {
  const index = await peerIndex(host, row);
  const map = greMap(host, "gre_counters");
  const counted = existsSync(map) ? await host.loader.lookupMap(map, [ifindexKey(index ?? 0)]) : [];
  const values = counted[0] ?? [];
  // struct gre_counters: sent, received, dropped.
  const at = (index: number) => sum(values.map((value) => readCounter(value, index)));
  return { sent: at(0), received: at(1), dropped: at(2) };
}

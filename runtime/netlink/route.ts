import { addressBytes, familyOf, type Prefix } from "../prefix.js";
import { type Attributes, attribute, FLAG, message, readAttributes, u8, u32 } from "./message.js";
import { addressFamily, ask, type Family, type Network, type Request } from "./network.js";
import { perform } from "./perform.js";

/** Routes: RTM_*ROUTE, with `struct rtmsg`. */
const RTM = { newRoute: 24, delRoute: 25, getRoute: 26 };
const RTA = {
  destination: 1,
  source: 2,
  outDevice: 4,
  gateway: 5,
  priority: 6,
  preferredSource: 7,
  metrics: 8,
  table: 15,
  nexthop: 30,
};
/** Within the metrics. */
const RTAX_MTU = 2;

/** RTN_*, RTPROT_BOOT, RT_SCOPE_* and RTNH_F_ONLINK of linux/rtnetlink.h. */
const TYPE = { unicast: 1, local: 2, blackhole: 6 };
const PROTOCOL_BOOT = 3;
const SCOPE = { universe: 0, link: 253, nowhere: 255 };
const ONLINK = 4;

/** RTM_F_FIB_MATCH: the route as it stands in its table, not what the kernel makes of it for a packet. */
const AS_IT_STANDS = 0x2000;

/** RT_TABLE_MAIN, which is where a route goes that names no table. */
export const MAIN_TABLE = 254;

/** RT_TABLE_LOCAL: what ends at the node itself. */
export const LOCAL_TABLE = 255;

/** `struct rtmsg`: family, lengths of destination and source, TOS, table, protocol, scope, type, flags. */
const RTMSG = 12;

/** A route of a table: to a device, with or without a next hop, or into a blackhole. */
export interface Route {
  readonly to: Prefix;
  readonly table: number;
  /** Of several to the same prefix the lowest counts; without, the kernel's default. */
  readonly metric?: number;
  readonly by:
    | "blackhole"
    /** A nexthop, or a group of them, by its number. */
    | { readonly nexthop: number }
    | {
        readonly device: string;
        /** A next hop, which is on the device whatever its addresses are. */
        readonly via?: string;
        /** The source that own packets get. */
        readonly source?: string | undefined;
      };
}

/** Fails where there is one of the same prefix and metric already. */
export function addRoute(route: Route): Request {
  return make("add", FLAG.create | FLAG.exclusive, route);
}

export function replaceRoute(route: Route): Request {
  return make("replace", FLAG.create | FLAG.replace, route);
}

function make(verb: string, flags: number, route: Route): Request {
  const { to, table, metric, by } = route;
  const type = by === "blackhole" ? TYPE.blackhole : TYPE.unicast;
  return {
    words: `route ${verb} ${wordsOf(route)}`,
    devices: by !== "blackhole" && "device" in by ? [by.device] : [],
    encode: (indexOf) =>
      message(
        RTM.newRoute,
        flags,
        rtmsg(to, scopeOf(route), type, hopFlags(route)),
        ...destination(to),
        attribute(RTA.table, u32(table)),
        ...(metric === undefined ? [] : [attribute(RTA.priority, u32(metric))]),
        ...wayOf(by, indexOf),
      ),
  };
}

function wayOf(by: Route["by"], indexOf: (device: string) => number): readonly Buffer[] {
  if (by === "blackhole") return [];
  if ("nexthop" in by) return [attribute(RTA.nexthop, u32(by.nexthop))];
  const { device, via, source } = by;
  return [
    attribute(RTA.outDevice, u32(indexOf(device))),
    ...address(RTA.gateway, via),
    ...address(RTA.preferredSource, source),
  ];
}

function wordsOf({ to, table, metric, by }: Route): string {
  const order = metric === undefined ? "" : ` metric ${metric}`;
  if (by === "blackhole") return `blackhole ${to.text}${order} table ${table}`;
  if ("nexthop" in by) return `${to.text} nhid ${by.nexthop}${order} table ${table}`;
  const via = by.via === undefined ? "" : ` via ${by.via}`;
  return `${to.text}${via} dev ${by.device}${order} table ${table}`;
}

/** Whatever leads there from the table, or only what does so at this metric. */
export function deleteRoute(to: Prefix, table: number, metric?: number): Request {
  return {
    words: `route del ${to.text}${metric === undefined ? "" : ` metric ${metric}`} table ${table}`,
    devices: [],
    encode: () =>
      message(
        RTM.delRoute,
        0,
        rtmsg(to, SCOPE.nowhere, 0, 0),
        ...destination(to),
        attribute(RTA.table, u32(table)),
        ...(metric === undefined ? [] : [attribute(RTA.priority, u32(metric))]),
      ),
  };
}

/** The table's number is in an attribute: here is room for one byte. */
function rtmsg({ family, length }: Prefix, scope: number, type: number, flags: number): Buffer {
  return Buffer.concat([u8(addressFamily(family), length, 0, 0, 0, PROTOCOL_BOOT, scope, type), u32(flags)]);
}

/** To a neighbour on the device, or further; a packet that ends here goes nowhere. */
function scopeOf({ to, by }: Route): number {
  const isNear = by !== "blackhole" && "device" in by && by.via === undefined;
  return to.family === 4 && isNear ? SCOPE.link : SCOPE.universe;
}

function hopFlags({ by }: Route): number {
  return by !== "blackhole" && "device" in by && by.via !== undefined ? ONLINK : 0;
}

function destination({ length, bytes }: Prefix): readonly Buffer[] {
  return length === 0 ? [] : [attribute(RTA.destination, bytes)];
}

function address(type: number, text: string | undefined): readonly Buffer[] {
  const bytes = text === undefined ? undefined : addressBytes(text);
  return bytes ? [attribute(type, bytes)] : [];
}

/** A route as the kernel has it. */
export interface KernelRoute {
  /** Bytes of the destination; those that the prefix leaves open are 0. */
  readonly destination: Buffer;
  readonly length: number;
  readonly isBlackhole: boolean;
  /** 0: none is said. */
  readonly metric: number;
  /** Index of the device; 0: none. */
  readonly device: number;
  /** Number of the nexthop, or group, that it goes by; 0: none. */
  readonly nexthop: number;
  /** The whole of it, as the kernel tells it. */
  readonly body: Buffer;
}

/** Which of a table's routes are meant; all others are left out by the kernel (NETLINK_GET_STRICT_CHK). */
export interface RouteFilter {
  readonly type?: "blackhole" | "local";
  /** Index of the device that they lead to. */
  readonly device?: number;
}

/** The routes of a table; none where there is no such table, device or namespace. */
export async function tableRoutes(
  network: Network,
  family: Family,
  table: number,
  { type, device }: RouteFilter = {},
): Promise<readonly KernelRoute[]> {
  const head = Buffer.alloc(RTMSG);
  head.writeUInt8(addressFamily(family));
  if (type !== undefined) head.writeUInt8(TYPE[type], 7);
  const which = [
    attribute(RTA.table, u32(table)),
    ...(device === undefined ? [] : [attribute(RTA.outDevice, u32(device))]),
  ];
  const question = message(RTM.getRoute, FLAG.dump, head, ...which);
  const words = `-${family} route show table ${table}`;
  const answers = await ask(network, words, question, ["ENOENT", "ENODEV"]);
  return answers.map(({ body }) => {
    const attributes = readAttributes(body, RTMSG);
    return {
      destination: attributes.get(RTA.destination) ?? Buffer.alloc(family === 4 ? 4 : 16),
      length: body.readUInt8(1),
      metric: attributes.get(RTA.priority)?.readUInt32LE() ?? 0,
      isBlackhole: body.readUInt8(7) === TYPE.blackhole,
      device: attributes.get(RTA.outDevice)?.readUInt32LE() ?? 0,
      nexthop: attributes.get(RTA.nexthop)?.readUInt32LE() ?? 0,
      body,
    };
  });
}

/** What the kernel says of an address to which nothing leads, or a route that leads nowhere. */
const NO_WAY = ["ENETUNREACH", "EHOSTUNREACH", "EACCES", "EINVAL"] as const;

/** How packets leave. */
export interface Way {
  /** Index of the device. */
  readonly device: number;
  /** What the route itself says that the way carries; undefined: as much as the device. */
  readonly mtu: number | undefined;
}

/**
 * By what packets of the node's own to this address leave, from this address of its own; undefined: it has no way there, or no such
 * address.
 */
export async function wayTo(network: Network, to: string, from?: string): Promise<Way | undefined> {
  const device = (await routeTo(network, to, from, 0))?.get(RTA.outDevice)?.readUInt32LE();
  if (device === undefined) return undefined;
  // Else it would be what a router has said of the path last, if one has, for some minutes.
  const route = await routeTo(network, to, from, AS_IT_STANDS);
  const metrics = readAttributes(route?.get(RTA.metrics) ?? Buffer.alloc(0));
  return { device, mtu: metrics.get(RTAX_MTU)?.readUInt32LE() };
}

async function routeTo(
  network: Network,
  to: string,
  from: string | undefined,
  flags: number,
): Promise<Attributes | undefined> {
  const bytes = addressBytes(to) ?? Buffer.alloc(0);
  const head = Buffer.alloc(RTMSG);
  head.writeUInt8(addressFamily(familyOf(to)), 0);
  head.writeUInt8(8 * bytes.length, 1);
  head.writeUInt8(from === undefined ? 0 : 8 * bytes.length, 2);
  head.writeUInt32LE(flags, 8);
  const ends = [attribute(RTA.destination, bytes), ...address(RTA.source, from)];
  const question = message(RTM.getRoute, 0, head, ...ends);
  const [answer] = await ask(network, `route get ${to}`, question, NO_WAY);
  return answer && readAttributes(answer.body, RTMSG);
}

export function leadsTo({ destination, length }: KernelRoute, prefix: Prefix): boolean {
  return length === prefix.length && destination.equals(prefix.bytes);
}

/** Empties a table; one that is not there is as good. */
export async function flushTable(network: Network, family: Family, table: number): Promise<void> {
  const routes = await tableRoutes(network, family, table);
  const words = `-${family} route flush table ${table}`;
  const requests = routes.map(({ body }) => ({
    words,
    devices: [],
    encode: () => message(RTM.delRoute, 0, body),
  }));
  if (requests.length > 0) await perform(network, requests);
}

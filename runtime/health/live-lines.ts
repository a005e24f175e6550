import type { Manifest } from "../../src/targets/manifest.js";
import { contains, type Prefix, parsePrefix } from "../prefix.js";

/**
 * Which lines of a customer's routing table hold while some of its tunnels are dead (docs/semantics.md, "Whether a router
 * lives"): routes into dead tunnels do not count where another route holds their addresses; the rest are closed, or used all the same.
 */
export interface LiveLines {
  /** Groups with their live members, routes that count, and blackholes for those that are closed, in the order in which they were. */
  readonly table: readonly string[];
  /** Routes that do not count. */
  readonly left: readonly string[];
  /** Routes that are closed: all that hold their addresses are into dead tunnels. */
  readonly closed: readonly ClosedRoute[];
}

export interface ClosedRoute {
  /** The blackhole that stands for it, with its prefix and metric. */
  readonly line: string;
  readonly prefix: Prefix;
  /** Devices of the tunnels that end it: by its own route, or by one to a shorter prefix. */
  readonly devices: readonly string[];
}

/** The lines that make a generation's routing table (src/targets/route). */
export interface TableLines {
  readonly nexthops: readonly string[];
  readonly table: readonly string[];
}

interface RouteLine {
  readonly line: string;
  readonly prefix: Prefix;
  readonly devices: readonly string[];
}

/** `dead`: devices of dead tunnels. */
export function liveLines(
  { nexthops, table }: TableLines,
  dead: ReadonlySet<string>,
  noLiveTunnel: Manifest["noLiveTunnel"],
): LiveLines {
  if (dead.size === 0) return { table, left: [], closed: [] };
  const devices = devicesOf([...nexthops, ...table]);
  const routes = table.flatMap((line) => routeOf(line, devices) ?? []);
  const isLive = (route: RouteLine) => route.devices.some((device) => !dead.has(device));
  const live = routes.filter(isLive);
  const hasOther = ({ prefix }: RouteLine) => live.some((other) => contains(other.prefix, prefix));
  const lifeless = routes.filter((route) => !isLive(route));
  const left = new Set(lifeless.filter(hasOther).map(({ line }) => line));
  const alone = noLiveTunnel === "blackhole" ? lifeless.filter((route) => !hasOther(route)) : [];
  const closed = new Map(alone.map((route) => [route.line, closedRoute(route, routes)]));
  const isDead = (id: string) => (devices.get(id) ?? []).every((device) => dead.has(device));
  return {
    table: table
      .filter((line) => !left.has(line))
      .map((line) => closed.get(line)?.line ?? withLiveMembers(line, isDead)),
    left: [...left],
    closed: [...closed.values()],
  };
}

function closedRoute({ line, prefix }: RouteLine, routes: readonly RouteLine[]): ClosedRoute {
  const holding = routes.filter((other) => contains(other.prefix, prefix));
  const devices = [...new Set(holding.flatMap((route) => route.devices))];
  return { line: line.replace(WAY, "route add blackhole $1"), prefix, devices };
}

/** The lines of routes that lead into one of these devices, or may. */
export function routesInto({ nexthops, table }: TableLines, into: ReadonlySet<string>): ReadonlySet<string> {
  const devices = devicesOf([...nexthops, ...table]);
  return new Set(
    table.filter((line) => routeOf(line, devices)?.devices.some((device) => into.has(device)) ?? false),
  );
}

/**
 * The lines to put in the place of what is there, in their order, so that no prefix with a live tunnel is a black hole for a moment.
 * What leads into live tunnels stands before anything is closed, as the closed prefix may be a shorter one around it. A group of
 * dead tunnels alone has all of them: it comes when nothing goes there any more. `asked`: devices of tunnels that can die.
 */
export function replacements(
  lines: TableLines,
  { table, closed }: LiveLines,
  dead: ReadonlySet<string>,
  asked: ReadonlySet<string>,
): readonly string[] {
  const devices = devicesOf([...lines.nexthops, ...lines.table]);
  const about = routesInto(lines, asked);
  // A group that stays as it is loses nothing by being said again.
  const groups = table.filter((line) => line.startsWith("nexthop "));
  const isLive = (line: string) =>
    (devices.get(NEXTHOP.exec(line)?.[1] ?? "") ?? []).some((device) => !dead.has(device));
  return [
    ...groups.filter(isLive),
    ...table.filter((line) => about.has(line)),
    ...closed.map(({ line }) => line),
    ...groups.filter((line) => !isLive(line)),
  ];
}

const NEXTHOP = /^nexthop add id (\S+) (dev|group) (\S+)/;

/** Of each nexthop and group by its number, the devices that it leads to. Groups stand behind their members. */
function devicesOf(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const line of lines) {
    const [, id = "", kind, value = ""] = NEXTHOP.exec(line) ?? [];
    if (kind === "dev") found.set(id, [value]);
    if (kind === "group")
      found.set(
        id,
        membersOf(value).flatMap(({ id: member }) => found.get(member) ?? []),
      );
  }
  return found;
}

function membersOf(group: string): readonly { readonly id: string; readonly text: string }[] {
  return group.split("/").map((text) => ({ id: text.replace(/,.*/, ""), text }));
}

/** Of a route: where to, and by what. */
const WAY = /^route add (\S+) (dev|nhid) (\S+)/;

function routeOf(line: string, devices: ReadonlyMap<string, readonly string[]>): RouteLine | undefined {
  const [, to = "", kind, value = ""] = WAY.exec(line) ?? [];
  const prefix = parsePrefix(to);
  if (!prefix) return undefined;
  return { line, prefix, devices: kind === "dev" ? [value] : (devices.get(value) ?? []) };
}

/** A group all of whose members are dead has all of them. */
function withLiveMembers(line: string, isDead: (id: string) => boolean): string {
  const [, , kind, value = ""] = NEXTHOP.exec(line) ?? [];
  if (kind !== "group") return line;
  const members = membersOf(value);
  const live = members.filter(({ id }) => !isDead(id));
  return live.length === 0 ? line : line.replace(value, live.map(({ text }) => text).join("/"));
}

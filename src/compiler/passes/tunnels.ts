import type { Located, SurfacePolicy, SurfaceTunnel } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { type Address, type Family, formatPrefix, prefixContainsAddress } from "../ir/address.js";
import type { OwnedPrefix, Tunnel } from "../ir/policy.js";
import { checkHostAddress, readAddress } from "./addresses.js";
import { readHealth } from "./health.js";
import { oneOf, readBounded, readBoundedOr } from "./numbers.js";

const DEFAULT_TTL = 64;
const ETHERNET_MTU = 1500;
/** Headers of IP without options (RFC 791, RFC 8200). */
const IP_BYTES = { 4: 20, 6: 40 } as const;
/** Of GRE, which a key makes 8 (RFC 2890). */
const GRE_BYTES = { plain: 4, keyed: 8 } as const;
/** The least that IPv4 (RFC 791) and IPv6 (RFC 8200 section 5) ask of a link. */
const LEAST_MTU = { 4: 68, 6: 1280 } as const;
/** What an IP packet can be in 16 bits of length, IPv4's whole. */
const LARGEST_PACKET = 65_535;
/** What every IPv4 host can receive (RFC 791), and so may be sent by who knows no better. */
const USUAL_LEAST_MTU = 576;
/** An IP header and TCP's own are no part of a segment (RFC 879, RFC 8200 section 8.3). */
const TCP_BYTES = 20;

export function readTunnels(
  surface: SurfacePolicy,
  prefixes: readonly OwnedPrefix[],
  diagnostics: Diagnostics,
): readonly Tunnel[] {
  const tunnels = surface.tunnels.flatMap((tunnel) => readTunnel(tunnel, prefixes, diagnostics) ?? []);
  checkEndpoints(tunnels, diagnostics);
  return tunnels;
}

function readTunnel(
  tunnel: SurfaceTunnel,
  prefixes: readonly OwnedPrefix[],
  diagnostics: Diagnostics,
): Tunnel | undefined {
  const remote = readRemote(tunnel, prefixes, diagnostics);
  const key = readBounded(tunnel.key, null, { what: "key", min: 0, max: 0xffffffff }, diagnostics);
  const ttl = readBoundedOr(
    tunnel.ttl,
    DEFAULT_TTL,
    { what: "ttl", min: 1, max: 255 },
    ["inherit"],
    diagnostics,
  );
  const dscp = readBoundedOr(
    tunnel.dscp,
    "inherit",
    { what: "dscp", min: 0, max: 63 },
    ["inherit"],
    diagnostics,
  );
  const df = oneOf(tunnel.df, "set", { what: "df", words: ["set", "inherit"] }, diagnostics);
  const health = readHealth(tunnel.health, remote, prefixes, diagnostics);
  // Without a remote, nothing can be said of the outer headers.
  if (!remote) return undefined;
  const outer = outerBytes(tunnel, remote);
  const mtu = readMtu(tunnel, outer, leastMtu(tunnel, remote, prefixes), diagnostics);
  const mss = readMss(tunnel, mtu, diagnostics);
  if (df === "inherit" && tunnel.df) checkInheritedDf(tunnel.df, tunnel, remote, ttl, diagnostics);
  const { name, kind } = tunnel;
  const outerHeader = { kind, remote, ttl, key, dscp, df };
  return { name: name.value, span: name.span, ...outerHeader, mtu, mss, ...(health && { health }) };
}

/** What the tunnel puts before each packet. */
function outerBytes({ kind, key }: SurfaceTunnel, { family }: Address): number {
  const gre = kind === "gre" ? GRE_BYTES[key ? "keyed" : "plain"] : 0;
  return IP_BYTES[family] + gre;
}

/** Linux' device for both families in IPv4 is sit(4)'s, which carries no less than IPv6 needs (ipip6_tunnel_setup). */
function leastMtu({ kind }: SurfaceTunnel, { family }: Address, prefixes: readonly OwnedPrefix[]): number {
  const carriesIpv6 = prefixes.some(({ prefix }) => prefix.family === 6);
  return LEAST_MTU[carriesIpv6 || (kind === "ipip" && family === 4) ? 6 : 4];
}

function readMtu({ mtu }: SurfaceTunnel, outer: number, min: number, diagnostics: Diagnostics): number {
  const fitting = ETHERNET_MTU - outer;
  const read = readBounded(mtu, fitting, { what: "mtu", min, max: LARGEST_PACKET - outer }, diagnostics);
  const hint = `leave \`mtu\` out: it is ${fitting} then`;
  if (mtu && read > fitting) diagnostics.report("TG3018", mtu.span, { mtu: read, outer }, { hint });
  else if (mtu && read < USUAL_LEAST_MTU) diagnostics.report("TG3019", mtu.span, { mtu: read }, { hint });
  return read;
}

function readMss({ mss }: SurfaceTunnel, mtu: number, diagnostics: Diagnostics): Tunnel["mss"] {
  const fitting = (family: Family) => Math.max(1, mtu - IP_BYTES[family] - TCP_BYTES);
  const bounds = { what: "mss", min: LEAST_MTU[4] - IP_BYTES[4] - TCP_BYTES, max: fitting(4) };
  const read = readBoundedOr(mss, "clamp", bounds, ["clamp", "keep"], diagnostics);
  if (read === "keep") return null;
  const most = read === "clamp" ? fitting(4) : read;
  return { 4: most, 6: Math.min(most, fitting(6)) };
}

/** `df` is of IPv4. And sit(4) sets DF where the TTL is fixed, whatever else it is told (ipip6_netlink_parms). */
function checkInheritedDf(
  { span }: Located<string>,
  { kind }: SurfaceTunnel,
  { family }: Address,
  ttl: Tunnel["ttl"],
  diagnostics: Diagnostics,
): void {
  if (family === 6) diagnostics.report("TG2061", span, {});
  else if (kind === "ipip" && ttl !== "inherit") diagnostics.report("TG2062", span, { ttl });
}

/** What comes back must belong to one tunnel; kind, outer source and key are all that tells. */
function checkEndpoints(tunnels: readonly Tunnel[], diagnostics: Diagnostics): void {
  const first = new Map<string, Tunnel>();
  for (const tunnel of tunnels) {
    const { family, value } = tunnel.remote;
    const endpoint = `${tunnel.kind} ${family} ${value} ${tunnel.key}`;
    const other = first.get(endpoint);
    if (!other) first.set(endpoint, tunnel);
    else {
      const related = [{ span: other.span, text: "the other tunnel" }];
      diagnostics.report("TG2045", tunnel.span, { name: tunnel.name, other: other.name }, { related });
    }
  }
}

function readRemote(
  { remote }: SurfaceTunnel,
  prefixes: readonly OwnedPrefix[],
  diagnostics: Diagnostics,
): Address | undefined {
  const address = readAddress(remote, diagnostics);
  if (!address) return undefined;
  checkHostAddress(address, remote, diagnostics);
  const own = prefixes.find(({ prefix }) => prefixContainsAddress(prefix, address));
  if (own) {
    const related = [{ span: own.span, text: "the prefix" }];
    const params = { remote: remote.value, prefix: formatPrefix(own.prefix) };
    diagnostics.report("TG2026", remote.span, params, { related });
  }
  return address;
}

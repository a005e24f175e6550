import type { Located, SurfacePolicy, SurfaceTunnel } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { type Address, formatPrefix, prefixContainsAddress } from "../ir/address.js";
import type { OwnedPrefix, Tunnel } from "../ir/policy.js";
import { checkHostAddress, readAddress } from "./addresses.js";
import { readHealth } from "./health.js";
import { readBounded } from "./numbers.js";

const DEFAULT_TTL = 64;
const ETHERNET_MTU = 1500;
/** 20 bytes of IPv4 and 4 of GRE, which a key makes 8 (RFC 2890). */
const OUTER_BYTES = { plain: 24, keyed: 28 } as const;
/** The least that IPv4 (RFC 791) and IPv6 (RFC 8200 section 5) ask of a link. */
const LEAST_MTU = { 4: 68, 6: 1280 } as const;
/** What 16 bits of outer length leave behind IPv4, GRE and its key. */
const LARGEST_MTU = 65_535 - OUTER_BYTES.keyed;
/** What every IPv4 host can receive (RFC 791), and so may be sent by who knows no better. */
const USUAL_LEAST_MTU = 576;

export function readTunnels(
  surface: SurfacePolicy,
  prefixes: readonly OwnedPrefix[],
  diagnostics: Diagnostics,
): readonly Tunnel[] {
  const carriesIpv6 = prefixes.some(({ prefix }) => prefix.family === 6);
  const mtu = { what: "mtu", min: LEAST_MTU[carriesIpv6 ? 6 : 4], max: LARGEST_MTU };
  const tunnels = surface.tunnels.flatMap((tunnel) => {
    const remote = readRemote(tunnel, prefixes, diagnostics);
    const outer = OUTER_BYTES[tunnel.key ? "keyed" : "plain"];
    const rest = {
      ttl: readBounded(tunnel.ttl, DEFAULT_TTL, { what: "ttl", min: 1, max: 255 }, diagnostics),
      mtu: readBounded(tunnel.mtu, ETHERNET_MTU - outer, mtu, diagnostics),
      key: readBounded(tunnel.key, null, { what: "key", min: 0, max: 0xffffffff }, diagnostics),
    };
    if (tunnel.mtu) warnOfMtu({ value: rest.mtu, span: tunnel.mtu.span }, outer, diagnostics);
    const health = readHealth(tunnel.health, remote, prefixes, diagnostics);
    const { value: name, span } = tunnel.name;
    return remote ? [{ name, span, remote, ...rest, ...(health && { health }) }] : [];
  });
  checkEndpoints(tunnels, diagnostics);
  return tunnels;
}

/** An MTU that can be had, but hardly be meant. */
function warnOfMtu({ value, span }: Located<number>, outer: number, diagnostics: Diagnostics): void {
  const fitting = ETHERNET_MTU - outer;
  const hint = `leave \`mtu\` out: it is ${fitting} then`;
  if (value > fitting) diagnostics.report("TG3018", span, { mtu: value, outer }, { hint });
  else if (value < USUAL_LEAST_MTU) diagnostics.report("TG3019", span, { mtu: value }, { hint });
}

/** What comes back must belong to one tunnel; the outer source and the key are all that tells. */
function checkEndpoints(tunnels: readonly Tunnel[], diagnostics: Diagnostics): void {
  const first = new Map<string, Tunnel>();
  for (const tunnel of tunnels) {
    const endpoint = `${tunnel.remote.value} ${tunnel.key}`;
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
  if (address.family === 6) diagnostics.report("TG2027", remote.span, {});
  checkHostAddress(address, remote, diagnostics);
  const own = prefixes.find(({ prefix }) => prefixContainsAddress(prefix, address));
  if (own) {
    const related = [{ span: own.span, text: "the prefix" }];
    const params = { remote: remote.value, prefix: formatPrefix(own.prefix) };
    diagnostics.report("TG2026", remote.span, params, { related });
  }
  return address;
}

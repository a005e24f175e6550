import type { Located, SurfaceHealth, SurfacePolicy } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/did-you-mean.js";
import { type Address, prefixContains, prefixContainsAddress } from "../ir/address.js";
import type { Health, NoLiveTunnel, OwnedPrefix, Route, Tunnel } from "../ir/policy.js";
import { checkHostAddress, readAddress } from "./addresses.js";
import { readBounded } from "./numbers.js";

const MS_OF_SECOND = 1000;
const MS_OF_MINUTE = 60_000;

/** Milliseconds of each unit. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", MS_OF_SECOND],
  ["m", MS_OF_MINUTE],
]);

interface Bounds {
  readonly what: "interval" | "timeout";
  /** Milliseconds. */
  readonly least: number;
  readonly most: number;
}

const INTERVAL: Bounds = { what: "interval", least: 100, most: 60_000 };
const TIMEOUT: Bounds = { what: "timeout", least: 10, most: 10_000 };

const DEFAULT_INTERVAL = 1000;
const DEFAULT_TIMEOUT = 1000;
const DEFAULT_COUNT = 3;

/** What is asked of a tunnel's router; undefined: nothing, or what was written cannot be read, which is reported. */
export function readHealth(
  written: SurfaceHealth | null,
  remote: Address | undefined,
  prefixes: readonly OwnedPrefix[],
  diagnostics: Diagnostics,
): Health | undefined {
  if (written === null) return undefined;
  if (written.kind === "word") {
    if (written.value !== "off") diagnostics.report("TG2090", written.span, { value: written.value });
    return undefined;
  }
  const { interval, timeout, up, down } = written;
  const count = (what: "up" | "down") => ({ what, min: 1, max: 100 });
  const rest = {
    interval: readDuration(interval, DEFAULT_INTERVAL, INTERVAL, diagnostics),
    timeout: readDuration(timeout, DEFAULT_TIMEOUT, TIMEOUT, diagnostics),
    up: readBounded(up, DEFAULT_COUNT, count("up"), diagnostics),
    down: readBounded(down, DEFAULT_COUNT, count("down"), diagnostics),
  };
  const style = readStyle(written.style, diagnostics);
  const target = readTarget(written, style, remote, prefixes, diagnostics);
  return target && { target, style, ...rest };
}

/** Whole milliseconds, seconds or minutes, as `500ms`; `fallback` where it is not written, or wrong, which is reported. */
function readDuration(
  written: Located<string> | null,
  fallback: number,
  { what, least, most }: Bounds,
  diagnostics: Diagnostics,
): number {
  if (written === null) return fallback;
  const { value, span } = written;
  const [, digits = "", unit = ""] = /^(\d{1,9})(ms|s|m)$/.exec(value) ?? [];
  const factor = UNITS.get(unit);
  if (factor === undefined) {
    diagnostics.report("TG2091", span, { value }, { hint: durationHint(value) });
    return fallback;
  }
  const duration = Number(digits) * factor;
  if (duration >= least && duration <= most) return duration;
  const bounds = `from ${formatDuration(least)} to ${formatDuration(most)}`;
  diagnostics.report("TG2092", span, { what, value, bounds });
  return fallback;
}

function durationHint(value: string): string {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|)[a-z]*$/i.exec(value) ?? [];
  const ms = Number(number) * (UNITS.get(unit?.toLowerCase() || "s") ?? Number.NaN);
  return Number.isInteger(ms) && ms > 0 ? `write "${formatDuration(ms)}"` : 'write it like "1s" or "500ms"';
}

/** As a policy says it. */
function formatDuration(ms: number): string {
  if (ms % MS_OF_MINUTE === 0) return `${ms / MS_OF_MINUTE}m`;
  return ms % MS_OF_SECOND === 0 ? `${ms / MS_OF_SECOND}s` : `${ms}ms`;
}

function readStyle(written: Located<string> | null, diagnostics: Diagnostics): Health["style"] {
  if (written === null) return "request";
  const { value, span } = written;
  if (value === "request" || value === "reply") return value;
  diagnostics.report("TG2093", span, { value });
  return "request";
}

/** Whom the probes are to, or, in style "reply", whom they seem to be from. */
function readTarget(
  { target, span }: Extract<SurfaceHealth, { readonly kind: "probes" }>,
  style: Health["style"],
  remote: Address | undefined,
  prefixes: readonly OwnedPrefix[],
  diagnostics: Diagnostics,
): Address | undefined {
  if (target === null) {
    if (style === "request") return remote;
    diagnostics.report("TG2094", span, {});
    return undefined;
  }
  const address = readAddress(target, diagnostics);
  if (!address) return undefined;
  checkHostAddress(address, target, diagnostics);
  const isOwn =
    prefixes.length === 0 || prefixes.some(({ prefix }) => prefixContainsAddress(prefix, address));
  if (style === "reply" && !isOwn) diagnostics.report("TG2095", target.span, { target: target.value });
  return address;
}

const NO_LIVE_TUNNEL = ["blackhole", "use"] as const satisfies readonly NoLiveTunnel[];

/** undefined: it is none of the choices, which is reported. Warns where no router is asked, as then all tunnels count as live. */
export function readNoLiveTunnel(
  { value, span }: Located<string>,
  { tunnels, unread }: SurfacePolicy,
  diagnostics: Diagnostics,
): NoLiveTunnel | undefined {
  const choice = NO_LIVE_TUNNEL.find((one) => one === value);
  if (!choice) diagnostics.report("TG2096", span, { value }, { hint: didYouMean(value, NO_LIVE_TUNNEL) });
  const isAsked = unread.has("tunnels") || tunnels.some(({ health }) => health?.kind === "probes");
  if (choice && !isAsked) diagnostics.report("TG3022", span, {});
  return choice;
}

/** Warns of tunnels that others would stand in for, if anybody asked whether their routers live. */
export function reportUnasked(
  { tunnels: written }: SurfacePolicy,
  tunnels: readonly Tunnel[],
  routes: readonly Route[],
  diagnostics: Diagnostics,
): void {
  const known = routes.filter((route) => tunnels.some(({ name }) => name === route.tunnel));
  for (const { name, span } of tunnels) {
    const isSaid = written.some((one) => one.name.value === name && one.health !== null);
    if (isSaid) continue;
    const own = known.filter(({ tunnel }) => tunnel === name);
    const other = own.flatMap((route) => standIn(route, known) ?? [])[0];
    if (other) diagnostics.report("TG3030", span, { tunnel: name, other: other.tunnel });
  }
}

/** A route by another tunnel that takes what this one no longer carries. */
function standIn(route: Route, routes: readonly Route[]): Route | undefined {
  return routes.find(({ tunnel, prefix, priority }) => {
    const isWider = prefix.length < route.prefix.length;
    const comesNext = isWider || (prefix.length === route.prefix.length && priority >= route.priority);
    return tunnel !== route.tunnel && comesNext && prefixContains(prefix, route.prefix);
  });
}

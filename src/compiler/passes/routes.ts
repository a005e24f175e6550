import type { SurfacePolicy, SurfaceRoute } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import {
  ADDRESS_BITS,
  formatAddress,
  formatPrefix,
  type Prefix,
  prefixContains,
  prefixRange,
} from "../ir/address.js";
import { complement, intersection, intervals } from "../ir/intervals.js";
import type { OwnedPrefix, Route } from "../ir/policy.js";
import { readPrefix } from "./addresses.js";
import { readBounded } from "./numbers.js";
import { overlap } from "./prefixes.js";
import { checkShares } from "./shares.js";

const DEFAULT_PRIORITY = 100;
/** A kernel route's metric is 32 bits, and 0 would mean "the default". */
const LARGEST_PRIORITY = 0xffffffff - 1;
/** A kernel nexthop's weight is 8 bits, counted from 1 (rtnexthop in linux/rtnetlink.h). */
const LARGEST_WEIGHT = 256;

/** Reads the routes; `prefixes` are those of the policy, none where they are not known. */
export function readRoutes(
  surface: SurfacePolicy,
  prefixes: readonly OwnedPrefix[],
  diagnostics: Diagnostics,
): readonly Route[] {
  const read = surface.routes.flatMap((written) => {
    const route = readRoute(written, prefixes, diagnostics);
    return route ? [{ ...route, written }] : [];
  });
  // A route that could not be read may be the partner that a weight speaks of.
  if (!surface.unread.has("routes") && read.length === surface.routes.length) checkShares(read, diagnostics);
  const routes = read.map(({ written: _, ...route }): Route => route);
  // A mistaken route may have been meant for the prefix that seems to have none.
  const allFine =
    !surface.unread.has("routes") &&
    routes.length === surface.routes.length &&
    routes.every((route) => isOwn(route.prefix, prefixes));
  if (allFine) reportUncovered(prefixes, routes, diagnostics);
  return routes;
}

function readRoute(
  { prefix: text, tunnel, priority, weight }: SurfaceRoute,
  prefixes: readonly OwnedPrefix[],
  diagnostics: Diagnostics,
): Route | undefined {
  const bounds = {
    priority: { what: "priority", min: 0, max: LARGEST_PRIORITY },
    weight: { what: "weight", min: 1, max: LARGEST_WEIGHT },
  };
  const rest = {
    tunnel: tunnel.value,
    priority: readBounded(priority, DEFAULT_PRIORITY, bounds.priority, diagnostics),
    weight: readBounded(weight, 1, bounds.weight, diagnostics),
  };
  const prefix = readPrefix(text, diagnostics);
  if (!prefix) return undefined;
  if (!isOwn(prefix, prefixes)) {
    diagnostics.report("TG2024", text.span, { prefix: text.value }, { hint: ownPrefixes(prefixes) });
  }
  return { span: text.span, prefix, ...rest };
}

function isOwn(prefix: Prefix, prefixes: readonly OwnedPrefix[]): boolean {
  return prefixes.length === 0 || prefixes.some((own) => prefixContains(own.prefix, prefix));
}

function reportUncovered(
  prefixes: readonly OwnedPrefix[],
  routes: readonly Route[],
  diagnostics: Diagnostics,
): void {
  for (const { prefix, span } of prefixes) {
    const { family } = prefix;
    const own = routes.filter((route) => route.prefix.family === family);
    const covered = intervals(own.map((route) => prefixRange(route.prefix)));
    const left = intersection([prefixRange(prefix)], complement(covered, ADDRESS_BITS[family]));
    const [first] = left;
    if (!first) continue;
    const whole = own.every((route) => !overlap(route.prefix, prefix));
    const text = formatPrefix(prefix);
    const hint = `add { prefix: "${text}", tunnel: … } to \`routes\``;
    const address = formatAddress({ family, value: first.low });
    if (whole) diagnostics.report("TG3005", span, { prefix: text }, { hint });
    else diagnostics.report("TG3010", span, { prefix: text, address }, { hint });
  }
}

/** Reminds of what the policy owns. */
export function ownPrefixes(prefixes: readonly OwnedPrefix[]): string {
  const shown = prefixes.slice(0, 3).map(({ prefix }) => formatPrefix(prefix));
  const more = prefixes.length > shown.length ? ", …" : "";
  return `this policy's prefixes are ${shown.join(", ")}${more}`;
}

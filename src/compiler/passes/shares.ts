import type { SurfaceRoute } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { formatPrefix } from "../ir/address.js";
import { equalRoutes, type Route } from "../ir/policy.js";

/** A route, and how it was written. */
export interface ReadRoute extends Route {
  readonly written: SurfaceRoute;
}

/** A share so many times smaller than another one of the same prefix is hardly meant. */
const STARVED = 100;

/** Checks what routes of one prefix and one priority say to one another: they share its packets by weight. */
export function checkShares(routes: readonly ReadRoute[], diagnostics: Diagnostics): void {
  for (const equal of equalRoutes(routes)) {
    reportTwice(equal, diagnostics);
    const [only, ...others] = equal;
    if (only && others.length === 0) reportUnused(only, diagnostics);
    else reportStarved(equal, diagnostics);
  }
}

function reportTwice(equal: readonly ReadRoute[], diagnostics: Diagnostics): void {
  const first = new Map<string, Route>();
  for (const route of equal) {
    const other = first.get(route.tunnel);
    if (!other) first.set(route.tunnel, route);
    else {
      const params = { prefix: formatPrefix(route.prefix), tunnel: route.tunnel };
      const related = [{ span: other.span, text: "the other route" }];
      diagnostics.report("TG2060", route.span, params, { related });
    }
  }
}

function reportUnused({ prefix, priority, weight, written }: ReadRoute, diagnostics: Diagnostics): void {
  if (written.weight === null || weight === 1) return;
  diagnostics.report("TG3017", written.weight.span, { prefix: formatPrefix(prefix), priority });
}

function reportStarved(equal: readonly ReadRoute[], diagnostics: Diagnostics): void {
  const weights = equal.map(({ weight }) => weight);
  const most = Math.max(...weights);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  for (const { tunnel, weight, written } of equal) {
    if (weight * STARVED > most) continue;
    diagnostics.report("TG3016", (written.weight ?? written.prefix).span, { tunnel, weight, all, most });
  }
}

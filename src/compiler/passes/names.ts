import type { Located, SurfacePolicy } from "../../dsl/surface.js";
import type { Diagnostics } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/did-you-mean.js";
import { allRules } from "./filters.js";

/** Safe in file names, C, nft and ip(8); the same pattern as in a bundle's manifest. */
const NAME = /^[a-z][a-z0-9-]*$/;
export const NAME_MAX = 32;
/** What counters call the packets that no rule of a stage decided. */
const STAGE_DEFAULT = "default";

/** Reports names that cannot be used, and names that are used twice. */
export function checkNames(surface: SurfacePolicy, diagnostics: Diagnostics): void {
  if (surface.customer) checkName("customer", surface.customer, diagnostics);
  checkDefinitions("rule", ruleNames(surface), diagnostics);
  checkDefinitions("tunnel", tunnelNames(surface), diagnostics);
}

/** Reports references to rules and tunnels that are not there; one that could not be read may be the one meant. */
export function checkReferences(surface: SurfacePolicy, diagnostics: Diagnostics): void {
  const { tests, routes, unread } = surface;
  const rules = new Set(ruleNames(surface).map(({ value }) => value));
  for (const { rule } of unread.has("rules") ? [] : tests) {
    if (rule === null || rules.has(rule.value)) continue;
    diagnostics.report("TG2022", rule.span, { name: rule.value }, { hint: didYouMean(rule.value, rules) });
  }
  const tunnels = new Set(tunnelNames(surface).map(({ value }) => value));
  for (const { tunnel } of unread.has("tunnels") ? [] : routes) {
    if (tunnels.has(tunnel.value)) continue;
    const hint = didYouMean(tunnel.value, tunnels);
    diagnostics.report("TG2023", tunnel.span, { name: tunnel.value }, { hint });
  }
}

function ruleNames(surface: SurfacePolicy): readonly Located<string>[] {
  return allRules(surface).map((rule) => rule.name);
}

function tunnelNames(surface: SurfacePolicy): readonly Located<string>[] {
  return surface.tunnels.map((tunnel) => tunnel.name);
}

function checkDefinitions(what: string, names: readonly Located<string>[], diagnostics: Diagnostics): void {
  const first = new Map<string, Located<string>>();
  for (const name of names) {
    checkName(what, name, diagnostics);
    const earlier = first.get(name.value);
    if (earlier === undefined) first.set(name.value, name);
    else {
      const related = [{ span: earlier.span, text: "first defined here" }];
      diagnostics.report("TG2021", name.span, { what, name: name.value }, { related });
    }
  }
}

export function checkName(what: string, { value, span }: Located<string>, diagnostics: Diagnostics): void {
  if (what === "rule" && value === STAGE_DEFAULT) {
    const hint = "`default` is the counter of what no rule decides: choose another name";
    diagnostics.report("TG2020", span, { what, name: value }, { hint });
    return;
  }
  if (isName(value)) return;
  const suggestion = safeName(value);
  const hint = suggestion === undefined ? undefined : `write "${suggestion}"`;
  diagnostics.report("TG2020", span, { what, name: value }, { hint });
}

/** Whether a text can name a customer, a rule or a tunnel. */
export function isName(text: string): boolean {
  return NAME.test(text) && text.length <= NAME_MAX;
}

/** `text` as a usable name, `SYN flood` and `synFlood` as `syn-flood`; undefined where nothing is left of it. */
export function safeName(text: string): string | undefined {
  const name = text
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, NAME_MAX)
    .replace(/-+$/, "");
  return isName(name) ? name : undefined;
}

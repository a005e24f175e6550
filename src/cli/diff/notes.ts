import { formatAddress, formatPrefix } from "../../compiler/ir/address.js";
import {
  type Limit,
  type Policy,
  type Route,
  type Rule,
  rulesOf,
  type Tunnel,
} from "../../compiler/ir/policy.js";
import { printExpr } from "../../compiler/ir/print.js";
import { printFilter } from "../../dsl/filter/print.js";
import type { SurfaceRule } from "../../dsl/surface.js";

/** What two policies say differently, besides which packets pass. */
export interface Note {
  readonly text: string;
  /** It changes what becomes of traffic, not only what is counted, logged or named. */
  readonly isTraffic: boolean;
}

/** In the order of a policy. `written` are the rules of `after`, for their conditions. */
export function notesOf(before: Policy, after: Policy, written: readonly SurfaceRule[]): readonly Note[] {
  const conditions = new Map(written.map(({ name, match }) => [name.value, match]));
  const conditionOf = ({ name }: Rule): string => {
    const match = conditions.get(name);
    return match ? `if ${printFilter(match)}` : "";
  };
  const traffic = (texts: readonly string[]) => texts.map((text) => ({ text, isTraffic: true }));
  const other = (texts: readonly string[]) => texts.map((text) => ({ text, isTraffic: false }));
  const prefixes = ({ prefixes: all }: Policy) =>
    all.map(({ prefix }): Part => ({ name: formatPrefix(prefix), settings: "" }));
  const rulesOfKind = (kind: Rule["action"]["kind"]) => (policy: Policy) =>
    rulesOf(policy)
      .filter(({ action }) => action.kind === kind)
      .map((rule): Part => {
        const matches = { meaning: printExpr(rule.match), text: conditionOf(rule) };
        return { name: rule.name, settings: settingsOf(rule), matches };
      });
  const compared = (what: string, parts: (policy: Policy) => readonly Part[]) =>
    changesIn(what, parts(before), parts(after));
  return [
    ...other(changed("customer", before.customer, after.customer)),
    ...traffic(compared("prefix", prefixes)),
    ...traffic(compared("limit", rulesOfKind("limit"))),
    ...other(compared("count", rulesOfKind("count"))),
    ...other(compared("log", rulesOfKind("log"))),
    ...traffic(changed("stateful", `${before.firewall.stateful}`, `${after.firewall.stateful}`)),
    ...other(changed("offload", before.firewall.offload, after.firewall.offload)),
    ...other(changed("datapath", before.datapath, after.datapath)),
    ...traffic(
      compared("tunnel", ({ tunnels }) => {
        return tunnels.map((one) => ({ name: one.name, settings: tunnelText(one) }));
      }),
    ),
    ...traffic(
      compared("route", ({ routes }) => {
        return routes.map((one) => ({ name: routeName(one), settings: `weight ${one.weight}` }));
      }),
    ),
    ...traffic(changed("noLiveTunnel", before.noLiveTunnel, after.noLiveTunnel)),
  ];
}

interface Part {
  readonly name: string;
  /** Several ones are parted by `; `. */
  readonly settings: string;
  /** A rule's condition: what it means, and how it was written. */
  readonly matches?: { readonly meaning: string; readonly text: string };
}

function changesIn(what: string, before: readonly Part[], after: readonly Part[]): readonly string[] {
  const old = new Map(before.map((part) => [part.name, part]));
  const names = new Set(after.map(({ name }) => name));
  return [
    ...before.filter(({ name }) => !names.has(name)).map(({ name }) => `${what} ${name} is gone`),
    ...after.filter(({ name }) => !old.has(name)).map((part) => `${what} ${whole(part)} is new`),
    ...after.flatMap((part) => {
      const was = old.get(part.name);
      const changes = was ? changesOf(was, part) : [];
      return changes.length === 0 ? [] : [`${what} ${part.name}: ${changes.join(", ")}`];
    }),
  ];
}

function whole({ name, settings, matches }: Part): string {
  const all = [settings, matches?.text].filter(Boolean).join("; ");
  return [name, all].filter(Boolean).join(": ");
}

/** The settings that differ; conditions are long, so that they changed says enough. */
function changesOf(was: Part, is: Part): readonly string[] {
  const [old, now] = [was.settings.split("; "), is.settings.split("; ")];
  const pairs = old.map((text, index) => [text, now[index] ?? ""] as const).filter(([a, b]) => a !== b);
  const conditions = was.matches?.meaning === is.matches?.meaning ? [] : ["its condition changes"];
  return [...pairs.map(([a, b]) => `${a} → ${b}`), ...conditions];
}

function changed(what: string, was: string, is: string): readonly string[] {
  return was === is ? [] : [`${what}: ${was} → ${is}`];
}

function settingsOf({ action }: Rule): string {
  switch (action.kind) {
    case "limit":
      return limitText(action.limit);
    case "log":
      return `one of ${action.sample}`;
    default:
      return "";
  }
}

function limitText({ rate, burst, per }: Limit): string {
  return `${rate.count}/${rate.unit}; burst ${burst}; per ${per ?? "rule"}`;
}

function tunnelText({ kind, remote, ttl, mtu, key, dscp, df, mss }: Tunnel): string {
  const ends = `${kind} to ${formatAddress(remote)}; ttl ${ttl}; mtu ${mtu}; key ${key ?? "none"}`;
  return `${ends}; dscp ${dscp}; df ${df}; mss ${mss ? `${mss[4]}, in IPv6 ${mss[6]}` : "kept"}`;
}

function routeName({ prefix, tunnel, priority }: Route): string {
  return `${formatPrefix(prefix)} into ${tunnel}, priority ${priority}`;
}

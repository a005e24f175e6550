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

/** What two policies say differently, besides which packets pass. */
export interface Note {
  readonly text: string;
  /** It changes what becomes of traffic, not only what is counted, logged or named. */
  readonly isTraffic: boolean;
}

/** In the order of a policy. */
export function notesOf(before: Policy, after: Policy): readonly Note[] {
  const traffic = (texts: readonly string[]) => texts.map((text) => ({ text, isTraffic: true }));
  const other = (texts: readonly string[]) => texts.map((text) => ({ text, isTraffic: false }));
  const prefixes = ({ prefixes: all }: Policy) =>
    all.map(({ prefix }) => [formatPrefix(prefix), ""] as const);
  const rulesOfKind = (kind: Rule["action"]["kind"]) => (policy: Policy) =>
    rulesOf(policy)
      .filter(({ action }) => action.kind === kind)
      .map((rule) => [rule.name, settingsOf(rule)] as const);
  const compared = (what: string, parts: (policy: Policy) => Parts) =>
    changesIn(what, parts(before), parts(after));
  return [
    ...other(changed("customer", before.customer, after.customer)),
    ...traffic(compared("prefix", prefixes)),
    ...traffic(compared("limit", rulesOfKind("limit"))),
    ...other(compared("count", rulesOfKind("count"))),
    ...other(compared("log", rulesOfKind("log"))),
    ...traffic(changed("stateful", `${before.firewall.stateful}`, `${after.firewall.stateful}`)),
    ...other(changed("offload", before.firewall.offload, after.firewall.offload)),
    ...traffic(compared("tunnel", ({ tunnels }) => tunnels.map((one) => [one.name, tunnelText(one)]))),
    ...traffic(
      compared("route", ({ routes }) => routes.map((one) => [routeName(one), `weight ${one.weight}`])),
    ),
  ];
}

/** Names, and what stands behind each. */
type Parts = readonly (readonly [name: string, settings: string])[];

function changesIn(what: string, before: Parts, after: Parts): readonly string[] {
  const [old, now] = [new Map(before), new Map(after)];
  return [
    ...before.filter(([name]) => !now.has(name)).map(([name]) => `${what} ${name} is gone`),
    ...after
      .filter(([name]) => !old.has(name))
      .map(([name, text]) => `${what} ${[name, text].filter(Boolean).join(": ")} is new`),
    ...after.flatMap(([name, text]) => {
      const was = old.get(name);
      return was === undefined || was === text ? [] : [`${what} ${name}: ${differing(was, text)}`];
    }),
  ];
}

/** The settings that differ; the conditions of rules are long, so that they changed says enough. */
function differing(was: string, is: string): string {
  const [old, now] = [was.split("; "), is.split("; ")];
  const pairs = old.map((text, index) => [text, now[index] ?? ""] as const).filter(([a, b]) => a !== b);
  return pairs.map(([a, b]) => (a.startsWith("if ") ? "its condition changes" : `${a} → ${b}`)).join(", ");
}

function changed(what: string, was: string, is: string): readonly string[] {
  return was === is ? [] : [`${what}: ${was} → ${is}`];
}

function settingsOf({ action, match }: Rule): string {
  const condition = `if ${printExpr(match)}`;
  switch (action.kind) {
    case "limit":
      return `${limitText(action.limit)}; ${condition}`;
    case "log":
      return `one of ${action.sample}; ${condition}`;
    default:
      return condition;
  }
}

function limitText({ rate, burst, per }: Limit): string {
  return `${rate.count}/${rate.unit}; burst ${burst}; per ${per ?? "rule"}`;
}

function tunnelText({ remote, ttl, mtu, key }: Tunnel): string {
  return `to ${formatAddress(remote)}; ttl ${ttl}; mtu ${mtu}; key ${key ?? "none"}`;
}

function routeName({ prefix, tunnel, priority }: Route): string {
  return `${formatPrefix(prefix)} into ${tunnel}, priority ${priority}`;
}

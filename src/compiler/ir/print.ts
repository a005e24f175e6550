import { assertNever } from "../diagnostics/invariant.js";
import { type Address, type Family, formatAddress, formatPrefix, rangeAsPrefix } from "./address.js";
import { type Expr, fieldText, type Test } from "./expr.js";
import type { Intervals, Range } from "./intervals.js";
import type { Action, Firewall, Limit, Policy, Rule, Tunnel } from "./policy.js";

/** The IR as text for people (`--emit-ir`). Not read back by anything; may change with any version. */
export function printPolicy(policy: Policy): string {
  const lines = [
    `policy ${policy.customer}`,
    ...policy.prefixes.map(({ prefix }) => `prefix ${formatPrefix(prefix)}`),
    ...policy.lists.map((list) => `list ${list.name} ${addressSet(4, list[4])} ${addressSet(6, list[6])}`),
    "mitigate",
    ...policy.mitigate.map(printRule),
    printFirewall(policy.firewall),
    ...policy.firewall.rules.map(printRule),
    ...(policy.datapath === "auto" ? [] : [`datapath ${policy.datapath}`]),
    ...policy.tunnels.map(printTunnel),
    ...policy.routes.map(
      ({ prefix, tunnel, priority, weight }) =>
        `route ${formatPrefix(prefix)} tunnel ${tunnel} priority ${priority} weight ${weight}`,
    ),
    ...(policy.noLiveTunnel === "blackhole" ? [] : [`no live tunnel ${policy.noLiveTunnel}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function printHealth(health: Tunnel["health"]): string {
  if (!health) return "";
  const { style, target, interval, timeout, up, down } = health;
  const times = `interval ${interval}ms timeout ${timeout}ms`;
  return ` health ${style} ${formatAddress(target)} ${times} up ${up} down ${down}`;
}

function printTunnel({ name, kind, remote, ttl, mtu, key, dscp, df, mss, health }: Tunnel): string {
  const outer = `remote ${formatAddress(remote)} ttl ${ttl} dscp ${dscp} df ${df}`;
  const segments = mss ? `${mss[4]} ${mss[6]}` : "kept";
  return `tunnel ${name} ${kind} ${outer} mtu ${mtu} key ${key ?? "none"} mss ${segments}${printHealth(health)}`;
}

function printFirewall({ default: byDefault, stateful, offload, earlyRules }: Firewall): string {
  const words = [
    `firewall default ${byDefault}`,
    ...(stateful ? ["stateful"] : []),
    ...(offload === "off" ? ["offload off"] : []),
    ...(offload === "auto" && earlyRules !== undefined ? [`early rules ${earlyRules}`] : []),
  ];
  return words.join(" ");
}

function printRule({ name, action, match, span }: Rule): string {
  return `  ${name} (line ${span.line}): ${printAction(action)}\n    ${printExpr(match)}`;
}

function printAction(action: Action): string {
  switch (action.kind) {
    case "limit":
      return printLimit(action.limit);
    case "log":
      return `log 1 in ${action.sample}`;
    default:
      return action.kind;
  }
}

function printLimit({ interval, burst, per }: Limit): string {
  return `limit interval ${interval}ns burst ${burst} per ${per ?? "rule"}`;
}

/** One line; each test shows what it needs, as `field[header:bytes]`. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case "const":
      return String(expr.value);
    case "not":
      return `not ${printExpr(expr.operand)}`;
    case "and":
    case "or":
    case "xor":
      return `(${expr.operands.map(printExpr).join(` ${expr.kind} `)})`;
    case "address":
      return `${read(expr)} in ${addressSet(expr.family, expr.ranges)}`;
    case "list":
      return `${read(expr)} in list ${expr.list}`;
    case "number":
      return `${read(expr)} in {${expr.ranges.map((range) => span(range, String)).join(" ")}}`;
    case "bits":
      return `${read(expr)} & 0x${expr.mask.toString(16)}`;
    default:
      return assertNever(expr);
  }
}

function read(test: Test): string {
  return `${fieldText(test)}[${test.needs.header}:${test.needs.bytes}]`;
}

function addressSet(family: Family, ranges: Intervals): string {
  const address = (value: bigint): string => formatAddress({ family, value } satisfies Address);
  const members = ranges.map((range) => {
    const prefix = rangeAsPrefix(family, range);
    return prefix && range.low !== range.high ? formatPrefix(prefix) : span(range, address);
  });
  return `{${members.join(" ")}}`;
}

function span({ low, high }: Range, text: (value: bigint) => string): string {
  return low === high ? text(low) : `${text(low)}..${text(high)}`;
}

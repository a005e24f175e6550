import pc from "picocolors";
import type { Span } from "../../compiler/diagnostics/span.js";
import { formatAddress } from "../../compiler/ir/address.js";
import type { Policy, Route, Rule } from "../../compiler/ir/policy.js";
import type { Step, Trace } from "../../compiler/semantics/evaluate.js";
import { withoutLiveTunnel } from "../../compiler/semantics/route.js";
import { whyMissed } from "./found.js";
import type { Sources } from "./sources.js";
import { printable } from "./underline.js";

/** A packet's way through the stages: the rules that were tried, why they did not match, and what decided. */
export function renderJourney(policy: Policy, sources: Sources, packet: string, trace: Trace): string {
  return [
    pc.bold(printable(packet)),
    ...root(trace),
    ...stages(policy, sources, trace),
    ...end(policy, trace),
  ].join("\n");
}

function root(trace: Trace): readonly string[] {
  switch (trace.verdict) {
    case "malformed":
      return [`  root      ${pc.red("drop")}: malformed, ${trace.reason}`];
    case "foreign":
      return ["  root      foreign: not to this customer's prefixes, left alone"];
    default:
      return [];
  }
}

function stages(policy: Policy, sources: Sources, trace: Trace): readonly string[] {
  return trace.decisions.flatMap((decision) => {
    const steps = trace.steps.filter(({ stage }) => stage === decision.stage);
    const early = decision.stage === "firewall" && trace.where === "xdp" ? ", already in XDP" : "";
    const lines = steps.flatMap((step) => {
      const line = renderStep(step, policy, sources);
      return step.rule.name === decision.rule ? [line + early, ...sourceLines(step.rule, sources)] : [line];
    });
    if (decision.rule === null) lines.push(byDefault(policy, decision.stage) + early);
    const shown = lines.map((line, index) => `  ${(index === 0 ? decision.stage : "").padEnd(8)}  ${line}`);
    return decision.stage === "mitigate" ? [...shown, ...kernel(trace)] : shown;
  });
}

/** Between the stages. What the firewall would say is shown all the same: the gate may be what one did not think of. */
function kernel({ gate }: Trace): readonly string[] {
  if (!gate) return [];
  return [`  kernel    ${pc.red("drop")}: ${gate.reason}; without that:`];
}

function renderStep({ rule, outcome, miss }: Step, policy: Policy, sources: Sources): string {
  const { file, line } = rule.span;
  const name =
    file === policy.span.file ? `${rule.name}:${line}` : `${rule.name} (${printable(file)}:${line})`;
  switch (outcome) {
    case "miss": {
      const part = miss ? textAt(miss.part.span, sources) : "";
      return pc.dim(`${name}  no match, ${whyMissed(miss)}: \`${shorten(printable(part))}\``);
    }
    case "allow":
      return `${name}  ${pc.green("allow")}`;
    case "drop":
      return `${name}  ${pc.red("drop")}`;
    case "reject":
      return `${name}  ${pc.red("reject")}: dropped, and the sender is told`;
    case "over":
      return `${name}  ${pc.red("drop")}: over the rate`;
    case "under":
      return pc.dim(`${name}  under the rate, goes on`);
    case "count":
      return pc.dim(`${name}  counted, goes on`);
    case "log":
      return pc.dim(`${name}  counted, logged if its turn comes, goes on`);
  }
}

/** More lines than this are not shown of a rule. */
const MOST_LINES = 6;

/** The rule as it was written: from its name's line to its condition's end, if that is not far. */
function sourceLines({ span, match }: Rule, sources: Sources): readonly string[] {
  const source = sources(span.file);
  if (!source) return [];
  const together = match.span.file === span.file && match.span.line >= span.line;
  const last = together ? Math.min(match.span.endLine, span.line + MOST_LINES - 1) : span.line;
  const lines = Array.from({ length: last - span.line + 1 }, (_, index) => source.line(span.line + index));
  const margin = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  return lines.map((line, index) => {
    const number = String(span.line + index).padStart(4);
    return pc.dim(`${number} | ${shorten(printable(line.slice(margin)), LONGEST_LINE)}`);
  });
}

const LONGEST_LINE = 90;

function textAt({ file, start, end }: Span, sources: Sources): string {
  return (sources(file)?.text.slice(start, end) ?? "").replace(/\s+/g, " ");
}

function byDefault(policy: Policy, stage: "mitigate" | "firewall"): string {
  if (stage === "mitigate") return pc.dim("no rule decided: on to the firewall");
  const verdict = policy.firewall.default;
  return `no rule decided: ${verdict === "allow" ? pc.green(verdict) : pc.red(verdict)} by default`;
}

function end(policy: Policy, trace: Trace): readonly string[] {
  if (trace.held) {
    const why = "a stateful firewall judges datagrams, and this fragment waits for the rest of its own";
    return [`  firewall  ${pc.red("held")}: ${why}`];
  }
  if (trace.stage === "route") return [`  route     ${pc.red("drop")}: no route holds the destination`];
  const lines = trace.routes.map((route, index) => {
    const stage = (index === 0 ? "route" : "").padEnd(8);
    return `  ${stage}  ${shareOf(route, trace.routes)}${intoTunnel(route, policy)}`;
  });
  return [...lines, ...lifeless(policy, trace), ...datapath(policy, trace)];
}

function lifeless(policy: Policy, { routes }: Trace): readonly string[] {
  const choice = withoutLiveTunnel(policy, routes);
  if (choice === null) return [];
  const fate = choice === "blackhole" ? `${pc.red("dropped")}, the prefix is a black hole` : "the same";
  return [`  ${"".padEnd(8)}  while no tunnel lives: ${fate}`];
}

/** Of an allowed packet: nothing where there is only one way. */
function datapath({ tunnels }: Policy, { where, slow, routes }: Trace): readonly string[] {
  if (routes.length === 0) return [];
  const isAsked = tunnels.some(({ name, health }) => health && routes.some(({ tunnel }) => tunnel === name));
  const also = isAsked ? " or the tunnel's router is dead" : "";
  if (where === "xdp")
    return [`  datapath  sent from XDP, or by the namespace where XDP knows no next hop${also}`];
  return slow === null ? [] : [`  datapath  by the namespace: ${slow}`];
}

/** Nothing where all packets go one way. */
function shareOf({ weight }: Route, routes: readonly Route[]): string {
  if (routes.length === 1) return "";
  const all = routes.reduce((sum, route) => sum + route.weight, 0);
  return `${weight} of ${all} flows: `;
}

function intoTunnel({ tunnel: name }: Route, { tunnels }: Policy): string {
  const tunnel = tunnels.find((one) => one.name === name);
  if (!tunnel) return "";
  const key = tunnel.key === null ? "" : `, key ${tunnel.key}`;
  const kind = tunnel.kind === "gre" ? "GRE" : "IP in IP";
  const ends = `${kind} from the edge's anycast address to ${formatAddress(tunnel.remote)}`;
  return `tunnel ${pc.bold(name)}: ${ends}, ttl ${tunnel.ttl === "inherit" ? "inherited" : tunnel.ttl}${key}`;
}

function shorten(text: string, most = 60): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}…`;
}

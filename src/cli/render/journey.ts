import pc from "picocolors";
import type { Span } from "../../compiler/diagnostics/span.js";
import { formatAddress } from "../../compiler/ir/address.js";
import type { Policy } from "../../compiler/ir/policy.js";
import type { Step, Trace } from "../../compiler/semantics/evaluate.js";
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
    const lines = steps.map((step) => renderStep(step, policy, sources));
    if (decision.rule === null) lines.push(byDefault(policy, decision.stage));
    return lines.map((line, index) => `  ${index === 0 ? decision.stage.padEnd(8) : " ".repeat(8)}  ${line}`);
  });
}

function renderStep({ rule, outcome, miss }: Step, policy: Policy, sources: Sources): string {
  const { file, line } = rule.span;
  const name =
    file === policy.span.file ? `${rule.name}:${line}` : `${rule.name} (${printable(file)}:${line})`;
  switch (outcome) {
    case "miss": {
      const part = miss ? textAt(miss.part.span, sources) : "";
      const why = miss?.absent ? "the packet has no such field" : "false";
      return pc.dim(`${name}  no match, ${why}: \`${shorten(printable(part))}\``);
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
  const tunnel = policy.tunnels.find(({ name }) => name === trace.tunnel);
  if (!tunnel) return [];
  const key = tunnel.key === null ? "" : `, key ${tunnel.key}`;
  return [
    `  route     tunnel ${pc.bold(tunnel.name)}: GRE to ${formatAddress(tunnel.remote)}, ttl ${tunnel.ttl}${key}`,
  ];
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

import { type Policy, rulesOf } from "../../compiler/ir/policy.js";
import type { Trace } from "../../compiler/semantics/evaluate.js";
import { withoutLiveTunnel } from "../../compiler/semantics/route.js";

/** The row that scripts read (docs/explain.md). */
export function traceJson(policy: Policy, packet: string, trace: Trace): object {
  const { verdict, stage, routes } = trace;
  const [only, ...others] = routes;
  const noLiveTunnel = withoutLiveTunnel(policy, routes);
  return {
    packet,
    verdict,
    stage,
    rule: trace.rule,
    tunnel: only && others.length === 0 ? only.tunnel : null,
    ...(others.length > 0 && { tunnels: routes.map(({ tunnel, weight }) => ({ name: tunnel, weight })) }),
    ...(noLiveTunnel !== null && { noLiveTunnel }),
    ...ruleLine(policy, trace.rule),
    gate: trace.gate,
    where: trace.where,
  };
}

/** The line is the policy's own, unless the rule comes from a module. */
export function ruleLine(policy: Policy, name: string | null): object {
  const rule = rulesOf(policy).find((one) => one.name === name);
  if (!rule) return { line: null };
  const { file, line } = rule.span;
  return file === policy.span.file ? { line } : { line, file };
}

import { Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import type { Filter } from "../../src/dsl/filter/ast.js";
import { readModule } from "../../src/dsl/read-module.js";
import type { SurfacePolicy } from "../../src/dsl/surface.js";

/** A diagnostic as a reader sees it: the code and the underlined text. */
export interface Seen {
  readonly code: string;
  readonly under: string;
  readonly start: number;
  readonly message: string;
  readonly hint: string | null;
}

export interface ReadResult {
  readonly policy: SurfacePolicy | undefined;
  readonly seen: readonly Seen[];
}

export const IMPORTS =
  'import { policy, edge, list, expr, allow, drop, limit, gre, ipip } from "tidegate";\n';

export function seenIn(source: SourceFile, diagnostics: Diagnostics): readonly Seen[] {
  return diagnostics.all.map(({ code, span, message, hint }) => ({
    code,
    under: source.text.slice(span.start, span.end),
    start: span.start,
    message,
    hint,
  }));
}

export function read(text: string): ReadResult {
  const source = new SourceFile("test.policy.ts", text);
  const diagnostics = new Diagnostics();
  const { content } = readModule("policy", source, diagnostics);
  return {
    policy: content.kind === "policy" ? content.policy : undefined,
    seen: seenIn(source, diagnostics),
  };
}

/** A policy whose only rule matches `expr`…``, behind declarations of its own. */
export function policyText(expression: string, declarations = ""): string {
  return `${IMPORTS}${declarations}
export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [allow("only", expr\`${expression}\`)] },
});`;
}

export interface ReadFilter {
  readonly filter: Filter | undefined;
  readonly seen: readonly Seen[];
}

export function readFilter(expression: string, declarations = ""): ReadFilter {
  const { policy, seen } = read(policyText(expression, declarations));
  return { filter: policy?.firewall.rules[0]?.match, seen };
}

/** The same data without spans: equality in tests ignores places. */
export function withoutSpans<T>(value: T): unknown {
  if (Array.isArray(value)) return value.map(withoutSpans);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "span")
      .map(([key, part]) => [key, withoutSpans(part)]),
  );
}

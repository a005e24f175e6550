import { CATALOGUE, type Code } from "../../src/compiler/diagnostics/catalogue/index.js";
import { type Diagnostic, Diagnostics } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import type { Suppressed } from "../../src/compiler/diagnostics/suppressions.js";
import type { EdgeNode } from "../../src/compiler/ir/edge.js";
import type { Policy } from "../../src/compiler/ir/policy.js";
import { buildEdge } from "../../src/compiler/passes/build-edge.js";
import { buildPolicy } from "../../src/compiler/passes/build-policy.js";
import { readModule } from "../../src/dsl/read-module.js";

/** A diagnostic as a reader sees it: what is underlined, not where. */
export interface Found {
  readonly code: Code;
  readonly underlined: string;
  readonly message: string;
  readonly hint: string | null;
}

const IMPORTS = 'import { allow, drop, edge, expr, gre, ipip, limit, list, policy } from "tidegate";\n';

/** The parts of a policy as TypeScript text; what is not given is right and says nothing. */
export interface PolicyParts {
  readonly before?: string;
  readonly customer?: string;
  readonly prefixes?: string;
  readonly mitigate?: string;
  readonly byDefault?: string;
  readonly stateful?: string;
  readonly rules?: string;
  readonly tunnels?: string;
  readonly routes?: string;
  readonly noLiveTunnel?: string;
  readonly tests?: string;
}

export function policyText(parts: PolicyParts): string {
  return `${IMPORTS}${parts.before ?? ""}
export default policy({
  customer: ${parts.customer ?? '"acme"'},
  prefixes: ${parts.prefixes ?? '["203.0.113.0/24", "2001:db8:a::/48"]'},
  mitigate: [${parts.mitigate ?? ""}],
  firewall: {
    default: ${parts.byDefault ?? '"drop"'},
    stateful: ${parts.stateful ?? "false"},
    rules: [${parts.rules ?? ""}],
  },
  tunnels: ${parts.tunnels ?? '{ main: gre({ remote: "198.51.100.1" }) }'},
  routes: ${parts.routes ?? '[{ prefix: "203.0.113.0/24", tunnel: "main" }, { prefix: "2001:db8:a::/48", tunnel: "main" }]'},
  noLiveTunnel: ${parts.noLiveTunnel ?? "undefined"},
  tests: [${parts.tests ?? ""}],
});
`;
}

/** Reads and builds a policy without asking the targets. */
export function readParts(parts: PolicyParts): {
  readonly policy: Policy | undefined;
  readonly found: readonly Found[];
  readonly suppressed: readonly Suppressed[];
} {
  const source = new SourceFile("test.policy.ts", policyText(parts));
  const diagnostics = new Diagnostics();
  const { content } = readModule("policy", source, diagnostics);
  const policy = content.kind === "policy" ? buildPolicy(content.policy, diagnostics) : undefined;
  const { all, suppressed } = diagnostics;
  return { policy, found: all.map((one) => asFound(one, source)), suppressed };
}

/** Reads and builds an edge file from the text inside `edge({…})`. */
export function readEdgeParts(inside: string): {
  readonly edge: EdgeNode | undefined;
  readonly found: readonly Found[];
} {
  const source = new SourceFile("edge.ts", `${IMPORTS}export default edge({ ${inside} });\n`);
  const diagnostics = new Diagnostics();
  const { content } = readModule("edge", source, diagnostics);
  const edge = content.kind === "edge" ? buildEdge(content.edge, diagnostics) : undefined;
  return { edge, found: diagnostics.all.map((one) => asFound(one, source)) };
}

function asFound({ code, span, message, hint }: Diagnostic, source: SourceFile): Found {
  if (!Object.hasOwn(CATALOGUE, code)) throw new Error(`${code} is not in the catalogue`);
  return { code, underlined: source.text.slice(span.start, span.end), message, hint };
}

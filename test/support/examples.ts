import { analyzeAny, analyzeEdge } from "../../src/compiler/compile.js";
import type { Diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import type { Whole } from "../../src/compiler/diagnostics/entry.js";
import { BUILTIN_NAMES } from "../../src/dsl/builtins/index.js";

/** A policy that is right and says nothing; what an example gives comes after it and wins. */
const POLICY = `{
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }), spare: gre({ remote: "198.51.100.2" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
} as const`;

const EDGE = `{
  uplinks: ["eth0"],
  anycast: ["198.18.0.1"],
  owners: { acme: ["203.0.113.0/24"] },
} as const`;

/** What an analysis finds in an example, and the text of the file that it became. */
export interface Tried {
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Completes an example to a whole file and analyses that; undefined for a sketch. */
export function tryExample(of: Whole, snippet: string): Tried | undefined {
  const text = wholeFile(of, snippet);
  if (text === undefined) return undefined;
  const { diagnostics } = of === "edge" ? analyzeEdge("edge.ts", text) : analyzeAny("acme.policy.ts", text);
  return { text, diagnostics };
}

function wholeFile(of: Whole, snippet: string): string | undefined {
  switch (of) {
    case "sketch":
      return undefined;
    case "file":
      return snippet;
    case "statements":
      return statements(snippet);
    case "edge":
      return `${imports("")}const BASE = ${EDGE};\nexport default edge({ ...BASE,\n${snippet}\n});\n`;
    case "policy":
      return `${imports("")}const BASE = ${POLICY};\nexport default policy({ ...BASE,\n${snippet}\n});\n`;
    case "expression":
      return wholeFile("policy", `firewall: { default: "drop", rules: [allow("only", expr\`${snippet}\`)] }`);
  }
}

function statements(snippet: string): string {
  const end = snippet.includes("export default") ? "" : `export default policy(${POLICY});\n`;
  return `${imports(snippet)}${snippet}\n${end}`;
}

/** All names of "tidegate" but those that the snippet imports or declares by itself. */
function imports(snippet: string): string {
  const own = /import \{(.*)\} from "tidegate"/.exec(snippet)?.[1] ?? "";
  const declared = [...snippet.matchAll(/\bconst (\w+)/g)].map(([, name]) => name);
  const taken = new Set([...own.split(/[\s,]+/), ...declared]);
  const names = BUILTIN_NAMES.filter((name) => !taken.has(name));
  return `import { ${names.join(", ")} } from "tidegate";\n`;
}

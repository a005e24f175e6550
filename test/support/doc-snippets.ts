import { checkTypes } from "../../src/cli/types/check-types.js";
import { analyzeAny } from "../../src/compiler/compile.js";
import type { Diagnostic } from "../../src/compiler/diagnostics/diagnostic.js";
import { SourceFile } from "../../src/compiler/diagnostics/span.js";
import { BUILTIN_NAMES } from "../../src/dsl/builtins/index.js";
import type { ModuleHost } from "../../src/dsl/modules.js";

/**
 * A fenced block of a page. Behind its language stand words that Markdown does not show, and which say what a snippet is
 * a part of: `ts policy` holds properties of `policy({…})`, `ts statements` what stands above it, `ts file=NAME` is a whole
 * file, and `error=TG2008` names a diagnostic that it raises.
 */
export interface Snippet {
  /** Of its opening fence, from 1. */
  readonly line: number;
  /** The words behind the fence. */
  readonly info: string;
  readonly kind: string;
  /** The file that it is, or null. */
  readonly file: string | null;
  /** The diagnostics that it raises, as `error TG2008`, sorted. */
  readonly raises: readonly string[];
  readonly text: string;
}

export function snippetsOf(markdown: string): readonly Snippet[] {
  return [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(
    ({ 1: info = "", 2: text = "", index }) => {
      const words = info.split(" ");
      const files = words.flatMap((word) => /^(?:file|shows)=(.*)/.exec(word)?.[1] ?? []);
      const raises = words.flatMap((word) => {
        const [, severity, codes = ""] = /^(error|warning|note)=(.*)/.exec(word) ?? [];
        return severity === undefined ? [] : codes.split(",").map((code) => `${severity} ${code}`);
      });
      const kind = words.filter((word) => !/^(error|warning|note)=/.test(word)).join(" ");
      return {
        line: markdown.slice(0, index).split("\n").length,
        info,
        kind: kind.replace(/=.*/, "="),
        file: files[0] ?? null,
        raises: raises.sort(),
        text,
      };
    },
  );
}

/** The policy that a page's snippets are parts of; what a snippet says itself comes after it and wins. */
const BASE = `{
  customer: "acme",
  prefixes: ["203.0.113.0/24", "2001:db8:a::/48"],
  firewall: { default: "drop", rules: [] },
  tunnels: { home: gre({ remote: "192.0.2.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "home" }, { prefix: "2001:db8:a::/48", tunnel: "home" }],
} as const`;

/** Properties of a policy. */
export function policyAround(properties: string): string {
  return `${imports("")}const BASE = ${BASE};\nexport default policy({ ...BASE,\n${properties}\n});\n`;
}

/** Statements above a policy. Constants called `mitigate` and `rules` are those of its stages. */
export function policyBelow(statements: string): string {
  const has = (name: string) => new RegExp(`^const ${name}\\b`, "m").test(statements);
  const own = [
    ...(has("mitigate") ? ["mitigate"] : []),
    ...(has("rules") ? ['firewall: { default: "drop", rules }'] : []),
  ];
  const end = `const BASE = ${BASE};\nexport default policy({ ...BASE, ${own.join(", ")} });\n`;
  return `${imports(statements)}${statements}\n${end}`;
}

/** All names of "tidegate" but those that the snippet imports by itself. */
function imports(snippet: string): string {
  const own = new Set(/import \{(.*)\} from "tidegate"/.exec(snippet)?.[1]?.split(/[\s,]+/));
  return `import { ${BUILTIN_NAMES.filter((name) => !own.has(name)).join(", ")} } from "tidegate";\n`;
}

export interface Checked {
  readonly diagnostics: readonly Diagnostic[];
  /** As `error TG2008`, sorted. */
  readonly raised: readonly string[];
  /** Everything that was read. */
  readonly files: readonly string[];
}

/** What `tidegate check` finds in a file; without types, `tidegate check --no-types`. */
export function checkText(file: string, text: string, modules: ModuleHost, withTypes = true): Checked {
  const { diagnostics, sources } = analyzeAny(file, text, modules);
  const types = withTypes ? checkTypes([new SourceFile(file, text)], modules, diagnostics).diagnostics : [];
  const all = [...diagnostics, ...types];
  return {
    diagnostics: all,
    raised: all.map(({ severity, code }) => `${severity} ${code}`).sort(),
    files: [...sources.keys()],
  };
}

/** A command and what it prints; a line `…` stands for any lines. */
export interface Exchange {
  readonly command: string;
  readonly output: string;
}

export function exchangesOf(console: string): readonly Exchange[] {
  return console
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = "", ...output] = text.split("\n");
      return { command, output: bare(output.join("\n")) };
    });
}

export function isShown(shown: string, printed: string): boolean {
  const parts = shown.split(/^…$/m).map((part) => bare(part).replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\s\\S]*")}$`).test(bare(printed));
}

/** Without the empty lines around it; the first line keeps its indentation. */
export function bare(output: string): string {
  return output.replace(/^\n+/, "").trimEnd();
}
